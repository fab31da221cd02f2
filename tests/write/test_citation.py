"""Citations: as people write them, and as programs read them back."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import bibtexparser
import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st

import reftel
from reftel.telegram import Addressee, Mrn, Station, Telegram
from reftel.write.citation import FORMS, Cited, cited

_NASTY = 'A {BRACE, 100% & "QUOTED" $5 #1 _x_ ~tilde ^hat \\back} Ü “Ω” 漢\r\nER  - \nTY  - BOOK'


@pytest.fixture(scope="module")
def signed(examples: Path) -> Telegram:
    return reftel.read((examples / "1970s/79BERN4120.txt").read_text(encoding="utf-8"))


def test_a_note_a_bibliography_and_the_archives_own_form(signed: Telegram) -> None:
    citation = cited(signed, digest="9bbcb3269f93", paragraph=2)
    made = {name: FORMS[name].make(citation) for name in ("note", "bibliography", "archives")}
    assert made == {
        "note": "Embassy Bern to Secretary of State, Washington, “CONVENTION ON LIGHTS SIGNED,” telegram"
        " 79BERN4120, September 14, 1979, 1655Z, Unclassified, para. 2, Central Foreign Policy Files,"
        " 1973–79, Record Group 59, National Archives.",
        "bibliography": "Embassy Bern. “CONVENTION ON LIGHTS SIGNED.” Telegram 79BERN4120 to Secretary of"
        " State, Washington, September 14, 1979. Central Foreign Policy Files, 1973–79. Record Group 59,"
        " General Records of the Department of State. National Archives, College Park, MD.",
        "archives": "Embassy Bern to Secretary of State, Washington, Telegram 4120, “CONVENTION ON LIGHTS"
        " SIGNED,” September 14, 1979, para. 2, 1979BERN04120, Central Foreign Policy Files,"
        " 1973-79/Electronic Telegrams, RG 59: General Records of the Department of State, U.S. National"
        " Archives.",
    }


def test_a_question_and_a_quotation_keep_their_marks() -> None:
    t = Telegram(source="", subject='IS THE "GREEN" LIGHT OUT?', mrn=Mrn.of(2007, "OSLO", 5))
    citation = cited(t)
    assert FORMS["note"].make(citation) == ("“IS THE ‘GREEN’ LIGHT OUT?” telegram 07OSLO5, 2007.")
    assert FORMS["bibliography"].make(citation) == (
        "“IS THE ‘GREEN’ LIGHT OUT?” Telegram 07OSLO5, 2007."
    )
    assert FORMS["archives"].make(citation) is None


def test_a_telegram_that_says_nothing_is_cited_all_the_same() -> None:
    citation = cited(Telegram(source=""), digest="ab" * 32)
    assert FORMS["note"].make(citation) == "telegram."
    for name in ("bibtex", "ris", "csl-json"):
        assert "telegram-ababab" in (FORMS[name].make(citation) or "")


def test_a_paragraph_must_be_there(signed: Telegram) -> None:
    with pytest.raises(ValueError, match="no paragraph 99"):
        cited(signed, paragraph=99)
    for asked, said in (("1-99", "no paragraph 99"), ("2-1", "write 1-2"), ("two", "is a number")):
        with pytest.raises(ValueError, match=said):
            cited(signed, paragraph=asked)


def test_several_paragraphs_are_cited_in_every_form_that_cites_one(signed: Telegram) -> None:
    one, several = cited(signed, paragraph="1"), cited(signed, paragraph="1-2")
    assert one == cited(signed, paragraph=1)
    for form in FORMS.values():
        said, wanted = form.make(several), form.make(one)
        assert (said is None) == (wanted is None)
        if said is not None and wanted is not None:
            assert said == wanted.replace("para. 1", "paras. 1–2")


def nasty(subject: str, name: str = "AMEMBASSY BERN") -> Cited:
    t = Telegram(
        source="",
        subject=subject,
        mrn=Mrn.of(1979, "BERN", 4120),
        dtg="1979-09-14T16:55:00Z",
        originator=Station(name),
        action=(Addressee("SECSTATE WASHDC"),),
        classification="SECRET",
    )
    return cited(t, digest="9bbcb3", url="http://localhost/d/9bbcb3?a={b}&c=%41")


def _unlatex(text: str) -> str:
    """What LaTeX would print."""
    named = {
        "textbackslash{}": "\\",
        "textbraceleft{}": "{",
        "textbraceright{}": "}",
        "textasciitilde{}": "~",
        "textasciicircum{}": "^",
    }
    pattern = "|".join(map(re.escape, named))
    return re.sub(rf"\\({pattern}|[&%$#_])", lambda m: named.get(m[1], m[1]), text)


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def bibtex_fields(citation: Cited) -> dict[str, Any]:
    made = FORMS["bibtex"].make(citation)
    assert made is not None
    library = bibtexparser.parse_string(made)
    assert not library.failed_blocks
    (entry,) = library.entries
    return {field.key: field.value for field in entry.fields} | {"key": entry.key}


def ris_fields(citation: Cited) -> dict[str, Any]:
    made = FORMS["ris"].make(citation)
    assert made is not None
    assert made.count("\r\n") == made.count("\n")
    (entry,) = rispy.loads(made)
    return dict(entry)


@given(st.text(max_size=80) | st.just(_NASTY) | st.text('{}\\%&$#_~^"@, \n\rER-TY', max_size=40))
def test_a_subject_comes_back_from_every_form_as_it_was(subject: str) -> None:
    citation = nasty(subject)
    wanted = _line(subject) or None
    fields = bibtex_fields(citation)
    title = fields.get("title")
    assert (title and _unlatex(title[1:-1])) == wanted
    assert fields["author"] == "{Embassy Bern}"
    assert fields["date"] == "1979-09-14"
    assert ris_fields(citation).get("title") == wanted
    (item,) = json.loads(FORMS["csl-json"].make(citation) or "")
    assert item.get("title") == wanted


def test_ris_says_who_to_whom_when_and_where() -> None:
    fields = ris_fields(nasty(_NASTY))
    assert fields["type_of_reference"] == "PCOMM"
    assert fields["authors"] == ["Embassy Bern"]
    assert fields["secondary_authors"] == ["Secretary of State Washington"]
    assert fields["date"] == "1979/09/14/"
    assert fields["year"] == "1979"
    assert fields["call_number"] == "79BERN4120"
    assert fields["name_of_database"] == "National Archives"
    assert fields["urls"] == ["http://localhost/d/9bbcb3?a={b}&c=%41"]


# Variables of CSL 1.0.2 (appendix IV) that a citation uses, and what each holds in CSL-JSON.
_CSL = {
    "id": str,
    "type": str,
    "genre": str,
    "title": str,
    "author": list,
    "recipient": list,
    "issued": dict,
    "number": str,
    "archive": str,
    "archive_collection": str,
    "archive_location": str,
    "keyword": str,
    "note": str,
    "locator": str,
    "URL": str,
}


def test_csl_json_holds_variables_of_csl_and_a_processor_renders_it() -> None:
    from citeproc import (
        Citation,
        CitationItem,
        CitationStylesBibliography,
        CitationStylesStyle,
        formatter,
    )
    from citeproc.source.json import CiteProcJSON

    (item,) = json.loads(FORMS["csl-json"].make(nasty("LIGHTS & LAMPS")) or "")
    for name, value in item.items():
        assert isinstance(value, _CSL[name]), name
    assert item["issued"] == {"date-parts": [[1979, 9, 14]]}
    with warnings.catch_warnings():
        # The processor knows fewer variables than CSL has, and says so.
        warnings.simplefilter("ignore")
        source = CiteProcJSON([item])
        style = CitationStylesStyle("harvard-cite-them-right", validate=False)
        bibliography = CitationStylesBibliography(style, source, formatter.plain)
        bibliography.register(Citation([CitationItem(item["id"])]))
        (rendered,) = map(str, bibliography.bibliography())
    assert "Embassy Bern" in rendered
    assert "LIGHTS & LAMPS" in rendered
    assert "1979" in rendered
