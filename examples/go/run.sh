#!/bin/sh
# Prints the newest value of each key: run.sh [TOPIC]
set -eu
: "${KAFKA_BROKERS:?is not set, expected host:port of a broker}"
: "${SCHEMA_REGISTRY_URL:?is not set, expected the URL of the registry}"
command -v go >/dev/null || { echo 'go is missing: install Go 1.26 or later' >&2; exit 1; }
cd "$(dirname "$0")"
exec go run . "$@"
