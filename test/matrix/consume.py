"""Reads topics to their end with read_committed; prints each record as a line of JSON.

Usage: consume.py BROKERS REGISTRY TOPIC...
"""

import json
import sys
from datetime import datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

TIMEOUT_S = 30


def to_json(value):
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def main(brokers, registry, topics):
    decode = AvroDeserializer(SchemaRegistryClient({"url": registry}))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "matrix",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    known = consumer.list_topics(timeout=TIMEOUT_S).topics
    left = {(topic, partition) for topic in topics for partition in known[topic].partitions}
    consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in left])
    while left:
        message = consumer.poll(TIMEOUT_S)
        if message is None:
            sys.exit(f"no record and no end for {TIMEOUT_S} s in {sorted(left)}")
        if message.error() is None:
            context = SerializationContext(message.topic(), MessageField.VALUE)
            record = {
                "topic": message.topic(),
                "key": message.key().decode(),
                "value": decode(message.value(), context),
            }
            print(json.dumps(record, default=to_json))
        elif message.error().code() == KafkaError._PARTITION_EOF:
            left.discard((message.topic(), message.partition()))
        else:
            sys.exit(str(message.error()))
    consumer.close()


main(sys.argv[1], sys.argv[2], sys.argv[3:])
