"""Names that were never seen are known to be new, without a look at the disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.instruments.station import Bench, bench, message, run

from reftel.centre.known import KnownNames


@given(st.lists(st.text()))
def test_a_name_that_was_added_is_always_found(names: list[str]) -> None:
    known = KnownNames(names)
    assert all(name in known for name in names)


def test_few_names_that_were_not_added_are_found_however_many_were() -> None:
    """200,000 names fill the first filter and the second."""
    known = KnownNames(f"QZBBNV {number:06d}" for number in range(200_000))
    assert sum(f"QZCCSM {number:06d}" in known for number in range(10_000)) < 500


def test_a_message_taken_on_before_a_restart_is_a_duplicate_after_it(tmp_path: Path) -> None:
    async def taken(b: Bench, hop: str) -> bool:
        await b.up("south")
        return (await b.take("north", message(hop, "QZCCSM"))).duplicate

    b = Bench(tmp_path)
    assert run(taken(b, "BBA001")) is False
    again = b.restarted()
    assert run(taken(again, "BBA002")) is True
    again.journal.close()


def test_the_same_message_twice_in_one_turn_is_taken_on_once(tmp_path: Path) -> None:
    """The second comes while the first is being written."""

    async def both(b: Bench) -> list[bool]:
        texts = [message(hop, "QZCCSM") for hop in ("BBA001", "BBA002", "BBA003")]
        found = await asyncio.gather(*(b.take("north", text) for text in texts))
        found.append(await b.take("north", message("BBA004", "QZCCSM")))
        return [each.duplicate for each in found]

    with bench(tmp_path) as b:
        assert run(both(b)) == [False, True, True, True]
