"""Headings as they came over the wire: prosigns and levels with a letter wrong, lost or written on."""

from __future__ import annotations

import pytest

from reftel import read
from reftel.telegram import Telegram

_TELEGRAM = """\
R 121430Z NOV 75
FM AMEMBASSY BERN
TO SECSTATE WASHDC 1234
INFO AMEMBASSY PARIS
AMCONSUL ZURICH

CONFIDENTIAL BERN 4120

SUBJ: VISIT OF MINISTER

1. TEXT.

2. MORE.
ROE
NNN
"""


def _read(line: str, damaged: str) -> Telegram:
    return read(_TELEGRAM.replace(line, damaged))


def _is_read(telegram: Telegram, level: str = "CONFIDENTIAL") -> None:
    assert telegram.originator is not None
    assert telegram.originator.name == "AMEMBASSY BERN"
    assert [(each.name, each.mcn) for each in telegram.action] == [("SECSTATE WASHDC", "1234")]
    assert [each.name for each in telegram.info] == ["AMEMBASSY PARIS", "AMCONSUL ZURICH"]
    assert telegram.classification == level
    assert telegram.mrn is not None
    assert telegram.mrn.short == "75BERN4120"
    assert telegram.signature == "ROE"
    assert telegram.coverage.unknown == 0


@pytest.mark.parametrize("prosign", ["FM", "F M ", "FN ", "RM ", "FM/", "M ", "FROM "])
def test_a_damaged_prosign_before_the_originator(prosign: str) -> None:
    _is_read(_read("FM ", prosign))


@pytest.mark.parametrize("prosign", ["TP ", "T O ", "TO", "O ", "TO: "])
def test_a_damaged_prosign_before_the_action_addressee(prosign: str) -> None:
    _is_read(_read("TO ", prosign))


@pytest.mark.parametrize("prosign", ["INF ", "NFO ", "INRO ", "INFO", "INFO/", "I N F O "])
def test_a_damaged_prosign_before_the_information_addressees(prosign: str) -> None:
    _is_read(_read("INFO ", prosign))


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("C O N F I D E N T A L BERN 4120", "CONFIDENTIAL"),
        ("C O N F I D E N T I A LBERN 4120", "CONFIDENTIAL"),
        ("C-O-N-F-I-D-E-N-T-I-A-L BERN 4120", "CONFIDENTIAL"),
        ("COMFIDENTIAL BERN 4120", "CONFIDENTIAL"),
        ("S E C E T BERN 4120", "SECRET"),
        ("S E C R E TBERN 4120", "SECRET"),
        ("UNLCAS BERN 4120", "UNCLASSIFIED"),
        ("NCLAS BERN 4120", "UNCLASSIFIED"),
        ("LIMITED OFFICIAL US BERN 4120", "LIMITED OFFICIAL USE"),
        ("L I M I T E D  O F F I C I A L  U S E  BERN 4120", "LIMITED OFFICIAL USE"),
        ("LIMOFFUSE BERN 4120", "LIMITED OFFICIAL USE"),
    ],
)
def test_a_damaged_level(line: str, level: str) -> None:
    _is_read(_read("CONFIDENTIAL BERN 4120", line), level)


def test_an_addressee_whose_name_begins_as_a_level_does_stays_one() -> None:
    telegram = _read("AMCONSUL ZURICH\n", "SECDEF WASHDC 4120\nUNCINC BERN 12\n")
    assert [each.name for each in telegram.info][1:] == ["SECDEF WASHDC", "UNCINC BERN"]


@pytest.mark.parametrize("end", ["NNNNN", "NNNNVV", "NNNNMM"])
def test_an_ending_with_letters_too_many(end: str) -> None:
    _is_read(_read("NNN\n", f"{end}\n"))


def test_the_precedence_of_an_emergency() -> None:
    telegram = _read("R 121430Z", "Y 121430Z")
    assert telegram.precedence == "EMERGENCY"


@pytest.mark.parametrize(
    "line", ["R 121430Z NV 75", "R 121430X NOV 75", "R 121430Z NOB 75", "R 121430Z NOV 75 ZFF4"]
)
def test_a_damaged_date_time_group(line: str) -> None:
    telegram = _read("R 121430Z NOV 75", line)
    _is_read(telegram)
    assert telegram.dtg == "1975-11-12T14:30:00Z"


@pytest.mark.parametrize("tail", ["PRIORITY1234", "PRIORITY 1234.", "PRIORITY 1234,"])
def test_a_number_written_on_to_the_precedence_or_with_a_point(tail: str) -> None:
    telegram = _read("WASHDC 1234", f"WASHDC {tail}")
    _is_read(telegram)
    assert telegram.action[0].precedence == "PRIORITY"


def test_two_posts_on_a_line_without_a_sign_between_them() -> None:
    _is_read(_read("PARIS\nAMCONSUL", "PARIS AMCONSUL"))


def test_offices_behind_a_colon() -> None:
    telegram = read(
        "PAGE 01        BERN  04120  121530Z\n\n53\nACTION: EUR-12\n\n"
        "INFO: OCT-01  ISO-00  /013 W\n                     --------------------- 012345\n"
        + _TELEGRAM
    )
    assert telegram.distribution is not None
    assert telegram.distribution.action == ("EUR-12",)
    _is_read(telegram)


@pytest.mark.parametrize(
    "section", ["SEC 1 OF 2", "SECT 1 OF 2", "SECTIONS 1 OF 2", "PART 1 OF 2", "SECTION 1/2"]
)
def test_a_section_by_another_word(section: str) -> None:
    telegram = _read("L BERN 4120", f"L {section} BERN 4120")
    _is_read(telegram)
    assert telegram.section is not None
    assert (telegram.section.number, telegram.section.of) == (1, 2)


@pytest.mark.parametrize(
    ("line", "caption"),
    [("EXIDS", "EXDIS"), ("NO DIS", "NODIS"), ("LIMDS", "LIMDIS"), ("SPIDIS", "SIPDIS")],
)
def test_a_caption_with_a_letter_wrong_or_in_two_words(line: str, caption: str) -> None:
    telegram = _read("\nSUBJ:", f"\n{line}\n\nSUBJ:")
    _is_read(telegram)
    assert telegram.captions == (caption,)


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN UNCLASSIFIED SUMMARY: HE CAME. END SUMMARY.",
        "INTRODUCTION AND SUMMARY: HE CAME. END SUMMARY.",
        "SUMMARY: HE CAME. ENDSUMMARY.",
        "SUMMARY: HE CAME. END SUMMMARY.",
        "SUMMRY: HE CAME. END SUMMARY.",
    ],
)
def test_a_summary_by_a_longer_or_a_damaged_label(text: str) -> None:
    telegram = _read("1. TEXT.", f"1. {text}")
    _is_read(telegram)
    assert telegram.summary == "HE CAME."


@pytest.mark.parametrize("reference", ["STATE 123456", "A. STATE 123456"])
def test_lettered_paragraphs_below_a_reference_are_none_of_it(reference: str) -> None:
    telegram = read(
        _TELEGRAM.replace(
            "MINISTER\n\n1. TEXT.\n\n2. MORE.\n",
            f"MINISTER\nREF: {reference}\n\nA. THE MINISTER CAME.\n\nB. HE WENT AGAIN.\n",
        )
    )
    assert [each.mrn for each in telegram.references] == ["75STATE123456"]
    assert [block.text for block in telegram.body] == ["A. THE MINISTER CAME.", "B. HE WENT AGAIN."]
    _is_read(telegram)


@pytest.mark.parametrize("prosign", ["MFM ", "FMY ", "FXM ", "PFM "])
def test_a_letter_too_many_before_the_originator(prosign: str) -> None:
    _is_read(_read("FM ", prosign))


@pytest.mark.parametrize("prosign", ["OT ", "UTO ", "TAO ", "TOU", "TOU "])
def test_a_letter_too_many_before_the_action_addressee(prosign: str) -> None:
    _is_read(_read("TO ", prosign))


@pytest.mark.parametrize("prosign", ["INWFO ", "IFNO ", "INFOQ "])
def test_a_letter_too_many_before_the_information_addressees(prosign: str) -> None:
    _is_read(_read("INFO ", prosign))


@pytest.mark.parametrize(
    "line",
    ["R 12M1430Z NOV 75", "R 121430ZE NOV 75", "RP121430Z NOV 75", "E R 121430Z NOV 75"],
)
def test_a_letter_among_the_digits_of_the_date_time_group(line: str) -> None:
    telegram = _read("R 121430Z NOV 75", line)
    assert telegram.dtg == "1975-11-12T14:30:00Z"
    _is_read(telegram)


def test_a_date_time_group_that_lacks_a_digit_still_gives_the_year() -> None:
    telegram = _read("R 121430Z NOV 75", "R 12143Z NOV 75")
    assert telegram.dtg is None
    assert "dtg-unreadable" in [each.code for each in telegram.diagnostics]
    _is_read(telegram)


@pytest.mark.parametrize(
    "line", ["ONFIDENTIAL BERN 4120", "NCONFIDENTIAL BERN 4120", "CVONFIDENTIAL BERN 4120"]
)
def test_a_level_whose_first_letters_are_damaged(line: str) -> None:
    _is_read(_read("CONFIDENTIAL BERN 4120", line))


def test_a_line_of_addressees_that_begins_nearly_as_a_level() -> None:
    telegram = _read("AMCONSUL ZURICH\n", "USLO PEKING 12\nCINCLANT 4\nSECDEF WASHDC 5\n")
    names = [each.name for each in telegram.info][1:]
    assert names == ["USLO PEKING", "CINCLANT", "SECDEF WASHDC"]
