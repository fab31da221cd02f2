"""The journal after everything that can happen to a file: it starts, says what it found, and goes on."""

from __future__ import annotations

import asyncio
import random
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.instruments.station import Bench, bench, message, run

from reftel.centre import accepting, sending
from reftel.centre.accepting import Refused
from reftel.centre.journal import Changes, Journal
from reftel.centre.journalfile import JournalError

PAGE = 8192
"""Bytes of a page of the journal."""


def filled(folder: Path, count: int = 40) -> None:
    """A journal with messages that wait for the south, and all else that a centre has."""

    async def trial(b: Bench) -> None:
        await b.up("north")
        for number in range(1, count + 1):
            serial = f"{number:04d}"
            await b.take("north", message(f"BBA{number:03d}", "QZCCSM QZAAMF", serial))
        await b.deliver()

    with bench(folder) as b:
        run(trial(b))


def restarted(folder: Path) -> tuple[list[str], int, list[str]]:
    """What a start finds, how many messages wait then, and what verifying says; and that it goes on."""

    async def trial(b: Bench) -> None:
        await b.up("south")
        await b.take("north", message("BBA900", "QZCCSM", "0900"))
        assert any("DE QZBBNV 0900" in text for text in await b.give("south"))

    with bench(folder) as b:
        waiting = len(b.station.circuits["south"].queue)
        verified = list(b.journal.verify())
        found = list(b.journal.found)
        run(trial(b))
    return found, waiting, verified


def test_a_whole_journal_starts_with_nothing_to_say(tmp_path: Path) -> None:
    filled(tmp_path)
    assert restarted(tmp_path) == ([], 40, [])


def test_a_last_write_that_was_cut_off_is_told_and_passed_over(tmp_path: Path) -> None:
    """Every length of the write-ahead log is the state after some commit; a torn one is said to be torn."""
    (tmp_path / "before").mkdir()
    filled(tmp_path / "before", 3)
    with bench(tmp_path / "before") as b:
        # While it is open its log is not yet in the file.
        run(b.take("north", message("BBA004", "QZCCSM", "0004")))
        whole = {
            name: (tmp_path / "before" / f"journal.db{name}").read_bytes() for name in ("", "-wal")
        }
    rng = random.Random(4)
    for length in [len(whole["-wal"]) - 1, *rng.sample(range(33, len(whole["-wal"])), 4)]:
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / "journal.db").write_bytes(whole[""])
        (folder / "journal.db-wal").write_bytes(whole["-wal"][:length])
        found, waiting, verified = restarted(folder)
        assert verified == []
        assert waiting in (3, 4)
        assert found == [] or "ends in the middle of a write" in found[0]
        torn = (length - 32) % (PAGE + 24) != 0
        assert bool(found) == torn


def test_a_flipped_bit_in_a_message_that_waits_keeps_it_from_going_out(tmp_path: Path) -> None:
    """It is told at the start, by verify, and lies with the operator; the others go."""
    filled(tmp_path, 3)
    with closing(sqlite3.connect(tmp_path / "journal.db")) as other, other:
        (data,) = other.execute("SELECT bytes FROM message WHERE id=2").fetchone()
        spoilt = bytes((*data[:-50], data[-50] ^ 1, *data[-49:]))
        other.execute("UPDATE message SET bytes=? WHERE id=2", (spoilt,))

    async def trial(b: Bench) -> None:
        await b.up("south")
        assert any("message 2 is damaged" in each for each in b.journal.found)
        assert any("message 2 is damaged" in each for each in b.journal.verify())
        assert len(await b.give("south")) == 2
        [duty] = b.operator()
        assert duty.message == 2
        assert "damaged in the journal" in (duty.note or "")

    with bench(tmp_path) as b:
        run(trial(b))


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE duty SET routing='QZBBNV' WHERE message=2", "a record of duty is damaged: "),
        ("UPDATE duty SET circuit='north' WHERE message=2", "a record of duty is damaged: "),
        ("UPDATE value SET value='7' WHERE name='in:north'", "'in:north'"),
        ("UPDATE value SET value='2' WHERE name='out:north'", "'out:north'"),
    ],
)
def test_a_flipped_bit_in_the_state_is_told_and_not_trusted(
    tmp_path: Path, sql: str, told: str
) -> None:
    """A damaged duty is for the operator; a damaged number is made again from the entries or forgotten."""

    async def before(b: Bench) -> None:
        await b.up("north")
        await b.take("north", message("BBA001", "QZCCSM", "0001"))
        await b.take("north", message("BBA003", "QZCCSM", "0003"))
        assert len(await b.give("north")) == 1

    with bench(tmp_path) as b:
        run(before(b))
    with closing(sqlite3.connect(tmp_path / "journal.db")) as other, other:
        assert other.execute(sql).rowcount == 1
    with bench(tmp_path) as b:
        assert any(told in each for each in b.journal.found)
        if "duty" in sql:
            [duty] = b.operator()
            assert (duty.message, duty.routing) == (2, ())
            assert len(b.station.circuits["south"].queue) == 1
        elif "out" in sql:
            assert b.station.values["out:north"] == "1"
        else:
            assert "in:north" not in b.station.values


def damaged(folder: Path, seed: int) -> tuple[int, bytes]:
    """A journal of which one page holds other bytes: which page, and what the file holds."""
    filled(folder)
    path = folder / "journal.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    page = random.Random(seed).randrange(1, len(data) // PAGE)
    data[page * PAGE : (page + 1) * PAGE] = random.Random(seed).randbytes(PAGE)
    path.write_bytes(data)
    return page, bytes(data)


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_page_is_set_aside_and_what_can_be_read_goes_on(
    tmp_path: Path, seed: int
) -> None:
    """Whichever page it is, the centre starts, keeps the damaged file, and says what it could save."""
    page, data = damaged(tmp_path, seed)
    with bench(tmp_path) as b:
        waiting = {duty.message for duty in b.station.duties.values()}
        problems = [*b.journal.found, *b.journal.verify()]
        assert problems
        aside = list(tmp_path.glob("journal.damaged-*.db"))
        if aside:
            assert any("it is kept as" in each for each in b.journal.found)
            assert aside[0].read_bytes()[page * PAGE :][:PAGE] == data[page * PAGE :][:PAGE]
        saved = len(waiting)
        run(b.take("north", message("BBA900", "QZCCSM", "0900")))
    assert saved >= 20, "one page holds fewer messages than that"


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_page_that_is_met_while_the_centre_runs_is_got_over(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large journal is not looked through at the start: where a write meets the damage, the centre stands
    still, saves what can be read, and takes on again."""
    damaged(tmp_path, seed)
    monkeypatch.setattr("reftel.centre.journal._CHECKED_WHOLE", 0)

    async def trial(b: Bench) -> None:
        for number in range(900, 920):
            try:
                await b.take("north", message(f"BBA{number}", "QZCCSM", f"0{number}"))
            except JournalError:
                assert await b.station.recover()
                await b.take("north", message(f"BBA{number}", "QZCCSM", f"0{number}"))
        waiting = [duty.message for duty in b.station.circuits["south"].queue]
        assert len(waiting) >= 20 + 20
        assert list(b.journal.verify()) == [] or b.journal.found

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_file_that_is_no_journal_is_kept_and_a_new_one_begun(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this was never a database" * 400)
    found, waiting, verified = restarted(tmp_path)
    assert "is damaged" in found[0]
    assert "is kept as journal.damaged-" in found[0]
    assert (waiting, verified) == (0, [])


def test_a_journal_of_a_newer_reftel_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    with closing(sqlite3.connect(tmp_path / "journal.db")) as other, other:
        other.execute("UPDATE journal SET format=99")
    with pytest.raises(JournalError, match="has the format 99"):
        Journal(tmp_path / "journal.db")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows while it lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_and_then_goes_on_from_what_is_written(tmp_path: Path) -> None:
    """What cannot be written is not acknowledged, leaves nothing behind in memory, and can come again under
    its number; what was accepted before is there."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        first = await b.take("north", message("BBA001", "QZCCSM", "0001"))
        with full_disk():
            with pytest.raises(JournalError):
                await b.take("north", message("BBA002", "QZCCSM", "0002"))
            assert b.station.trouble is not None
            with pytest.raises(Refused, match="cannot write its journal"):
                await b.take("north", message("BBA003", "QZCCSM", "0003"))
            assert not await b.station.recover()
        assert await b.station.recover()
        assert b.station.trouble is None
        again = await b.take("north", message("BBA002", "QZCCSM", "0002"))
        assert again.message > first.message
        assert "number-repeat" not in b.kinds()
        assert "number-gap" not in b.kinds()
        assert "journal-writes-again" in b.kinds()
        sent = await b.give("south")
        assert [text[5:12] for text in sent] == ["AAC0001", "AAC0002"]
        assert list(b.journal.verify()) == []

    with bench(tmp_path) as b:
        run(trial(b))


def test_nothing_is_written_on_what_could_not_be_written(tmp_path: Path) -> None:
    """Many at a time: once one commit fails all that wait behind it fail, though the disk has room again;
    otherwise a later number on disk would stand for an earlier message that is not."""

    async def trial(b: Bench) -> None:
        results: list[object] = []
        station = b.station

        def take(number: int) -> None:
            text = message(f"BBA{number:03d}", "QZCCSM", f"{number:04d}").encode()
            accepting.take_on(station, "north", text, results.append, link=number)

        with full_disk():
            take(1)
            await asyncio.sleep(0)
            await asyncio.sleep(0.05)
        # The failure is not yet known here: the loop was not given time to hear of it.
        while not results:
            if station.trouble is None:
                take(2)
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert all(isinstance(each, JournalError) for each in results)
        assert station.circuits["north"].stored == 0
        assert await station.recover()
        assert station.values.get("link-in:north", "0") == "0"
        assert b.journal.last_ids()[0] == 0

    with bench(tmp_path) as b:
        run(trial(b))


def test_what_a_step_changed_is_handed_over_before_a_recovery_can_come_between(
    tmp_path: Path,
) -> None:
    """Otherwise the state would be taken from the journal anew, and the change be written after all."""

    async def trial(b: Bench) -> None:
        await b.take("north", message("BBA001"))
        b.station.fail("a disk that was full")
        enqueuing = b.station.enqueue(Changes(), [])
        with pytest.raises(JournalError, match="a disk that was full"):
            enqueuing.send(None)
        assert await b.station.recover()
        assert len(b.station.here) == 1

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_message_that_our_own_fault_trips_over_lies_with_the_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stored and acknowledged, and those behind it go on."""

    async def trial(b: Bench) -> None:
        await b.up("south")
        decide = accepting._decide

        def fault(station: object, by: str, scanned: object, *rest: object) -> object:
            if "0002" in (scanned.message or ""):  # type: ignore[attr-defined]
                raise ZeroDivisionError("a fault")
            return decide(station, by, scanned, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(accepting, "_decide", fault)
        for number in (1, 2, 3):
            await b.take("north", message(f"BBA{number:03d}", "QZCCSM", f"000{number}"))
        assert len(await b.give("south")) == 2
        [duty] = b.operator()
        assert (duty.message, duty.routing) == (2, ("QZCCSM",))
        assert "ZeroDivisionError" in (duty.note or "")
        assert ("message.failed", 2) in [(event, f.get("message")) for event, f in b.told]

    with bench(tmp_path) as b:
        run(trial(b))


def test_two_centres_cannot_have_one_journal(tmp_path: Path) -> None:
    with (
        bench(tmp_path),
        pytest.raises(JournalError, match="is in use by another centre"),
    ):
        Journal(tmp_path / "journal.db")


def test_every_journal_has_an_identity_of_its_own(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.db") as one, Journal(tmp_path / "b.db") as other:
        assert one.identity != other.identity
        kept = one.identity
        one.commit_now(Changes())
    with Journal(tmp_path / "a.db") as one:
        assert one.identity == kept


def test_what_was_numbered_is_on_its_way_after_a_kill(tmp_path: Path) -> None:
    """Numbers are in the journal before a byte leaves: a start finds what was on its way."""

    async def trial(b: Bench) -> None:
        await b.up("south")
        await b.take("north", message("BBA001", "QZCCSM"))
        [taken] = await sending.next_transmissions(b.station, "south", 1)
        assert taken.duty.link == 1

    with bench(tmp_path) as b:
        run(trial(b))
        again = b.restarted()
        b.journal = again.journal
        south = again.station.circuits["south"]
        assert [(d.hop, d.link) for d in south.flight.values()] == [("AAC0001", 1)]
        assert again.station.values["out:south"] == "1"
