#!/bin/sh
# Creates the tables and views, and starts Kafka Connect with all sinks; runs until Ctrl-C.
set -eu
: "${KAFKA_BROKERS:?is not set, expected host:port of a broker}"
: "${SCHEMA_REGISTRY_URL:?is not set, expected the URL of the registry}"
: "${PGHOST:?is not set, expected the host of PostgreSQL}"
: "${PGDATABASE:?is not set, expected the name of an existing database}"
: "${PGUSER:?is not set, expected the owner of the database}"
: "${PGPASSWORD:?is not set, expected the password of PGUSER}"
command -v mvn >/dev/null || { echo 'mvn is missing: install Java 17 and Maven 3.8 or later' >&2; exit 1; }
command -v psql >/dev/null || { echo 'psql is missing: install the client of PostgreSQL' >&2; exit 1; }
cd "$(dirname "$0")"
mvn -q dependency:build-classpath -Dmdep.outputFile=target/classpath >&2
psql -X -q -v ON_ERROR_STOP=1 -f tables.sql -f views.sql
export JDBC_URL="jdbc:postgresql://$PGHOST:${PGPORT:-5432}/$PGDATABASE"
export CONNECT_LISTENER="${CONNECT_LISTENER:-http://127.0.0.1:8083}"
# Apicurio's own API, beside the one that is compatible with Confluent's.
export APICURIO_URL="${SCHEMA_REGISTRY_URL%/apis/*}/apis/registry/v2"
exec java -Xmx512m -cp "$(cat target/classpath)" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  org.apache.kafka.connect.cli.ConnectStandalone worker.properties sinks/*
