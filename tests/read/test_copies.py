"""How copies of many kinds differ from the telegram that was sent: prints without blank lines, scans,
agencies' own copies. The telegrams are written here in their manner."""

from __future__ import annotations

import reftel
from reftel.telegram import Telegram

HEADING = "R 131530Z FEB 74\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC 0002\nUNCLAS BERN 0123\n"
MARKINGS = "E.O. 11652: N/A\nTAGS: EWWT, SZ\n"


def read(text: str) -> Telegram:
    return reftel.read(HEADING + MARKINGS + text)


def test_copies_of_1973_have_blanks_behind_each_sign_and_before_the_z() -> None:
    telegram = reftel.read(
        "CONFIDENTIAL\nPAGE 01 STATE 065991 01 OF 02 100131 Z\n52-41\nORIGIN EUR-25\n"
        "INFO OCT-01 ADP-00 /026 R\nDRAFTED BY EUR/ NE: JDOE\n4/9/73 EXT 20710\n"
        "APPROVED BY EUR/ NE: RROE\nEUR/ NE: MLEE: PRAY\nS/ S- O: T. HILL\n"
        "--------------------- 022674\nO 100108 Z APR 73\nFM SECSTATE WASHDC\n"
        "TO AMEMBASSY BERN IMMEDIATE\nC O N F I D E N T I A L STATE 065991\nE. O. 11652: GDS\n"
        "TAGS: EWWT, SZ\nSUBJECT: LIGHTHOUSES\n1. THE LAMP OF\nCONFIDENTIAL\nCONFIDENTIAL\n"
        "PAGE 02 STATE 065991 01 OF 02 100131 Z\nTHE LAKE IS LIT.\n"
    )
    assert telegram.section is not None
    assert telegram.section.of == 2
    assert telegram.clearances == ("EUR/ NE: MLEE: PRAY", "S/ S- O: T. HILL")
    assert [block.text for block in telegram.body] == ["THE LAMP OF THE LAKE IS LIT."]
    assert not telegram.citations


def test_copies_of_1967_list_offices_with_a_blank_for_the_hyphen() -> None:
    telegram = reftel.read(
        "PAGE 01 BERN 01234 121530Z\n52\nACTION EUR 20\nINFO SS 20,GPM 04,NSC 10, RSR 01, /055 W\n"
        "--------------------- 022674\nR 121445Z MAY 67\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC 4321\n"
        "UNCLAS BERN 1234\nSUBJECT: LIGHTHOUSES\n1. LIT.\n"
    )
    assert telegram.distribution is not None
    assert telegram.distribution.action == ("EUR 20",)
    assert telegram.distribution.info == ("SS 20", "GPM 04", "NSC 10", "RSR 01")
    assert not telegram.diagnostics, "the copies add up"


def test_a_page_line_can_be_broken_with_a_sign_or_the_office_in_between_or_backwards() -> None:
    telegram = reftel.read(
        "CONFIDENTIAL\nRELEASED IN FULL\nPAGE 01\nACTION EUR-01\nBERN 01040 101542Z\nINFO LOG-00\n"
        "AID-01\n10-16\n/018W\n2E61C2 101543Z /38\nP 101536Z MAR 94\nFM AMEMBASSY BERN\n"
        "TO SECSTATE WASHDC PRIORITY 5912\nCONFIDENTIALBERN 01040\nE.0.12356: DECL:OADR\n"
        "TAGS: EWWT, SZ\nSUBJECT: LIGHTHOUSES\nREF: A) BERN 940, B)\nUNITED STATES DEPARTMENT OF STATE\n"
        "REVIEW AUTHORITY: JANE ROE\nDATE/CASE ID: 01 NOV 2007 200100000\n\nUNCLASSIFIED\n\n"
        "UNCLASSIFIED\nBERN 941\n1. THE LAMP OF\nCONFIDENTIAL\nBERN 01040 101542Z\nPAGE 02\nTHE LAKE\n"
        "CONFIDENTIAL\nPAGE 03\n-\nBERN 01040 101542Z\nIS LIT.\n"
    )
    assert telegram.mrn is not None
    assert telegram.mrn.short == "94BERN1040"
    assert telegram.classification == "CONFIDENTIAL"
    assert telegram.executive_order is not None
    assert telegram.executive_order.exemptions == ("OADR",)
    assert telegram.distribution is not None
    assert telegram.distribution.info == ("LOG-00", "AID-01", "10-16")
    assert telegram.release is not None
    assert (telegram.release.action, telegram.release.date) == ("RELEASE IN FULL", "2007-11-01")
    assert [r.mrn for r in telegram.references] == ["94BERN940", "94BERN941"]
    assert [block.text for block in telegram.body] == ["THE LAMP OF THE LAKE IS LIT."]
    assert not telegram.coverage.unknown


def test_a_heading_goes_on_behind_lines_that_a_scan_made_unreadable() -> None:
    telegram = reftel.read(
        "PAGE 01 BERN 04638 222034Z\nACTION EUR-14\nINEO OCT-01 ISO-00\nH+01 1NR-O7 L-O3\n"
        "10-13 ( ISO ) V\n----------------- 051032 230357Z /64\nR 221858Z JUN 77\nFM AMEMBASSY BERN\n"
        "TO SECSTATE WASHDC 1040\nCONFIDENTIAL BERN 4638\nTACS: EWWT, SZ\nSUBJECT: LIGHTHOUSES\n1. LIT.\n"
    )
    assert telegram.dtg == "1977-06-22T18:58:00Z"
    assert telegram.originator is not None
    assert telegram.originator.name == "AMEMBASSY BERN"
    assert [addressee.mcn for addressee in telegram.action] == ["1040"]
    assert telegram.distribution is not None
    assert telegram.distribution.info == ("OCT-01", "ISO-00")
    assert [tag.code for tag in telegram.tags] == ["EWWT", "SZ"]


def test_an_agency_s_own_copy_has_the_time_of_receipt_above_two_headings() -> None:
    telegram = reftel.read(
        "Sanitized Copy Approved for Release 2010/06/24: CIA-RDP00X00000R000000000000-0\nINCOMING\n"
        "PAGE 001\nTOR: 031814Z JUN 82\n00 RUEAIIB\nZNY CCCCC ZOC STATE ZZH\nSTU5035\n00 RUEHC\n"
        "DE RUEHSW #4619/1 1541347\nZNY CCCCC ZZH\n0 R 031343Z JUN 82\nFM AMEMBASSY BERN\n"
        "TO RUEHC/SECSTATE WASHDC IMEDIATE 9937\nBT\nC0N F I0E N T I A L BERN 4619\n"
        "E. D. 12065: GDS 6/2/88 (ROE, JANE)\nTAGS: EWWT, SZ\nSUBJ: LIGHTHOUSES\n1. LIT.\n"
    )
    assert telegram.mrn is not None
    assert telegram.mrn.short == "82BERN4619"
    assert (telegram.precedence, telegram.info_precedence) == ("IMMEDIATE", "ROUTINE")
    assert [(a.name, a.precedence, a.mcn) for a in telegram.action] == [
        ("SECSTATE WASHDC", "IMMEDIATE", "9937")
    ]
    assert telegram.classification == "CONFIDENTIAL"
    assert telegram.executive_order is not None
    assert telegram.executive_order.declassify_on == "1988-06-02"
    assert telegram.release is not None
    assert telegram.release.date == "2010-06-24"


def test_the_archives_catalogue_stands_below_a_rule_where_its_label_is_lost() -> None:
    telegram = read(
        "SUBJ: LIGHTHOUSES\n1. LIT.\n---\nCapture Date: 01 JAN 1994\nChannel Indicators: n/a\n"
        "Current Classification: UNCLASSIFIED\nConcepts: LIGHTHOUSES,\nLAMPS\nDraft Date: 13 FEB 1974\n"
    )
    assert telegram.attributes is not None
    assert telegram.attributes["Concepts"] == "LIGHTHOUSES, LAMPS"
    assert [block.text for block in telegram.body] == ["LIT."]


def test_a_subject_ends_where_the_text_begins_though_no_blank_line_parts_them() -> None:
    telegram = read(
        "SUBJECT: WEEKLY REVIEW UNDER E.O. 11652: LIGHTHOUSES\nBERN POUCH BASEL; ZURICH PASS CONSULS.\n"
        "CINCEUR FOR POLAD\n--THE LAMP\n--THE LAKE\nI. LAMPS\nA. THE LAMP IS LIT.\n"
    )
    assert telegram.subject == "WEEKLY REVIEW UNDER E.O. 11652: LIGHTHOUSES"
    assert telegram.passing[0] == "BERN POUCH BASEL; ZURICH PASS CONSULS."
    assert telegram.passing[1] == "CINCEUR FOR POLAD"
    assert telegram.body[0].text.startswith("--THE LAMP\n--THE LAKE")


def test_a_subject_keeps_no_sentences_of_the_text_below_it() -> None:
    telegram = read(
        "SUBJECT: THE LAMPS OF THE LAKE\nTHE HARBOUR MASTER HAS CIRCULATED A NOTE ABOUT THE LAMPS OF THE\n"
        "LAKE, WHICH ARE OLDER THAN THE LIGHTHOUSES IN WHICH THEY STAND,\nAND ASKS WHO IS TO PAY. WE DO"
        " NOT KNOW.\nWE PROPOSE TO WAIT.\n"
    )
    assert telegram.subject == "THE LAMPS OF THE LAKE"
    assert telegram.body[0].text.startswith("THE HARBOUR MASTER")


def test_references_end_where_prose_or_a_numeral_begins() -> None:
    plain = read("SUBJ: X\nREF: BERN 75\nDRAFT OF SECOND PART OF REPORT FOLLOWS FOR COMMENT.\n")
    assert [r.text for r in plain.references] == ["BERN 75"]
    numerals = read("SUBJ: X\nREF: BERN 75\nI. STATEMENTS: SEE BERN 81.\nII. LAMPS: NONE.\n")
    assert [r.text for r in numerals.references] == ["BERN 75"]
    more = read("SUBJ: X\nREF: BERN 75\nAND PREVIOUS EXCHANGES ABOUT IT\n1. Y.\n")
    assert [r.mrn for r in more.references][:1] == ["74BERN75"]
    initials = read("SUBJ: X\nREF: B.A. 6494\n1. Y.\n")
    assert [r.text for r in initials.references] == ["B.A. 6494"]


def test_lines_of_the_heading_that_were_run_together_are_read_apart() -> None:
    telegram = reftel.read(
        "O R 131530Z FEB 74 FM AMEMBASSY BERN\nTO SECSTATE WASHDC IMMEDIATE 0002 INFO AMEMBASSY OSLO\n"
        "AMEMBASSY ROME PRIORITY BONN PRIORITY 12\nUSDAO/OSLO\n/AMEMBASSY PARIS\nUNCLAS BERN 0123\n"
        "SUBJ: X\n1. Y.\n"
    )
    assert telegram.originator is not None
    assert telegram.originator.name == "AMEMBASSY BERN"
    assert [a.name for a in telegram.action] == ["SECSTATE WASHDC"]
    assert [(a.name, a.mcn) for a in telegram.info] == [
        ("AMEMBASSY OSLO", None),
        ("AMEMBASSY ROME", None),
        ("BONN", "12"),
        ("USDAO/OSLO", None),
        ("AMEMBASSY PARIS", None),
    ]


def test_the_level_may_stand_behind_the_words_entire_text() -> None:
    telegram = read("SUBJ: X\n1. ENTIRE TEXT CONFIDENTIAL.\n2. LIT.\n")
    assert telegram.body[0].marking == "C"


def test_the_last_word_of_a_page_may_be_run_into_the_banner() -> None:
    telegram = reftel.read(
        "LIMITED OFFICIAL USE\nPAGE 01\nBERN 00123 131530Z\nR 131530Z FEB 79\nFM AMEMBASSY BERN\n"
        "TO SECSTATE WASHDC 0002\nLIMITED OFFICIAL USE BERN 0123\nE.O. 12065: N/A\nTAGS: EWWT, SZ\n"
        "SUBJECT: LIGHTHOUSES\n1. THE LAMPS ARE IN THE PUBLICALIMITED OFFICIAL USE\n"
        "LIMITED OFFICIAL USE\nPAGE 02\nBERN 00123 131530Z\nTION OF THE YEAR.\n"
    )
    assert telegram.body[0].text == "THE LAMPS ARE IN THE PUBLICATION OF THE YEAR."
    assert "".join(telegram.source[e.start : e.end] for e in telegram.elements) == telegram.source


def test_pages_within_the_text_are_numbered_in_words_with_the_station_s_serial() -> None:
    telegram = read("SUBJ: X\n1. THE LAMP\nPAGE TWO RUEHSW 0023 C O N F I D E N T I A L\nIS LIT.\n")
    assert [block.text for block in telegram.body] == ["THE LAMP IS LIT."]
    assert not telegram.diagnostics
    telegram = read("SUBJ: X\n1. THE LAMP\nPAGE 2 RUEHSW 0023 LIMITED OFFICIAL USE\nIS LIT.\n")
    assert [block.text for block in telegram.body] == ["THE LAMP IS LIT."]


def test_who_cleared_a_telegram_stands_behind_a_hyphen_or_a_title_too() -> None:
    telegram = reftel.read(
        "PAGE 01 STATE 042810\n60\nORIGIN NODS-00\nINFO OCT-01 ISO-00 ( ISO ) R\n66610\n"
        "DRAFTED BY: EUR:JDOE:HE\nAPIROVED BY: THE SECRETARY\nIO-AMB. LEE\nS/S-JRAY\nEA/RA MR. T. HILL\n"
        "DIST: NSC/E\n--------------------- 077675\nO 102348Z OCT 75\nFM SECSTATE WASHDC\n"
        "TO AMEMBASSY BERN\nUNCLAS STATE 042810\nSUBJ: X\n1. Y.\n"
    )
    assert telegram.approved_by == "THE SECRETARY"
    assert telegram.clearances == ("IO-AMB. LEE", "S/S-JRAY", "EA/RA MR. T. HILL")


def test_a_subject_takes_no_reader_and_no_heading_of_the_text() -> None:
    for line in ("FOR THE AMBASSADOR FROM THE SECRETARY", "A. LETTERS", "TO: EUR; FROM: EUR/NE"):
        assert read(f"SUBJECT: DAILY SUMMARY\n{line}\n1. Y.\n").subject == "DAILY SUMMARY"
    assert read("SUBJECT: VISIT OF MR.\nA. DOE\n1. Y.\n").subject == "VISIT OF MR. A. DOE"


def test_a_number_with_a_hyphen_is_a_document_s_and_a_dash_indents() -> None:
    telegram = read("SUBJ: X\nREF: (A) TREASURY 78-106, (B) BERN\n- 11, (C) BERN 12\n1. Y.\n")
    assert [(r.mrn, r.text) for r in telegram.references] == [
        (None, "TREASURY 78-106"),
        ("74BERN11", "BERN 11"),
        ("74BERN12", "BERN 12"),
    ]


def test_a_number_may_stand_on_the_line_above_its_paragraph() -> None:
    telegram = read("SUBJ: X\n1.\n\nCONFIDENTIAL - ENTIRE TEXT.\n\n2.\n(LOU) LIT.\n")
    assert [(b.number, b.marking, b.text) for b in telegram.body] == [
        (1, "C", "CONFIDENTIAL - ENTIRE TEXT."),
        (2, "LOU", "LIT."),
    ]


def test_a_name_is_signed_whatever_the_copy_has_behind_or_below_it() -> None:
    for end in (
        "ROENNNN",
        "ROE BT",
        "ROE #0123",
        "ROECONFIDENTIAL",
        "ROE  UNCLASSIFIED",
        "ROE\nBT",
    ):
        assert read(f"SUBJ: X\n\n1. LIT.\n{end}\n").signature == "ROE", end
    for below in (
        "***",
        "- -",
        "END OF CABLE",
        "Confidential",
        "NOTE BY OC/T: AS RECEIVED.",
        "NOTE: NOT PASSED.",
    ):
        telegram = read(f"SUBJ: X\n\n1. LIT.\nROE\n\n{below}\n")
        assert telegram.signature == "ROE", below
        assert [block.text for block in telegram.body] == ["LIT."]
    assert read("SUBJ: X\n\n1. THE LAMP REMAINS\nMOST SECRET\n").signature is None


def test_an_address_may_fold_in_a_name_or_put_several_on_a_line() -> None:
    telegram = reftel.read(
        "R 131530Z FEB 74\nFM AMEMBASSY BERN\nTO SECSTATE\nWASHDC 0002\n"
        "INFO AMEMBASSY BANDAR SERI\nBEGAWAN PRIORITY\nNATO\nCOLLECTIVE\nAMEMBASSY\n"
        "AMEMBASSY PARIS, AMEMBASSY OSLO 12,\nCINCEUR\nVAIHINGEN\nUNCLAS BERN 0123\nSUBJ: X\n1. Y.\n"
    )
    assert [each.line for each in telegram.action] == ["SECSTATE WASHDC 0002"]
    assert [each.line for each in telegram.info] == [
        "AMEMBASSY BANDAR SERI BEGAWAN PRIORITY",
        "NATO COLLECTIVE",
        "AMEMBASSY",
        "AMEMBASSY PARIS",
        "AMEMBASSY OSLO 12",
        "CINCEUR",
        "VAIHINGEN",
    ]


def test_a_classification_line_holds_captions_and_counts_sections_in_words() -> None:
    def opened(line: str) -> Telegram:
        return reftel.read(
            f"R 131530Z FEB 74\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\n{line}\n{MARKINGS}SUBJ: X\n1. Y.\n"
        )

    for line, captions in (
        ("S E C R E T//NOFORN//BERN 0123", ("NOFORN",)),
        ("C O N F I D E N T I A L LIMDIS, NF SECTION 1 OF 3 BERN 0123", ("LIMDIS", "NOFORN")),
        ("S E C R E T//REL TO USA, GBR// BERN 0123", ("REL TO",)),
        ("UNCLAS//FOUO BERN 0123 SECTION ONE OF THREE", ("FOUO",)),
    ):
        telegram = opened(line)
        assert telegram.mrn is not None, line
        assert telegram.mrn.short == "74BERN123", line
        assert telegram.captions == captions, line
    for line in (
        "LIMITED OFFICIAL USE SECTION TWO OF THREE SECTIONS BERN 0123",
        "UNCLAS S E C T I O N 2 OF 3 BERN 0123",
        "UNCLAS BERN 0123 (SECTION 2 OF 3)",
    ):
        section = opened(line).section
        assert section is not None, line
        assert (section.number, section.of) == (2, 3), line


def test_a_number_with_a_blank_in_it_is_one_when_the_page_line_says_so() -> None:
    text = (
        "PAGE 01 BERN 12345 131600Z\n53\nACTION EUR-01\nR 131530Z FEB 74\nFM AMEMBASSY BERN\n"
        "TO SECSTATE WASHDC\nUNCLAS BERN 12 345\nSUBJ: X\n1. Y.\n"
    )
    telegram = reftel.read(text)
    assert telegram.mrn is not None
    assert telegram.mrn.short == "74BERN12345"
    assert [(repair.was, repair.now) for repair in telegram.repairs] == [("12 345", "12345")]
    assert [each.kind for each in telegram.elements][:3] == [
        "page-line",
        "queue-number",
        "distribution",
    ]
    alone = reftel.read(text.replace("BERN 12345", "BERN 12")).mrn
    assert alone is not None
    assert alone.short == "74BERN12"


def test_a_post_s_own_print_names_readers_and_drafters_above_the_telegram() -> None:
    telegram = reftel.read(
        "Cable Text:\n\nCONFIDENTIAL        BERN 01234\n\nSIPDIS\nCXBERN:\n    ACTION: POL\n"
        "    INFO:   ECON AMB\n            DCM\n\nDISSEMINATION: POLX\nCHARGE: PROG\n\nAPPROVED: AMB:JDOE\n"
        "DRAFTED: POL:RROE\nCLEARED: ECON:EPOE, DCM:TRAY\n\nVZCZCOSI123\nRR RUEHNY\n"
        "DE RUEHSW #1234/01 0711545\nZNY CCCCC ZZH\nR 121530Z MAR 07\nFM AMEMBASSY BERN\n"
        "TO RUEHC/SECSTATE WASHDC 4321\nBT\nC O N F I D E N T I A L BERN 001234\n\nSIPDIS\n\n"
        "E.O. 12958: N/A\nTAGS: EWWT, SZ\nSUBJECT: X\n\n1. (C) LIT.\nROE\n"
    )
    assert telegram.mrn is not None
    assert telegram.mrn.short == "07BERN1234"
    assert telegram.dtg == "2007-03-12T15:30:00Z"
    assert telegram.captions == ("SIPDIS",)
    assert not telegram.passing
    assert telegram.distribution is not None
    assert (telegram.distribution.action, telegram.distribution.info) == (
        ("POL",),
        ("ECON", "AMB", "DCM"),
    )
    assert (telegram.drafted_by, telegram.approved_by) == ("POL:RROE", "AMB:JDOE")
    assert telegram.clearances == ("ECON:EPOE", "DCM:TRAY")
    kinds = [each.kind for each in telegram.elements]
    assert kinds.index("drafting") < kinds.index("transmission-id") < kinds.index("routing-line")


def test_a_level_beside_a_stamp_is_the_foot_of_a_page() -> None:
    stamp = "Declassified/Released US Department of State EO Systematic Review 30 JUN 2005"
    telegram = read(
        f"SUBJ: X\n\n1. THE LAMP OF\n\nUNCLASSIFIED\n\n{stamp}\n\n\nTHE LAKE IS LIT.\nROE\n"
    )
    assert [block.text for block in telegram.body] == ["THE LAMP OF THE LAKE IS LIT."]


def test_the_heads_of_mails_above_a_telegram_say_nothing_about_it() -> None:
    telegram = (
        "R 121530Z MAR 07\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC 4321\nUNCLAS BERN 000123\n\n"
        "E.O. 12958: N/A\nTAGS: EWWT, SZ\nSUBJECT: LIGHTHOUSES\n\n1. LIT.\nROE\n"
    )
    head = (
        "From: Larkin, Jane\nSent: Monday, March 12, 2007 4:00 PM\nTo: Roe, John;\n  Poe, Edgar\n"
        "Cc: Doe\nSubject: FW: BERN 123: LIGHTHOUSES\n\n"
    )
    alone = reftel.read(telegram)
    for above in (
        head,
        f"Page 1 of 2\n\n{head}",
        f"{head}FYI.\n\n{head}",
        head.replace("\n", "\n\n"),
    ):
        sent_on = reftel.read(above + telegram)
        for name in (
            "mrn",
            "dtg",
            "originator",
            "action",
            "subject",
            "tags",
            "passing",
            "signature",
        ):
            assert getattr(sent_on, name) == getattr(alone, name), name
        assert "mail-header" in [each.kind for each in sent_on.elements]
    smart = (
        "UNCLASSIFIED\n\nMRN: 13 BERN 123\nDate/DTG: May 14, 2013 / 141530Z MAY 13\nFrom: AMEMBASSY BERN\n"
        "Action: WASHDC, SECSTATE ROUTINE\nE.O.: 13526\nTAGS: PREL, SZ\nSubject: The lamp\n\n1. (U) Lit.\n"
    )
    assert reftel.read(head + smart).subject == "The lamp"
    assert reftel.read(head + smart).originator == reftel.read(smart).originator


def test_a_sign_that_parts_a_subject_from_what_follows_is_not_of_it() -> None:
    assert read("SUBJ: LIGHTHOUSES; REF: BERN 12\n1. Y.\n").subject == "LIGHTHOUSES"
