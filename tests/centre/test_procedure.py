"""Receipts of FLASH, parts asked for and given, format line 4's duties, numbers inside messages, sections that
do not wait, and what a person may put on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.centre.test_services import NAME, heard, relayed
from tests.instruments.station import CONFIG, Bench, bench, message, run, service
from tests.instruments.world import World, telegram
from tests.telegrams import ROOT

from reftel.archive import Archive
from reftel.centre import desk, parts, readers
from reftel.centre.delivery import Delivery
from reftel.centre.status import status
from reftel.read.service import understand

PLAIN = CONFIG.replace("cleared =", "link = false\ncleared =")
EXAMPLES = ROOT / "tests" / "wire"


# FLASH, from station to station


def test_a_flash_on_a_line_without_a_link_is_receipted(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", letter="Z"))
        [receipt] = await b.give("north")
        assert receipt.split("\n")[1] == "OO QZBB"
        assert "\nQSL BBA001\n" in receipt
        assert understand("QSL BBA001").kind == "receipt"
        # Not what is lower, what says ZGC, what is cut, nor the receipt itself.
        await b.take("north", message("BBA002", serial="0413", letter="O"))
        await b.take(
            "north", message("BBA003", serial="0414", letter="Z", security="ZNR UUUUU ZGC")
        )
        assert await b.give("north") == []
        await b.take("north", message("BBA004", serial="0415", letter="Z")[:-60])
        assert not [text for text in await b.give("north") if "QSL" in text]
        assert await heard(b, "north", service("BBA005", "QSL AAB0001", letter="Z")) == []

    with bench(tmp_path, PLAIN) as b:
        run(trial(b))


@pytest.mark.parametrize(
    "text", [CONFIG, PLAIN.replace("link = false", "link = false\nreceipts = false")]
)
def test_a_link_and_a_line_that_says_so_have_no_receipts(tmp_path: Path, text: str) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM QZAAMF", letter="Z"))
        await b.give("south")
        assert await b.give("north") == []
        assert not [kind for kind, _ in b.station.awaited if kind == "receipt"]

    with bench(tmp_path, text) as b:
        run(trial(b))


def test_a_receipt_that_does_not_come_is_asked_for_and_then_told_to_a_person(
    tmp_path: Path,
) -> None:
    from reftel.centre import services

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        number = (await b.take("north", message("BBA001", "QZCCSM", letter="Z"))).message
        await b.give("south")
        await services.follow_up(b.station)
        assert await b.give("south") == []
        await b.move_clock(301)
        await services.follow_up(b.station)
        await services.follow_up(b.station)
        [asked] = await b.give("south")
        assert "\nINT QSL AAC0001\n" in asked
        await b.move_clock(300)
        [alert] = [a for a in status(b.station).alerts if "receipt" in a.what]
        assert (alert.grave, alert.message) == (True, number)
        assert alert.what == f"FLASH {NAME} went as AAC0001, and no receipt has come"
        # After a restart it is awaited still; the other end writes three digits.
        b.station.restore()
        await b.take("south", service("CCA001", "QSL AAC001", origin="QZCC"))
        await b.deliver()
        assert b.station.awaited.keys() == set()
        assert "receipted" in b.kinds(number)

    with bench(tmp_path, PLAIN) as b:
        run(trial(b))


def test_who_asks_for_a_receipt_hears_it_or_that_the_number_is_open(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.take("north", message("BBA001"))
        [yes] = await heard(b, "north", service("BBA002", "INT QSL BBA0001"))
        assert "\nQSL BBA0001\n" in yes
        [no] = await heard(b, "north", service("BBA003", "INT QSL BBA0004"))
        assert "\nZFX BBA0004\n" in no
        assert ("open-number", "BBA0004") in b.station.awaited
        # The same number of the round before is another message.
        b.station.values["in:north"] = "9998"
        [open_now] = await heard(
            b, "north", service("BBA9999", "INT QSL BBA0001").replace("1551431", "1551530")
        )
        assert "\nZFX BBA0001\n" in open_now

    with bench(tmp_path, PLAIN) as b:
        run(trial(b))


def test_two_centres_on_a_plain_line_give_and_take_receipts(tmp_path: Path) -> None:
    """Real processes: each FLASH is receipted once, what is lower is not, and nothing stays awaited."""

    async def trial() -> None:
        async with World(tmp_path, link=False) as world:
            minfor, north = world.processes["minfor"], world.processes["north"]
            for number, precedence in enumerate(("FLASH", "ROUTINE", "FLASH"), 1):
                record = telegram("NORTH", ("MINFOR",), number, precedence=precedence)
                await asyncio.to_thread(north.send, record)
            end = time.monotonic() + 30
            while True:
                with contextlib.closing(north.journal()) as journal:
                    sql = "SELECT hop FROM entry WHERE kind='receipted' ORDER BY id"
                    found = [hop for (hop,) in journal.execute(sql)]
                if len(found) == 2:
                    break
                assert time.monotonic() < end, found
                await asyncio.sleep(0.05)
            with contextlib.closing(north.journal()) as journal:
                sql = "SELECT hop FROM entry WHERE kind='sending' AND json_extract(detail, '$.letter')='Z'"
                assert found == [hop for (hop,) in journal.execute(sql)]
            assert [a for a in north.ask("/centre.json")["awaited"] if a["kind"] == "receipt"] == []
            flash = [a for a in minfor.ask("/centre.json")["alerts"] if a["acknowledge"]]
            assert len(flash) == 2

    run(trial())


# Parts

LETTER = "UNCLAS NORDHAVEN 0416\n1. THE FERRY FROM SUDMARK IS EXPECTED TOMORROW.\n2. TWO MORE SAILINGS.\nTHE HARBOUR MASTER AGREES. TWO BERTHS."


@pytest.mark.parametrize(
    ("part", "answer"),
    [
        ("WA SUDMARK IS", "WA SUDMARK IS EXPECTED"),
        ("WB EXPECTED", "WB EXPECTED IS"),
        ("TWO MORE TO THE HARBOUR", "TWO MORE TO THE HARBOUR - TWO MORE SAILINGS. THE HARBOUR"),
        ("AA MASTER", "AA MASTER AGREES. TWO BERTHS."),
        ("AB FERRY", "AB FERRY UNCLAS NORDHAVEN 0416 1. THE"),
        ("WA HERRING", None),
        ("WA TWO", None),
        ("WA BERTHS", None),
    ],
)
def test_a_part_is_found_where_it_stands_once(part: str, answer: str | None) -> None:
    try:
        assert parts.given(LETTER, part) == answer
    except parts.NotFoundError:
        assert answer is None


def test_the_example_of_a_part_is_answered_as_the_example_says(tmp_path: Path) -> None:
    asked = (EXAMPLES / "07f-svc-repeat-portion-request.txt").read_text()
    reply = " ".join((EXAMPLES / "07g-svc-repeat-portion-reply.txt").read_text().split())

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        own = message(routing="QZCCSM", serial="0416", filed="1551612", text=LETTER)
        await b.take("north", own)
        await b.give("south")
        [answer] = await heard(b, "south", asked.replace("QZBBNV\nDE", "QZAAMF\nDE"))
        flat = " ".join(answer.split())
        assert flat.partition(" ZDK ")[2] == reply.partition(" ZDK ")[2]
        assert answer.split("\n")[1] == "PP QZCCSM"

    with bench(tmp_path) as b:
        run(trial(b))


def test_words_of_a_classified_text_are_given_with_its_classification(tmp_path: Path) -> None:
    """Over a circuit cleared for it alone; what cannot be told from the text is a person's to answer."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        text = LETTER.replace("UNCLAS", "S E C R E T")
        await b.take("north", message("BBA001", security="ZNY SSSSS", text=text))
        wanted = relayed("BBA002", f"INT ZDK {NAME} WA SUDMARK IS", origin="QZBBNV")
        [answer] = await heard(b, "north", wanted)
        assert "\nZNY SSSSS\nBT\nS E C R E T SVC ZUI QZBBNV 0500 1551431 ZDK" in answer
        wanted = relayed("BBA003", f"INT ZDK {NAME} WA HERRING", serial="0501")
        assert await heard(b, "north", wanted) == []
        [duty] = b.operator()
        assert "part-request" in (duty.note or "")

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_person_asks_for_a_part_and_finds_the_answer_with_the_message(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        number = (await b.take("north", message("BBA001"))).message
        with pytest.raises(desk.DeskError, match="'HERRING' is no part of a text; write WA"):
            await desk.ask_for_part(b.station, number, "herring", "ana")
        await desk.ask_for_part(b.station, number, "wa talks begin - noon to noon", "ana")
        [asked] = await b.give("north")
        assert f"UNCLAS SVC INT ZDK {NAME} WA TALKS BEGIN - NOON TO NOON" in " ".join(asked.split())
        assert asked.split("\n")[1] == "PP QZBBNV"
        assert ("repeat", f"PART OF {NAME}") in b.station.awaited
        answer = f"ZUI QZAAMF 0001 1551436 ZDK {NAME} WA TALKS BEGIN AT - NOON TO NOON - NOON"
        await b.take("north", relayed("BBA002", answer))
        await b.deliver()
        assert b.station.awaited == {}
        [came] = [e for e in b.journal.entries(message=number) if e.kind == "part-came"]
        assert came.detail["text"] == "WA TALKS BEGIN AT - NOON TO NOON - NOON"
        [duty] = b.operator()
        assert "WA TALKS BEGIN AT" in (duty.note or "")
        assert [e.who for e in b.journal.entries() if e.kind == "part-asked"] == ["ana"]

    with bench(tmp_path) as b:
        run(trial(b))


# Format line 4


@pytest.mark.parametrize(
    ("instructions", "ways", "for_a_person"),
    [
        ("QZAAMF T EMB SUDMARK", {"south": "QZCCSM"}, []),
        ("QZAATR T QZCCSM CONSUL WESTBAY", {"south": "QZCCSM", "north": "QZBBWB"}, []),
        ("QZAAMF T", {"south": "QZCCSM"}, []),
        ("QZAAMF T MINTRADE PORTA ZEQ6", {}, []),
        ("QZBBWB T EMB SUDMARK", {}, []),
        ("QZAAMF T EMB SUDMARK QZBBWB T HERRING", {"south": "QZCCSM"}, []),
        ("QZAAMF T EMB HERRING", {}, ["asks QZAAMF to pass it to EMB HERRING, for which the directory"]),
        ("QZAAMF T QZAAMF ABCD", {}, ["asks QZAAMF to decrypt it, and pass it to ABCD"]),
    ],
)  # fmt: skip
def test_format_line_4_lays_a_duty_on_the_station_that_it_names(
    tmp_path: Path, instructions: str, ways: dict[str, str], for_a_person: list[str]
) -> None:
    """In addition to the routing line; `T` alone means all addressees; text and heading go on as they came."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        text = message(
            "CCA001",
            "QZAAMF",
            origin="QZCCLV",
            security=f"ZNR UUUUU {instructions}",
            info="EMB SUDMARK",
        )
        circuit = "north" if "QZCCSM" in ways.values() else "south"
        accepted = await b.take(circuit, text if circuit == "south" else text.replace("CCA", "BBA"))
        assert accepted.local
        expected = {name: ri for name, ri in ways.items() if name != circuit}
        if "QZBBWB" in ways.values():
            expected = {"south": "QZCCSM QZBBWB"}
        [entry] = [e for e in b.journal.entries() if e.kind == "accepted"]
        assert entry.detail["ways"] == expected
        assert [
            why in (d.note or "") for d, why in zip(b.operator(), for_a_person, strict=True)
        ] == [True for _ in for_a_person]
        for name, routing in expected.items():
            [onward] = await b.give(name)
            assert f"RR {routing}\n" in onward
            assert f"\nZNR UUUUU {instructions}\n" in onward
        # The same once more is a duplicate, and goes to nobody.
        again = text.replace("CCA001", "CCA002" if circuit == "south" else "BBA002")
        assert (await b.take(circuit, again)).duplicate

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_message_rerouted_for_some_alone_says_so_to_its_readers(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        inner = message("BBA001", "QZCCSM").split("\n", 1)[1]
        head = "VZCZCBBA001     \nRR QZAAMF\nZNR UUUUU ZOV QZBB T MINTRADE PORTA\nBBA112\n"
        await b.take("north", head + inner)
        await b.deliver()
        [lying] = readers.reading(b.station, "TRADE")
        assert lying.remark == "rerouted here for MINTRADE PORTA alone"

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_number_inside_a_message_is_used_and_the_message_subject_to_correction(
    tmp_path: Path,
) -> None:
    """ZFV names both; the next number is the one behind the inner (432)."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", serial="0400"))
        text = "UNCLAS NORDHAVEN 0412\nSUBJECT: FERRY\n1. TALKS\nVZCZCBBA003     \nBEGIN AT NOON."
        await b.take("north", message("BBA002", "QZCCSM", text=text))
        sent = await b.give("north")
        assert [f"\nZFV BBA002 BBA003 {NAME}\n" in each for each in sent].count(True) == 1
        [onward] = await b.give("south")
        assert "\nZNR UUUUU ZDG\nBBA002" in onward
        await b.take("north", message("BBA004", serial="0414"))
        assert not [text for text in await b.give("north") if "ZFX" in text]
        # A channel of somebody else's, in a text that quotes one, is no number of the neighbour.
        quoted = text.replace("BBA003", "XRO4086").replace("0412", "0413")
        await b.take("north", message("BBA005", "QZCCSM", "0413", text=quoted))
        assert await b.give("north") == []

    with bench(tmp_path) as b:
        run(trial(b))


# Sections


def _section(number: int, hop: str, *, letter: str = "O", of: int = 3) -> str:
    text = (
        f"UNCLAS SECTION {number} OF {of} NORDHAVEN 0412\nSUBJECT: FERRY\n{number}. PART {number}."
    )
    return message(hop, serial=f"{number:04d}", letter=letter, text=text)


@contextlib.contextmanager
def _with_archive(folder: Path) -> Iterator[tuple[Bench, Delivery, Archive]]:
    with bench(folder) as b:
        archive = Archive.open(folder / "archive")
        try:
            yield b, Delivery(b.station, archive), archive
        finally:
            archive.close()


async def _deliver(delivery: Delivery) -> None:
    while await delivery.some():
        pass


def test_immediate_sections_are_read_as_they_come_and_others_wait(tmp_path: Path) -> None:
    """Each time with what is there; read again when more has come; the whole in the end, once."""

    async def trial(b: Bench, delivery: Delivery, archive: Archive) -> None:
        await b.take("north", _section(2, "BBA001"))
        await _deliver(delivery)
        [lying] = readers.reading(b.station, "TRADE")
        assert lying.remark == "sections 1, 3 not yet received"
        assert lying.document is not None
        document = archive.document(lying.document)
        assert document is not None
        assert "PART 2" in document.telegram.source
        await readers.read(b.station, "TRADE", lying.message, "moe")
        await b.take("north", _section(1, "BBA002"))
        await _deliver(delivery)
        [lying] = [each for each in readers.reading(b.station, "TRADE") if each.reader is None]
        assert lying.remark == "section 3 not yet received"
        # A restart tells nobody anything again.
        b.station.restore()
        delivery.forget()
        told = len(b.kinds())
        await _deliver(delivery)
        assert "delivered" not in b.kinds()[told:]
        await b.take("north", _section(3, "BBA003"))
        await _deliver(delivery)
        rows = readers.reading(b.station, "TRADE")
        [lying] = [each for each in rows if each.reader is None]
        assert lying.remark is None
        assert lying.document is not None
        whole = archive.document(lying.document)
        assert whole is not None
        assert all(f"PART {number}" in whole.telegram.source for number in (1, 2, 3))
        assert not b.station.duties

    with _with_archive(tmp_path) as (b, delivery, archive):
        run(trial(b, delivery, archive))


def test_urgent_sections_that_came_by_mistake_go_on_once(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        delivery = Delivery(b.station, None)
        for number in (1, 2, 3):
            text = _section(number, f"BBA00{number}").replace("TO MINFOR PORTA", "TO EMB SUDMARK")
            await b.take("north", text)
            await _deliver(delivery)
        assert len([text for text in await b.give("south") if " ZOV QZAAMF\n" in text]) == 3
        assert "delivered" not in b.kinds()

    with bench(tmp_path) as b:
        run(trial(b))


def test_routine_sections_wait_and_urgent_ones_that_stay_out_are_asked_for_once(
    tmp_path: Path,
) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        delivery = Delivery(b.station, None)
        await b.take("north", _section(1, "BBA001", letter="P"))
        await _deliver(delivery)
        assert "delivered" not in b.kinds()
        await b.take(
            "north",
            _section(1, "BBA002", of=2).replace("1551", "1552").replace("0001 155", "0009 155"),
        )
        await _deliver(delivery)
        assert b.kinds().count("delivered") == 1
        await b.move_clock(3601)
        await delivery.deliver_overdue()
        await delivery.deliver_overdue()
        assert b.kinds().count("delivered") == 2, "of the urgent one the readers have what there is"
        asked = [text for text in await b.give("north") if "INT ZDK SECTION" in text]
        assert len(asked) == 3
        assert not [d for d in b.station.duties.values() if d.circuit == "#here"]

    with bench(tmp_path) as b:
        run(trial(b))


# What passes through


@pytest.mark.parametrize("kept", [False, True])
def test_what_passes_through_is_filed_where_that_is_wanted(tmp_path: Path, kept: bool) -> None:
    text = CONFIG.replace("[station]\n", f"[station]\nfile_relayed = {str(kept).lower()}\n", 1)

    async def trial(b: Bench) -> None:
        archive = Archive.open(tmp_path / "archive")
        await b.up("south")
        await b.take("north", message("BBA001", "QZCCSM"))
        await b.take("north", message("BBA002", "QZCCSM", "0413", text="NO SUBJECT\xff"))
        await b.take("north", relayed("BBA003", f"{NAME} ZES2", to="QZCCSM"))
        await b.give("south")
        await _deliver(Delivery(b.station, archive))
        assert archive.count() == (2 if kept else 0)
        assert b.kinds().count("filed") == (2 if kept else 0)
        assert "delivered" not in b.kinds()
        assert b.station.duties == {}
        archive.close()

    with bench(tmp_path, text) as b:
        run(trial(b))


# What a person puts on the wire


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("NOON", "NO\u014dN"), "line 11 has 'ō', which no circuit can carry; write it otherwise"),
        (("NOON", "NOON " + "A" * 60), "line 11 has 83 characters; a line has at most 69"),
        (("NOON", "NOON\nNNNN\nMORE"), "line 12 would end the message or begin another: NNNN"),
        (("NOON", "NOON\nZCZC"), "line 12 would end the message or begin another: ZCZC"),
    ],
)
def test_a_correction_that_no_circuit_can_carry_is_refused_with_its_line(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    """The original stays before the operator; a long line that came so is not the person's."""

    async def trial(b: Bench) -> None:
        long = "2. " + "LONG WORDS THAT CAME SO " * 5
        await b.take(
            "north", message("BBA001", "QZEEXX", text="UNCLAS\nSUBJECT: FERRY\n1. AT NOON\n" + long)
        )
        [duty] = b.operator()
        came = desk.way(b.station, duty.message).text
        text = came.replace("QZEEXX", "QZCCSM").replace("1. AT NOON", "1. TALKS BEGIN AT NOON")
        with pytest.raises(desk.DeskError) as refused:
            await desk.correct(b.station, duty.id, text.replace(*change, 1), "ana")
        assert said in str(refused.value)
        assert [d.id for d in b.operator()] == [duty.id]
        await desk.correct(b.station, duty.id, text, "ana")
        assert b.operator() == []

    with bench(tmp_path) as b:
        run(trial(b))


@pytest.mark.parametrize(
    ("to", "text", "said"),
    [
        ("north", "HELLO THERE", "'HELLO THERE' has no operating signal"),
        ("north", "ZID BBA0001 €", "'€' cannot be sent"),
        ("", "ZID BBA0001", "no circuit is called ''"),
        ("QZEEXX", "ZID BBA0001", "no route leads there; there are north, south"),
    ],
)
def test_plain_talk_and_what_leads_nowhere_is_not_sent(
    tmp_path: Path, to: str, text: str, said: str
) -> None:
    async def trial(b: Bench) -> None:
        with pytest.raises(desk.DeskError, match=re.escape(said)):
            await desk.service(b.station, to, text, "ana")
        assert b.journal.last_ids()[0] == 0

    with bench(tmp_path) as b:
        run(trial(b))


def test_what_a_person_begins_is_sent_in_his_name_and_answered(tmp_path: Path) -> None:
    """The four forms, between two of our stations; the channel check comes back to who sent it."""

    async def trial(b: Bench, other: Bench) -> None:
        await b.up("north")
        await other.up("south")

        async def said(form: str) -> tuple[str, list[str]]:
            number = await desk.service(b.station, "north", "", "ana", form=form)
            assert [e.who for e in b.journal.entries(message=number) if e.kind == "released"] == [
                "ana"
            ]
            [asked] = await b.give("north")
            await other.take("south", asked)
            await other.deliver()
            answers = await other.give("south")
            for each in answers:
                await b.take("north", each)
            await b.deliver()
            return asked, answers

        asked, [answer] = await said("test")
        assert "RYRYRY" in asked
        assert "\nZBZ5 K\n" in answer
        [tested] = [e for e in b.journal.entries() if e.kind == "tested"]
        assert tested.detail["quality"] == "5"
        asked, [answer] = await said("check")
        assert asked.split("\n")[1] == "PP QZAAMF"
        assert "CHANNEL CHECK" in answer
        asked, answers = await said("number")
        assert "\nZID BBA000" in asked
        assert len(answers) == 1
        asked, [answer] = await said("closing")
        assert re.search(r"\nINT ZKJ ZID BBA000\d\n", asked)
        assert "\nZKJ1 ZID AAB000" in answer
        assert "may-close" in b.kinds()
        assert b.operator() == other.operator() == []

    theirs = (
        CONFIG.replace('"MINFOR PORTA"', '"EMB NORDHAVEN"').replace("QZAAMF", "QZBBNV")
        .replace('also = ["QZAATR"]\nexpand = ["ALL NORTH"]\n', "")
        .replace('name = "north"\nstation = "QZBB"', 'name = "south"\nstation = "QZAAMF"', 1)
        .replace('send = "AAB"\nreceive = "BBA"', 'send = "BBA"\nreceive = "AAB"')
    )  # fmt: skip
    south = theirs.index('[[circuit]]\nname = "south"\nstation = "QZCC"')
    theirs = theirs[:south] + '[[route]]\nto = "QZ"\ncircuits = ["south"]\n'
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours = CONFIG.replace('station = "QZBB"', 'station = "QZBBNV"')
    with bench(tmp_path / "a", ours) as b, bench(tmp_path / "b", theirs) as other:
        run(trial(b, other))
