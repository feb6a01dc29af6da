#!/bin/sh
# Runs a program in the virtual environment of its folder, which the first call creates.
set -eu
command -v python3 >/dev/null || { echo 'install Python 3.11 or later' >&2; exit 1; }
folder=$(dirname "$1")
if ! [ -f "$folder/.venv/ready" ]; then
  python3 -m venv "$folder/.venv"
  "$folder/.venv/bin/pip" install --quiet --requirement "$folder/requirements.txt"
  touch "$folder/.venv/ready"
fi
exec "$folder/.venv/bin/python" "$@"
