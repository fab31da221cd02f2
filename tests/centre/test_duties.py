"""The fourteen duties of a centre's software (wire-format.md 11), one test or more for each, named."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from tests.instruments.station import Bench, bench, message, run, service

from reftel.centre import desk, sending, services
from reftel.centre.journal import Changes, Journal
from reftel.centre.numbers import watch
from reftel.centre.scan import scan


def test_duty_1_a_gap_is_reported_and_closed_when_the_number_comes(tmp_path: Path) -> None:
    """Per channel last + 1 is expected: a gap raises ZFX at once, the late number closes it."""

    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.take("north", message("BBA001", serial="0001"))
        await b.take("north", message("BBA004", serial="0004"))
        sent = await b.give("north")
        assert [re.search(r"ZFX \w+", text)[0] for text in sent] == ["ZFX BBA0002", "ZFX BBA0003"]  # type: ignore[index]
        assert all(text.startswith("VZCZCAAB000") and "\nOO QZBB\n" in text for text in sent)
        await b.take("north", message("BBA002", serial="0002"))
        assert [name for kind, name in b.station.awaited if kind == "open-number"] == ["BBA0003"]
        assert "number-closed" in b.kinds()

    with bench(tmp_path) as b:
        run(trial(b))


@pytest.mark.parametrize(
    ("last", "number", "verdict", "missing"),
    [
        (None, 7, "first", ()),
        (7, 8, "next", ()),
        (9999, 1, "next", ()),
        (9998, 2, "gap", (9999, 1)),
        (7, 10, "gap", (8, 9)),
        (7, 7, "repeat", ()),
        (7, 5, "repeat", ()),
        (50, 1, "restart", ()),
        (7, 5000, "restart", ()),
    ],
)
def test_duty_1_what_a_number_says(
    last: int | None, number: int, verdict: str, missing: tuple[int, ...]
) -> None:
    seen = watch(last, number, 4)
    assert (seen.verdict, seen.missing) == (verdict, missing)


def test_duty_1_the_same_number_twice_and_none_at_all_are_told(tmp_path: Path) -> None:
    """Two messages under one number are both released, with ZFQ; none brings ZFT (ACP 127 429-431)."""

    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.take("north", message("BBA001", serial="0001"))
        await b.take("north", message("BBA001", serial="0002"))
        without = message("BBA002", serial="0003").split("\n", 1)[1]
        await b.take("north", without)
        sent = "".join(await b.give("north"))
        assert "ZFQ BBA001 QZBBNV 0002 1550842" in sent
        assert "ZFT QZBBNV 0003 1550842 BBA0001" in sent
        assert len(b.station.here) == 3

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_1_a_reported_number_goes_again_under_a_new_one_once(tmp_path: Path) -> None:
    """ZFX from a neighbour: what went under the number is retransmitted, never renumbered (433)."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM"))
        [first] = await b.give("south")
        await b.take("south", service("CCA001", "ZFX AAC0001", origin="QZCC"))
        await b.deliver()
        [again] = await b.give("south")
        assert first.startswith("VZCZCAAC0001")
        assert again.startswith("VZCZCAAC0002")
        assert first.split("\n", 1)[1] == again.split("\n", 1)[1]
        await b.take("south", service("CCA002", "ZFX AAC0001", origin="QZCC"))
        await b.deliver()
        assert await b.give("south") == []
        await b.take("south", service("CCA003", "ZFX AAC0777", origin="QZCC"))
        await b.deliver()
        assert "number-unused" in b.kinds()

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_2_numbers_out_are_gapless_and_on_disk_before_a_byte_leaves(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("south")
        for number in range(1, 6):
            await b.take("north", message(f"BBA{number:03d}", "QZCCSM", f"{number:04d}"))
        two = await sending.next_transmissions(b.station, "south", 2)
        assert [each.duty.hop for each in two] == ["AAC0001", "AAC0002"]
        with sqlite3.connect(tmp_path / "journal.db") as other:
            kept = other.execute(
                "SELECT hop FROM duty WHERE hop IS NOT NULL ORDER BY id"
            ).fetchall()
        assert kept == [("AAC0001",), ("AAC0002",)]
        await sending.interrupted(b.station, "south", [two[1].duty], whole=False, why="higher came")
        sent = await b.give("south")
        assert [text[5:12] for text in sent] == ["AAC0003", "AAC0004", "AAC0005", "AAC0006"]
        assert "0002 1550842" in sent[0], "what was interrupted goes first in its precedence"

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_3_serials_are_one_sequence(tmp_path: Path) -> None:
    with bench(tmp_path) as b:
        changes = Changes()
        assert [b.station.next_serial(changes) for _ in range(3)] == ["0001", "0002", "0003"]
        b.journal.commit_now(changes)
        again = b.restarted()
        assert again.station.next_serial(Changes()) == "0004"
        b.journal = again.journal


def test_duty_4_a_new_day_begins_a_new_count(tmp_path: Path) -> None:
    text = Path(__file__).parent.joinpath("../instruments/station.py")
    del text
    from tests.instruments.station import CONFIG

    daily = CONFIG.replace('send = "AAB"', 'daily = true\ndigits = 3\nsend = "AAB"')

    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.take("north", message("BBA001", serial="0001"))
        await b.take("south", message("CCA001", "QZBBNV", "0009", origin="QZCCSM"))
        assert (await b.give("north"))[0].startswith("VZCZCAAB001")
        await b.move_clock(86400)
        await b.take("north", message("BBA001", serial="0002"))
        await b.take("south", message("CCA002", "QZBBNV", "0010", origin="QZCCSM"))
        sent = await b.give("north")
        assert sent[0].startswith("VZCZCAAB001")
        assert "number-repeat" not in b.kinds()

    with bench(tmp_path, daily) as b:
        run(trial(b))


def test_duty_5_the_journal_answers_a_tracer(tmp_path: Path) -> None:
    """Received when under which number, sent when to which circuits under which numbers (438)."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        accepted = await b.take("north", message("BBA007", "QZCCSM QZAAMF"))
        await b.give("south")
        await b.deliver()
        way = desk.way(b.station, desk.find(b.station, "QZBBNV 0412 1550842")[0])
        assert (way.message, way.circuit, way.hop) == (accepted.message, "north", "BBA007")
        said = [(each.kind, each.circuit, each.hop) for each in way.entries]
        assert ("sent", "south", "AAC0001") in said
        assert ("delivered", None, None) in said
        assert way.text.startswith("VZCZCBBA007")
        assert desk.find(b.station, "AAC0001") == [accepted.message]

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_6_each_station_is_served_exactly_once(tmp_path: Path) -> None:
    """The routing line is parted; each circuit carries only its own; the heading is else untouched."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        text = message("CCA001", "QZBBNV QZAAMF QZBBWB QZEEXX", origin="QZCCSM", serial="0001")
        accepted = await b.take("south", text)
        [onward] = await b.give("north")
        assert onward.split("\n")[1] == "RR QZBBNV QZBBWB"
        assert onward.split("\n", 2)[2].rstrip("\n") == text.split("\n", 2)[2].rstrip("\n")
        assert accepted.local
        assert accepted.operator == ("QZEEXX: no route leads to it",)
        [told] = await b.give("south")
        assert "ZEQ4 QZCCSM 0001 1550842 QZEEXX" in told
        again = await b.take("south", text.replace("CCA001", "CCA002"))
        assert again.duplicate
        assert await b.give("north") == []
        partly = text.replace("CCA001", "CCA003").replace(
            "RR QZBBNV QZAAMF", "RR QZBBNV QZBBIS QZAAMF"
        )
        await b.take("south", partly)
        assert [each.split("\n")[1] for each in await b.give("north")] == ["RR QZBBIS"]

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_6_a_collective_is_expanded_without_the_exempted(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        text = message("CCA001", "QZBBCV", origin="QZCCSM", to="ALL NORTH")
        text = text.replace("TO ALL NORTH\n", "TO ALL NORTH\nXMT CONSUL WESTBAY\n")
        await b.take("south", text)
        [onward] = await b.give("north")
        assert onward.split("\n")[1] == "RR QZBBNV"

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_6_dual_precedence_gives_each_path_its_own(tmp_path: Path) -> None:
    """Higher where an action addressee is served, lower where only information is (152)."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        text = message(
            routing="QZBBNV QZCCSM",
            letter="P",
            fl5="P R 040840Z JUN 2025",
            origin="QZAAMF",
            to="QZBBNV/EMB NORDHAVEN",
            info="QZCCSM/EMB SUDMARK",
        )
        await b.take(None, text)
        [north], [south] = await b.give("north"), await b.give("south")
        assert north.split("\n")[1] == "PP QZBBNV"
        assert south.split("\n")[1] == "RR QZCCSM"
        assert "\nP R 040840Z JUN 2025\n" in north
        assert "\nP R 040840Z JUN 2025\n" in south

    with bench(tmp_path) as b:
        run(trial(b))


@pytest.mark.parametrize(
    ("security", "circuit"),
    [("ZNR UUUUU", "south"), ("ZNY CCCCC", "south"), ("ZNY SSSSS", "north"), ("ZNY TTTTT", None)],
)
def test_duty_7_a_circuit_carries_no_more_than_it_is_cleared_for(
    tmp_path: Path, security: str, circuit: str | None
) -> None:
    """Unknown is the highest; what no circuit may carry lies with the operator (203.b)."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        accepted = await b.take(None, message(routing="QZCCSM", security=security, text="SVC"))
        assert accepted.ways == ((circuit,) if circuit else ())
        assert bool(b.operator()) == (circuit is None)

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_8_strict_precedence_and_first_in_first_out(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("south")
        for number, letter in enumerate("RPROZRPOZ", 1):
            text = message(f"BBA{number:03d}", "QZCCSM", f"{number:04d}", letter=letter)
            await b.take("north", text)
        sent = await b.give("south")
        assert [re.search(r"DE QZBBNV 000(\d)", text)[1] for text in sent] == list("594827136")  # type: ignore[index]

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_8_alerts_before_a_message_is_late_and_flash_wants_a_person(tmp_path: Path) -> None:
    from reftel.centre.status import alerts

    async def trial(b: Bench) -> None:
        await b.up("south")
        await b.take("north", message("BBA001", "QZCCSM", letter="O"))
        flash = await b.take("north", message("BBA002", serial="0002", letter="Z"))
        assert not any("late" in each.what for each in alerts(b.station))
        await b.move_clock(1400)
        assert any("about to be late" in each.what for each in alerts(b.station))
        await b.move_clock(500)
        assert any("are late" in each.what for each in alerts(b.station))
        wanted = [each for each in alerts(b.station) if "acknowledgement" in each.what]
        assert [each.message for each in wanted] == [flash.message]
        await desk.acknowledge(b.station, flash.message, "ana")
        assert not any("acknowledgement" in each.what for each in alerts(b.station))
        [entry] = [e for e in b.journal.entries() if e.kind == "acknowledged"]
        assert (entry.who, entry.message) == ("ana", flash.message)

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_9_what_is_garbled_is_not_forwarded_and_asked_for_again(tmp_path: Path) -> None:
    """A cut message goes to nobody; its calling station is asked for it, and the repeat ends the matter."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        whole = message("BBA001", "QZCCSM")
        accepted = await b.take("north", whole[:-30])
        assert accepted.ways == ()
        assert await b.give("south") == []
        [asked] = await b.give("north")
        assert "UNCLAS SVC QZBBNV 0412 1550842 ZES2" in asked
        assert b.operator()[0].note == "garbled: no NNNN ends it: it is cut short"
        await b.take("north", message("BBA002", "QZCCSM"))
        assert ("repeat", "QZBBNV 0412 1550842") not in b.station.awaited
        assert len(await b.give("south")) == 1

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_10_a_silent_line_is_asked_for_its_last_number(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.take("north", message("BBA012"))
        await b.move_clock(1799)
        await services.follow_up(b.station)
        assert await b.give("north") == []
        await b.move_clock(2)
        await services.follow_up(b.station)
        [asked] = await b.give("north")
        assert "\nZID BBA0012\n" in asked
        await b.take("north", service("BBA013", "ZIC BBA0014", letter="P"))
        await b.deliver()
        assert ["ZFX BBA0014" in each for each in await b.give("north")] == [True]

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_10_a_line_over_which_traffic_comes_is_not_silent(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.move_clock(1700)
        await b.take("north", message("BBA012"))
        await b.move_clock(1700)
        await services.follow_up(b.station)
        assert await b.give("north") == []

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_10_what_a_neighbour_has_not_got_goes_again(tmp_path: Path) -> None:
    """ZID names the last number that came: all after it are sent again; all well is ZIC."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        for number in (1, 2, 3):
            await b.take("north", message(f"BBA{number:03d}", "QZCCSM", f"{number:04d}"))
        await b.give("south")
        await b.take("south", service("CCA001", "ZID AAC0003", letter="P", origin="QZCC"))
        await b.deliver()
        assert "\nZIC AAC0003\n" in (await b.give("south"))[0]
        await b.take("south", service("CCA002", "ZID AAC0001", letter="P", origin="QZCC"))
        await b.deliver()
        again = await b.give("south")
        assert [re.search(r"DE QZBBNV (\d+)", t)[1] for t in again if "DE QZBBNV" in t] == [
            "0002",
            "0003",
        ]  # type: ignore[index]

    with bench(tmp_path) as b:
        run(trial(b))


@pytest.mark.parametrize(("letter", "hours"), [("O", 2), ("P", 8), ("R", 16)])
def test_duty_11_a_request_that_nobody_answers_is_made_again(
    tmp_path: Path, letter: str, hours: int
) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.take("north", message("BBA001", letter=letter)[:-30])
        await b.give("north")
        await b.move_clock(hours * 3600 - 60)
        b.station.circuits["north"].heard = b.now
        await services.follow_up(b.station)
        assert await b.give("north") == []
        for signal in ("ZAR2", "ZAR3"):
            await b.move_clock(hours * 3600)
            b.station.circuits["north"].heard = b.now
            await services.follow_up(b.station)
            [again] = await b.give("north")
            asked = "ZDH BBA001 QZBBNV 0412 1550842 TO QZAAMF"
            assert f"{signal} {asked if letter == 'O' else 'QZBBNV 0412 1550842 ZES2'}" in again

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_12_nothing_is_sent_that_nobody_released(tmp_path: Path) -> None:
    """What this station's people send has an entry that says who released it."""
    from tests.instruments.world import telegram

    from reftel.centre import origin

    async def trial(b: Bench) -> None:
        record = telegram("MINFOR PORTA", ("EMB SUDMARK",), 7)
        [accepted] = await origin.send(b.station, record, "ana")
        entries = b.journal.entries()
        assert [(e.kind, e.who) for e in entries if e.kind == "released"] == [("released", "ana")]
        assert accepted.ways == ("south",)
        with pytest.raises(origin.NotSendable, match="EMB NOWHERE: the directory has no routing"):
            await origin.send(b.station, telegram("MINFOR PORTA", ("EMB NOWHERE",), 8), "ana")
        assert len(b.journal.entries()) == len(entries)

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_13_text_is_sacred(tmp_path: Path) -> None:
    """What goes on is what came, to the byte, but for format lines 1 and 2."""
    odd = "UNCLAS\nTABLE   1.  \n  \xe9\xb5  #$%&\n\n\n   END"

    async def trial(b: Bench) -> None:
        await b.up("south")
        text = message("BBA001", "QZCCSM", text=odd)
        await b.take("north", text)
        [onward] = await b.give("south")
        assert onward.split("\n", 2)[2].rstrip("\n") == text.split("\n", 2)[2].rstrip("\n")

    with bench(tmp_path) as b:
        run(trial(b))


def test_duty_14_the_journal_cannot_be_edited(tmp_path: Path) -> None:
    """No entry can be changed or removed; bytes altered behind its back are found."""

    async def trial(b: Bench) -> None:
        for number in (1, 2, 3):
            await b.take("north", message(f"BBA{number:03d}", serial=f"{number:04d}"))
        assert list(b.journal.verify()) == []

    with bench(tmp_path) as b:
        run(trial(b))
    with sqlite3.connect(tmp_path / "journal.db") as other:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            other.execute("UPDATE entry SET who='x' WHERE id=1")
        with pytest.raises(sqlite3.IntegrityError, match="never removed"):
            other.execute("DELETE FROM entry WHERE id=1")
        other.execute("DROP TRIGGER entry_stays")
        other.execute("UPDATE entry SET detail='{}' WHERE id=2")
        other.execute("UPDATE message SET bytes=x'41' WHERE id=3")
    with Journal(tmp_path / "journal.db") as journal:
        found = list(journal.verify())
        assert any("entry 2 was altered" in each for each in found)
        assert any("message 3 is damaged" in each for each in found)
        assert any("message 3 is damaged" in each for each in journal.found), "told at the start"


def test_what_was_begun_before_a_stop_is_there_after_it(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.take("north", message("BBA001", "QZCCSM QZAAMF", letter="P"))
        await sending.next_transmissions(b.station, "south", 1)
        await b.take("north", message("BBA003", "QZCCSM", "0003"))

    with bench(tmp_path) as b:
        run(trial(b))
        again = b.restarted()
        b.journal = again.journal
        south = again.station.circuits["south"]
        assert [duty.hop for duty in south.flight.values()] == ["AAC0001"]
        assert len(south.queue) == 1
        assert len(again.station.here) == 1
        assert ("open-number", "BBA0002") in again.station.awaited


def test_a_scanned_heading_never_raises() -> None:
    for text in ("", "NNNN", "VZCZC", "ZCZC\nNNNN", "VZCZCAAA001\nZZ\nDE\n\nNNNN", "\x00\xff" * 50):
        assert scan(text.encode("latin-1")).problems
