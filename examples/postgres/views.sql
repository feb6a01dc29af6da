-- Views for the questions that people ask first. Times are UTC; a day is one of the API's, which
-- ends at midnight US Pacific time.

-- Maps as rows.

CREATE OR REPLACE VIEW online_followers AS
SELECT business_account_id, date, hour::int, followers::bigint
FROM user_insights, each(online_followers) AS entry (hour, followers);

CREATE OR REPLACE VIEW follower_demographics AS
SELECT business_account_id, breakdown, segment, followers::bigint
FROM user_lifetime_insights, each(value) AS entry (segment, followers);

CREATE OR REPLACE VIEW story_navigation AS
SELECT id, business_account_id, action, times::bigint
FROM story_insights, each(navigation_actions) AS entry (action, times);

-- How many followers did an account have at the end of a day, how many were new, and what was the
-- change? The change is null where the day before has no count.

CREATE OR REPLACE VIEW followers_by_day AS
WITH counts AS (
  SELECT DISTINCT ON (id, day) id AS business_account_id, day, followers_count AS followers
  FROM users_history,
    LATERAL (SELECT (polled_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/Los_Angeles')::date AS day)
      AS pacific
  ORDER BY id, day, polled_at DESC
), changes AS (
  SELECT counts.business_account_id, counts.day, counts.followers,
    counts.followers - before.followers AS net_change
  FROM counts LEFT JOIN counts AS before
    ON before.business_account_id = counts.business_account_id AND before.day = counts.day - 1
), gains AS (
  SELECT business_account_id, follower_count AS new_followers,
    (date AT TIME ZONE 'UTC' AT TIME ZONE 'America/Los_Angeles')::date - 1 AS day
  FROM user_insights
)
SELECT business_account_id, day, followers, new_followers, net_change
FROM changes FULL JOIN gains USING (business_account_id, day);

-- Which days are final? A day is read again until 48 hours (POLLING_LOOKBACK) before the newest one.

CREATE OR REPLACE VIEW final_days AS
SELECT business_account_id, date,
  date < max(date) OVER (PARTITION BY business_account_id) - interval '48 hours' AS is_final
FROM user_insights;

-- How did a post do in its first 48 hours? One row for each change of its insights.

CREATE OR REPLACE VIEW first_48_hours AS
SELECT id, business_account_id, timestamp AS posted_at, age, views, reach, likes, comments, shares,
  saved, total_interactions
FROM media_insights_history, LATERAL (SELECT polled_at - timestamp AS age) AS since
WHERE age <= interval '48 hours';

-- The same for each full hour: a value holds until the next record, because only changes are
-- published. Hours before the first reading and after the account's last poll are left out.

CREATE OR REPLACE VIEW first_48_hours_by_hour AS
WITH posts AS (
  SELECT id, business_account_id, min(timestamp) AS posted_at
  FROM media_insights_history
  GROUP BY id, business_account_id
), polled AS (
  SELECT id AS business_account_id, max(polled_at) AS until FROM users_history GROUP BY id
)
SELECT posts.id, posts.business_account_id, posts.posted_at, hour, reading.views, reading.reach,
  reading.total_interactions
FROM posts JOIN polled USING (business_account_id)
CROSS JOIN generate_series(1, 48) AS hour
CROSS JOIN LATERAL (
  SELECT views, reach, total_interactions
  FROM media_insights_history
  WHERE media_insights_history.id = posts.id
    AND polled_at <= posts.posted_at + hour * interval '1 hour'
  ORDER BY polled_at DESC
  LIMIT 1
) AS reading
WHERE posts.posted_at + hour * interval '1 hour' <= polled.until;

-- At which hour do posts do best, and how many followers are online then?

CREATE OR REPLACE VIEW best_posting_hour AS
WITH posts AS (
  SELECT business_account_id, extract(hour FROM timestamp)::int AS utc_hour, count(*) AS posts,
    round(avg(reach)) AS average_reach, round(avg(total_interactions)) AS average_interactions
  FROM media_insights
  GROUP BY business_account_id, utc_hour
), online AS (
  -- The API counts these hours at UTC-7 all year.
  SELECT business_account_id, (hour + 7) % 24 AS utc_hour,
    round(avg(followers)) AS followers_online
  FROM online_followers
  GROUP BY business_account_id, utc_hour
)
SELECT *, rank() OVER (PARTITION BY business_account_id ORDER BY average_reach DESC)
FROM posts LEFT JOIN online USING (business_account_id, utc_hour);

-- What are the final numbers of a story, or why does it have none? The history still has the
-- stories that a tombstone deleted.

CREATE OR REPLACE VIEW story_finals AS
SELECT DISTINCT ON (id) id, business_account_id, timestamp AS posted_at, is_final,
  not_final_reason, final_source, measured_at, views, reach, replies, shares, total_interactions,
  navigation
FROM story_insights_history
WHERE is_final OR not_final_reason IS NOT NULL
ORDER BY id, is_final DESC, polled_at DESC;

-- How many viewers left at a story? The history still has the stories that a tombstone deleted.

CREATE OR REPLACE VIEW story_exits AS
SELECT DISTINCT ON (id) id, business_account_id, timestamp AS posted_at, views,
  (navigation_actions -> 'tap_exit')::bigint AS exits,
  round(100.0 * (navigation_actions -> 'tap_exit')::bigint / nullif(views, 0), 1) AS exits_per_100_views
FROM story_insights_history
ORDER BY id, polled_at DESC;
