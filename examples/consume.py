"""Prints the newest value of each key of a topic, read to its end: python consume.py [TOPIC]

    pip install "confluent-kafka[avro,schemaregistry]"

Settings: KAFKA_BROKERS, SCHEMA_REGISTRY_URL.
"""

import json
import os
import sys

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

topic = sys.argv[1] if len(sys.argv) > 1 else "instagram.media"
registry = SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY_URL"]})
# Without a schema of the reader's own a record is read as it was written.
deserialize = AvroDeserializer(registry)
consumer = Consumer(
    {
        "bootstrap.servers": os.environ["KAFKA_BROKERS"],
        "group.id": "consume-example",
        # Records of a transaction that was aborted are never seen.
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
)

partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
newest = {}
at_end = set()
while len(at_end) < len(partitions):
    message = consumer.poll(10)
    if message is None:
        sys.exit(f"{topic}: nothing came for 10 s")
    if message.error():
        if message.error().code() != KafkaError._PARTITION_EOF:
            sys.exit(str(message.error()))
        at_end.add(message.partition())
        continue
    key = message.key().decode()
    if message.value() is None:  # a tombstone: it is gone
        newest.pop(key, None)
    else:
        newest[key] = deserialize(
            message.value(), SerializationContext(topic, MessageField.VALUE)
        )
consumer.close()

for key, value in newest.items():
    print(json.dumps({"key": key, "value": value}, default=str))
