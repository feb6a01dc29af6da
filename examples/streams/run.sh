#!/bin/sh
# Publishes to the topic engagement until Ctrl-C: run.sh [PREFIX OF THE TOPICS]
set -eu
: "${KAFKA_BROKERS:?is not set, expected host:port of a broker}"
: "${SCHEMA_REGISTRY_URL:?is not set, expected the URL of the registry}"
command -v mvn >/dev/null || { echo 'mvn is missing: install Java 17 and Maven 3.8 or later' >&2; exit 1; }
cd "$(dirname "$0")"
mvn -q compile dependency:build-classpath -Dmdep.outputFile=target/classpath >&2
exec java -cp "target/classes:$(cat target/classpath)" Engagement "$@"
