#!/usr/bin/env bash
# Makes the virtual environment: scripts/venv.sh PYTHON FOLDER
set -euo pipefail
python=$1 folder=$2
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Reftel needs Python 3.11 or later; name one: make setup PYTHON=python3.12" >&2
  exit 2
fi
[ -x "$folder/bin/pip" ] && exit 0
if ! "$python" -m venv "$folder" 2>/tmp/reftel-venv.$$; then
  rm -rf "$folder"
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    "$python" -m venv "$folder"
  else
    cat /tmp/reftel-venv.$$ >&2
    echo "install the venv module first: sudo apt-get install python3-venv" >&2
    exit 2
  fi
fi
rm -f /tmp/reftel-venv.$$
