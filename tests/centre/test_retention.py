"""Duty 14: what is finished leaves the journal when its time is over, and nothing else does."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.instruments.station import CONFIG, Bench, bench, message, run, service
from tests.instruments.world import Process

from reftel.centre import answering, desk, readers
from reftel.centre.history import would_find
from reftel.centre.journal import Journal
from reftel.centre.journalfile import JournalError, TextRemovedError
from reftel.centre.retention import Removed, Retention
from reftel.centre.status import status
from reftel.centre.told import told

DAY = 86400.0
SHORT = (
    CONFIG + "[keep]\nmessages_days = 10\nservice_days = 2\nentries_days = 20\ndeeds_days = 40\n"
)


async def pruned(b: Bench, days: float) -> Removed:
    await b.move_clock(days * DAY)
    found = await Retention(b.station).due()
    gone = await Retention(b.station).prune("ana")
    assert found == gone
    assert list(b.journal.verify()) == []
    return gone


def has_text(b: Bench, number: int) -> bool:
    try:
        b.journal.bytes_of(number)
    except TextRemovedError:
        return False
    return True


def test_texts_go_first_then_what_happened_and_last_what_people_did(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM QZAAMF", "0001"))
        await b.give("south")
        await b.deliver()
        await readers.read(b.station, "TRADE", 1, "moe")
        for number in (2, 3):
            await b.take("north", message(f"BBA00{number}", "QZCCSM", f"000{number}"))
        await b.give("south")
        assert await pruned(b, 9) == Removed(0, 0)
        assert (await pruned(b, 2)).texts == 3
        assert not has_text(b, 1)
        way = desk.way(b.station, 1)
        assert way.name == "QZBBNV 0001 1550842"
        assert "the text of message 1 was removed" in (way.removed or "")
        assert "read by moe for TRADE" in [told(each) for each in way.entries]
        with pytest.raises(desk.DeskError, match="the archive may have the telegram"):
            await desk.send_again(b.station, 1, "ana")
        gone = await pruned(b, 10)
        assert gone.entries > 5
        assert [told(each) for each in desk.way(b.station, 1).entries] == ["read by moe for TRADE"]
        with pytest.raises(desk.DeskError, match="there is no message 2"):
            desk.way(b.station, 2)
        assert (await pruned(b, 25)).entries >= 1
        with pytest.raises(desk.DeskError, match="there is no message 1"):
            desk.way(b.station, 1)

    with bench(tmp_path, SHORT) as b:
        run(trial(b))
    with Journal(tmp_path / "journal.db") as journal:
        assert journal.found == []
        removals = [each for each in journal.entries() if each.kind == "removed"]
        assert (
            told(removals[0])
            == "3 texts removed from the journal, being kept long enough; ana asked for it"
        )
        assert journal.entries()[-1].id > len(journal.entries())


def test_service_messages_go_earlier_and_a_telegram_repeated_in_one_does_not(
    tmp_path: Path,
) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001"))
        await b.take("north", service("BBA002", "ZID AAB0000"))
        whole = message("BBA003", serial="0417")
        repeat = (
            "VZCZCBBA003     \nRR QZAAMF\nDE QZBBNV 0418 1551450\nZNR UUUUU\nBT\n"
            "UNCLAS SVC ZUI QZAAMF 0001 1551436 ZDK QZBBNV 0417 1550842\n" + whole.split("\n", 1)[1]
        )
        await b.take("north", repeat)
        await b.deliver()
        [answer] = await b.give("north")
        assert "ZIC" in answer
        await pruned(b, 3)
        kinds = {n: b.journal.message(n)[1] for n in range(1, 5) if not has_text(b, n)}  # type: ignore[index]
        assert kinds == {2: "north", 4: "#service"}

    with bench(tmp_path, SHORT) as b:
        run(trial(b))


def test_what_is_not_finished_stays_however_old_it_is(tmp_path: Path) -> None:
    """What waits, lies with the operator or unread, is held, is asked for again, or wants a person; and
    what is behind an open number."""

    def part(number: int, hop: str) -> str:
        text = f"UNCLAS SECTION {number} OF 2 NORDHAVEN 0412\nSUBJECT: FERRY\n{number}. WORDS."
        return message(hop, serial=f"002{number}", text=text)

    async def trial(b: Bench) -> None:
        await b.up("north")
        comes = {
            "held": message("BBA001", "QZCCSM", "0001"),
            "no route": message("BBA002", "QZEEXX", "0002"),
            "unread": message("BBA003", "QZAAMF", "0003"),
            "a repeat is awaited": message("BBA004", "QZCCSM", "0004")[:-60],
            "wants a person": message("BBA005", "QZAAMF", "0005", letter="Z"),
            "behind an open number": message("BBA007", "QZAAMF", "0007"),
            "waits": message("BBA008", "QZCCSM", "0008"),
            "a section of what is unread": part(1, "BBA009"),
            "another section": part(2, "BBA010"),
        }
        came = {why: (await b.take("north", text)).message for why, text in comes.items()}
        first = next(iter(b.station.circuits["south"].queue))
        await desk.hold(b.station, first.id, "ana", "on request")
        await b.give("north")
        await b.deliver()
        await pruned(b, 1000)
        assert [why for why, number in came.items() if not has_text(b, number)] == []
        for number in came.values():
            assert {"accepted", "garbled"} & set(b.kinds(number))
        assert [e.hop for e in b.journal.entries() if e.kind == "number-open"] == ["BBA0006"]
        # And when they are finished, their time begins.
        last = ("behind an open number", "a section of what is unread")
        for why in ("unread", "wants a person", *last):
            await readers.read(b.station, "TRADE", came[why], "moe")
        await desk.acknowledge(b.station, came["wants a person"], "ana")
        await desk.close(b.station, "open-number", "BBA0006", "ana", "never sent")
        await desk.close(b.station, "repeat", "QZBBNV 0004 1550842", "ana", "not wanted")
        for each in list(b.station.duties.values()):
            await desk.discard(b.station, each.id, "ana", "a trial")
        await pruned(b, 9)
        assert has_text(b, came["unread"])
        await pruned(b, 2)
        assert [why for why, number in came.items() if has_text(b, number)] == []

    with bench(tmp_path, SHORT) as b:
        run(trial(b))


def test_a_message_that_is_traced_is_kept_for_its_time_anew(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        for number in (1, 2):
            await b.take("north", message(f"BBA00{number}", "QZCCSM", f"000{number}"))
        await b.give("south")
        await b.move_clock(9 * DAY)
        asked = (
            "VZCZCBBA003     \nRR QZAAMF\nDE QZBBNV 0425 1570915\nZNR UUUUU\nBT\nUNCLAS SVC QZCCSM CLAIMS"
            " NONRECEIPT RR QZCCSM DE QZBBNV 0001 1550842\nZDQ QZAAMF BBA001 040846Z. TRACE AND ADVISE\nBT"
        )
        await b.take("north", asked + "\n" * 8 + "NNNN\n")
        await b.deliver()
        await pruned(b, 2)
        assert has_text(b, 1)
        assert not has_text(b, 2)

    with bench(tmp_path, SHORT) as b:
        run(trial(b))


def test_a_serial_that_comes_again_in_another_year_is_no_duplicate(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("south")
        await b.take("north", message("BBA001", "QZCCSM"))
        await b.give("south")
        assert (await b.take("north", message("BBA002", "QZCCSM"))).duplicate
        await pruned(b, 365)
        again = await b.take("north", message("BBA003", "QZCCSM", text="UNCLAS\nOTHER WORDS"))
        assert again.ways == ("south",)
        [onward] = await b.give("south")
        assert "ZFD" not in onward
        assert answering._good_copy(b.station, "QZBBNV 0412 1550842") == again.message

    with bench(tmp_path, SHORT) as b:
        run(trial(b))


def test_numbers_are_not_given_again_after_everything_has_gone(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("south")
        for number in (1, 2):
            await b.take("north", message(f"BBA00{number}", "QZCCSM", f"000{number}"))
        await b.give("south")
        await pruned(b, 1000)

    with bench(tmp_path, SHORT) as b:
        run(trial(b))
        again = b.restarted()
        b.journal = again.journal
        assert run(again.take("north", message("BBA003", "QZCCSM", "0003"))).message == 3
        assert again.journal.entries()[-1].id > 10


def test_what_was_removed_is_not_left_in_the_file(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("south")
        for number in range(1, 6):
            words = "UNCLAS\n" + "HERRING MARMALADE\n" * 300 * number
            await b.take("north", message(f"BBA00{number}", "QZCCSM", f"000{number}", text=words))
        await b.give("south")
        await pruned(b, 11)

    with bench(tmp_path, SHORT) as b:
        run(trial(b))
    assert b"HERRING" not in (tmp_path / "journal.db").read_bytes()


def test_who_takes_out_more_is_found(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("south")
        for number in range(1, 8):
            await b.take("north", message(f"BBA00{number}", "QZCCSM", f"000{number}"))
        await b.give("south")
        await b.move_clock(15 * DAY)
        await b.take("north", message("BBA008", "QZCCSM", "0008"))
        await b.give("south")
        assert (await pruned(b, 6)).entries > 10

    with bench(tmp_path, SHORT) as b:
        run(trial(b))
    with sqlite3.connect(tmp_path / "journal.db") as other:
        (first, chain) = other.execute(
            "SELECT id, chain FROM entry WHERE kind='accepted' AND message=8"
        ).fetchone()
        with pytest.raises(sqlite3.IntegrityError, match="before its time"):
            other.execute("DELETE FROM entry WHERE id=?", (first,))
        other.execute("INSERT INTO removed VALUES (?,?,?)", (first, first, chain))
        other.execute("DELETE FROM entry WHERE id=?", (first,))
        other.execute("UPDATE message SET bytes=x'' WHERE id=8")
    with Journal(tmp_path / "journal.db") as journal:
        found = list(journal.verify())
    assert any(f"entries {first} to {first} are gone, and no entry says" in each for each in found)
    assert any("the text of message 8 is gone, and no entry says" in each for each in found)


def test_a_clock_that_leapt_ahead_removes_nothing_until_a_person_says_so(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("south")
        await b.take("north", message("BBA001", "QZCCSM"))
        await b.give("south")
        keeping = Retention(b.station)
        await keeping.look()
        await b.move_clock(700 * DAY)
        for _ in range(3):
            await keeping.look()
        assert has_text(b, 1)
        [alert] = [a.what for a in status(b.station).alerts if "clock" in a.what]
        assert alert.startswith("the clock went 700 days ahead")
        await keeping.prune("ana")
        assert not has_text(b, 1)
        assert not [a for a in status(b.station).alerts if "clock" in a.what]
        assert status(b.station).pruned is not None

    with bench(tmp_path, SHORT) as b:
        run(trial(b))


def test_a_look_back_passes_over_what_has_no_text_any_more(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        b.now = time.time() - 12 * DAY
        await b.take("north", message("BBA001", text="UNCLAS\nSUBJECT: FERRY"))
        await b.deliver()
        await readers.read(b.station, "TRADE", 1, "moe")
        assert would_find(b.config, b.config.profile, 31).found
        await pruned(b, 12)
        assert would_find(b.config, b.config.profile, 31).found == ()

    text = SHORT.replace('directory = "directory.toml"', 'directory = "directory.toml"\ndata = "."')
    with bench(tmp_path, text) as b:
        run(trial(b))


def test_a_journal_of_the_first_format_is_taken_over(tmp_path: Path) -> None:
    with bench(tmp_path, SHORT) as b:
        run(b.take("north", message("BBA001")))
    with sqlite3.connect(tmp_path / "journal.db") as old:
        old.executescript(
            "DROP TABLE removed; DROP TRIGGER entry_kept; UPDATE journal SET format=1;"
            "CREATE TRIGGER entry_kept BEFORE DELETE ON entry"
            " BEGIN SELECT raise(ABORT, 'an entry of the journal is never removed'); END;"
        )
    with bench(tmp_path, SHORT) as b:
        run(b.deliver())
        run(readers.read(b.station, "TRADE", 1, "moe"))
        assert run(pruned(b, 100)).texts == 1


def _command(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reftel", "centre", *words, "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_centre_killed_while_it_removes_goes_on_and_its_chain_holds(tmp_path: Path) -> None:
    """A real process, kill -9 in the middle, the commands that an operator has."""
    for name in ("in", "out", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "centre.toml").write_text(
        '[station]\nname = "MINFOR"\nrouting_indicator = "QZAAMF"\ndata = "data"\n'
        '[[circuit]]\nname = "north"\nkind = "folder"\nstation = "QZBB"\nsend = "AAB"\nreceive = "BBA"\n'
        'folder_in = "in"\nfolder_out = "out"\nsettle_s = 0\n'
        '[[route]]\nto = "QZBB"\ncircuits = ["north"]\n'
    )
    config = tmp_path / "centre.toml"
    count = 1500

    async def fill(b: Bench) -> None:
        b.now = time.time() - 400 * DAY
        await b.up("north")
        for number in range(1, count + 1):
            text = message(serial=f"{number:04d}", routing="QZBBNV", origin="QZAAMF")
            await b.take(None, text)
        while await b.give("north", 200):
            pass
        await b.deliver()

    with bench(tmp_path / "data") as b:
        run(fill(b))
    process = Process("minfor", config, tmp_path / "data")
    process.start()
    try:
        process.ready()
        said = _command(config, "prune", "--dry-run")
        assert re.search(r"1,500 texts and \d,\d{3} entries would be removed", said.stderr)
        asking = subprocess.Popen(
            [sys.executable, "-m", "reftel", "centre", "prune", "--config", str(config)],
            stderr=subprocess.DEVNULL,
        )
        with process.journal() as journal:
            while not journal.execute("SELECT 1 FROM entry WHERE kind='removed'").fetchone():
                time.sleep(0.005)
        process.kill()
        asking.wait(20)
        process.start()
        process.ready()
        with process.journal() as journal:
            (left,) = journal.execute(
                "SELECT count(*) FROM message WHERE length(bytes)>0"
            ).fetchone()
        assert 0 < left < count
        checked = _command(config, "verify")
        assert (checked.returncode, "0 problems" in checked.stdout) == (0, True), checked
        assert f"{left:,} texts" in _command(config, "prune").stderr
        assert "0 problems" in _command(config, "verify").stdout
        shown = _command(config, "status").stdout
        assert f"{left:,} texts and" in shown
        with process.journal() as journal:
            assert journal.execute("SELECT max(id), count(*) FROM message").fetchone() == (count, 1)
    finally:
        process.stop()


def test_a_journal_that_cannot_be_written_removes_nothing(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("south")
        await b.take("north", message("BBA001", "QZCCSM"))
        await b.give("south")
        await b.move_clock(11 * DAY)
        b.station.fail("a trial")
        with pytest.raises(JournalError):
            await Retention(b.station).prune()
        assert has_text(b, 1)

    with bench(tmp_path, SHORT) as b:
        run(trial(b))
