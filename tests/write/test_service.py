"""Service messages, corrections, readdressals: written as the examples are, and understood."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import reftel
from reftel.read.service import understand
from reftel.telegram import Addressee, Procedure
from reftel.write import service, write

WIRE = Path(__file__).parents[1] / "wire"


def text(name: str) -> str:
    return next(WIRE.glob(f"{name}-*.txt")).read_text(encoding="utf-8")


def heading(hop: str, precedence: str, to: str, station: str, serial: str, filed: str) -> Procedure:
    return Procedure(
        f"VZCZC{hop}", None, precedence, tuple(to.split()), station, serial, filed, "ZNR UUUUU"
    )


FIRST = reftel.read(text("01"))
IDENTITY = "QZBBNV 0412 1550842"


def test_an_open_number_between_neighbours() -> None:
    made = service.service(
        service.open_number("AAM208"),
        heading("MFA062", "IMMEDIATE", "QZAA", "QZAAMF", "0904", "1551431"),
        abbreviated=True,
    )
    assert write(made) == text("07a")


def test_a_request_for_a_whole_message() -> None:
    assert service.identification(FIRST) == IDENTITY
    made = service.service(
        service.request_repeat(IDENTITY),
        heading("MFA063", "PRIORITY", "QZBBNV", "QZAAMF", "0903", "1551436"),
    )
    assert write(made) == text("07b")


def test_a_request_for_a_part() -> None:
    said = service.request_part("QZBBNV 0416 1551612", "SUDMARK IS", "TWO MORE", "THE HARBOUR")
    made = service.service(
        said, heading("SMA044", "PRIORITY", "QZBBNV", "QZCCSM", "0231", "1551745")
    )
    assert write(made) == text("07f")


def test_a_tracer() -> None:
    said = service.trace("QZAAMF", FIRST, "QZBB", "NVA027", datetime(2025, 6, 4, 8, 46, tzinfo=UTC))
    made = service.service(said, heading("NVA041", "ROUTINE", "QZBB", "QZBBNV", "0425", "1570915"))
    assert write(made) == text("07h")


def test_a_cancelled_transmission() -> None:
    made = service.service(
        service.cancel("BBA129"), heading("BBA130", "ROUTINE", "QZAA", "QZBB", "0077", "1552210")
    )
    assert write(made) == text("07j")


def test_a_request_for_a_corrected_copy() -> None:
    said = service.request_corrected_copy("ISA018", "QZBBIS 0033 1552015", ("QZAAMF",))
    made = service.service(
        said,
        heading("AAB070", "IMMEDIATE", "QZBBIS QZAAMF", "QZAA", "0140", "1552026"),
        action=(Addressee("QZBBIS"),),
        info=(Addressee("QZAAMF"),),
    )
    assert write(made) == text("08b")


def test_a_readdressal_by_service_message() -> None:
    said = service.readdress_by_service(
        "QZAAMF 0901 1551301", "CONSUL WESTBAY TRADE OFFICE", "MINFOR PORTA"
    )
    made = service.service(
        said,
        heading("MFA066", "ROUTINE", "QZBBWB", "QZAAMF", "0905", "1551512"),
        dtg="2025-06-04T15:10:00Z",
    )
    assert write(made) == text("05b")


def test_a_readdressal_by_supplementary_heading() -> None:
    made = service.readdress(
        FIRST,
        heading("MFA061", "ROUTINE", "QZCCLV", "QZAAMF", "0902", "1551405"),
        originator="MINFOR PORTA",
        dtg="2025-06-04T14:00:00Z",
        precedence="ROUTINE",
        action=(Addressee("MISSION LAKEVIEW"),),
    )
    assert write(made) == text("05a")


def test_pilots() -> None:
    duplicate = service.suspected_duplicate(FIRST, "AAM207", "QZAA")
    assert "ZNR UUUUU ZFD QZAA\nNVA027     \nRR QZAAMF\nDE QZBBNV 0412" in write(duplicate)
    corrected = reftel.read(text("08c"))
    again = service.corrected_copy(
        reftel.read(text("08c").split("ZEL QZBBIS\n")[1].replace("ISA018", "VZCZCISA018", 1)),
        "ISA019",
        "QZBBIS",
    )
    assert write(again) == text("08c")
    assert corrected.transmission is not None
    assert "ZEL" in corrected.transmission.operating_signals
    sent = reftel.read(write(service.subject_to_correction(FIRST, "AAM209")))
    assert sent.transmission is not None
    assert "ZDG" in sent.transmission.operating_signals
    right = write(service.rerouted(FIRST, "TRA021", ("QZCCSM",), "QZAATR"))
    assert right.startswith("VZCZCTRA021     \nRR QZCCSM\nZNR UUUUU ZOV QZAATR\n")


def test_a_pilot_needs_a_heading_to_stand_before() -> None:
    bare = reftel.read("R 011200Z MAR 07\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\n")
    with pytest.raises(ValueError, match="procedure lines"):
        service.suspected_duplicate(bare, "AAM207", "QZAA")
    with pytest.raises(ValueError, match="format line 3"):
        service.identification(bare)


def test_channel_numbers_are_asked_for_by_range() -> None:
    said = service.request_repeat_of_channel("NVA027", "NVA030")
    found = understand(said)
    assert (found.kind, found.question) == ("repeat-request", True)
    assert found.channel_numbers == ("NVA027", "NVA028", "NVA029", "NVA030")
    assert understand(service.request_repeat_of_channel("NVA027")).channel_numbers == ("NVA027",)
    with pytest.raises(ValueError, match="two channels"):
        service.request_repeat_of_channel("NVA027", "NVB030")
    with pytest.raises(ValueError, match="comes after"):
        service.request_repeat_of_channel("NVA030", "NVA027")


@pytest.mark.parametrize(
    ("name", "kind", "messages", "numbers"),
    [
        ("05b", "readdressal", ("QZAAMF 0901 1551301",), ()),
        ("07a", "open-number", (), ("AAM208",)),
        ("07b", "repeat-request", (IDENTITY,), ()),
        ("07c", "repeat", (IDENTITY,), ()),
        ("07d", "last-received", (), ("BBN091",)),
        ("07e", "last-sent", (), ("BBN091",)),
        ("07f", "part-request", ("QZBBNV 0416 1551612",), ()),
        ("07g", "part", ("QZBBNV 0416 1551612",), ()),
        ("07h", "tracer", (IDENTITY,), ("NVA027",)),
        ("07j", "cancellation", (), ("BBA129",)),
        ("08b", "corrected-copy-request", ("QZBBIS 0033 1552015",), ("ISA018",)),
        ("15b", "misrouted", ("QZBBNV 0430 1571610",), ()),
    ],
)
def test_service_messages_are_understood(
    name: str, kind: str, messages: tuple[str, ...], numbers: tuple[str, ...]
) -> None:
    telegram = reftel.read(text(name), year=2025)
    assert telegram.service is not None
    found = understand(telegram.service)
    assert (found.kind, found.messages, found.channel_numbers) == (kind, messages, numbers)


def test_what_is_no_signal_is_not_guessed() -> None:
    assert understand("GOOD MORNING").kind == "other"
