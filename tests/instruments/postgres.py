"""A PostgreSQL of the tests' own: a cluster and its socket in a temporary folder, no port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

_PATIENCE = 60.0


class Server:
    """Gives a database of its own, as a URL, to whoever asks; their owner is no superuser."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._names = count(1)

    def database(self) -> str:
        name = f"archive{next(self._names)}"
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name} OWNER reftel")
        return self.url(name, "reftel")

    def url(self, name: str, user: str) -> str:
        return f"postgresql://{user}@/{name}?host={self._socket}"


@contextmanager
def postgres() -> Iterator[Server]:
    """Skips the test where Debian's PostgreSQL (scripts/database.sh) is not there."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs or not (programs[-1] / "initdb").exists():
        pytest.skip("there is no PostgreSQL here (scripts/database.sh)")
    # It does not run as root.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    root = Path(tempfile.mkdtemp(prefix="reftel-pg-"))
    shutil.chown(root, user)
    own = {"user": user} if os.geteuid() == 0 else {}
    make = [programs[-1] / "initdb", "-D", root / "data", "-A", "trust", "-U", "postgres"]
    make += ["-E", "UTF8", "--locale", "C", "--no-sync"]
    run = [programs[-1] / "postgres", "-D", root / "data", "-k", root]
    run += ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"]
    try:
        subprocess.run(make, check=True, capture_output=True, cwd=root, **own)
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(run, stdout=log, stderr=log, cwd=root, **own)
        try:
            server = Server(root)
            _wait(server, process, root / "log")
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_PATIENCE)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as db:
                db.execute("CREATE ROLE reftel LOGIN")
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.1)
