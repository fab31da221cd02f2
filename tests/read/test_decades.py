"""What copies of each decade have that others have not, on telegrams written here in their manner."""

from __future__ import annotations

import pytest

import reftel
from reftel.telegram import Telegram

FROM_BERN = "R 131530Z FEB {year}\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC 0002\n"


def read(year: str, text: str) -> Telegram:
    return reftel.read(FROM_BERN.format(year=year) + text)


def test_1969_the_downgrading_group_stands_behind_the_last_sentence_and_before_the_signature() -> (
    None
):
    telegram = reftel.read(
        "FM AMEMBASSY BERN\nTO SECSTATE WASHDC\nO 171815Z JUL 69\nCONFIDENTIAL BERN 1450\n"
        "SUBJECT: LIGHTHOUSES\n1. THE LAMP IS LIT. GP-3. CRESTA\n"
    )
    assert telegram.dtg == "1969-07-17T18:15:00Z", "the date-time group may stand below the address"
    assert telegram.executive_order is not None
    assert telegram.executive_order.exemptions == ("GROUP 3",)
    assert telegram.body[0].text == "THE LAMP IS LIT."
    assert telegram.signature == "CRESTA"


def test_1974_a_caption_only_stands_in_the_line_that_names_the_reader() -> None:
    telegram = read(
        "74",
        "S E C R E T BERN 0123\nNODIS CHEROKEE\nEYES ONLY FOR THE SECRETARY FROM AMBASSADOR\n"
        "E.O. 11652: XGDS (3)\nTAGS: PFOR, SZ\nSUBJ: THE ANTI-\nMARKETEERS\n"
        "REF: STATE 265879/TOSEC 123; BERN 100\n1. TEXT.\n",
    )
    assert telegram.captions == ("NODIS", "CHEROKEE", "ONLY")
    assert telegram.attention[0].offices == ("THE SECRETARY",)
    assert telegram.executive_order is not None
    assert telegram.executive_order.exemptions == ("XGDS-3",)
    assert telegram.subject == "THE ANTI-MARKETEERS"
    assert [r.text for r in telegram.references] == ["STATE 265879/TOSEC 123", "BERN 100"]


def test_1975_an_addressee_can_be_unnumbered() -> None:
    telegram = read("75", "INFO USMISSION EC BRUSSELS UNN\nUNCLAS BERN 0123\nSUBJ: X\n1. Y.\n")
    assert [(a.name, a.mcn) for a in telegram.info] == [("USMISSION EC BRUSSELS", "UNN")]


def test_1978_a_telegram_repeated_whole_lends_its_markings_and_keeps_its_own_number() -> None:
    telegram = reftel.read(
        "CONFIDENTIAL\nPAGE 01        STATE 042975\nORIGIN EUR-15\nINFO  OCT-01  ISO-00  /016 R\n66011\n"
        "DRAFTED BY:EUR/NE:JDOE\nAPPROVED BY:EUR/NE:RROE\nL:MLEE      PM - MR. RAY (SUBS)\n"
        "------------------018231 181645Z /61\nR 181620Z FEB 78\nFM SECSTATE WASHDC\n"
        "TO AMEMBASSY OSLO\nC O N F I D E N T I A L STATE 042975\n"
        "FOLLOWING REPEAT BERN 1400 ACTION SECSTATE 17 FEB\nQUOTE\nC O N F I D E N T I A L BERN 1400\n"
        "E.O. 11652: GDS\nTAGS: EWWT, SZ\nSUBJECT: LIGHTHOUSES\nREF: OSLO 1222\n1. TEXT.\n"
        "LARKIN UNQUOTE VANCE\n"
    )
    assert telegram.mrn is not None
    assert telegram.mrn.short == "78STATE42975"
    assert telegram.subject == "LIGHTHOUSES"
    assert [tag.code for tag in telegram.tags] == ["EWWT", "SZ"]
    assert "markings-quoted" in [d.code for d in telegram.diagnostics]
    assert telegram.drafted_by == "EUR/NE:JDOE"
    assert telegram.clearances == ("L:MLEE", "PM - MR. RAY (SUBS)")
    assert telegram.signature == "VANCE"
    assert telegram.body[0].text.startswith("FOLLOWING REPEAT BERN 1400")


def test_1989_a_released_copy_keeps_the_heading_behind_its_counter_in_hexadecimal() -> None:
    telegram = reftel.read(
        "UNCLASSIFIED\n\nRELEASE IN FULL\n\nCONFIDENTIAL\n\nPAGE 01        BERN 00321  061534Z\n"
        "ACTION EUR-00\n\nINFO  LOG-00   AID-00   /000W\n"
        "                  ------------------3F9A6B  061536Z /38\n"
        "P 061530Z APR 89\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC PRIORITY 0321\n\n"
        "C O N F I D E N T I A L BERN 000321\n\nE.O. 12356: DECL: OADR\nTAGS: EWWT, SZ\n"
        "SUBJECT: LIGHTHOUSES\n\nREF: STATE 104211\n\n1. CONFIDENTIAL - ENTIRE TEXT.\n\n2. LIT.\nLARKIN\n"
    )
    assert telegram.mrn is not None
    assert telegram.mrn.short == "89BERN321"
    assert [a.name for a in telegram.action] == ["SECSTATE WASHDC"]
    assert telegram.classification == "CONFIDENTIAL"
    assert telegram.body[0].marking == "C"
    assert telegram.references[0].mrn == "89STATE104211", "in April the Department is past 100,000"
    assert not telegram.diagnostics, "the banner of the review is no contradiction"


SIGNATURES = [
    ("RABB BY HOLMES", "RABB BY HOLMES"),
    ("DAM, ACTING", "DAM, ACTING"),
    ("SMITH FOR JONES", "SMITH FOR JONES"),
]


@pytest.mark.parametrize(("line", "signature"), SIGNATURES)
def test_1985_one_signs_in_another_s_place(line: str, signature: str) -> None:
    telegram = read("85", f"UNCLAS BERN 0123\nSUBJECT: X\n1. ONE.\n\n2. TWO.\n{line}\n")
    assert telegram.signature == signature


def test_2007_reasons_and_sources_stand_on_lines_of_their_own() -> None:
    telegram = read(
        "07",
        "C O N F I D E N T I A L BERN 000123\nSUBJECT: X\n\nClassified By: Ambassador John Doe, Jr.\n\n"
        "Reason: 1.4 (b), (d)\n\nDerived From: DSCG 05-1\nDECLASSIFY ON: 2032/02/13\n\n1. (C) Text.\n",
    )
    by = telegram.classified_by
    assert by is not None
    assert (by.name, by.title, by.reasons) == ("John Doe, Jr.", "Ambassador", ("1.4(b)", "1.4(d)"))
    assert [block.text for block in telegram.body] == ["Text."]


def test_2007_text_below_classified_by_without_a_blank_line_is_text() -> None:
    telegram = read(
        "07",
        "C O N F I D E N T I A L BERN 000123\nSUBJECT: X\nCLASSIFIED BY: DCM JOHN DOE, REASONS 1.4 (B),\n"
        "(C) AND (D).\n(C) Summary: Text.\n1 (C) One.\n2.(C) Two.\n3 (U) Three.\n",
    )
    assert telegram.classified_by is not None
    assert telegram.classified_by.reasons == ("1.4(b)", "1.4(c)", "1.4(d)")
    assert [(b.number, b.marking) for b in telegram.body] == [
        (None, "C"),
        (1, "C"),
        (2, "C"),
        (3, "U"),
    ]


def test_2008_the_end_of_talking_points_is_no_heading() -> None:
    telegram = read(
        "08",
        "UNCLAS BERN 000123\nSUBJECT: X\n\n1. (U) This is an action request.\n\n"
        "2. (U) Please say:\n\nBEGIN POINTS:\n\n-- One.\n\nEND POINTS FOR THE SWISS\n\n3. (U) Thanks.\n",
    )
    assert [(b.kind, b.number, b.label) for b in telegram.body] == [
        ("paragraph", 1, "action request"),
        ("paragraph", 2, None),
        ("paragraph", 3, None),
    ]


def test_2010_a_printed_page_has_its_number_above() -> None:
    telegram = reftel.read(
        "UNCLASSIFIED\nPage 1 of 2\n\nMRN: 10 BERN 12\nDate/DTG: Nov 22, 2010 / 220915Z NOV 10\n"
        "From: AMEMBASSY BERN\nAction: WASHDC, SECSTATE ROUTINE\nSubject: X\n\n1. (U) It goes\n"
        "Page 2 of 2\non.\n"
    )
    assert telegram.body[0].text == "It goes on."
    assert telegram.coverage.unknown == 0


def test_1974_a_subject_goes_on_behind_a_page_break() -> None:
    telegram = reftel.read(
        "PAGE 01  BERN 05013  141231Z\nACTION EUR-03\nINFO  OCT-01  ISO-00  /004 W\n"
        "R 141101Z AUG 74\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC 7123\nUNCLAS BERN 5013\n"
        "E.O. 11652: ADS, DECLAS UPON COMPLETION OF VISIT\nTAGS: EWWT\nSUBJECT: LONG SUBJECT\n"
        "UNCLASSIFIED\n \nUNCLASSIFIED\n \nPAGE 02  BERN 05013  141231Z\n \nGOES ON\n \n1. TEXT.\nDALE\nBT\n"
    )
    assert telegram.subject == "LONG SUBJECT GOES ON"
    assert telegram.executive_order is not None
    assert telegram.executive_order.event == "UPON COMPLETION OF VISIT"
    assert telegram.signature == "DALE", (
        "BT stands below it, though no wire heading came with the copy"
    )


def test_1995_a_caption_has_a_number_or_an_order_behind_it_and_the_section_a_line_of_its_own() -> (
    None
):
    telegram = read(
        "95",
        "UNCLAS BERN 0123\nEXDIS - DISTRIBUTE AS NODIS\nOFFICIAL INFORMAL NO. 12\nSECTION 2 OF 2\n"
        "TAGS: EWWT\nSUBJECT: X\n1. Y.\n",
    )
    assert telegram.captions == ("EXDIS", "OFFICIAL INFORMAL")
    assert telegram.passing == ()
    assert telegram.section is not None
    assert (telegram.section.number, telegram.section.of) == (2, 2)


def test_2005_items_with_brackets_are_no_paragraphs_where_paragraphs_have_stops() -> None:
    telegram = read("05", "UNCLAS BERN 0123\nSUBJECT: X\n\n1. Points:\n1) one\n2) two\n\n2. End.\n")
    assert [block.number for block in telegram.body] == [1, 2]
    assert telegram.body[0].text == "Points:\n1) one\n2) two"


def test_2009_labels_captions_and_marks_stand_in_mixed_case() -> None:
    telegram = reftel.read(
        "From: Embassy Bern\nTo: SecState\nR 141101Z AUG 09\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\n"
        "Unclas Bern 002345\n\nSensitive\nSipdis\n\nTags: Pgov, Sz\nSubject: Day 3\n\n1. (sbu) Quiet.\n"
    )
    assert telegram.captions == ("SENSITIVE", "SIPDIS")
    assert telegram.readdressal is None
    assert [a.name for a in telegram.action] == ["SECSTATE WASHDC"]
    assert (telegram.body[0].marking, telegram.body[0].text) == ("SBU", "Quiet.")


def test_1993_a_released_copy_has_codes_in_its_left_margin_and_a_remark_above_the_drafter() -> None:
    telegram = reftel.read(
        "RELEASED IN PART\nB1, 1.4(D)\n\nSECRET\n\nPAGE 01   STATE  204123  120215Z\nORIGIN EUR-01\n"
        "INFO   LOG-00  /001R\n66011\nSOURCE: KODAKA.000123\nDRAFTED BY: EUR/NE:DDOE -- 12/11/93 7-1234\n"
        "------------------A12B3C  120216Z /38\nO 120214Z DEC 93\nFM SECSTATE WASHDC\n"
        "TO AMEMBASSY BERN IMMEDIATE\nS E C R E T STATE 204123\nSUBJECT: X\n1. ONE.\n\n"
        "B1   2. TWO.\n\n3. THREE.\nCHRISTOPHER\n"
    )
    assert telegram.mrn is not None
    assert telegram.mrn.short == "93STATE204123"
    assert telegram.drafted_by == "EUR/NE:DDOE -- 12/11/93 7-1234"
    assert [(block.number, block.text) for block in telegram.body] == [
        (1, "ONE."),
        (2, "TWO."),
        (3, "THREE."),
    ]
    assert telegram.release is not None
    assert telegram.release.exemptions == ("B1", "1.4(D)")


def test_2005_a_page_s_own_title_stands_above_the_heading() -> None:
    telegram = reftel.read(
        "<div><b>Subject:</b> FOO<br>R 301522Z JAN 05<br>FM AMEMBASSY BERN<br>TO SECSTATE WASHDC<br>"
        "UNCLAS BERN 000503<br>SUB: BAR<br>PLEASE PASS FOLLOWING TO USTR<br>1. Text.<br></div>"
    )
    assert telegram.mrn is not None
    assert telegram.mrn.short == "05BERN503"
    assert (telegram.subject, telegram.passing) == ("BAR", ("PLEASE PASS FOLLOWING TO USTR",))


def test_2012_text_ends_a_list_of_addressees() -> None:
    telegram = reftel.read(
        "UNCLASSIFIED\nSBU\n\nMRN: 12 BERN 98\nDate/DTG: Sep 11, 2012 / 111253Z SEP 12\n"
        "From: AMEMBASSY BERN\nAction: WASHDC, SECSTATE ROUTINE\nSubject: X\nXMT: KABUL, AMEMBASSY\n"
        "1. (SBU) Text.\n"
    )
    assert telegram.captions == ("SENSITIVE",)
    assert [a.name for a in telegram.exempt] == ["AMEMBASSY KABUL"]
    assert [block.text for block in telegram.body] == ["Text."]


def test_2006_lines_under_the_heads_of_a_table_are_no_heading() -> None:
    telegram = read(
        "06",
        "UNCLAS BERN 0123\nSUBJECT: X\n\n1. Visits:\n\nName            Date\n-----           -----\n"
        "Smith           1/2\n\n2. End.\n",
    )
    assert [(block.kind, block.number) for block in telegram.body] == [
        ("paragraph", 1),
        ("paragraph", 2),
    ]
    assert "-----           -----" in telegram.body[0].text.splitlines()


def test_2005_paragraph_one_stands_behind_the_last_label_on_its_line() -> None:
    telegram = read(
        "05",
        "CONFIDENTIAL BERN 0123\nSIPDIS\n**E.O. 12958:** DECL: 01/30/2015 TAGS: PREL SUBJECT: X "
        "REF: OSLO 1 CLASSIFIED BY: DCM JOHN DOE, REASONS 1.4 (B) AND (D). 1. (C) Summary: One.\n",
    )
    by = telegram.classified_by
    assert by is not None
    assert by.reasons == ("1.4(b)", "1.4(d)")
    assert telegram.executive_order is not None
    assert telegram.executive_order.text == "DECL: 01/30/2015"
    assert [(block.number, block.text) for block in telegram.body] == [(1, "Summary: One.")]


APOSTROPHES = [
    ("It,s the U.S.,s view.", "It's the U.S.'s view."),
    ("A,s, B,s and so on", "A,s, B,s and so on"),
]


@pytest.mark.parametrize(("written", "clean"), APOSTROPHES)
def test_2006_apostrophes_are_mended_in_short_words_too(written: str, clean: str) -> None:
    telegram = read("06", f"UNCLAS BERN 0123\nSUBJECT: X\n\n1. (U) {written}\n")
    assert telegram.body[0].text == clean


def test_1975_offices_stand_on_one_line_and_the_originator_s_name_is_abbreviated() -> None:
    telegram = reftel.read(
        "PAGE 01 USUN N 01234 121530Z\n44\nACTION IO-12 INFO OCT-01 ISO-00 /013 W\n"
        "--------------------- 098213\nO R 121500Z FEB 75\nFM USMISSION USUN NY\n"
        "TO SECSTATE WASHDC IMMEDIATE 7711\nS E C R E T USUN 1234\nE.O. 11652: GDS\nTAGS: PFOR\nSUBJ: X\n"
        "REF: (1) STATE 1234, (2) BONN 1240\n1. Y. HE CAME ON PAN AM 100 (LONDON 4321).\nMOYNIHAN\n"
    )
    assert telegram.distribution is not None
    assert telegram.distribution.action == ("IO-12",)
    assert telegram.distribution.info == ("OCT-01", "ISO-00")
    assert telegram.mrn is not None
    assert telegram.mrn.short == "75USUNNEWYORK1234"
    assert [r.enumerator for r in telegram.references] == ["1", "2"]
    assert [c.text for c in telegram.citations] == ["LONDON 4321"]


def test_1975_a_text_right_below_its_subject_is_no_subject() -> None:
    telegram = read(
        "75",
        "UNCLAS BERN 0123\nTAGS: AFIN\nSUBJ: FY-76 BUDGET\nSTATE 290002 INCREASES ALLOTMENT. PLEASE ADVISE\n"
        "WHETHER FUNDS MAY BE USED FOR TRAVEL.\nLARKIN\n",
    )
    assert telegram.subject == "FY-76 BUDGET"
    assert telegram.body[0].text.startswith("STATE 290002 INCREASES")
    assert telegram.signature == "LARKIN"


CITED_IN_JANUARY = [
    ("STATE 021900", "78STATE21900"),
    ("PARIS 2600", "78PARIS2600"),
    ("PARIS 36100", "77PARIS36100"),
    ("BERN 2600", "77BERN2600"),
]


@pytest.mark.parametrize(("written", "number"), CITED_IN_JANUARY)
def test_1978_in_january_a_number_that_no_post_can_have_reached_is_of_the_year_before(
    written: str, number: str
) -> None:
    telegram = reftel.read(
        f"R 301714Z JAN 78\nFM AMEMBASSY OSLO\nTO SECSTATE WASHDC\nUNCLAS OSLO 234\nREF: {written}\n"
    )
    assert [r.mrn for r in telegram.references] == [number]


def test_numbers_of_1966_to_1968_were_counted_from_july() -> None:
    def cited(dated: str, number: str) -> list[str | None]:
        telegram = reftel.read(
            f"R 121530Z {dated}\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\nUNCLAS BERN 1234\n\nSUBJ: X\n"
            f"REF: {number}\n\n1. Y.\n"
        )
        return [reference.mrn for reference in telegram.references]

    assert cited("MAR 67", "STATE 154321") == ["67STATE154321"]
    assert cited("MAR 67", "BERN 1300") == ["66BERN1300"]
    assert cited("JUL 67", "STATE 214321; BERN 2300") == ["67STATE214321", "67BERN2300"]
    assert cited("FEB 68", "STATE 114321") == ["68STATE114321"]
    assert cited("FEB 69", "STATE 214321") == ["68STATE214321"]
    assert cited("MAR 91", "USIA 12345; OSLO 12345") == ["91USIA12345", "90OSLO12345"]


def test_outgoing_forms_of_the_1960s_have_the_level_above_the_address() -> None:
    telegram = reftel.read(
        "OUTGOING TELEGRAM Department of State\nINDICATE: [ ] COLLECT\n          [ ] CHARGE TO\nSECRET\n"
        "ACTION: Amembassy BERN IMMEDIATE\nINFO:   Amembassy OSLO PRIORITY\n        USMission GENEVA\n"
        "STATE 207956\n\nSUBJECT: The Lamps of the Lake\nREF: Bern 1234\n\n1. Lit.\n\nLARKIN\n",
        year=1967,
    )
    assert telegram.classification == "SECRET"
    assert [each.line for each in telegram.action] == ["Amembassy BERN IMMEDIATE"]
    assert [each.line for each in telegram.info] == ["Amembassy OSLO PRIORITY", "USMission GENEVA"]
    assert telegram.mrn is not None
    assert telegram.mrn.short == "67STATE207956"
    assert telegram.subject == "The Lamps of the Lake"
    assert [reference.mrn for reference in telegram.references] == ["67BERN1234"]
    assert telegram.signature == "LARKIN"
