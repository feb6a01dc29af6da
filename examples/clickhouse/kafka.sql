-- Reads the topic into the table; librdkafka skips the records of aborted transactions.
CREATE TABLE media_insights_topic (
  id String,
  business_account_id String,
  polled_at DateTime64(3, 'UTC'),
  timestamp Nullable(DateTime64(3, 'UTC')),
  views Nullable(Int64),
  reach Nullable(Int64),
  likes Nullable(Int64),
  comments Nullable(Int64),
  shares Nullable(Int64),
  saved Nullable(Int64),
  total_interactions Nullable(Int64)
) ENGINE = Kafka SETTINGS
  kafka_broker_list = 'localhost:9092',
  kafka_topic_list = 'instagram.media-insights',
  kafka_group_name = 'clickhouse',
  kafka_format = 'AvroConfluent',
  format_avro_schema_registry_url = 'http://localhost:8081';

CREATE MATERIALIZED VIEW media_insights_reader TO media_insights AS
SELECT * FROM media_insights_topic;
