"""Telegrams of 1985-2010 as they circulate: lines cut without regard to words, labels run together, codes
and names written in many ways."""

from __future__ import annotations

import pytest

import reftel
from reftel.telegram import Telegram


def read(text: str) -> Telegram:
    return reftel.read(text, year=2007)


def cut(line: str) -> str:
    """A line cut at the width of the circuit, as `Classified By:` lines were."""
    return f"{line[:71]} \n{line[71:]} "


CLASSIFIED_BY: list[tuple[str, tuple[str | None, str | None, tuple[str, ...]]]] = [
    (
        cut("Classified By: Deputy Chief of Mission Jane Q. Roe-Smith, Bern, for reasons 1.4 (b)"),
        ("Jane Q. Roe-Smith", "Deputy Chief of Mission, Bern", ("1.4(b)",)),
    ),
    (
        cut(
            "Classified By: Acting Political Minister-Counselor Jonathan R. Doe.  Reasons 1.4 (b/d)"
        ),
        ("Jonathan R. Doe", "Acting Political Minister-Counselor", ("1.4(b)", "1.4(d)")),
    ),
    (
        cut(
            "Classified By: Interagency Provincial Affairs Deputy Coordinator Jane Roee for 1.4 (b)"
        ),
        ("Jane Roee", "Interagency Provincial Affairs Deputy Coordinator", ("1.4(b)",)),
    ),
    (
        "Classified By: Deputy Principal Officer Jane Roe for re asons 1.4 (b) a nd (d)",
        ("Jane Roe", "Deputy Principal Officer", ("1.4(b)", "1.4(d)")),
    ),
    ("Classified By: Classified By: DCM Jane Roe, 1.4 (b)", ("Jane Roe", "DCM", ("1.4(b)",))),
    (
        "Classified By: This message classified by Econ Counselor Jane Roe for reasons 1.4 (b).",
        ("Jane Roe", "Econ Counselor", ("1.4(b)",)),
    ),
    (
        "1.  CONFIDENTIAL - ENTIRE TEXT.  CLASSIFIED BY DCM\nJANE ROE - 1.5 B,D.",
        ("JANE ROE", "DCM", ("1.5(b)", "1.5(d)")),
    ),
    (
        "CLASSIFIED BY SECTION 1.5 (B) AND (D).",
        (None, None, ("1.5(b)", "1.5(d)")),
    ),
    (
        "CLASSIFIED BY AMBASSADOR TO SUDAN JANE ROE.\nREASON 1.5(D).",
        ("JANE ROE", "AMBASSADOR TO SUDAN", ("1.5(d)",)),
    ),
    (
        "Classified By: SCA/DAS for Central Asia Jane Roe, reason 1.4 (d)",
        ("Jane Roe", "SCA/DAS for Central Asia", ("1.4(d)",)),
    ),
    (
        "Classified By: Charge d,Affaires a. i. Jane Roe, reasons 1.4(b) and (d).",
        ("Jane Roe", "Charge d'Affaires a.i.", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Amabassador John R. Roe, Jr. for reaons 1.4 (b and d).",
        ("John R. Roe, Jr.", "Amabassador", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Political Counselr:Jane Roe. Resons 1.4 (b+d)",
        ("Jane Roe", "Political Counselr", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: PRM/AFR Dir. Jane Roe-reasons 1.4(b/d)",
        ("Jane Roe", "PRM/AFR Dir.", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Acting DCM/Jane Roe for reasons 1.4 (b)",
        ("Jane Roe", "Acting DCM", ("1.4(b)",)),
    ),
    (
        "Classified By: DCM J. Jane Roe (acting) for reasons 1.4 (b)",
        ("J. Jane Roe", "DCM, (acting)", ("1.4(b)",)),
    ),
    (
        "Classified By: EUR/PRA, Dir. JRoe, Reason 1.4 (b/d)",
        ("JRoe", "EUR/PRA, Dir.", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Deputy Political Counselor Jane Roe, E.O. 12958, \nreasons 1.4 (b) and (d).",
        ("Jane Roe", "Deputy Political Counselor", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: CDA JANE ROE BASED UPON REASONS 1.5 (B) AND (D)",
        ("JANE ROE", "CDA", ("1.5(b)", "1.5(d)")),
    ),
    (
        "Classified By: Charge Jane Roe under Section 1.4 b/d",
        ("Jane Roe", "Charge", ("1.4(b)", "1.4(d)")),
    ),
    (
        "CLASSIFIED BY AMBASSADOR JANE ROE. \n                       CONFIDENTIAL \n \n"
        "PAGE 02        BERN  03759  01 OF 03  111533Z \nREASONS: 1.5 (B) AND (D).",
        ("JANE ROE", "AMBASSADOR", ("1.5(b)", "1.5(d)")),
    ),
]


@pytest.mark.parametrize(("line", "values"), CLASSIFIED_BY)
def test_classified_by(line: str, values: tuple[str | None, str | None, tuple[str, ...]]) -> None:
    by = read(f"SUBJECT: FOO\n\n{line}\n\n2. (C) Text.\n").classified_by
    assert by is not None
    assert (by.name, by.title, by.reasons) == values


REFERENCES: list[tuple[str, list[str]]] = [
    ("REF: A. BERN 4525-01 B. BERN 17", ["01BERN4525", "07BERN17"]),
    ("REF: A. BERN 00789/06 \nB. BERN 00930/05", ["06BERN789", "05BERN930"]),
    ("REF: BERN 07718 99, BERN 05986 00", ["99BERN7718", "00BERN5986"]),
    ("REF: BERN CABLES 0266 AND 02259 (2002)", ["07BERN266", "02BERN2259"]),
    (
        "REF: A) BERN 692/317/274; B) 06 BERN \n5353/5194 AND PREVIOUS",
        ["07BERN692", "07BERN317", "07BERN274", "06BERN5353", "06BERN5194"],
    ),
    ("REF: A) 377 BERN, B) 01 BERN 2383, C) 01 \nBERN 2292", ["07BERN377", "01BERN2383", "01BERN2292"]),
    ("Ref: 870 Bern", ["07BERN870"]),
    ("A. REF BERN 222 \n     B. 06 BERN 4685", ["07BERN222", "06BERN4685"]),
    ("REF: REFERENCE: 01 BERN 997", ["01BERN997"]),
    ("REF: STATE 100 B. BERN 200", ["07STATE100", "07BERN200"]),
    ("REF: A) BERN 11, B) RIO \n \nDE JANEIRO 1291", ["07BERN11", "07RIODEJANEIRO1291"]),
    ("REF: A) BERN 11 B) \n \nBERN 12 C) BERN 13", ["07BERN11", "07BERN12", "07BERN13"]),
    ("REFS:  (A) BERN 11 \n \n-      (B) STATE 12 \n-      (C) STATE 13", ["07BERN11", "07STATE12", "07STATE13"]),
    ("REF: A. BERN 2969 \n     ¶B. 2962 AND PREVIOUS", ["07BERN2969", "07BERN2962"]),
    ("REF: A) HK \n03591 B)HK05511", ["07HONGKONG3591", "07HONGKONG5511"]),
    ("REF: BERN (C)02293", ["07BERN2293"]),
    ("REF: COTON0U 348", ["07COTONOU348"]),
    ("Ref: a. 05 state 201650\n\nB. 05 bern 3726\nc. 05 state 211408", ["05STATE201650", "05BERN3726", "05STATE211408"]),
    ("SUBJECT: FOO Ref(s): A) BERN 12; B) BERN 13", ["07BERN12", "07BERN13"]),
    ("SUBJECT: VISIT TO EGYPTREF: CAIRO 493", ["07CAIRO493"]),
    ("REF: A. ROE-DOE EMAIL 10/9 \n\nB. DOE EMAILS 9-22 THRU 10-7", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "numbers"), REFERENCES)
def test_references(text: str, numbers: list[str]) -> None:
    assert [
        each.mrn for each in read(f"{text}\n\n1. (U) Text.\n").references if each.mrn
    ] == numbers


def test_a_number_alone_under_a_letter_is_of_the_writers_post() -> None:
    telegram = read("C O N F I D E N T I A L BERN 006322\nSUBJECT: X\nREF: A) 6307 B) STATE 5773\n")
    assert [each.mrn for each in telegram.references] == ["07BERN6307", "07STATE5773"]


def test_a_reference_keeps_the_letters_that_it_was_written_in() -> None:
    assert read("REF: COTON0U 348").references[0].text == "COTON0U 348"


TAGS: list[tuple[str, list[str]]] = [
    ("TAGS: PREL, IT, ITPREL, ITPREL, HUMAN RIGHTS", ["PREL", "IT", "HUMAN RIGHTS"]),
    ("TAGS: PREL IS GAZA DISENGAGEMENT GOI EXTERNAL", ["PREL", "IS", "GAZA DISENGAGEMENT", "GOI EXTERNAL"]),
    ("TAGS: OVIP ROEMER JANET PREL SZ", ["OVIP", "ROEMER JANET", "PREL", "SZ"]),
    ("E.o. 12958: decl: 01/07/2014 Tags: prel, pgov, tu \nSubject: foo", ["PREL", "PGOV", "TU"]),
    ("TAGS: PREL, PARM,\nXXXX, PGOV, KN", ["PREL", "PARM", "XXXX", "PGOV", "KN"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "codes"), TAGS)
def test_tags(text: str, codes: list[str]) -> None:
    assert [tag.code for tag in read(text).tags] == codes


def test_a_name_without_brackets_behind_ovip_is_a_persons() -> None:
    assert [tag.kind for tag in read("TAGS: OVIP ROEMER JANET PREL").tags][1] == "person"


SUBJECTS: list[tuple[str, str]] = [
    ("SUBJECT: VISIT TO EGYPTREF: CAIRO 493", "VISIT TO EGYPT"),
    ("SUBJECT: MEETING IN RIO Ref(s): A) 06 RIO DE JAN 138", "MEETING IN RIO"),
    ("Tags: prel, tu Subject: foo goes to bar?\n\n1. (U) Text.", "foo goes to bar?"),
]


@pytest.mark.parametrize(("text", "subject"), SUBJECTS)
def test_subjects(text: str, subject: str) -> None:
    assert read(text).subject == subject


SUMMARIES: list[tuple[str, str]] = [
    ("------- SUMMARY -------\n\n1. Summary: Foo. End Summary.", "Foo."),
    ("1. (C) Foo told Bar. END SUMMARY.\n\n2. (C) Baz.", "Foo told Bar."),
    ("1. On 28 July\nfoo. End\nSummary.\n\nHEADING\n-------\n", "On 28 July foo."),
    ("SUMMARY: FOO HAS FALLEN.\nEND SUMMARY\n\n1. IN WAKE OF THIS\n", "FOO HAS FALLEN."),
]


@pytest.mark.parametrize(("text", "summary"), SUMMARIES)
def test_summaries(text: str, summary: str) -> None:
    assert read(text).summary == summary


ENDS: list[tuple[str, str]] = [
    ("4. TEXT IN CAPITALS.\n\nROE\nCONFIDENTIAL\n", "ROE"),
    ("4. TEXT IN CAPITALS.\n\nROE\n\nCONFIDENTIAL\n\nSIPDIS\n", "ROE"),
    ("4. TEXT.\n\nROE\n\nCONFIDENTIAL\n\nDeclassified/Released US Department of State EO Systematic\nReview 30 JUN 2006\n", "ROE"),
    ("4. (U) Text.\nROE\n\n\nNNNN\n\n      2004BERN01540 - UNCLASSIFIED", "ROE"),
    ("¶4. TEXT 31-70-378 4921.\nDE ROE", "DE ROE"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name"), ENDS)
def test_the_end_of_a_telegram_is_read_with_its_signature(text: str, name: str) -> None:
    assert read(text).signature == name


def test_what_a_republisher_gives_above_the_copy_is_none_of_its_markings() -> None:
    text = (
        "US embassy cable - 02BERN3280\n\nFOO SECRET\n\nIdentifier: 02BERN3280\nOrigin: Embassy Bern\n"
        "Classification: SECRET\nTags: PARM MARR\nRedacted: no.\n\n"
        "S E C R E T SECTION 01 OF 02 BERN 003280 \n \nSIPDIS \n \nSTATE FOR L \n \n"
        "E.O. 12958: DECL: 07/03/2012 \nTAGS: PARM, SZ \nSUBJECT: FOO \nREF: STATE 5\n \n1. (C) TEXT.\n"
    )
    telegram = reftel.read(text)
    assert telegram.mrn is not None
    assert telegram.mrn.short == "02BERN3280"
    assert [tag.code for tag in telegram.tags] == ["PARM", "SZ"]
    assert telegram.captions == ("SIPDIS",)
    assert telegram.passing == ("STATE FOR L",)
    assert [each.mrn for each in telegram.references] == ["02STATE5"]


HEADING = "R 011234Z JAN 07\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC 1234\n\n"
LINES: list[str] = [
    "C O N F I D E N T I A L SCTION 02 OF 03 BERN 000123",
    "C O N F I D E N T I A L ECTION 02 OF 03 BERN 000123",
    "CONFIDENTIAL SETION 02 OF 03 BERN 000123",
]


@pytest.mark.parametrize("line", LINES)
def test_a_section_whose_word_lost_a_letter_is_one(line: str) -> None:
    telegram = read(f"{HEADING}{line}\n\nSUBJECT: FOO\n\n1. (C) Text.\n")
    assert telegram.mrn is not None
    assert telegram.section is not None
    assert (telegram.mrn.short, telegram.section.number) == ("07BERN123", 2)


def test_a_page_that_ends_behind_a_prosign_is_no_addressee() -> None:
    telegram = read(
        "P 182318Z FEB 09\nFM SECSTATE WASHDC\nTO PAGE 02        STATE   015113  182333Z \n"
        "AMEMBASSY BERN PRIORITY\nINFO RUEHFR / AMEMBASSY PARIS\n"
    )
    assert [each.name for each in telegram.action] == ["AMEMBASSY BERN"]
    assert [(each.name, each.routing_indicator) for each in telegram.info] == [
        ("AMEMBASSY PARIS", "RUEHFR")
    ]


def test_tags_of_a_web_page_left_in_a_subject_are_none_of_it() -> None:
    assert read("SUBJECT: FOO <A HREF='x'>BAR</A>\n").subject == "FOO BAR"


def test_an_order_s_number_may_be_written_with_a_comma() -> None:
    order = read("E.O. 12,958: DECL: 01/31/2017\nTAGS: PREL\n").executive_order
    assert order is not None
    assert (order.order, order.declassify_on) == ("12958", "2017-01-31")


GLUED: list[tuple[str, str]] = [
    ("FM AMEMBASSY BERN\nTO SECSTATE WASHDC 2952\nINFO AMEMBASSY PARIS", "AMEMBASSY PARIS"),
    ("FM AMEMBASSY BERN\nTO SECSTATE WASHDC 2952\nINFO EU COLLECTIVE", "EU COLLECTIVE"),
]


@pytest.mark.parametrize(("heading", "last"), GLUED)
def test_a_classification_line_written_on_to_the_last_addressee_is_cut_off(
    heading: str, last: str
) -> None:
    telegram = read(
        f"07BERN123\nFOO\nWed Sep 19 00:00:00 +0200 2007\nUNCLASSIFIED\nEmbassy Bern\n"
        f"R 011234Z JAN 07\n{heading}UNCLAS SECTION 01 OF 02 BERN 000123 \n \nSIPDIS \n \n"
        "STATE FOR EUR \n \nE.O. 12958: N/A \nTAGS: PREL, SZ \nSUBJECT: FOO \n \n¶1. (U) Text.\n"
    )
    assert telegram.mrn is not None
    assert (telegram.mrn.short, telegram.classification) == ("07BERN123", "UNCLASSIFIED")
    assert [each.name for each in telegram.info] == [last]
    assert (telegram.captions, telegram.passing) == (("SIPDIS",), ("STATE FOR EUR",))


def test_a_classification_line_written_on_to_a_republishers_note_is_cut_off() -> None:
    telegram = reftel.read(
        "02BERN188\nFOO\nMon Nov 04 00:00:00 +0100 2002\nUNCLASSIFIED\nEmbassy Bern\n"
        "This record is a partial extract of the original cable. The full text of the original cable"
        " is not available.UNCLAS SECTION 01 OF 02 BERN 000188 \n \nSIPDIS \n \n"
        "E.O. 12958: N/A \nTAGS: PGOV SZ\nSUBJECT: FOO \n \n¶1.  (SBU) Text.\n"
    )
    assert telegram.mrn is not None
    assert telegram.mrn.short == "02BERN188"
    assert (telegram.captions, telegram.passing) == (("SIPDIS",), ())


def test_an_office_list_below_a_date_that_a_republisher_put_above_is_read() -> None:
    telegram = reftel.read(
        "00BERN838\n\n170856Z May 00\n\n2000BERN00838 - UNCLASSIFIED\n \n"
        "                           UNCLASSIFIED     PTQ5647\n\n"
        "PAGE 01        BERN  00838  01 OF 03  170856Z \nACTION EUR-00   \n\n"
        "INFO  LOG-00   NP-00    AID-01   /001W\n"
        "                  ------------------57D37C  170857Z /38    \n"
        "FM AMEMBASSY BERN\nTO SECSTATE WASHDC 2952\nINFO AMEMBASSY PARIS\n\n"
        "UNCLAS SECTION 01 OF 03 BERN 000838 \n \nSUBJECT: FOO \n \n¶1.  TEXT.\n"
    )
    assert telegram.distribution is not None
    assert telegram.distribution.action == ("EUR-00",)
    assert telegram.coverage.unknown == 0


def test_a_pilcrow_before_a_number_within_a_sentence_begins_no_paragraph() -> None:
    telegram = read("¶1. (U) It began on August \n¶15.  Then came\n¶20. rounds.\n\n¶2. (U) More.\n")
    assert [block.number for block in telegram.body] == [1, 2]


def test_classified_by_in_a_paragraph_with_a_pilcrow() -> None:
    by = read(
        "SUBJECT: X\n\n¶1. (U) Classified by Jane Roe, DCM. Reason: 1.5 (C) (d).\n"
    ).classified_by
    assert by is not None
    assert (by.name, by.title, by.reasons) == ("Jane Roe", "DCM", ("1.5(c)", "1.5(d)"))


def test_a_caption_repeated_within_a_sentence_is_taken_out_of_it() -> None:
    telegram = read(
        "¶3.  (U) THE TRIP WAS A \n \nSIPDIS \nGREAT SUCCESS FOR ALL. \n \n¶4.  (U) MORE.\n"
    )
    assert telegram.body[0].text == "THE TRIP WAS A GREAT SUCCESS FOR ALL."
    assert telegram.captions == ("SIPDIS",)


def test_a_heading_between_two_rules_may_have_a_blank_line_below_it() -> None:
    telegram = read(
        "¶1. (U) Text.\n\n---------------------------\nPending Visit\n \n---------------------------\n"
        " \n¶2. (U) More.\n"
    )
    assert [(block.kind, block.text) for block in telegram.body][1] == ("heading", "Pending Visit")


def test_a_second_half_behind_two_dashes_goes_on_with_the_subject() -> None:
    telegram = read(
        "TAGS: PREL, XX\nSUBJECT: VISIT OF MINISTER ROE\n-- PLANS FOR A NEW YEAR\n\n1. (U) X.\n"
    )
    assert telegram.subject == "VISIT OF MINISTER ROE -- PLANS FOR A NEW YEAR"


def test_a_list_of_dashes_below_a_subject_is_none_of_it() -> None:
    telegram = read("SUBJECT: VISIT OF MINISTER ROE\n-- FIRST POINT\n-- SECOND POINT\n-- THIRD\n")
    assert telegram.subject == "VISIT OF MINISTER ROE"
