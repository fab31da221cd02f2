#!/usr/bin/env bash
# Makes a virtual environment in which the reader is compiled: scripts/compiled.sh PYTHON FOLDER
set -euo pipefail
python=$1 folder=$2
if ! command -v "${CC:-cc}" >/dev/null; then
  echo "a C compiler is needed: sudo apt-get install build-essential" >&2
  exit 2
fi
bash scripts/venv.sh "$python" "$folder"
# From a copy: the compiler leaves its modules beside the files that it read, and Python would load them
# in place of these.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r pyproject.toml README.md LICENSE src "$copy"
find "$copy" -name '*.so' -delete
# Functions that no other module sees are called directly. CFLAGS take the place of Python's own flags, so
# these are repeated.
flags=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_config_var("CFLAGS"))')
export CFLAGS="${CFLAGS:-$flags -fvisibility=hidden -fno-plt}"
HATCH_BUILD_HOOKS_ENABLE=1 "$folder/bin/pip" install --quiet --force-reinstall --no-deps "$copy"
"$folder/bin/pip" install --quiet click msgspec
