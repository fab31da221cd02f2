"""A Postfix of one's own, on loopback, in one folder: for the tests and for `make centre-demo`.

The programs are Debian's (`scripts/mailserver.sh`); nothing of the machine's own mail is touched. Only root
may start Postfix.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_ATTEMPTS = 3
_POSTFIX = "/usr/sbin/postfix"
_DOVECOT = "/usr/sbin/dovecot"
_MAIN = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
myhostname = relay.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
message_size_limit = 0
mailbox_size_limit = 0
virtual_mailbox_limit = 0
maillog_file = {root}/log
maillog_file_prefixes = {root}
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
tlsmgr unix - - n 1000? 1 tlsmgr
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""


_AUTH = """\
protocols =
base_dir = {root}/dovecot
log_path = {root}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0 secs
passdb {{
  driver = passwd-file
  args = {root}/accounts
}}
service auth {{
  unix_listener {root}/asked {{
    mode = 0660
    user = postfix
  }}
}}
"""


class NoPostfixError(RuntimeError):
    """Postfix cannot be started here; the message says why."""


@contextmanager
def running(root: Path, port: int, more: str = "") -> Iterator[None]:
    """Postfix listening on a port of loopback until the block ends, with `more` lines in its main.cf.

    Raises `NoPostfixError`.
    """
    if not Path(_POSTFIX).exists():
        raise NoPostfixError("there is no Postfix; Debian's package postfix has one")
    if os.geteuid() != 0:
        raise NoPostfixError("Postfix can only be started by root")
    # Its processes must reach the folder, whatever the umask.
    for folder in (root, *root.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    config = root / "config"
    for name in ("config", "queue", "data"):
        (root / name).mkdir()
    shutil.chown(root / "data", "postfix")
    (config / "main.cf").write_text(_MAIN.format(root=root) + more)
    (config / "master.cf").write_text(_MASTER.format(port=port))
    command = [_POSTFIX, "-c", str(config)]
    for attempt in range(_ATTEMPTS):
        # On a busy machine its master may not say in time that it runs, and is not there a moment later.
        time.sleep(attempt)
        started = subprocess.run([*command, "start"], check=False, capture_output=True, text=True)
        if started.returncode == 0:
            break
    else:
        log = root / "log"
        told = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
        said = "; ".join([f"it ended with {started.returncode}", started.stderr.strip(), *told])
        raise NoPostfixError(f"Postfix does not start: {said}")
    try:
        yield
    finally:
        subprocess.run([*command, "stop"], check=False, capture_output=True)


@contextmanager
def secured(root: Path, name: str, accounts: Mapping[str, str]) -> Iterator[str]:
    """Lines of main.cf for a server that wants STARTTLS, with `<name>.pem` and `.key` of the folder, and
    takes mail to relay from these accounts alone; Dovecot asks them for their passwords until the block
    ends. Raises `NoPostfixError`."""
    if not Path(_DOVECOT).exists():
        raise NoPostfixError("there is no Dovecot; Debian's package dovecot-core has one")
    kept = root / "accounts"
    kept.write_text("".join(f"{each}:{{PLAIN}}{word}\n" for each, word in accounts.items()))
    shutil.chown(kept, "dovecot")
    config = root / "dovecot.conf"
    config.write_text(_AUTH.format(root=root))
    asked = subprocess.Popen([_DOVECOT, "-F", "-c", str(config)], stderr=subprocess.PIPE)
    try:
        yield (
            f"smtpd_tls_cert_file = {root}/{name}.pem\nsmtpd_tls_key_file = {root}/{name}.key\n"
            "smtpd_tls_security_level = encrypt\nsmtpd_tls_auth_only = yes\nsmtpd_tls_loglevel = 1\n"
            "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n"
            f"smtpd_sasl_path = {root}/asked\n"
            "smtpd_relay_restrictions = permit_sasl_authenticated, reject\n"
        )
    finally:
        asked.terminate()
        asked.communicate()


def relayed(places: Mapping[str, str]) -> str:
    """Lines of main.cf that hand mail for some domains to `host:port`, as soon as it comes."""
    maps = []
    for domain, place in places.items():
        host, _, port = place.rpartition(":")
        maps.append(f"{{ {domain} = smtp:[{host}]:{port} }}")
    return (
        f"relay_domains = {', '.join(places)}\n"
        f"transport_maps = inline:{{ {', '.join(maps)} }}\n"
        "smtp_host_lookup = native\n"
        "minimal_backoff_time = 2s\nmaximal_backoff_time = 10s\nqueue_run_delay = 2s\n"
    )
