"""Telegrams inside other things: web pages, mail, tables, files of several, released copies, lower case."""

from __future__ import annotations

import csv
import html
import io
from email.message import EmailMessage
from pathlib import Path

import pytest

import reftel
from reftel.telegram import Telegram
from tests.properties.test_partition import check_partition
from tests.telegrams import WIRE

EXAMPLES = Path(__file__).parents[2] / "examples"
HEADING, _, BODY = WIRE.partition("UNCLAS BERN")
BODY = f"UNCLAS BERN{BODY}"


def said(telegram: Telegram) -> dict[str, object]:
    """The record but for places and the carrier."""
    left_out = ("source", "elements", "coverage", "repairs", "diagnostics", "citations", "dialect")
    values = {n: getattr(telegram, n) for n in telegram.__struct_fields__ if n not in left_out}
    values["body"] = [(b.kind, b.number, b.marking, b.text) for b in telegram.body]
    values["references"] = [(r.enumerator, r.mrn, r.text) for r in telegram.references]
    return values


def page(heading: str, body: str) -> str:
    return (
        "<!DOCTYPE html><html><head><title>Viewing cable 07BERN123</title><style>p {}</style></head>"
        "<body><h3>Viewing cable</h3><table class='cable'><tr><td><a href='/x'>07BERN123</a></td></tr>"
        f"</table><code><pre>{html.escape(heading).replace(chr(10), '&#x000A;')}</pre></code>"
        f"<code><pre>{html.escape(body).replace('PREL', '<a href=/t>PREL</a>')}</pre></code>"
        "<p>Footer &copy;</p></body></html>"
    )


def test_a_web_page_says_what_its_telegram_says() -> None:
    carried = check_partition(page(HEADING, BODY))
    assert carried is not None
    assert said(carried) == said(reftel.read(WIRE))
    block = carried.body[0]
    assert "Summary. The lamp was lit." in block.span.of(carried.source)
    assert {e.kind for e in carried.elements} >= {"markup", "subject", "tags"}


@pytest.mark.parametrize(
    "section", ["<![A-Z]+>", "<![ any ]>", "<![", "<![CDATA[x]]>", "<![if lamp]>"]
)
def test_a_section_of_no_kind_in_a_page_stops_nobody(section: str) -> None:
    whole = page(HEADING, BODY)
    for place in ("<h3>", "<p>Footer"):
        carried = check_partition(whole.replace(place, section + place))
        assert carried is not None
        if section.endswith(">"):
            assert said(carried) == said(reftel.read(WIRE))


def test_a_page_without_preformatted_text() -> None:
    lines = "".join(f"<div>{html.escape(line)}</div>" for line in WIRE.split("\n"))
    carried = check_partition(f"<html><body>{lines}</body></html>")
    assert carried is not None
    assert carried.subject == "A LAMP FOR THE HARBOUR"


def test_a_sign_in_a_telegram_makes_no_page_of_it() -> None:
    text = WIRE.replace("The lamp was lit.", "The lamp <p> was lit & shone.")
    assert "The lamp <p> was lit & shone." in reftel.read(text).body[0].text


@pytest.mark.parametrize("escaped", [False, True])
def test_rows_of_the_table_in_which_telegrams_circulate(escaped: bool) -> None:
    columns = [
        "1",
        "3/14/2007 9:15",
        "07BERN123",
        "Embassy Bern",
        "UNCLASSIFIED",
        "",
        HEADING,
        BODY,
    ]
    if escaped:
        cells = (cell.replace("\\", "\\\\").replace('"', '\\"') for cell in columns)
        row = ",".join(f'"{cell}"' for cell in cells) + "\n"
    else:
        buffer = io.StringIO()
        csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow(columns)
        row = buffer.getvalue()
    telegrams = list(reftel.read_all(row + row.replace('"1"', '"2"', 1)))
    assert [said(t) for t in telegrams] == [said(reftel.read(f"{HEADING}\n{BODY}"))] * 2


def test_several_telegrams_in_one_file_are_told_apart() -> None:
    names = ("1970s/79BERN4120.txt", "2000s/07OSLO488.txt", "1980s/84BERN1876.txt")
    texts = [(EXAMPLES / name).read_text(encoding="utf-8") for name in names]
    telegrams = list(reftel.read_all("\n".join(texts)))
    assert [t.mrn and t.mrn.short for t in telegrams] == ["79BERN4120", "07OSLO488", "84BERN1876"]


def test_every_example_is_one_telegram() -> None:
    for path in EXAMPLES.rglob("*.txt"):
        assert len(list(reftel.read_all(path.read_text(encoding="utf-8")))) == 1, path.name


def test_a_quoted_telegram_is_no_telegram_of_its_own() -> None:
    quoting = WIRE.replace(
        "1. (SBU) Summary.", f"QUOTE\n{WIRE.replace('0123', '0999')}\nUNQUOTE\n\n1. (SBU) X."
    )
    assert len(list(reftel.read_all(quoting))) == 1


def test_a_mail_folder() -> None:
    mail = "From: a@b.example\nMessage-ID: <1@b.example>\nSubject: X\n\nUNCLAS BERN 000123\n\n1. (U) Y.\n"
    folder = f"From a@b.example Wed Mar 14 09:15:00 2007\n{mail}\n" * 2
    assert len(list(reftel.read_all(folder, year=2007))) == 2


MAIL = """From: "EMB NORDHAVEN" <nordhaven@mfa.example>
To: "MINFOR PORTA" <minfor@mfa.example>
Cc: "MINTRADE PORTA" <trade@mfa.example>, "EMB SUDMARK" <sudmark@mfa.example>
Subject: FERRY TIMETABLE
 TALKS
Date: Wed, 04 Jun 2025 16:12:00 +0000
Message-ID: <QZBBNV.0416.2025@mfa.example>
MMHS-Extended-Authorisation-Info: Wed, 04 Jun 2025 18:10:00 +0200
MMHS-Primary-Precedence: 2 (priority)
MMHS-Copy-Precedence: routine
MMHS-Originator-PLAD: EMB NORDHAVEN
MMHS-Originator-Reference: NORDHAVEN 0416
MMHS-Acp127-Message-Identifier: QZBBNV 0416 1551612
MMHS-Handling-Instructions: ZZH
MMHS-Message-Instructions: SIPDIS
MMHS-Subject-Indicator-Codes: EWWT; PHSA
MMHS-Exempted-Address: "EMB ISOLA" <isola@mfa.example>
MMHS-Other-Recipients-Indicator-CC: CONSUL WESTBAY

UNCLAS NORDHAVEN 0416

1. (U) TALKS ON THE SUMMER FERRY TIMETABLE RESUME.

FERRIER
"""


def test_mail_headers_say_what_the_text_does_not() -> None:
    telegram = check_partition(MAIL)
    assert telegram is not None
    assert telegram.dialect == "mail"
    assert telegram.dtg == "2025-06-04T16:10:00Z"
    assert (telegram.precedence, telegram.info_precedence) == ("PRIORITY", "ROUTINE")
    assert [a.name for a in telegram.action] == ["MINFOR PORTA"]
    assert [a.name for a in telegram.info] == ["MINTRADE PORTA", "EMB SUDMARK", "CONSUL WESTBAY"]
    assert [a.name for a in telegram.exempt] == ["EMB ISOLA"]
    assert telegram.subject == "FERRY TIMETABLE TALKS"
    assert [tag.code for tag in telegram.tags] == ["EWWT", "PHSA"]
    assert telegram.captions == ("SIPDIS",)
    assert telegram.transmission is not None
    assert telegram.transmission.filed == "2025-06-04T16:12:00Z"
    assert telegram.mrn is not None
    assert telegram.mrn.short == "25NORDHAVEN416"
    assert telegram.signature == "FERRIER"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_mail_in_a_transfer_encoding(encoding: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["MMHS-Primary-Precedence"] = "a@b.example", "Ünï ÇØDE", "3"
    mail["Date"] = "Wed, 04 Jun 2025 16:12:00 +0000"
    mail.set_content("UNCLAS NORDHAVEN 0417\n\n1. (U) Café, naïve.\n", cte=encoding)
    telegram = check_partition(mail.as_string())
    assert telegram is not None
    assert telegram.subject == "Ünï ÇØDE"
    assert telegram.precedence == "IMMEDIATE"
    assert telegram.body[0].text == "Café, naïve."


def test_the_exact_text_sent_along_is_preferred() -> None:
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "a@b.example", "<1@b.example>"
    mail.set_content("See the attachment.\n")
    mail.add_attachment(WIRE, filename="telegram.txt")
    assert said(reftel.read(mail.as_string()))["subject"] == "A LAMP FOR THE HARBOUR"


RELEASED = """UNCLASSIFIED U.S. Department of State Case No. F-2016-01234 Doc No. C01234567 Date: 07/31/2017

RELEASE IN PART
B1,1.4(B),1.4(D)

R 291200Z MAY 76
FM AMEMBASSY LISBON
TO SECSTATE WASHDC 1234
C O N F I D E N T I A L LISBON 4102

E.O. 11652: GDS
TAGS: PFOR, PO
SUBJECT: FOO BAR

1. THE MINISTER SAID THAT                                    B1
                                                             1.4(D)
WAS NOT TO BE HAD.
"""


def test_a_released_copy_keeps_the_review_out_of_the_telegram() -> None:
    telegram = check_partition(RELEASED)
    assert telegram is not None
    assert telegram.release is not None
    assert telegram.release.action == "RELEASE IN PART"
    assert telegram.release.exemptions == ("B1", "1.4(B)", "1.4(D)")
    assert telegram.release.case_number == "F-2016-01234"
    assert telegram.release.document_number == "C01234567"
    assert telegram.release.date == "2017-07-31"
    assert telegram.body[0].text == "THE MINISTER SAID THAT WAS NOT TO BE HAD."


@pytest.mark.parametrize("change", [str.lower, str.title])
def test_letter_case_of_labels_and_codes_changes_nothing(change: object) -> None:
    assert callable(change)
    for path in sorted((EXAMPLES / "1980s").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        expected, found = reftel.read(text), reftel.read(change(text))
        for name in ("mrn", "dtg", "precedence", "classification", "captions", "tags", "section"):
            assert getattr(found, name) == getattr(expected, name), (path.name, name)
        assert [a.name for a in found.action] == [a.name for a in expected.action]
        assert (found.subject or "").upper() == (expected.subject or "").upper()


def heading(month: str, year: str, level: str) -> str:
    return f"R 011200Z {month} {year}\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\n{level} BERN 0123\n"


@pytest.mark.parametrize(
    ("year", "level", "line", "date", "by_rule"),
    [
        ("74", "CONFIDENTIAL", "E.O. 11652: GDS", "1980-12-31", True),
        ("74", "SECRET", "E.O. 11652: GDS", "1982-12-31", True),
        ("74", "SECRET", "E.O. 11652: XGDS-3", "2004-03-01", True),
        ("76", "CONFIDENTIAL", "E.O. 11652: ADS, DECLAS 12-31-76", "1976-12-31", False),
        ("79", "CONFIDENTIAL", "E.O. 12065: GDS 8/14/85 (DOE, JANE R.) OR-P", "1985-08-14", False),
        ("79", "CONFIDENTIAL", "E.O. 12065: XDS-1 (DOE, JANE R.) OR-M", "1999-03-01", True),
        ("85", "CONFIDENTIAL", "E.O. 12356: DECL: OADR", None, False),
        ("98", "CONFIDENTIAL", "E.O. 12958: DECL: 1.6X1, X6", "2023-03-01", True),
        ("08", "SECRET", "E.O. 12958: DECL: END OF CONFERENCE", None, False),
        ("08", "SECRET", "E.O. 12958: DECL: 25X1-HUM", None, False),
        ("08", "SECRET", "E.O. 12958: DECL: 12 MAR 2018", "2018-03-12", False),
        ("11", "SECRET", "E.O. 13526: DECL: 50X1-HUM", "2086-03-01", True),
        ("08", "SECRET", "E.O. 12958: DECL: 20 YEARS", "2028-03-01", True),
        ("08", "SECRET", "E.O. 12958: DNG: CO 03/01/2013 DECL: 03/01/2018", "2018-03-01", False),
        ("08", "UNCLAS", "E.O. 12958: N/A", None, False),
    ],
)
def test_each_order_has_its_own_schedule(
    year: str, level: str, line: str, date: str | None, by_rule: bool
) -> None:
    order = reftel.read(f"{heading('MAR', year, level)}{line}\nSUBJECT: X\n").executive_order
    assert order is not None
    assert (order.declassify_on, order.by_rule) == (date, by_rule)


@pytest.mark.parametrize(
    ("year", "written", "meant"),
    [
        ("08", "12598", "12958"),
        ("08", "12985", "12958"),
        ("74", "11653", "11652"),
        ("08", "12036", "12036"),
    ],
)
def test_a_misspelt_order_is_the_one_in_force(year: str, written: str, meant: str) -> None:
    telegram = reftel.read(f"{heading('MAR', year, 'UNCLAS')}E.O. {written}: N/A\nSUBJECT: X\n")
    assert telegram.executive_order is not None
    assert telegram.executive_order.order == meant
    assert [(r.was, r.now) for r in telegram.repairs] == (
        [(written, meant)] if written != meant else []
    )


def test_what_the_text_cites_is_resolved() -> None:
    telegram = reftel.read(
        f"{heading('MAR', '07', 'UNCLAS')}REF: A. STATE 1234 B. 06 PARIS 77\n\n"
        "1. (U) See ref B, REFS A AND B, 06 LONDON 3456 and STATE 4567. In PARIS 1999 was dull.\n"
    )
    assert [(c.text, c.mrn, c.reference) for c in telegram.citations] == [
        ("ref B", "06PARIS77", "B"),
        ("REFS A AND B", "07STATE1234", "A"),
        ("REFS A AND B", "06PARIS77", "B"),
        ("06 LONDON 3456", "06LONDON3456", None),
        ("STATE 4567", "07STATE4567", None),
    ]


def test_what_the_text_cites_is_resolved_with_a_letter_behind_reftel_and_in_lower_case() -> None:
    telegram = reftel.read(
        f"{heading('MAR', '07', 'UNCLAS')}REF: A. STATE 1234 B. 06 PARIS 77\n\n"
        "1. (U) See reftels A and B, reftel B and ref a. The U.S. reform: STATE 4567, 3,500 men.\n"
    )
    assert [(c.text, c.reference) for c in telegram.citations] == [
        ("reftels A and B", "A"),
        ("reftels A and B", "B"),
        ("reftel B", "B"),
        ("ref a", "A"),
        ("STATE 4567", None),
    ]


def test_mail_with_windows_line_ends_and_mail_that_is_a_page() -> None:
    windows = check_partition(MAIL.replace("\n", "\r\n"))
    assert windows is not None
    assert windows.body[0].span.of(windows.source).startswith("1. (U) TALKS")
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "a@b.example", "<1@b.example>"
    mail.set_content(page(HEADING, BODY), subtype="html")
    assert said(reftel.read(mail.as_string()))["subject"] == "A LAMP FOR THE HARBOUR"
