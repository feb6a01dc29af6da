#!/bin/sh
# Starts Kafka Connect with the sink; runs until Ctrl-C.
set -eu
: "${KAFKA_BROKERS:?is not set, expected host:port of a broker}"
: "${SCHEMA_REGISTRY_URL:?is not set, expected the URL of the registry}"
command -v mvn >/dev/null || { echo 'mvn is missing: install Java 17 and Maven 3.8 or later' >&2; exit 1; }
cd "$(dirname "$0")"
export WAREHOUSE="${WAREHOUSE:-$PWD/target/warehouse}"
export CONNECT_LISTENER="${CONNECT_LISTENER:-http://127.0.0.1:8084}"
# Apicurio's own API, beside the one that is compatible with Confluent's.
export APICURIO_URL="${SCHEMA_REGISTRY_URL%/apis/*}/apis/registry/v2"
mkdir -p "$WAREHOUSE"
mvn -q dependency:build-classpath -Dmdep.outputFile=target/classpath >&2
classpath=$(cat target/classpath)
java -cp "$classpath" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  org.apache.kafka.tools.TopicCommand --bootstrap-server "$KAFKA_BROKERS" \
  --create --if-not-exists --topic iceberg-control
exec java -cp "$classpath" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  org.apache.kafka.connect.cli.ConnectStandalone worker.properties sink.properties
