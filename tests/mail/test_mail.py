"""Telegrams as mail and back, with a real mail server in between."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given

import reftel
from reftel.tables.directory import Directory, Entry, parse_directory
from reftel.telegram import Addressee, Station, Telegram
from reftel.write import CannotWriteError, write
from reftel.write.mail import MailError, from_mail, to_mail
from reftel.write.readback import differences
from tests.instruments.postfix import MailServer, mail_server
from tests.instruments.records import records
from tests.telegrams import ROOT

WIRE = ROOT / "tests" / "wire"
STRICT = policy.SMTP.clone(raise_on_defect=True)
DIRECTORY = parse_directory("""
[[station]]
name = "EMB NORDHAVEN"
routing_indicator = "QZBBNV"
mailbox = "nordhaven@emb.example"
[[station]]
name = "MINFOR PORTA"
routing_indicator = "QZAAMF"
mailbox = "minfor@porta.example"
[[station]]
name = "MINTRADE PORTA"
routing_indicator = "QZAATR"
mailbox = "mintrade@porta.example"
[[station]]
name = "EMB SUDMARK"
routing_indicator = "QZCCSM"
mailbox = "sudmark@emb.example"
""")


def directory_for(telegram: Telegram) -> Directory:
    """A directory with a mailbox for everyone whom a telegram names."""
    names: dict[str, str | None] = {}
    if telegram.originator:
        names[telegram.originator.name] = telegram.originator.routing_indicator
    for each in (*telegram.action, *telegram.info):
        names.setdefault(each.name, each.routing_indicator)
    entries: dict[str, Entry] = {}
    for at, (name, indicator) in enumerate(names.items()):
        entries.setdefault(
            "".join(name.upper().split()),
            Entry("station", name, (), indicator, f"s{at}@post.example"),
        )
    return Directory(entries.values())


def strict(data: bytes) -> EmailMessage:
    message = BytesParser(policy=STRICT).parsebytes(data)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        for value in part.values():
            assert getattr(value, "defects", ()) == ()
    return message


def test_the_example_is_made_of_the_wire_text_to_the_letter() -> None:
    telegram = reftel.read((WIRE / "03a-dual-precedence-as-filed.txt").read_text(encoding="utf-8"))
    mail = to_mail(telegram, DIRECTORY)
    assert mail.messages[0] == (WIRE / "18-mail-form-of-03a.eml").read_bytes()
    assert [(e.mailboxes, e.mt_priority) for e in mail.envelopes] == [
        (("minfor@porta.example",), 0),
        (("mintrade@porta.example", "sudmark@emb.example"), -2),
    ]
    assert b"MT-Priority: -2 (ROUTINE, STANAG4406)" in mail.messages[1]
    assert {loss.field for loss in mail.losses} == {"transmission", "wire"}


def test_with_the_wire_text_attached_nothing_is_lost() -> None:
    text = (WIRE / "03a-dual-precedence-as-filed.txt").read_text(encoding="utf-8")
    telegram = reftel.read(text)
    mail = to_mail(telegram, DIRECTORY, wire=write(telegram))
    assert mail.losses == ()
    again, unheld = from_mail(mail.messages[0], DIRECTORY)
    assert differences(telegram, again) == []
    assert write(again) == text
    assert unheld == ()


@given(record=records())
def test_what_comes_back_differs_only_in_what_was_listed(record: Telegram) -> None:
    directory = directory_for(record)
    mail = to_mail(record, directory)
    message = strict(mail.messages[0])
    assert message["MMHS-Primary-Precedence"]
    assert all(len(line) <= 998 for line in mail.messages[0].split(b"\r\n"))
    again, unheld = from_mail(mail.messages[0], directory)
    assert {d.field for d in differences(record, again)} == {loss.field for loss in mail.losses}
    assert unheld == ()
    for loss in mail.losses:
        assert re.match(r"action|info|info_precedence|transmission|wire", loss.field), loss


@given(record=records())
def test_attached_wire_text_comes_back_equal(record: Telegram) -> None:
    directory = directory_for(record)
    mail = to_mail(record, directory, wire=write(record))
    strict(mail.messages[0])
    assert mail.losses == ()


def test_letters_beyond_ascii_and_a_long_subject_and_many_addressees_come_back() -> None:
    telegram = reftel.read((WIRE / "03a-dual-precedence-as-filed.txt").read_text(encoding="utf-8"))
    many = tuple(
        Addressee(f"POST NUMBER {n}", f"QZ{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}")
        for n in range(300)
    )
    telegram = msgspec.structs.replace(
        telegram,
        subject="ZÜRICH ÉTÉ ŁÓDŹ — " + "A VERY LONG SUBJECT " * 20 + "ENDS",
        info=many,
        transmission=None,
        wire=None,
    )
    directory = directory_for(telegram)
    mail = to_mail(telegram, directory)
    strict(mail.messages[0])
    assert len(mail.envelopes[1].mailboxes) == 300
    again, _ = from_mail(mail.messages[0], directory)
    assert again.subject == telegram.subject
    assert again.info == telegram.info
    assert mail.losses == ()


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_mail_as_mail_programs_encode_it_reads_the_same(encoding: str, ends: str) -> None:
    telegram = reftel.read((WIRE / "03a-dual-precedence-as-filed.txt").read_text(encoding="utf-8"))
    message = strict(to_mail(telegram, DIRECTORY).messages[0])
    text = message.get_content()
    message.set_content(text, cte=encoding)
    message.add_alternative(f"<html><body><pre>{text}</pre></body></html>", subtype="html")
    data = message.as_bytes(policy=policy.SMTP).replace(b"\r\n", ends.encode())
    again, unheld = from_mail(data, DIRECTORY)
    bare = msgspec.structs.replace(telegram, transmission=None, wire=None)
    assert differences(bare, again) == []
    assert [loss.why for loss in unheld] == ["the plain text says the same"]


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-8"])
def test_a_mail_in_another_character_set_keeps_its_letters(charset: str) -> None:
    telegram = reftel.read((WIRE / "03a-dual-precedence-as-filed.txt").read_text(encoding="utf-8"))
    message = strict(to_mail(telegram, DIRECTORY).messages[0])
    text = message.get_content().replace("FERRY TIMETABLE", "FERRY ÉTÉ TIMETABLE")
    message.set_content(text, charset=charset, cte="8bit")
    again, _ = from_mail(message.as_bytes(policy=policy.SMTP), DIRECTORY)
    assert again.subject == "FERRY ÉTÉ TIMETABLE TALKS"


def test_what_a_mail_has_and_a_telegram_has_not_is_listed() -> None:
    telegram = reftel.read((WIRE / "03a-dual-precedence-as-filed.txt").read_text(encoding="utf-8"))
    message = strict(to_mail(telegram, DIRECTORY).messages[0])
    message["Reply-To"] = "other@emb.example"
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="chart.pdf")
    _, unheld = from_mail(message.as_bytes(policy=policy.SMTP), DIRECTORY)
    assert [(loss.field, loss.value) for loss in unheld] == [
        ("Reply-To", "other@emb.example"),
        ("part", "chart.pdf"),
    ]


def test_a_mailbox_is_named_by_the_directory() -> None:
    source = (WIRE / "18-mail-form-of-03a.eml").read_text(encoding="utf-8")
    bare = re.sub(r'"[A-Z ]+" <([^>]+)>', r"\1", source).replace(
        "MMHS-Originator-PLAD: EMB NORDHAVEN\n", ""
    )
    telegram, _ = from_mail(bare, DIRECTORY)
    assert telegram.originator == Station("EMB NORDHAVEN")
    assert telegram.action == (Addressee("MINFOR PORTA", "QZAAMF"),)


def test_an_addressee_without_a_mailbox_is_reached_by_other_means() -> None:
    telegram = reftel.read((WIRE / "03a-dual-precedence-as-filed.txt").read_text(encoding="utf-8"))
    fewer = Directory(e for e in DIRECTORY.entries if e.name != "EMB SUDMARK")
    mail = to_mail(telegram, fewer)
    assert strict(mail.messages[0])["MMHS-Other-Recipients-Indicator-CC"] == "EMB SUDMARK"
    assert any(loss.field == "info[1]" for loss in mail.losses), "its routing indicator is lost"


@pytest.mark.parametrize(
    ("name", "said"),
    [("EMB NORDHAVEN #2", "'#'"), ("A" * 70, "69 fit"), ("NOBODY", "no mailbox")],
)
def test_what_no_header_can_hold_is_refused(name: str, said: str) -> None:
    telegram = reftel.read((WIRE / "03a-dual-precedence-as-filed.txt").read_text(encoding="utf-8"))
    telegram = msgspec.structs.replace(telegram, originator=Station(name))
    directory = DIRECTORY if name == "NOBODY" else directory_for(telegram)
    with pytest.raises(MailError, match=said):
        to_mail(telegram, directory)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(tmp_path_factory.mktemp("postfix")) as running:
        yield running


def test_telegrams_go_through_a_real_mail_server_and_come_back_equal(server: MailServer) -> None:
    sent: dict[str, tuple[Telegram, Directory, set[str]]] = {}
    number = copies = 0
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        for path in sorted(Path(ROOT / "examples").rglob("*.txt")):
            telegram = reftel.read(path.read_text(encoding="utf-8"))
            directory = directory_for(telegram)
            attached = number % 2 == 0
            try:
                mail = to_mail(telegram, directory, wire=write(telegram) if attached else None)
            except (MailError, CannotWriteError):
                continue
            for at, (data, envelope) in enumerate(zip(mail.messages, mail.envelopes, strict=True)):
                key = f"{number}-{at}"
                sent[key] = (telegram, directory, {loss.field for loss in mail.losses})
                tagged = data.replace(b"\r\n", f"\r\nX-Test: {key}\r\n".encode(), 1)
                client.sendmail("sender@post.example", envelope.mailboxes, tagged)
                number += 1
                copies += len(envelope.mailboxes)
    assert len(sent) > 50
    received = {
        key: data for data in server.arrived(copies) if (key := str(strict(data)["X-Test"])) in sent
    }
    assert received.keys() == sent.keys()
    for key, data in received.items():
        telegram, directory, listed = sent[key]
        again, _ = from_mail(data, directory)
        message = strict(data)
        assert message["MT-Priority"], "the server has no MT-PRIORITY: it travels in the header"
        assert {d.field for d in differences(telegram, again)} == listed, key
