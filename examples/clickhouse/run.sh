#!/bin/sh
# Prints the first 48 hours of each post: run.sh [TOPIC]
set -eu
: "${KAFKA_BROKERS:?is not set, expected host:port of a broker}"
: "${SCHEMA_REGISTRY_URL:?is not set, expected the URL of the registry}"
command -v python3 >/dev/null || { echo 'python3 is missing: install Python 3.11 or later' >&2; exit 1; }
cd "$(dirname "$0")"
# The first run, and a change of the requirements, install them.
if ! [ .venv/ready -nt requirements.txt ]; then
  python3 -m venv .venv
  .venv/bin/pip install --quiet --requirement requirements.txt
  touch .venv/ready
fi
exec .venv/bin/python local.py "$@"
