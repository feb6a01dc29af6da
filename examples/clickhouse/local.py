"""Reads every record of a topic into a ClickHouse in this process and prints first_48_hours.

Usage: local.py [TOPIC]
Settings: KAFKA_BROKERS, SCHEMA_REGISTRY_URL
"""

import os
import sys
import tempfile
from pathlib import Path

from chdb.session import Session
from confluent_kafka import Consumer, KafkaError, TopicPartition


def values(topic):
    """Yields the value of each record up to the current end of the topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["KAFKA_BROKERS"],
            # Partitions are assigned by hand; the group stores no offsets.
            "group.id": "clickhouse-example",
            "enable.auto.commit": False,
            # Records of aborted transactions are skipped.
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    metadata = consumer.list_topics(topic, timeout=10).topics[topic]
    if metadata.error is not None:
        sys.exit(f"{topic}: {metadata.error.str()}; check the name and KAFKA_BROKERS")
    consumer.assign([TopicPartition(topic, partition, 0) for partition in metadata.partitions])
    at_end = set()
    while len(at_end) < len(metadata.partitions):
        message = consumer.poll(10)
        if message is None:
            sys.exit(f"{topic}: no answer for 10 s; check KAFKA_BROKERS")
        if message.error() is None:
            # A tombstone has no value; the table keeps the readings of a deleted post.
            if message.value() is not None:
                yield message.value()
        elif message.error().code() == KafkaError._PARTITION_EOF:
            at_end.add(message.partition())
        else:
            sys.exit(f"{topic}: {message.error().str()}")
    consumer.close()


clickhouse = Session()
for statement in (Path(__file__).parent / "tables.sql").read_text().split(";\n"):
    if statement.strip():
        clickhouse.query(statement)
with tempfile.NamedTemporaryFile() as file:
    file.writelines(values(sys.argv[1] if len(sys.argv) > 1 else "instagram.media-insights"))
    file.flush()
    # The schema of each record comes from the registry, as in kafka.sql.
    registry = os.environ["SCHEMA_REGISTRY_URL"]
    clickhouse.query(
        f"INSERT INTO media_insights SELECT * FROM file('{file.name}', AvroConfluent)"
        f" SETTINGS format_avro_schema_registry_url = '{registry}'"
    )
rows = clickhouse.query("SELECT * FROM first_48_hours ORDER BY id, age_minutes", "JSONEachRow")
print(rows, end="")
