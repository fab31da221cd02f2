"""A Postfix of the tests' own: a queue, a port and a Maildir in a temporary folder."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from scripts.postfix import NoPostfixError, running

_MAILDIR = """\
virtual_mailbox_domains = regexp:{root}/any
virtual_mailbox_base = {root}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (root / "mail").mkdir()
    if os.geteuid() == 0:
        os.chown(root / "mail", 65534, 65534)
    (root / "any").write_text("/./ yes\n")
    try:
        with running(root, port, _MAILDIR.format(root=root) + more):
            yield MailServer(port, root / "mail")
    except NoPostfixError as error:
        pytest.skip(str(error))
