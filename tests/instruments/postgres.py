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

    def __init__(self, root: Path, run: list[str | Path], own: dict[str, str]) -> None:
        self._socket = root
        self._run, self._own = run, own
        self._names = count(1)

    def start(self) -> None:
        with (self._socket / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._run, stdout=log, stderr=log, cwd=self._socket, **self._own
            )
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self.url("postgres", "postgres")).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    said = (self._socket / "log").read_text()
                    raise AssertionError(f"PostgreSQL did not start: {said}") from None
                time.sleep(0.1)

    def stop(self) -> None:
        """At once, whoever is connected."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_PATIENCE)

    def database(self) -> str:
        name = f"archive{next(self._names)}"
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name} OWNER reftel")
        return self.url(name, "reftel")

    def dump(self, name: str) -> str:
        """Keep a database as it is, which nobody is connected to; what it is kept as."""
        kept = f"{name}_kept"
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {kept} TEMPLATE {name} OWNER reftel")
        return kept

    def restore(self, kept: str, name: str) -> None:
        """Put what was kept in a database's place, whoever is connected to that."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as db:
            db.execute(f"DROP DATABASE {name} WITH (FORCE)")
            db.execute(f"ALTER DATABASE {kept} RENAME TO {name}")

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
        server = Server(root, run, own)
        try:
            server.start()
            with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as db:
                db.execute("CREATE ROLE reftel LOGIN")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
