CREATE TABLE instagram_media (
  media_key STRING,
  id STRING,
  business_account_id STRING,
  caption STRING,
  like_count BIGINT,
  `timestamp` TIMESTAMP(3),
  PRIMARY KEY (media_key) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'instagram.media',
  'properties.bootstrap.servers' = '${KAFKA_BROKERS}',
  'properties.isolation.level' = 'read_committed',
  'scan.bounded.mode' = 'latest-offset',
  'key.format' = 'raw',
  'value.format' = 'avro-confluent',
  'value.avro-confluent.url' = '${SCHEMA_REGISTRY_URL}',
  'value.fields-include' = 'EXCEPT_KEY'
);

SELECT business_account_id, COUNT(*) AS media, SUM(like_count) AS likes, MAX(`timestamp`) AS newest
FROM instagram_media
GROUP BY business_account_id;
