#!/bin/sh
# Prints the rows of each table in WAREHOUSE.
set -eu
command -v python3 >/dev/null || { echo 'python3 is missing: install Python 3.11 or later' >&2; exit 1; }
cd "$(dirname "$0")"
# The first run, and a change of the requirements, install them.
if ! [ .venv/ready -nt requirements.txt ]; then
  python3 -m venv .venv
  .venv/bin/pip install --quiet --requirement requirements.txt
  touch .venv/ready
fi
export WAREHOUSE="${WAREHOUSE:-$PWD/target/warehouse}"
exec .venv/bin/python count.py
