-- How did a post do in its first 48 hours? One row for each change of its insights.
-- The topic keeps every record, so the table is append-only.
CREATE TABLE media_insights (
  id STRING,
  business_account_id STRING,
  polled_at TIMESTAMP(3),
  `timestamp` TIMESTAMP(3),
  `views` BIGINT,
  reach BIGINT,
  likes BIGINT,
  comments BIGINT,
  shares BIGINT,
  saved BIGINT,
  total_interactions BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = 'instagram.media-insights',
  'properties.bootstrap.servers' = '${KAFKA_BROKERS}',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'format' = 'avro-confluent',
  'avro-confluent.url' = '${SCHEMA_REGISTRY_URL}'
);

CREATE VIEW first_48_hours AS
SELECT id, business_account_id, `timestamp` AS posted_at,
  TIMESTAMPDIFF(MINUTE, `timestamp`, polled_at) AS age_minutes,
  `views`, reach, likes, comments, shares, saved, total_interactions
FROM media_insights
WHERE polled_at <= `timestamp` + INTERVAL '48' HOUR;

SELECT id, age_minutes, `views`, reach, total_interactions FROM first_48_hours;
