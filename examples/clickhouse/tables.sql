-- Every record of instagram.media-insights. A record that is written twice becomes one row.
CREATE TABLE media_insights (
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
) ENGINE = ReplacingMergeTree ORDER BY (id, polled_at);

-- How did a post do in its first 48 hours? One row for each change of its insights.
CREATE VIEW first_48_hours AS
SELECT id, business_account_id, timestamp AS posted_at,
  age('minute', timestamp, polled_at) AS age_minutes,
  views, reach, likes, comments, shares, saved, total_interactions
FROM media_insights FINAL
WHERE polled_at <= timestamp + INTERVAL 48 HOUR;
