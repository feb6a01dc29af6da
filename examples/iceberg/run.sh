#!/bin/sh
# Starts Kafka Connect with the sink; runs until Ctrl-C.
set -eu
command -v mvn >/dev/null || { echo 'install Java 17 and Maven 3.8 or later' >&2; exit 1; }
cd "$(dirname "$0")"
mvn -q dependency:copy-dependencies
mkdir -p "${WAREHOUSE:?the absolute path of a folder for the tables}"
export CONNECT_LISTENER="${CONNECT_LISTENER:-http://127.0.0.1:8083}"
# Apicurio's own API, beside the one that is compatible with Confluent's.
export APICURIO_URL="${SCHEMA_REGISTRY_URL%/apis/*}/apis/registry/v2"
java -cp 'target/dependency/*' -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  org.apache.kafka.tools.TopicCommand --bootstrap-server "$KAFKA_BROKERS" \
  --create --if-not-exists --topic iceberg-control
exec java -cp 'target/dependency/*' -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  org.apache.kafka.connect.cli.ConnectStandalone worker.properties sink.properties
