"""Prints the readings of each post in its first 48 hours as CSV, by DuckDB.

Usage: consume.py --every instagram.media-insights | first_48_hours.py
"""

import csv
import sys

import duckdb

readings = duckdb.execute("""
    SELECT value.id AS id, date_sub('minute', value.timestamp, value.polled_at) AS age_minutes,
      value.views AS views, value.reach AS reach, value.total_interactions AS total_interactions
    FROM read_json('/dev/stdin', format = 'newline_delimited')
    WHERE value.polled_at <= value.timestamp + INTERVAL 48 HOURS
    ORDER BY id, age_minutes
""")
output = csv.writer(sys.stdout, lineterminator="\n")
output.writerow(name for name, *_ in readings.description)
output.writerows(readings.fetchall())
