"""Writing to the wire: examples reproduced exactly from their records, and read back."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given

import reftel
from reftel.telegram import Telegram, from_builtins, to_builtins
from reftel.write import CannotWriteError, decode, encode, split, write
from reftel.write.readback import differences
from tests.instruments.records import records
from tests.telegrams import WIRE, corpus_texts

EXAMPLES = Path(__file__).parents[1] / "wire"


def record_of(text: str) -> Telegram:
    """The telegram of a text, by way of JSON: nothing of the text itself is left."""
    record = json.loads(json.dumps(to_builtins(reftel.read(text, year=2025))))
    return from_builtins(record)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_wire_example_is_reproduced_exactly_from_its_record(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    record = record_of(text)
    assert record.source == ""
    assert write(record) == text


def test_the_bytes_are_those_of_an_ascii_circuit_and_of_a_five_unit_one() -> None:
    text = (EXAMPLES / "01-single-section.txt").read_text(encoding="utf-8")
    assert encode(text) == (EXAMPLES / "01-single-section.wire").read_bytes()
    units = (EXAMPLES / "01-single-section.ita2.hex").read_text(encoding="ascii")
    assert encode(text, "ita2") == bytes.fromhex("".join(units.split()))


def test_bells_ring_for_flash_on_a_five_unit_circuit() -> None:
    text = next(EXAMPLES.glob("12-*.txt")).read_text(encoding="utf-8")
    units = encode(text, "ita2")
    figures, letters, j, s = 0b11011, 0b11111, 0b01011, 0b00101
    assert bytes([figures, *[j] * 5, *[s] * 5, letters]) in units
    assert decode(units, "ita2").rstrip("\n") == text.rstrip("\n")
    assert b"\a" not in encode(text)


@pytest.mark.parametrize("code", ["ascii", "ita2"])
@given(record=records(form="acp127"))
def test_what_a_circuit_carries_comes_out_as_it_went_in(code: str, record: Telegram) -> None:
    text = write(record)
    assert decode(encode(text, code), code).rstrip("\n") == text.rstrip("\n")


@given(record=records())
def test_a_written_telegram_says_what_the_record_says(record: Telegram) -> None:
    text = write(record)
    assert text.changes == ()
    assert differences(record, reftel.read(text)) == []
    assert all(len(line) <= 69 for line in text.split("\n"))


@given(record=records(form="acp127"))
def test_so_it_does_in_the_form_of_acp_127(record: Telegram) -> None:
    assert differences(record, reftel.read(write(record, form="acp127"))) == []


@given(record=records())
def test_writing_what_was_read_gives_the_text_again(record: Telegram) -> None:
    text = write(record)
    assert write(reftel.read(text)) == text


@given(record=records())
def test_a_record_comes_out_of_json_as_it_went_in(record: Telegram) -> None:
    values = json.loads(json.dumps(to_builtins(record)))
    assert json.loads(json.dumps(to_builtins(from_builtins(values)))) == values


@given(record=records(most=30))
def test_sections_joined_are_the_telegram_that_was_split(record: Telegram) -> None:
    sections = split(record, lines=25)
    assert len(sections) > 1 or len(write(record).split("\n")) < 60
    joined = reftel.join(reftel.read(section) for section in reversed(sections))
    bare = msgspec.structs.replace(record, wire=None, transmission=None)
    assert [d for d in differences(bare, joined) if d.field != "section"] == []
    if len(sections) > 1:
        assert joined.sections_present == tuple(range(1, len(sections) + 1))


def test_the_example_in_three_sections_is_joined_and_split_to_the_same_bytes() -> None:
    paths = sorted(EXAMPLES.glob("02*.txt"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    assert list(split(reftel.join(reftel.read(text) for text in texts))) == texts


def test_real_telegrams_are_written_and_say_the_same_or_are_refused() -> None:
    written = refused = 0
    for _, text in corpus_texts():
        try:
            telegram = reftel.read(text)
        except reftel.NotATelegram:
            continue
        try:
            again = write(telegram)
        except CannotWriteError as error:
            assert error.problems
            refused += 1
            continue
        written += 1
        plain = reftel.read(again)
        if not again.changes:
            assert differences(telegram, plain) == []
    assert written > 10 * refused


def test_what_is_about_the_copy_alone_is_named_as_lost() -> None:
    telegram = msgspec.structs.replace(
        reftel.read(WIRE), drafted_by="POL:JDOE", clearances=("EUR",)
    )
    assert write(telegram).losses == ("drafted_by", "clearances")


def test_characters_that_a_circuit_lacks_are_replaced_and_named() -> None:
    source = WIRE.replace("The lamp was lit.", "The “lamp” was lit — at 5 °C in Zürich.")
    text = write(reftel.read(source))
    assert '"lamp" was lit - at 5 DEG C in Zurich.' in text.replace("\n", " ")
    assert {change.was for change in text.changes} >= {"“", "”", "—", "°", "ü"}


def test_quotation_marks_become_words_in_the_alphabet_of_acp_127() -> None:
    source = WIRE.replace("The lamp was lit.", 'The "lamp" was lit.')
    text = write(reftel.read(source), charset="ita2")
    assert "THE QUOTE LAMP UNQUOTE WAS LIT." in text.replace("\n", " ")
    assert any(change.now == "capitals" for change in text.changes)


def _with_text(text: str) -> Telegram:
    telegram = reftel.read(WIRE)
    block = msgspec.structs.replace(telegram.body[-1], text=text)
    return msgspec.structs.replace(telegram, body=(*telegram.body[:-1], block))


@pytest.mark.parametrize(
    ("telegram", "said"),
    [
        (_with_text("It said NNNN and ended."), "NNNN"),
        (_with_text("The word is привет."), "no circuit can carry"),
        (_with_text("3. This would be a paragraph.\n\n4. And this."), "body"),
        (
            msgspec.structs.replace(reftel.read(WIRE), subject="A LAMP\nTAGS: PREL"),
            "subject",
        ),
        (
            msgspec.structs.replace(
                reftel.read(WIRE),
                action=(reftel.telegram.Addressee("AN ADDRESSEE WITH A NAME" * 4, "RUEHC"),),
            ),
            "characters, a line holds 69",
        ),
    ],
)
def test_what_the_form_cannot_carry_is_refused_not_approximated(
    telegram: Telegram, said: str
) -> None:
    with pytest.raises(CannotWriteError, match=said):
        write(telegram)


def test_a_section_alone_is_not_split_again() -> None:
    text = (EXAMPLES / "14b-state-style-section-02-of-02.txt").read_text(encoding="utf-8")
    with pytest.raises(CannotWriteError, match="join it first"):
        split(reftel.read(text))
