#!/usr/bin/env bash
# Finds a Chromium or Chrome for the tests, or installs Debian's where that is allowed.
set -euo pipefail
for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
  command -v "$name" >/dev/null && exit 0
done
[ -n "${REFTEL_BROWSER:-}" ] && [ -x "$REFTEL_BROWSER" ] && exit 0
as_root=()
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null && as_root=(sudo -n)
fi
if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || [ ${#as_root[@]} -gt 0 ]; }; then
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
  command -v chromium >/dev/null && exit 0
fi
echo "the tests drive a browser: install Chromium or Chrome, or set REFTEL_BROWSER to its path" >&2
exit 2
