"""The journal in sentences."""

from __future__ import annotations

import re
from pathlib import Path

from tests.instruments.station import bench, message, run
from tests.telegrams import ROOT

from reftel.centre.told import _SAYS, more, told


def test_every_kind_of_entry_has_a_sentence() -> None:
    written: set[str] = set()
    for path in (ROOT / "src" / "reftel").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        written |= set(re.findall(r"\.entry\(\s*\"([a-z-]+)\"", text))
    assert len(written) > 40
    assert written <= _SAYS.keys(), written - _SAYS.keys()


def test_what_happened_to_a_message_reads_as_a_story(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        run(made.take("north", message(routing="QZAAMF QZCCSM")))
        run(made.deliver())
        entries = made.journal.entries(message=1)
        assert [told(each) for each in entries] == [
            "BBA001 is the first number on north",
            "taken on from north as BBA001",
            "put before TRADE",
        ]
        assert more(entries[1]) == ["over south to QZCCSM", "for us: QZAAMF"]
