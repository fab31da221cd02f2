#!/usr/bin/env bash
# Installs Debian's PostgreSQL for the tests where that is allowed; they are skipped where there is none.
set -euo pipefail
there() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
there && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  # Only the programs are wanted: the tests start a cluster of their own.
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/reftel.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null || true
  rm -f /etc/postgresql-common/createcluster.d/reftel.conf
fi
there || echo "no PostgreSQL here: the tests of archives in a database are skipped" >&2
