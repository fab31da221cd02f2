"""A Postfix of the tests' own: a queue, a port and a Maildir in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

_POSTFIX = "/usr/sbin/postfix"
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
virtual_mailbox_domains = regexp:{root}/any
virtual_mailbox_base = {root}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
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
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""
_PATIENCE = 60.0


class MailServer(NamedTuple):
    """Where it listens, and the folder into which each mail falls, a file each."""

    port: int
    inbox: Path

    def arrived(self, number: int) -> list[bytes]:
        """The mails that have come, once there are `number`; those there are when patience ends."""
        end = time.monotonic() + _PATIENCE
        while True:
            files = sorted(self.inbox.glob("new/*")) if self.inbox.exists() else []
            if len(files) >= number or time.monotonic() > end:
                return [path.read_bytes() for path in files]
            time.sleep(0.05)


@contextmanager
def mail_server(root: Path, more: str = "") -> Iterator[MailServer]:
    """A running Postfix, with `more` lines in its main.cf; the test is skipped where there is none or we may not start it."""
    if not Path(_POSTFIX).exists():
        pytest.skip("there is no Postfix; Debian's package postfix has one")
    if os.geteuid() != 0:
        pytest.skip("Postfix can only be started by root")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    # Every process of Postfix must reach the folder, whatever the umask of the tests.
    for folder in (root, *root.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    config = root / "config"
    for name in ("config", "queue", "data", "mail"):
        (root / name).mkdir()
    shutil.chown(root / "data", "postfix")
    os.chown(root / "mail", 65534, 65534)
    (root / "any").write_text("/./ yes\n")
    (config / "main.cf").write_text(_MAIN.format(root=root) + more)
    (config / "master.cf").write_text(_MASTER.format(port=port))
    assert pwd.getpwnam("postfix")
    subprocess.run([_POSTFIX, "-c", str(config), "start"], check=True, capture_output=True)
    try:
        yield MailServer(port, root / "mail")
    finally:
        subprocess.run([_POSTFIX, "-c", str(config), "stop"], check=False, capture_output=True)
