"""Reads instagram.media-insights into a ClickHouse in this process and prints first_48_hours.

Settings: KAFKA_BROKERS, SCHEMA_REGISTRY_URL
"""

import os
import sys
import tempfile
from pathlib import Path

from chdb.session import Session
from confluent_kafka import Consumer, KafkaError, TopicPartition

TOPIC = "instagram.media-insights"


def values():
    """Yields the value of each record up to the current end of the topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["KAFKA_BROKERS"],
            "group.id": "clickhouse-example",
            "enable.auto.commit": False,
            # Records of aborted transactions are skipped.
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    partitions = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in partitions])
    at_end = set()
    while len(at_end) < len(partitions):
        message = consumer.poll(10)
        if message is None:
            sys.exit(f"{TOPIC}: no record for 10 s; check KAFKA_BROKERS")
        if message.error() is None:
            yield message.value() or b""  # A tombstone has no value.
        elif message.error().code() == KafkaError._PARTITION_EOF:
            at_end.add(message.partition())
        else:
            sys.exit(str(message.error()))
    consumer.close()


clickhouse = Session()
for statement in (Path(__file__).parent / "tables.sql").read_text().split(";\n"):
    if statement.strip():
        clickhouse.query(statement)
with tempfile.NamedTemporaryFile() as file:
    file.writelines(values())
    file.flush()
    # The schema of each record comes from the registry, as in kafka.sql.
    registry = os.environ["SCHEMA_REGISTRY_URL"]
    clickhouse.query(
        f"INSERT INTO media_insights SELECT * FROM file('{file.name}', AvroConfluent)"
        f" SETTINGS format_avro_schema_registry_url = '{registry}'"
    )
print(clickhouse.query("SELECT * FROM first_48_hours ORDER BY id, age_minutes", "JSONEachRow"))
