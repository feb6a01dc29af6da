"""Prints the newest value of each key of a topic, read to its end, as lines of JSON.

Usage: consume.py [--every] [TOPIC]    (--every: every record, not only the newest of a key)
Settings: KAFKA_BROKERS, SCHEMA_REGISTRY_URL
"""

import argparse
import json
import os
import sys

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def read(topic):
    """Yields the key and value of each record up to the current end of the topic."""
    registry = SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY_URL"]})
    # Without a schema of its own the deserializer returns a record as it was written.
    deserialize = AvroDeserializer(registry)
    context = SerializationContext(topic, MessageField.VALUE)
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["KAFKA_BROKERS"],
            # Partitions are assigned by hand; the group stores no offsets.
            "group.id": "consume-example",
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
            yield message.key().decode(), deserialize(message.value(), context)
        elif message.error().code() == KafkaError._PARTITION_EOF:
            at_end.add(message.partition())
        else:
            sys.exit(f"{topic}: {message.error().str()}")
    consumer.close()


def newest_of_each_key(records):
    newest = {}
    for key, value in records:
        if value is None:  # A tombstone: the key was deleted.
            newest.pop(key, None)
        else:
            newest[key] = value
    return newest.items()


def to_line(key, value):
    return json.dumps({"key": key, "value": value}, default=str)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", action="store_true", help="every record, not only the newest")
    parser.add_argument("topic", nargs="?", default="instagram.media")
    options = parser.parse_args()
    records = read(options.topic)
    for key, value in records if options.every else newest_of_each_key(records):
        print(to_line(key, value))


if __name__ == "__main__":
    main()
