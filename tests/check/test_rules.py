"""The drafting rules: each holds for a sound draft, and is broken by the slip that it is about."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reftel
from reftel.check import PROFILES, RULES, check
from reftel.tables.directory import parse_directory
from reftel.telegram import Release, Telegram
from reftel.write.draft import read_draft
from tests.telegrams import WIRE, corpus_texts

NOW = datetime(2009, 5, 14, 15, 30, tzinfo=UTC)
SOUND = """\
From: AMEMBASSY BERN
To: SECSTATE WASHDC PRIORITY
Info: AMEMBASSY ROME
      CIS COLLECTIVE
Number: 124
Classification: CONFIDENTIAL
Captions: SIPDIS
Declassify: 05/14/2019
Classified by: Jane R. Doe, Ambassador
Reason: 1.4 (b), (d)
TAGS: PREL, ETRD, SZ
Subject: VISIT OF THE TRADE DELEGATION
Ref: A. STATE 5000
     B. BERN 100
Signed: DOE

1. (C) The delegation comes in June.

2. (U) See REF B. COMMENT: We agree. END COMMENT.
"""
OPEN = (
    SOUND.replace("CONFIDENTIAL", "UNCLASSIFIED")
    .replace(
        "Declassify: 05/14/2019\nClassified by: Jane R. Doe, Ambassador\nReason: 1.4 (b), (d)\n", ""
    )
    .replace("(C)", "(U)")
)
DIRECTORY = parse_directory("""
[[station]]
name = "AMEMBASSY ROME"
cleared = "UNCLASSIFIED"
[[station]]
name = "AMEMBASSY MINSK"
[[collective]]
name = "CIS COLLECTIVE"
members = ["AMEMBASSY MINSK"]
""")

# Rule, what is changed in the sound draft, and what takes its place.
SLIPS = [
    ("R01", "From: AMEMBASSY BERN", "From: EMBASSY OF BERN"),
    ("R01", "From: AMEMBASSY BERN\n", "Captions: SIPDIS\n"),
    ("R02", "To: SECSTATE WASHDC PRIORITY\n", ""),
    ("R04", "AMEMBASSY ROME", "AMEMBASSY ROOME"),
    ("R05", "      CIS COLLECTIVE", "      AMEMBASSY ROME"),
    ("R07", "Number: 124", "Exempt: AMEMBASSY ROME\nNumber: 124"),
    ("R08", "      CIS COLLECTIVE", "      AMEMBASSY BERN"),
    ("R10", "      CIS COLLECTIVE", "Attention: OTTAWA FOR POL"),
    ("R11", "SECSTATE WASHDC PRIORITY", "SECSTATE WASHDC URGENT"),
    ("R13", "AMEMBASSY ROME", "AMEMBASSY ROME IMMEDIATE"),
    ("R14", "AMEMBASSY ROME", "AMEMBASSY ROME NIACT IMMEDIATE"),
    ("R15", "SECSTATE WASHDC PRIORITY", "SECSTATE WASHDC NIACT IMMEDIATE"),
    ("R16", "SECSTATE WASHDC PRIORITY", "SECSTATE WASHDC FLASH"),
    ("R22", "1. (C)", "1. (S)"),
    ("R23", "Classification: CONFIDENTIAL", "Classification: SECRET"),
    ("R25", "Captions: SIPDIS", "Captions: SENSITIVE, SIPDIS"),
    ("R26", "Classification: CONFIDENTIAL", "Classification: LIMITED OFFICIAL USE"),
    ("R29", "Declassify: 05/14/2019\n", ""),
    ("R29", "Declassify: 05/14/2019", "Declassify: E.O. 12356: DECL: 05/14/2019"),
    ("R31", "Declassify: 05/14/2019", "Declassify: N/A"),
    ("R32", "Declassify: 05/14/2019", "Declassify: 05/14/2009"),
    ("R33", "Declassify: 05/14/2019", "Declassify: 20 years"),
    ("R34", "Declassify: 05/14/2019", "Declassify: 05/14/2113"),
    ("R35", "Declassify: 05/14/2019", "Declassify: X6"),
    ("R36", "Declassify: 05/14/2019", "Declassify: DECL: 05/14/19"),
    ("R37", "Declassify: 05/14/2019", "Declassify: DECL: 05/14/2019 DNG: SE 05/14/2015"),
    ("R38", "Declassify: 05/14/2019", "Declassify: WHEN NO LONGER NEEDED"),
    ("R39", "TAGS: PREL, ETRD, SZ", "TAGS: SZ, IT"),
    ("R40", "TAGS: PREL, ETRD, SZ", "TAGS: PREL, QQQQ, SZ"),
    ("R41", "TAGS: PREL, ETRD, SZ", "TAGS: KDEM"),
    ("R42", "TAGS: PREL, ETRD, SZ", "TAGS: SZ, PREL, ETRD"),
    ("R42", "TAGS: PREL, ETRD, SZ", "TAGS: PREL, ETRD, ETRD, SZ"),
    ("R43", "TAGS: PREL, ETRD, SZ", "TAGS: ,PREL,, ETRD, SZ."),
    ("R44", "TAGS: PREL, ETRD, SZ", "TAGS: PREL, SZ, (MINISTER OF CHEESE)"),
    ("R45", "VISIT OF THE TRADE", "VISIT TO PORTUGAL OF THE TRADE"),
    ("R46", "TAGS: PREL, ETRD, SZ", "TAGS: PRELETRD, SZ"),
    ("R47", "Subject: VISIT OF THE TRADE DELEGATION\n", ""),
    ("R47", "VISIT OF THE TRADE", "Visit of the trade"),
    ("R48", "VISIT OF THE TRADE", "VISIT OF THE TRADE " * 12),
    ("R50", "Subject: VISIT", "Subject: SECRET NODIS VISIT"),
    ("R51", "Captions: SIPDIS", "Captions: OFFICIAL INFORMAL"),
    ("R52", "Ref: A. STATE 5000", "Ref: A. YOUR CABLE OF LAST WEEK"),
    ("R53", "B. BERN 100", "C. BERN 100"),
    ("R57", "B. BERN 100", "B. 09 BERN 125"),
    ("R58", "Captions: SIPDIS", "Captions: NODISS"),
    ("R59", "Captions: SIPDIS", "Captions: STADIS, NODIS"),
    ("R60", "Captions: SIPDIS", "Captions: AGREMENT CHANNEL, NODIS"),
    ("R61", "To: SECSTATE WASHDC PRIORITY", "To: AMEMBASSY OSLO\nCaptions: AGREMENT CHANNEL"),
    ("R62", "Captions: SIPDIS", "Captions: NODIS, SIPDIS"),
    ("R63", "Captions: SIPDIS", "Captions: NODIS"),
    ("R64", "AMEMBASSY ROME", "CIA WASHDC\nCaptions: STADIS"),
    ("R65", "Captions: SIPDIS", "Captions: NOFORN"),
    ("R66", "1. (C)", "1. (C/NF)"),
    ("R67", "Captions: SIPDIS", "Captions: EYES ONLY"),
    ("R69", "Classified by: Jane R. Doe, Ambassador\nReason: 1.4 (b), (d)\n", ""),
    ("R69", "Classified by: Jane R. Doe, Ambassador", "Classified by: Ambassador"),
    ("R71", "1.4 (b), (d)", "1.5 (b), (d)"),
    ("R72", "1.4 (b), (d)", "1.4 (a), (b), (c), (d), (e), (f)"),
    ("R73", "1.4 (b), (d)", "1.4 (f)"),
    (
        "R76",
        "AMEMBASSY ROME",
        "CDR OF THE COMMAND WITH A NAME THAT IS LONGER THAN ANY LINE MAY BE ANYWHERE",
    ),
    ("R77", "The delegation", "Делегация"),
    ("R78", "2. (U)", "4. (U)"),
    ("R80", "2. (U)", "2."),
    ("R81", "2. (U)", "2. (SE)"),
    ("R82", "1. (C)", "1. (U)"),
    ("R83", "The delegation comes in June.", "The delegation comes in June. " * 300),
    ("R84", "COMMENT: We agree. END COMMENT.", "BEGIN TEXT: We agree."),
    ("R85", "1. (C) The", "1. (C) ACTION REQUEST, SEE PARA 9. The"),
    ("R86", "See REF B.", "See REF D."),
    ("R88", "1. (C) The delegation comes in June.", "1. (C) The list:\n" + "a     b" * 14),
    ("R89", "Signed: DOE\n", ""),
    ("R90", "1. (C) The", "SECTION 01 OF 02\n\n1. (C) The"),
]
OPEN_SLIPS = [
    ("R24", "2. (U)", "2. (SBU)"),
    ("R30", "Captions: SIPDIS", "Captions: SIPDIS\nDeclassify: 05/14/2019"),
    ("R70", "Captions: SIPDIS", "Captions: SIPDIS\nClassified by: J. Doe"),
]


def of_draft(text: str) -> Telegram:
    return read_draft(text, now=NOW).telegram


def broken(telegram: Telegram, **how: object) -> set[str]:
    return {finding.rule for finding in check(telegram, **how)}  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [SOUND, OPEN], ids=["classified", "open"])
def test_a_sound_draft_breaks_no_rule(text: str) -> None:
    draft = read_draft(text, now=NOW)
    assert draft.problems == ()
    assert check(draft.telegram, draft=True) == ()


@pytest.mark.parametrize(
    ("rule", "was", "now"), SLIPS, ids=[f"{r}-{n[:24]!r}" for r, _, n in SLIPS]
)
def test_a_slip_breaks_its_rule(rule: str, was: str, now: str) -> None:
    assert SOUND.count(was) >= 1
    text = SOUND.replace(was, now)
    if rule == "R65":
        text = text.replace("1. (C)", "1. (C//REL TO USA)")
    found = {finding.rule: finding for finding in check(of_draft(text), draft=True)}
    assert rule in found, sorted(found)
    finding = found[rule]
    assert finding.message
    assert finding.remedy
    assert finding.source
    assert finding.line is not None
    assert 1 <= finding.line <= text.count("\n") + 1


@pytest.mark.parametrize(("rule", "was", "now"), OPEN_SLIPS)
def test_a_slip_in_an_open_draft_breaks_its_rule(rule: str, was: str, now: str) -> None:
    assert rule in broken(of_draft(OPEN.replace(was, now)), draft=True)


def test_a_place_is_the_word_that_is_wrong() -> None:
    text = SOUND.replace("TAGS: PREL, ETRD", "TAGS: PRELL, ETRD")
    finding = next(f for f in check(of_draft(text), draft=True) if f.rule == "R40")
    assert finding.span is not None
    assert finding.span.of(text) == "PRELL"
    assert text.split("\n")[(finding.line or 0) - 1][(finding.column or 0) - 1 :].startswith(
        "PRELL"
    )
    assert finding.expected == "PREL"


def test_a_directory_says_which_circuits_are_cleared_and_whom_a_collective_holds() -> None:
    assert "R27" in broken(of_draft(SOUND), draft=True, directory=DIRECTORY)
    text = SOUND.replace("AMEMBASSY ROME", "AMEMBASSY MINSK")
    assert "R06" in broken(of_draft(text), draft=True, directory=DIRECTORY)
    own = SOUND.replace("AMEMBASSY BERN", "AMEMBASSY MINSK")
    assert "R08" in broken(of_draft(own), draft=True, directory=DIRECTORY)
    exempt = own.replace("Number: 124", "Exempt: AMEMBASSY MINSK\nNumber: 124")
    assert "R08" not in broken(of_draft(exempt), draft=True, directory=DIRECTORY)


class Held:
    """An archive of one telegram."""

    def __init__(self, telegram: Telegram, last: int) -> None:
        self.one, self.last = telegram, last

    def telegram(self, mrn: str) -> Telegram | None:
        return self.one if self.one.mrn and mrn == self.one.mrn.short else None

    def last_number(self, post: str, year: int) -> int | None:
        return (
            self.last
            if self.one.mrn and (post, year) == (self.one.mrn.post, self.one.mrn.year)
            else None
        )


def test_an_archive_says_what_is_held_who_got_it_and_how_closed_it_is() -> None:
    text = SOUND.replace("B. BERN 100", "B. BERN 99").replace("A. STATE 5000", "A. STATE 9999")
    held = msgspec.structs.replace(
        of_draft(SOUND.replace("Number: 124", "Number: 99")), captions=("NODIS",)
    )
    found = broken(of_draft(text), draft=True, held=Held(held, 110))
    assert "R56" in found, "NODIS is not noted beside the number"
    assert "R54" not in found, "it is held, and of STATE the archive knows nothing"
    fewer = msgspec.structs.replace(held, info=())
    assert "R55" in broken(of_draft(text), draft=True, held=Held(fewer, 110))
    missing = SOUND.replace("B. BERN 100", "B. BERN 98")
    assert "R54" in broken(of_draft(missing), draft=True, held=Held(held, 110))
    again = SOUND.replace("Number: 124", "Number: 99").replace("comes in June", "comes in July")
    assert "R20" in broken(of_draft(again), draft=True, held=Held(held, 110))


SENT = [
    ("R03", WIRE.replace("TO RUEHC/SECSTATE WASHDC PRIORITY 1234\nINFO RUEHRO/AMEMBASSY ROME 0456",
                         "INFO RUEHRO/AMEMBASSY ROME 0456\nTO RUEHC/SECSTATE WASHDC PRIORITY 1234"), None),
    ("R12", WIRE.replace("P R 140915Z", "O R 140915Z"), "error"),
    ("R18", WIRE.replace("P R 140915Z MAR 07", "P R 320915Z MAR 07"), "error"),
    ("R19", WIRE.replace("0730915", "0930915"), "warning"),
    ("R28", WIRE.replace("ZNR UUUUU", "ZNY SSSSS"), "error"),
    ("R68", WIRE.replace("SENSITIVE\n", "SENSITIVE\nSENSITIVE\n"), "warning"),
    ("R79", WIRE.replace("\nThe Lamp\n--------\n\n2. (U) It burned all night, and nobody complained.\n", ""), "warning"),
    ("R92", WIRE.replace("SENSITIVE\n", "C O R R E C T E D  C O P Y\nSENSITIVE\n"), "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "severity"), [each for each in SENT if each[2]])
def test_a_slip_in_a_sent_telegram_breaks_its_rule(rule: str, text: str, severity: str) -> None:
    assert rule not in broken(reftel.read(WIRE))
    found = {finding.rule: finding for finding in check(reftel.read(text))}
    assert rule in found, sorted(found)
    assert found[rule].severity == severity


def test_flash_to_many_is_questioned() -> None:
    many = "\n      ".join(
        f"AMEMBASSY {p} FLASH"
        for p in "ROME OSLO LISBON MADRID PARIS TUNIS CAIRO RABAT LIMA QUITO MINSK".split()
    )
    text = SOUND.replace("PRIORITY", "FLASH").replace(
        "Info: AMEMBASSY ROME\n      CIS COLLECTIVE", "Info: " + many
    )
    assert "R17" in broken(of_draft(text), draft=True)
    assert "R16" not in broken(of_draft(text), draft=True)


def test_the_form_of_2009_asks_for_a_mark_on_the_subject_of_a_classified_telegram() -> None:
    text = WIRE.replace("UNCLAS BERN", "C O N F I D E N T I A L BERN").replace("(SBU)", "(C)")
    assert "R49" in broken(reftel.read(text), profile="state-2009")
    marked = text.replace("SUBJECT: A", "SUBJECT: (U) A")
    assert "R49" not in broken(reftel.read(marked), profile="state-2009")
    assert "R49" not in broken(reftel.read(text))


def test_priority_went_out_of_use_after_2016() -> None:
    telegram = msgspec.structs.replace(reftel.read(WIRE), dtg="2018-03-14T09:15:00Z")
    assert "R11" in broken(telegram)
    assert "R11" not in broken(reftel.read(WIRE))


def test_sections_are_complete_or_named() -> None:
    telegram = msgspec.structs.replace(
        reftel.read(WIRE), section=reftel.telegram.Section(1, 3), sections_present=(1, 3)
    )
    assert "R91" in broken(telegram)
    whole = msgspec.structs.replace(telegram, sections_present=(1, 2, 3))
    assert "R91" not in broken(whole)


def test_a_cancellation_names_what_it_cancels() -> None:
    telegram = msgspec.structs.replace(reftel.read(WIRE), service="ZFR")
    assert "R93" in broken(telegram)
    named = msgspec.structs.replace(telegram, service="ZFR BERN 123")
    assert "R93" not in broken(named)


def test_the_text_begins_behind_a_blank_line_and_a_quoted_telegram_behind_quote() -> None:
    body = WIRE.replace("UNCLAS BERN", "BT\nUNCLAS BERN").replace("DOE\n", "DOE\nBT\n")
    assert "R75" not in broken(reftel.read(body))
    glued = body.replace("2001\n\n1. (SBU)", "2001\n1. (SBU)")
    assert "R75" in broken(reftel.read(glued))
    quoted = body.replace(
        "2. (U) It", "2. (U) We repeat:\n\nFM AMEMBASSY OSLO\nTO SECSTATE WASHDC\n\nIt"
    )
    assert "R87" in broken(reftel.read(quoted))
    marked = quoted.replace("We repeat:", "We repeat: QUOTE")
    assert "R87" not in broken(reftel.read(marked))


def test_no_classification_opens_the_text() -> None:
    telegram = reftel.read(WIRE.replace("UNCLAS BERN 000123\n", ""))
    telegram = msgspec.structs.replace(telegram, classification="UNCLASSIFIED")
    assert "R21" in broken(telegram)
    assert "R21" not in broken(reftel.read(WIRE))


def test_a_collective_that_must_act_is_cleared_by_its_bureau() -> None:
    telegram = msgspec.structs.replace(
        reftel.read(WIRE),
        action=(reftel.telegram.Addressee("ALAFD"),),
        drafted_by="POL:JDOE",
        clearances=("EUR/EX:ADOE",),
    )
    assert "R09" in broken(telegram)
    cleared = msgspec.structs.replace(telegram, clearances=("AF/EX:ADOE",))
    assert "R09" not in broken(cleared)


def test_a_derived_classification_says_until_when() -> None:
    text = WIRE.replace(
        "E.O. 12958: N/A", "E.O. 12958: N/A\nCLASSIFIED BY: DERIVED FROM: MULTIPLE SOURCES"
    )
    assert "R74" in broken(reftel.read(text))
    dated = text.replace("SOURCES", "SOURCES DECLASSIFY ON: 20170314")
    assert "R74" not in broken(reftel.read(dated))


def test_released_copies_show_why_when_and_under_which_numbers() -> None:
    telegram = reftel.read(WIRE)
    assert broken(telegram).isdisjoint({"R94", "R95", "R96", "R97"})
    bare = msgspec.structs.replace(telegram, release=Release("RELEASE IN PART", ("B1",)))
    assert {"R95", "R97"} <= broken(bare)
    full = Release("RELEASE IN PART", ("B1", "1.4(D)"), "F-2013-00001", "C05000001", "2013-01-31")
    assert broken(msgspec.structs.replace(telegram, release=full)).isdisjoint({"R95", "R97"})
    foreign = msgspec.structs.replace(telegram.body[0], marking="C//FGI")
    released = msgspec.structs.replace(
        telegram,
        body=(foreign, *telegram.body[1:]),
        release=msgspec.structs.replace(full, action="RELEASE IN FULL"),
    )
    assert "R96" in broken(released)
    assert "R94" in broken(reftel.read(WIRE.replace("SENSITIVE\n", "DECAPTIONED\nSENSITIVE\n")))


def test_every_rule_of_the_handbook_is_here_and_is_tried() -> None:
    assert sorted(RULES) == [f"R{n:02d}" for n in range(1, 98)]
    assert len({rule.name for rule in RULES.values()}) == 97
    assert all(rule.sentence.endswith(".") and rule.source for rule in RULES.values())


def test_a_silenced_rule_is_not_reported_and_an_unknown_one_is_refused() -> None:
    text = SOUND.replace("Signed: DOE\n", "")
    assert broken(of_draft(text), draft=True) == {"R89"}
    assert broken(of_draft(text), draft=True, silenced={"signature": "a circular"}) == set()
    with pytest.raises(KeyError, match="no rule"):
        check(of_draft(text), silenced={"nonsense": "because"})


def test_the_profile_says_whose_rules_hold() -> None:
    text = SOUND.replace("2. (U)", "2.").replace("TAGS: PREL, ETRD, SZ", "TAGS: QQQQ")
    assert {"R40", "R80"} <= broken(of_draft(text), draft=True)
    assert broken(of_draft(text), draft=True, profile="acp127").isdisjoint({"R40", "R80"})
    assert "R80" not in broken(of_draft(text), draft=True, profile="state-1973-79")


@pytest.mark.parametrize("profile", PROFILES)
def test_real_telegrams_break_few_rules_gravely(profile: str) -> None:
    telegrams = []
    for _, text in corpus_texts():
        try:
            telegrams.append(reftel.read(text))
        except reftel.NotATelegram:
            continue
    era = {"state-1973-79": ("1973", "1980"), "state-1995-2009": ("1995", "2010")}.get(profile)
    sent = [t for t in telegrams if era and era[0] <= (t.dtg or "")[:4] < era[1]]
    grave = [t for t in sent if any(f.severity == "error" for f in check(t, profile=profile))]  # type: ignore[arg-type]
    assert len(grave) * 4 <= len(sent), [t.mrn and t.mrn.short for t in grave]


@given(st.text(max_size=400), st.sampled_from(PROFILES))
def test_checking_never_raises(text: str, profile: str) -> None:
    for source in (text, SOUND + text, text + SOUND):
        check(of_draft(source), profile=profile, draft=True)  # type: ignore[arg-type]
        try:
            telegram = reftel.read(WIRE[: len(WIRE) // 2] + source)
        except reftel.NotATelegram:
            continue
        for finding in check(telegram, profile=profile):  # type: ignore[arg-type]
            assert finding.span is None or 0 <= finding.span.start <= finding.span.end
