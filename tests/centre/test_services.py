"""Service messages: every one of wire-format.md 10.6 is made, understood and answered by rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.instruments.station import CONFIG, Bench, bench, message, run, service

from reftel.centre import desk, sending, services
from reftel.centre.route import Plan
from reftel.centre.scan import onward, scan_text

NAME = "QZBBNV 0412 1550842"


def relayed(
    hop: str, text: str, *, origin: str = "QZBBNV", serial: str = "0500", to: str = "QZAAMF"
) -> str:
    """A service message from a station further off."""
    body = f"VZCZC{hop}     \nRR {to}\nDE {origin} {serial} 1551431\nZNR UUUUU\nBT\nUNCLAS SVC {text}\nBT"
    return body + "\n" * 8 + "NNNN\n"


async def heard(b: Bench, by: str, text: str) -> list[str]:
    """What goes back over the circuit over which a service message came."""
    await b.take(by, text)
    await b.deliver()
    return await b.give(by)


def test_pilots_are_told_from_the_message_within() -> None:
    """With channel numbers of three digits or four, and before a message that has made no hop yet: the pilot
    routes, the message within identifies (1.1.2)."""
    own = message(routing="QZCCSM QZBBNV", origin="QZAAMF").split("\n", 1)[1]
    for before in ("", "VZCZCBBA112     \n", "VZCZCBBA0112     \n"):
        filed = scan_text(before + own)
        once = scan_text(onward(filed, "AAC0007", ("QZCCSM",), "R", "ZFD QZAAMF"))
        twice = scan_text(onward(once, "CCD0031", ("QZCCSM",), "R", "ZFD QZCC"))
        for scanned in (once, scan_text(onward(once, "CCD0030", ("QZCCSM",), "R")), twice):
            assert scanned.routing == ("QZCCSM",)
            assert scanned.message == "QZAAMF 0412 1550842"
            assert scanned.content == filed.content
            assert scanned.suspected_duplicate


def test_a_service_message_is_nobody_s_reading(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.take("north", service("BBA001", f"{NAME} BBA007 DUPLICATE RECEIVED"))
        await b.take("north", relayed("BBA002", f"ZEQ4 {NAME} QZEEXX"))
        await b.deliver()
        assert b.kinds().count("service-understood") == 2
        assert "delivered" not in b.kinds()

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_number_that_comes_round_again_means_its_newest_use(tmp_path: Path) -> None:
    """After a cycle, or a new day, ZFX asks for what was sent last under the number."""
    short = CONFIG.replace('send = "AAC"', 'digits = 3\nsend = "AAC"')

    async def trial(b: Bench) -> None:
        await b.up("south")
        await b.take("north", message("BBA001", "QZCCSM", "0001"))
        assert (await b.give("south"))[0].startswith("VZCZCAAC001")
        b.station.values["out:south"] = "999"
        await b.take("north", message("BBA002", "QZCCSM", "0002"))
        assert (await b.give("south"))[0].startswith("VZCZCAAC001")
        [again] = await heard(b, "south", service("CCA001", "ZFX AAC001", origin="QZCC"))
        assert again.startswith("VZCZCAAC002")
        assert "DE QZBBNV 0002" in again

    with bench(tmp_path, short) as b:
        run(trial(b))


def test_a_message_routed_by_hand_can_be_asked_for_again(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZEEXX", "0001"))
        [duty] = b.operator()
        await desk.reroute(b.station, duty.id, ("QZCCSM",), "ana")
        [first] = await b.give("south")
        [again] = await heard(b, "south", service("CCA001", "ZFX AAC0001", origin="QZCC"))
        assert first.split("\n", 1)[1] == again.split("\n", 1)[1]

    with bench(tmp_path) as b:
        run(trial(b))


def test_many_open_numbers_are_told_together(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.take("north", message("BBA001", serial="0001"))
        await b.take("north", message("BBA021", serial="0021"))
        sent = await b.give("north")
        told = [hop for text in sent for hop in re.findall(r"BBA0\d{3}", text)]
        assert told == [f"BBA{number:04d}" for number in range(2, 21)]
        assert len(sent) < 6
        assert len([1 for kind, _ in b.station.awaited if kind == "open-number"]) == 19

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_lost_service_message_that_says_nothing_any_more_is_not_sent_again(
    tmp_path: Path,
) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        await services.send(b.station, "north", "P", "ZID BBA0007", "ana")
        assert len(await b.give("north")) == 1
        assert await heard(b, "north", service("BBA001", "ZFX AAB0001")) == []
        assert "number-noted" in b.kinds()

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_number_without_a_message_is_told_with_the_next(tmp_path: Path) -> None:
    """One message behind two numbers: ZFU with both and the message (431)."""

    async def trial(b: Bench) -> None:
        await b.up("north")
        await b.take("north", "VZCZCBBA001     \n")
        assert b.operator() == []
        await b.take("north", message("BBA002"))
        [told] = await b.give("north")
        assert f"ZFU BBA001 BBA002 {NAME}" in told
        await b.take("north", message("BBA003", serial="0413"))
        assert await b.give("north") == []

    with bench(tmp_path) as b:
        run(trial(b))


@pytest.mark.parametrize("letter", ["O", "Z"])
def test_urgent_garbles_go_on_subject_to_correction(tmp_path: Path, letter: str) -> None:
    """IMMEDIATE and above: relayed with ZDG, a corrected copy asked for with ZDH; it is known as such (420)."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        cut = message("BBA001", "QZCCSM QZAAMF", letter=letter)[:-60]
        accepted = await b.take("north", cut)
        assert accepted.ways == ("south",)
        [onward] = await b.give("south")
        assert "\nZNR UUUUU ZDG\nBBA001" in onward
        [asked] = await b.give("north")
        assert f"ZDH BBA001 {NAME} TO QZCCSM QZAAMF" in asked
        await b.deliver()
        [delivered] = [e for e in b.journal.entries() if e.kind == "delivered"]
        assert delivered.detail["remark"].startswith("relayed subject to correction")
        copy = message("BBA001", "QZCCSM QZAAMF", letter=letter)
        head = f"VZCZCBBA002     \n{letter * 2} QZCCSM QZAAMF\nZNR UUUUU ZEL QZBBNV\nBBA001\n"
        await b.take("north", head + copy.split("\n", 1)[1])
        assert ("repeat", NAME) not in b.station.awaited
        [corrected] = await b.give("south")
        assert "\nZNR UUUUU ZEL QZBBNV\n" in corrected
        await b.deliver()
        remarks = [e.detail["remark"] for e in b.journal.entries() if e.kind == "delivered"]
        assert remarks[-1] == "corrected copy of one delivered before"

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_corrected_copy_of_ours_is_sent_when_it_is_asked_for(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take(None, message(routing="QZCCSM", origin="QZAAMF", serial="0033"))
        await b.give("south")
        wanted = relayed("BBA001", "ZDH AAC0001 QZAAMF 0033 1550842 TO QZCCSM")
        assert await heard(b, "north", wanted) == []
        [copy] = await b.give("south")
        assert "\nZNR UUUUU ZEL QZAAMF\n" in copy
        assert "DE QZAAMF 0033 1550842" in copy

    with bench(tmp_path) as b:
        run(trial(b))


def test_the_repeat_of_what_lay_garbled_goes_on_to_its_stations(tmp_path: Path) -> None:
    """The answer names one request and carries the message for us alone; those it was for get it."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM QZAAMF")[:-60])
        [asked] = await b.give("north")
        assert f"UNCLAS SVC {NAME} ZES2" in asked
        assert len(b.operator()) == 1
        whole = message("BBA002", "QZAAMF")
        answer = (
            "VZCZCBBA002     \nRR QZAAMF\nDE QZBBNV 0418 1551450\nZNR UUUUU\nBT\n"
            f"UNCLAS SVC ZUI QZAAMF 0001 1551436 ZDK {NAME}\n" + whole.split("\n", 1)[1]
        )
        await b.take("north", answer)
        await b.deliver()
        [onward] = await b.give("south")
        assert onward.split("\n")[1:3] == ["RR QZCCSM", f"DE {NAME}"]
        assert onward.split("\n", 2)[2].split() == whole.split("\n", 2)[2].split()
        assert b.operator() == []
        assert b.station.awaited == {}

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_station_that_asks_for_a_repeat_gets_our_good_copy(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM")[:-60])
        await b.take("north", message("BBA002", "QZCCSM"))
        await b.give("north")
        assert len(await b.give("south")) == 1
        asked = relayed("CCA001", f"{NAME} ZES2", origin="QZCCSM", serial="0231")
        [answer] = await heard(b, "south", asked)
        assert f"UNCLAS SVC ZUI QZCCSM 0231 1551431 ZDK {NAME}\nRR QZCCSM\nDE {NAME}" in answer
        assert "TALKS BEGIN AT NOON" in answer

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_repeat_that_we_cannot_give_is_asked_of_the_calling_station(tmp_path: Path) -> None:
    """Our copy is no better: the request goes on, and names who asks (419.c)."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM")[:-60])
        await b.give("north")
        asked = relayed("CCA001", f"{NAME} ZES2", origin="QZCCSM", serial="0231")
        assert await heard(b, "south", asked) == []
        [passed] = await b.give("north")
        wanted = f"{NAME} ZES2 QZCCSM CITING QZCCSM 0231 1551431 IN REPLY"
        assert wanted in " ".join(passed.split())
        assert max(map(len, passed.split("\n"))) <= 69

    with bench(tmp_path) as b:
        run(trial(b))


def test_what_cannot_be_identified_is_asked_for_by_the_number_before_it(tmp_path: Path) -> None:
    """INT ZDK TRANSMISSION FOLLOWING: asked once, and answered with the transmission that followed."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", serial="0001"))
        for _ in range(3):
            await b.take("north", "XQ JUNK 12\nMORE JUNK\nNNNN\n")
        sent = await b.give("north")
        assert [t for t in sent if "INT ZDK TRANSMISSION FOLLOWING BBA0001" in t] == sent
        await b.take("north", message("BBA002", "QZCCSM", "0002"))
        await b.take("north", message("BBA003", "QZCCSM", "0003"))
        await b.give("south")
        question = service("CCA001", "INT ZDK TRANSMISSION FOLLOWING AAC0001", origin="QZCC")
        [again] = await heard(b, "south", question)
        assert "DE QZBBNV 0003" in again

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_missing_section_is_asked_for_and_found(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        part = "UNCLAS SECTION {} OF 2 NORDHAVEN 0412\nSUBJECT: FERRY\n{}. WORDS."
        await b.take("north", message("BBA001", serial="0007", text=part.format(1, 1)))
        await b.deliver()
        assert "delivered" not in b.kinds()
        await b.move_clock(3601)
        from reftel.centre.delivery import Delivery

        delivery = Delivery(b.station, None)
        b.station.restore()
        while await delivery.some():
            pass
        await delivery.deliver_overdue()
        [entry] = [e for e in b.journal.entries() if e.kind == "delivered"]
        assert entry.detail["missing"] == [2]
        [asked] = await b.give("north")
        assert "INT ZDK SECTION 2 QZBBNV 0007 1550842" in asked

    async def answered(b: Bench) -> None:
        await b.up("south")
        part = "UNCLAS SECTION {} OF 2 PORTA 0412\nSUBJECT: FERRY\n{}. WORDS."
        for number in (1, 2):
            text = part.format(number, number)
            own = message(routing="QZCCSM", origin="QZAAMF", serial=f"000{6 + number}", text=text)
            await b.take(None, own)
        await b.give("south")
        asked = relayed("CCA001", "INT ZDK SECTION 2 QZAAMF 0007 1550842", origin="QZCCSM")
        [given] = await heard(b, "south", asked)
        assert "ZDK QZAAMF 0008 1550842" in given
        assert "SECTION 2 OF 2" in given

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with bench(tmp_path / "one") as b:
        run(trial(b))
    with bench(tmp_path / "two") as b:
        run(answered(b))


def test_a_neighbour_that_closes_hears_the_last_number_when_it_has_all(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM"))
        await b.give("south")
        missed = await heard(b, "south", service("CCA001", "INT ZKJ ZID AAC0000", origin="QZCC"))
        assert ["DE QZBBNV 0412" in text for text in missed] == [True]
        [may] = await heard(b, "south", service("CCA002", "INT ZKJ ZID AAC0002", origin="QZCC"))
        assert "\nZKJ1 ZID CCA0002\n" in may

    with bench(tmp_path) as b:
        run(trial(b))


def test_an_opening_test_is_answered_and_a_channel_check_noted(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        fox = "THE QUICK BROWN FOX 1234567890 RYRYRY INT ZBZ K"
        [said] = await heard(b, "north", service("BBA001", fox, letter="R"))
        assert "\nZBZ5 K\n" in said
        assert await heard(b, "north", service("BBA002", "CHANNEL CHECK RYRYRY", letter="R")) == []
        assert b.operator() == []

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_tracer_is_answered_from_the_journal_and_passed_on(tmp_path: Path) -> None:
    """Received when under which number, sent when and under which; the next station is asked (438)."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA007", "QZCCSM"))
        await b.give("south")
        text = f"QZCCSM CLAIMS NONRECEIPT RR QZCCSM DE {NAME} ZDQ QZAA BBA007 040846Z. TRACE AND ADVISE"
        await b.take("north", relayed("BBA008", text))
        await b.deliver()
        [answer] = await b.give("north")
        flat = " ".join(answer.split())
        assert re.search(
            rf"ZUI QZBBNV 0500 1551431 {NAME} BBA007 \d{{6}}Z ZDQ QZCC AAC0001 \d{{6}}Z", flat
        )
        [passed] = await b.give("south")
        assert re.search(
            rf"QZCCSM CLAIMS NONRECEIPT RR QZCCSM DE {NAME} ZDQ QZCC AAC0001 \d{{6}}Z\. TRACE AND ADVISE",
            " ".join(passed.split()),
        )

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_message_is_cancelled_by_the_station_that_made_it_alone(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        await sending.circuit_changed(b.station, "south", False, "cut")
        await b.take("north", message("BBA001", "QZCCSM"))
        await sending.circuit_changed(b.station, "north", False, "cut")
        stranger = relayed("CCA001", f"ZFR {NAME}", origin="QZCCXX")
        await b.take("south", stranger)
        await b.deliver()
        assert len(b.station.circuits["south"].queue) == 1
        assert "cancellation" in (b.operator()[0].note or "")
        await b.take("north", relayed("BBA002", f"ZFR {NAME}"))
        await b.deliver()
        assert len(b.station.circuits["south"].queue) == 0
        assert "cancelled" in b.kinds(1)

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_cancelled_transmission_that_went_on_is_cancelled_there_too(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM"))
        await b.give("south")
        await heard(b, "north", service("BBA002", "ZFR BBA001"))
        [follows] = await b.give("south")
        assert f"UNCLAS SVC ZFR {NAME}" in follows

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_way_round_is_asked_for_and_used_until_the_first_is_open_again(tmp_path: Path) -> None:
    """INT ZOE to the neighbours when no way is open; what the answer offers is used without a pilot (307)."""
    alone = CONFIG.replace('circuits = ["south", "north"]', 'circuits = ["south"]')

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await sending.circuit_changed(b.station, "south", False, "cut")
        await b.take(None, message(routing="QZCCSM", letter="O", origin="QZAAMF"))
        await b.move_clock(61)
        await services.follow_up(b.station)
        await services.follow_up(b.station)
        [asked] = await b.give("north")
        assert "\nINT ZOE QZCCSM\n" in asked
        assert "\nOO QZBB\n" in asked
        await b.take("north", service("BBA001", "ZOE QZCCSM"))
        await b.deliver()
        assert b.station.replanning
        await sending.replan(b.station)
        [round_about] = await b.give("north")
        assert "DE QZAAMF 0412" in round_about
        assert " ZFD" not in round_about
        await b.up("south")
        await b.take(None, message(routing="QZCCSM", serial="0413", origin="QZAAMF"))
        assert len(await b.give("south")) == 1

    with bench(tmp_path, alone) as b:
        run(trial(b))
    assert Plan(b.config).circuits("QZCCSM") == ("south",)


def test_a_neighbour_that_asks_for_a_way_hears_whether_there_is_one(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        [said] = await heard(b, "north", service("BBA001", "INT ZOE QZCCSM"))
        assert "\nZOE QZCCSM\n" in said
        await sending.circuit_changed(b.station, "south", False, "cut")
        assert await heard(b, "north", service("BBA002", "INT ZOE QZCCTR")) == []
        assert "route-question" in (b.operator()[0].note or "")

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_misrouted_message_goes_on_to_its_right_station_and_its_origin_is_told(
    tmp_path: Path,
) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZAAMF", to="EMB SUDMARK"))
        await b.deliver()
        [onward] = await b.give("south")
        assert onward.split("\n")[1:3] == ["RR QZCCSM", "ZNR UUUUU ZOV QZAAMF"]
        [told] = await b.give("north")
        assert f"ZEQ3 {NAME} QZCCSM EMB SUDMARK" in " ".join(told.split())
        assert "delivered" not in b.kinds()

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_message_that_comes_round_is_a_loop_and_not_a_duplicate(tmp_path: Path) -> None:
    """Sent on for a station, and back over another circuit: nobody has it, so the operator gets it."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        text = message("BBA001", "QZCCSM")
        await b.take("north", text)
        [onward] = await b.give("south")
        back = await b.take("south", onward.replace("AAC0001", "CCA0001"))
        assert not back.duplicate
        [duty] = b.operator()
        assert (duty.routing, duty.note) == (
            ("QZCCSM",),
            "a loop: it was sent on as message 1 and came back over south",
        )
        [told] = await b.give("south")
        assert f"ZEQ2 {NAME} QZCCSM" in told
        again = await b.take("north", text.replace("BBA001", "BBA002"))
        assert again.duplicate, "from where it first came it is one"

    with bench(tmp_path) as b:
        run(trial(b))


def test_two_texts_under_one_identification_both_go_on_and_the_second_is_marked(
    tmp_path: Path,
) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take("north", message("BBA001", "QZCCSM QZAAMF"))
        other = message("BBA002", "QZCCSM QZAAMF", text="UNCLAS NORDHAVEN 0412\n1. AT TEN.")
        await b.take("north", other)
        first, second = await b.give("south")
        assert " ZFD" not in first
        assert "\nZNR UUUUU ZFD QZAAMF\n" in second
        assert (await b.take("north", other.replace("BBA002", "BBA003"))).duplicate
        await b.deliver()
        remarks = [e.detail["remark"] for e in b.journal.entries() if e.kind == "delivered"]
        assert remarks == [None, "suspected duplicate"]

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_duplicate_made_on_request_is_delivered(tmp_path: Path) -> None:
    """ZFG in format line 5 and nowhere else (438.b)."""

    async def trial(b: Bench) -> None:
        text = message("BBA001", text="UNCLAS NORDHAVEN 0412\n1. WE SENT ZFG YESTERDAY.")
        await b.take("north", text)
        assert (await b.take("north", text.replace("BBA001", "BBA002"))).duplicate
        asked_for = text.replace("BBA001", "BBA003").replace("JUN 2025\n", "JUN 2025 ZFG\n")
        assert not (await b.take("north", asked_for)).duplicate

    with bench(tmp_path) as b:
        run(trial(b))


def test_continuity_numbers_open_a_gap_that_is_asked_for_and_closed(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await b.up("north")
        for at, number in enumerate((311, 313), 1):
            to = f"QZAAMF/MINFOR PORTA 0{number}"
            await b.take("north", message(f"BBA00{at}", serial=f"000{at}", to=to))
        await b.deliver()
        assert ("continuity", "EMB NORDHAVEN 312") in b.station.awaited
        await b.move_clock(21601)
        b.station.circuits["north"].heard = b.now
        await services.follow_up(b.station)
        [asked] = await b.give("north")
        assert "INT ZDK EMB NORDHAVEN 312 TO MINFOR PORTA" in " ".join(asked.split())
        late = message("BBA003", serial="0003", to="QZAAMF/MINFOR PORTA 0312")
        await b.take("north", late)
        await b.deliver()
        assert "continuity-closed" in b.kinds()
        assert ("continuity", "EMB NORDHAVEN 312") not in b.station.awaited

    with bench(tmp_path) as b:
        run(trial(b))
