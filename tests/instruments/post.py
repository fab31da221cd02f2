"""One centre with people at it: a folder through which messages come, a line that nobody answers, offices
that read, an operator and a reader who log in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reftel.centre.passwords import secret
from tests.instruments.station import DIRECTORY
from tests.instruments.world import Process, free_port

PASSWORD = "under the lamp"
_CONFIG = """\
[station]
name = "MINFOR PORTA"
routing_indicator = "QZAAMF"
also = ["QZAATR"]
data = "data"
directory = "directory.toml"
[[circuit]]
name = "north"
kind = "folder"
station = "QZBBNV"
send = "AAB"
receive = "BBA"
digits = 3
folder_in = "in"
folder_out = "out"
settle_s = 0.05
[[circuit]]
name = "south"
station = "QZCCSM"
send = "AAC"
receive = "CCA"
listen = "127.0.0.1:{south}"
[[route]]
to = "QZBB"
circuits = ["north"]
[[route]]
to = "QZCC"
circuits = ["south"]
[[profile]]
office = "TRADE"
tags = ["EWWT"]
words = ["light dues"]
[[profile]]
office = "CONSULAR"
tags = ["CASC"]
words = ["shipwrecked"]
[http]
listen = "127.0.0.1:{http}"
"""
_PEOPLE = """\
[[operator]]
name = "moe"
secret = "{moe}"
[[reader]]
name = "abela"
secret = "{abela}"
offices = ["TRADE"]
"""


class Post:
    """The running centre, its address, and the folders of its circuit."""

    def __init__(self, folder: Path, *, people: bool = True, more: str = "") -> None:
        self.folder = folder
        http = free_port()
        self.address = f"http://127.0.0.1:{http}"
        text = _CONFIG.format(south=free_port(), http=http) + more
        if people:
            text += _PEOPLE.format(moe=secret(PASSWORD), abela=secret(PASSWORD))
        (folder / "directory.toml").write_text(DIRECTORY)
        (folder / "centre.toml").write_text(text)
        for name in ("in", "out"):
            (folder / name).mkdir()
        self.process = Process("centre", folder / "centre.toml", folder / "data")
        self.ask = self.process.ask
        self._files = 0

    def comes(self, text: str) -> None:
        """A message comes over the folder circuit."""
        self._files += 1
        (self.folder / "in" / f"{self._files:04d}.txt").write_text(text)

    def until(self, happened: Callable[[], Any]) -> Any:
        """What comes, once it is there."""
        end = time.monotonic() + 30
        while not (found := happened()):
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.05)
        return found

    def taken(self, number: int) -> None:
        """Wait until so many messages are in the journal and nothing is being delivered."""
        self.until(
            lambda: (
                (now := self.ask("/centre.json"))["messages"] >= number
                and now["here"] == 0
                and not list((self.folder / "in").glob("*.txt"))
            )
        )


@contextmanager
def post(folder: Path, *, people: bool = True, more: str = "") -> Iterator[Post]:
    made = Post(folder, people=people, more=more)
    made.process.start()
    try:
        made.process.ready()
        yield made
    finally:
        made.process.stop()
