"""Who reads what: profiles, held against the office lists of the 1970s form and invented telegrams."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from tests.instruments.station import CONFIG, bench, message, run
from tests.telegrams import ROOT, corpus_folder

import reftel
from reftel.centre import desk
from reftel.centre.config import Profile
from reftel.centre.distribution import readers
from reftel.centre.history import would_find
from reftel.telegram import Telegram

_LISTED = re.compile(r"(?<![A-Z0-9/-])([A-Z]{1,5}(?:/[A-Z]{1,5})?)-[0-9]{2}(?![0-9])")


def example(name: str) -> Telegram:
    (path,) = (ROOT / "examples").rglob(f"{name}.txt")
    return reftel.read(path.read_text(encoding="utf-8"))


def found(telegram: Telegram, **profile: object) -> str | None:
    return dict(readers(telegram, [Profile(office="HERE", **profile)])).get("HERE")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "profile", "why"),
    [
        ("79BERN4120", {"offices": ("EUR",)}, "action EUR"),
        ("79BERN4120", {"offices": ("OES",)}, "info OES"),
        ("79BERN4120", {"offices": ("NS*",)}, "info NSF; info NSAE"),
        ("79BERN4120", {"offices": ("EU",)}, None),
        ("79BERN4120", {"tags": ("ewwt",)}, "TAGS EWWT"),
        ("79BERN4120", {"tags": ("EWW",)}, None),
        ("79BERN4120", {"words": ("fire brigade",)}, "word fire brigade"),
        ("79BERN4120", {"words": ("lights\nwas",)}, "word lights\nwas"),
        ("79BERN4120", {"words": ("brig",)}, None),
        ("79BERN4120", {"originators": ("AMEMBASSY B*",)}, "from AMEMBASSY B*"),
        ("79BERN4120", {"everything": True}, "everything"),
        ("79BERN4120", {"tags": ("SZ",), "words": ("matches",)}, "TAGS SZ"),
    ],
)
def test_a_profile_finds_what_it_names_and_says_why(
    name: str, profile: dict[str, object], why: str | None
) -> None:
    assert found(example(name), **profile) == why


def test_attention_lines_and_passing_instructions_are_looked_at() -> None:
    texts = [reftel.read(p.read_text("utf-8")) for p in (ROOT / "examples").rglob("*.txt")]
    passed = [t for t in texts if any("COAST GUARD" in line for line in t.passing)]
    assert passed
    for telegram in passed:
        assert found(telegram, attention=("coast guard",)) == "attention coast guard"
    text = message(
        text="UNCLAS NORDHAVEN 0412\nPORTA FOR EUR/AGS AND MINTRADE\nTAGS: EWWT\nSUBJECT: FERRY\n1. X."
    )
    telegram = reftel.read(text)
    assert found(telegram, offices=("EUR/*",)) == "attention EUR/AGS"
    assert found(telegram, offices=("EUR",)) is None


def test_a_caption_is_compared_whole_and_what_is_too_high_is_not_given_out() -> None:
    secret = message(
        security="ZNY SSSSS",
        text="S E C R E T NORDHAVEN 0412\n\nLIMDIS\n\nSUBJECT: KEEPERS\n1. (S) NO.",
    )
    telegram = reftel.read(secret)
    assert telegram.classification == "SECRET"
    assert found(telegram, captions=("LIMDIS",)) == "caption LIMDIS"
    assert found(telegram, captions=("LIMDIS",), cleared="CONFIDENTIAL") is None


def test_profiles_of_one_office_add_up() -> None:
    profiles = [Profile(office="TRADE", tags=("EWWT",)), Profile(office="TRADE", offices=("EB",))]
    assert readers(example("79BERN4120"), profiles) == [("TRADE", "TAGS EWWT; info EB")]


def _lists_of(texts: list[str]) -> int:
    """Each office that a telegram's list names, and no other, is found by a profile of its symbol."""
    checked = 0
    for text in texts:
        telegram = reftel.read(text)
        if telegram.distribution is None:
            continue
        listed = (
            *telegram.distribution.action,
            *telegram.distribution.origin,
            *telegram.distribution.info,
        )
        symbols = {match[1] for code in listed if (match := _LISTED.match(code))}
        for symbol in symbols:
            why = found(telegram, offices=(symbol,))
            assert why is not None, (telegram.mrn, symbol)
            checked += 1
        assert found(telegram, offices=("NOSUCH",)) is None
    return checked


def test_every_office_of_the_1970s_lists_gets_its_telegrams() -> None:
    examples = [p.read_text("utf-8") for p in sorted((ROOT / "examples/1970s").glob("*.txt"))]
    assert _lists_of(examples) > 150


def test_every_office_of_the_real_1970s_lists_gets_its_telegrams() -> None:
    real = sorted((corpus_folder() / "1970s").glob("*.txt"))
    assert _lists_of([path.read_text("utf-8", "replace") for path in real]) > 300


def test_sections_that_wait_for_the_others_are_seen_to_wait(tmp_path: Path) -> None:
    part = "UNCLAS SECTION 01 OF 02 NORDHAVEN 0412\nSUBJECT: FERRY TALKS\n1. TALKS BEGIN."
    with bench(tmp_path) as made:
        run(made.take("north", message(text=part)))
        run(made.deliver())
        rows = desk.queue_rows(made.station, "here")
        assert [(row["message"], row["why"]) for row in rows] == [
            (1, "a section, waits for the others")
        ]


def test_what_a_profile_would_have_found_is_told_with_the_reasons(tmp_path: Path) -> None:
    here = CONFIG.replace("directory =", 'data = "."\ndirectory =')
    with bench(tmp_path, here) as made:
        made.now = time.time() - 40 * 86400
        run(made.take("north", message()))
        run(made.deliver())
        made.now = time.time() - 86400
        ferry = "UNCLAS NORDHAVEN 0413\nTAGS: EWWT\nSUBJECT: FERRY DUES\n1. THE FERRY PAYS."
        run(made.take("north", message("BBA002", serial="0413", text=ferry)))
        run(made.deliver())
        profiles = [Profile(office="NEW", words=("ferry",))]
        month = would_find(made.config, profiles, 31)
        assert (month.delivered, month.looked_at) == (1, 1)
        assert [(row.subject, row.why) for row in month.found] == [("FERRY DUES", "word ferry")]
        longer = would_find(made.config, profiles, 60)
        assert [row.subject for row in longer.found] == ["FERRY DUES", "FERRY TALKS"]
        assert would_find(made.config, profiles, 60, most=1).looked_at == 1
