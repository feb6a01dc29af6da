"""Prints the readings of each post in its first 48 hours as CSV, by DuckDB.

Usage: first_48_hours.py [TOPIC]
Settings: KAFKA_BROKERS, SCHEMA_REGISTRY_URL
"""

import csv
import sys
import tempfile

import duckdb

from consume import read, to_line

READING = """STRUCT(id VARCHAR, timestamp TIMESTAMP, polled_at TIMESTAMP, views BIGINT, reach BIGINT,
  total_interactions BIGINT)"""

topic = sys.argv[1] if len(sys.argv) > 1 else "instagram.media-insights"
with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
    # Every record, also the earlier ones of a key; a tombstone is no reading.
    file.writelines(to_line(key, value) + "\n" for key, value in read(topic) if value is not None)
    file.flush()
    readings = duckdb.execute(f"""
        SELECT value.id AS id, date_sub('minute', value.timestamp, value.polled_at) AS age_minutes,
          value.views AS views, value.reach AS reach, value.total_interactions AS total_interactions
        FROM read_json('{file.name}', format = 'newline_delimited', columns = {{value: '{READING}'}})
        WHERE value.polled_at <= value.timestamp + INTERVAL 48 HOURS
        ORDER BY id, age_minutes
    """)
    output = csv.writer(sys.stdout, lineterminator="\n")
    output.writerow(name for name, *_ in readings.description)
    output.writerows(readings.fetchall())
