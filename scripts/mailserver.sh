#!/usr/bin/env bash
# Installs Debian's Postfix, and Dovecot for accounts at it, for the tests where that is allowed; they are
# skipped where there is none.
set -euo pipefail
[ -x /usr/sbin/postfix ] && [ -x /usr/sbin/dovecot ] && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  # Only the programs are wanted: the tests start an instance of their own.
  printf '#!/bin/sh\nexit 101\n' >/tmp/reftel-policy-rc.d
  [ -e /usr/sbin/policy-rc.d ] || { install -m 755 /tmp/reftel-policy-rc.d /usr/sbin/policy-rc.d; ours=1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    postfix dovecot-core >/dev/null || true
  [ -z "${ours:-}" ] || rm -f /usr/sbin/policy-rc.d
  rm -f /tmp/reftel-policy-rc.d
fi
[ -x /usr/sbin/postfix ] || echo "no Postfix here: the tests that send mail through it are skipped" >&2
