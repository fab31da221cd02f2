"""Fragments as people write them: what the reader makes of a line or two, without the rest."""

from __future__ import annotations

import pytest

import reftel
from reftel.telegram import Telegram


def read(text: str) -> Telegram:
    return reftel.read(text, year=2007)


REFERENCES: list[tuple[str, list[str]]] = [
    ("REF: A. STATE 12345 B. BERN 100", ["07STATE12345", "07BERN100"]),
    ("REFS: (A) 2006 KABUL 5653 (B) KABUL 3934", ["06KABUL5653", "07KABUL3934"]),
    ("REF: SECSTATE 123456", ["07STATE123456"]),
    ("REFTEL: 08 SANAA 1985 AND PREVIOUS", ["08SANAA1985"]),
    ("REF: A) STATE 100 AND PREVIOUS", ["07STATE100"]),
    ("Ref: BERLIN 1234, B) PARIS 333", ["07BERLIN1234", "07PARIS333"]),
    ("REF: STATE 12345 (NOTAL)", ["07STATE12345"]),
    ("REF: A. 09 STATE 1234; B. 09 BERN 3", ["09STATE1234", "09BERN3"]),
    ("REF: A. A) BERN 12", ["07BERN12"]),
    ("REF: A) BERN 1 B) BERN 2 -- C) BERN 3", ["07BERN1", "07BERN2", "07BERN3"]),
    ("REF: STATE 1234, 1235 AND 1236", ["07STATE1234", "07STATE1235", "07STATE1236"]),
    ("REF: A. 04 THE HAGUE 1919", ["04THEHAGUE1919"]),
    ("REF: HELSINKI-0051", ["07HELSINKI51"]),
    ("REF: BERN 00000123", ["07BERN123"]),
    ("REF: A. BERN 123 \n     ¶B. BERN 124", ["07BERN123", "07BERN124"]),
    ("REF A: BERN 12\nREF B: STATE 33", ["07BERN12", "07STATE33"]),
    ("REF: PORT-AU-PRINCE 120", ["07PORTAUPRINCE120"]),
    ("REF: 2005 PORT AU PRINCE 1609", ["05PORTAUPRINCE1609"]),
    ("REF: A. JAKARTA 11234 (06)", ["06JAKARTA11234"]),
    ("REF: STATE 162091 DATED 8/5/2003", ["03STATE162091"]),
    ("REF: USNATO 123", ["07USNATO123"]),
    ("REF: USUN 123", ["07USUNNEWYORK123"]),
    ("REF: USUN NEW YORK 12", ["07USUNNEWYORK12"]),
    ("REF: UNVIE 33", ["07UNVIEVIENNA33"]),
    ("ref: a. bern 123", ["07BERN123"]),
    ("REF: A. BERN 123, B. 124", ["07BERN123", "07BERN124"]),
    ("REF: BERN 123, 125", ["07BERN123", "07BERN125"]),
    ("REF: STATE 115778 AND COPENHAGEN 130", ["07STATE115778", "07COPENHAGEN130"]),
    ("REF: A. 06BERN123", ["06BERN123"]),
    ("REF: 09 FOOVILLE 12 AND 13", ["09FOOVILLE12", "09FOOVILLE13"]),
    ("REF: ISLMABAD 1234", ["07ISLAMABAD1234"]),
    ("REF: EMAIL FROM SMITH TO JONES, JUNE 12", []),
    ("REF: SMITH/JONES EMAIL OF 12 MAY 2006", []),
    ("REF: MILLS LETTER TO BLAKE MAY 25", []),
    ("REF: IIR 6 888 0012 06", []),
    (
        "REF: A. BERN 12 (NOTAL) B. 06 BERN 3333 C. STATE 99 (2005)",
        ["07BERN12", "06BERN3333", "05STATE99"],
    ),
    ("REFS: A. USUN NEW YORK \n 123", ["07USUNNEWYORK123"]),
    ("REF: A. KUALA LUMPUR 33, B. STATE\n 1234", ["07KUALALUMPUR33", "07STATE1234"]),
    ("REF:  (A) STATE 026354; (B) LA PAZ 0608", ["07STATE26354", "07LAPAZ608"]),
    ("REF: STATE 1234/BERN 12", ["07STATE1234", "07BERN12"]),
    ("REF: A BERN 1234 B STATE 5678", ["07BERN1234", "07STATE5678"]),
    ("REF: 1) BERN 1234 2) STATE 5678", ["07BERN1234", "07STATE5678"]),
    ("REFERENCE: (A) MEXICO 12 (B) CIUDAD JUAREZ 123", ["07MEXICO12", "07CIUDADJUAREZ123"]),
    ("REF: 05 BERN 123 (NOTAL), 05 BERN 124, STATE 22", ["05BERN123", "05BERN124", "07STATE22"]),
    ("REF: TEHRAN 263, MOSCOW 1603", ["07TEHRAN263", "07MOSCOW1603"]),
    ("REF: A. BERN 12 OF DEC 4, 2006", ["06BERN12"]),
    ("REF: PARA 6 OF STATE 12345", ["07STATE12345"]),
    ("REF: DEA 468", ["07DEA468"]),
    ("REF: DEA 468 LETTER OF MARCH", []),
    ("REF: A. BUENOS AIRES (05) 2044", ["05BUENOSAIRES2044"]),
    ("REF(S): STATE 1", ["07STATE1"]),
    ("REF STATE 12345", ["07STATE12345"]),
    ("REFS: STATE 12345 A) BERN 123", ["07STATE12345", "07BERN123"]),
    ("REF: USEU BRUSSELS 123", ["07USEUBRUSSELS123"]),
    ("REF: USOSCE 12", ["07USOSCE12"]),
    ("REF: TEL AVIV 123 (EXDIS)", ["07TELAVIV123"]),
    ("REF: RIO DE JANEIRO 12; RIO 13", ["07RIODEJANEIRO12", "07RIODEJANEIRO13"]),
    ("REF: EMBASSY BERN 123", ["07BERN123"]),
    ("REF: AMEMBASSY BERN 123", ["07BERN123"]),
    ("REF: AMCONSUL LAHORE 44", ["07LAHORE44"]),
    (
        "REF: (A) BERN 123 (B) BERN 124 (C) BERN 125 (ALL NOTAL)",
        ["07BERN123", "07BERN124", "07BERN125"],
    ),
    (
        "REFS:  A.  BERN 1234\n       B.  BERN 1235 (SMITH LETTER)\n       C.  SMITH/JONES TELCON OF 4/5/06",
        ["07BERN1234", "07BERN1235"],
    ),
    ("REF: STATE 1 O1684", ["07STATE1"]),
    ("REF: BERN 123 PARA 5", ["07BERN123"]),
    ("REF: BAGHDAD 12345 -- NOTAL", ["07BAGHDAD12345"]),
    (
        "REF: A. FRANKFURT 123 B. NAHA 3 C. HO CHI MINH CITY 4",
        ["07FRANKFURT123", "07NAHA3", "07HOCHIMINHCITY4"],
    ),
    ("REF: LONDON 123 AND SUBSEQUENT", ["07LONDON123"]),
    (
        "REF: A. 08 CAIRO 2431 \nB. 08 CAIRO 2430 \nC. 07 CAIRO 3214 ",
        ["08CAIRO2431", "08CAIRO2430", "07CAIRO3214"],
    ),
    ("REF: a) BAKU 575", ["07BAKU575"]),
    ("REF: SECTO 1234", ["07SECTO1234"]),
    (
        "REF:  (A) STATE 100\n-     (B) BERN 200\n-     (C) BONN 300",
        ["07STATE100", "07BERN200", "07BONN300"],
    ),
    (
        "REF: A. LA PAZ 400 B. LA PAZ \n401 C. 04 LA \nPAZ 4000",
        ["07LAPAZ400", "07LAPAZ401", "04LAPAZ4000"],
    ),
    ("REF: LA PAZ 3295: LA PAZ A-70", ["07LAPAZ3295"]),
]


@pytest.mark.parametrize(("line", "numbers"), REFERENCES)
def test_references(line: str, numbers: list[str]) -> None:
    telegram = read(f"{line}\n\n1. (U) Text here.\n")
    assert [reference.mrn for reference in telegram.references if reference.mrn] == numbers


SUBJECTS: list[tuple[str, str]] = [
    ("SUBJECT: FOO BAR", "FOO BAR"),
    ("SUBJ: FOO BAR", "FOO BAR"),
    ("SUBJ:  FOO\nBAR BAZ\n\nREF: STATE 1\n", "FOO BAR BAZ"),
    ("SUBJECT:  FOO\n\nREF: STATE 1", "FOO"),
    ("Subject: Foo bar baz", "Foo bar baz"),
    ("SUBJECT FOO BAR", "FOO BAR"),
    ("UBJECT: FOO BAR", "FOO BAR"),
    ("SUBJECT: (U) FOO BAR", "(U) FOO BAR"),
    ("SUBJECT: (C/NF) FOO BAR", "(C/NF) FOO BAR"),
    ("SUBJECT: FOO BAR (U)", "FOO BAR (U)"),
    ("SUBJECT: (SBU) FOO\nBAR", "(SBU) FOO BAR"),
    ("SUBJECT: FOO - BAR \nCLASSIFIED BY: JOHN DOE, DCM, REASON 1.4 (B)", "FOO - BAR"),
    ("SUBJECT: FOO BAR REF: STATE 123", "FOO BAR"),
    ("SUBJECT: FOO BAR\n1. (C) SUMMARY: text", "FOO BAR"),
    ("SUBJECT: FOO BAR\n-------\nSUMMARY\n-------", "FOO BAR"),
    ("SUBJECT: FOO BAR\nSENSITIVE BUT UNCLASSIFIED; PROTECT ACCORDINGLY", "FOO BAR"),
    ("SUBJECT: FOO BAR\n\n(SBU) Some text", "FOO BAR"),
    ("SUBJECT: FOO\nBAR\n(A) STATE 123\n", "FOO BAR"),
    ("SUBJECT:FOO BAR", "FOO BAR"),
    ("SUBJECT;  FOO", "FOO"),
    ("SUBJECT- FOO", "FOO"),
    ("SUBJECT: INTERNATIONAL VISITOR\n-         PROGRAM", "INTERNATIONAL VISITOR PROGRAM"),
    ("SUBJECT: SWISS SAY\nSENSITIVE SITES SAFE", "SWISS SAY SENSITIVE SITES SAFE"),
    ("SUBJECT: SWISS SAY\nCONFIDENTIAL TALKS FAIL", "SWISS SAY CONFIDENTIAL TALKS FAIL"),
    ("SUBJECT: SWISS SAY\nSENSITIVE, SIPDIS\nREF: BERN 1", "SWISS SAY"),
    ("SUBJECT.  FOO", "FOO"),
    ('SUBJECT: FOO\'S "BAR", PART 1: BAZ', 'FOO\'S "BAR", PART 1: BAZ'),
    ("SUBJECT: FOO BAR \n \nBERN 00000123  001.2 OF 003 \n \n", "FOO BAR"),
    ("SUBJECT: FOO: THE REFERENCE: A TALE", "FOO: THE REFERENCE: A TALE"),
    ("SUBJECT: FOO\nREFS: A) STATE 1", "FOO"),
    ("SUBJ: FOO\nREFTEL: STATE 1", "FOO"),
    ("SUBJECT: FOO BAR\nTHIS IS AN ACTION REQUEST. SEE PARA 2.", "FOO BAR"),
    ("SUBJECT: Foo bar\n\nClassified By: DCM John Doe; Reason: E.O. 12958 1.4 (b)", "Foo bar"),
    ("TAGS: PREL, SZ SUBJECT: FOO BAR", "FOO BAR"),
    ("SUBJECT: FOO BAR\nBAZ QUX (PART 2 OF 3)\n", "FOO BAR BAZ QUX (PART 2 OF 3)"),
    ("SUBJECT: RESPONSE TO\nSTATE 12345 DEMARCHE", "RESPONSE TO STATE 12345 DEMARCHE"),
    ("SUBJECT: VISIT\nFOR THE PRESIDENT", "VISIT FOR THE PRESIDENT"),
    ("SUBJECT: FOO BAR\nClassified By: X", "FOO BAR"),
    (
        "SUBJECT: 2007 TRAFFICKING\nIN PERSONS REPORT: PART\n2 OF 3",
        "2007 TRAFFICKING IN PERSONS REPORT: PART 2 OF 3",
    ),
    ("SUBJECT: &FOO8 BAR", "&FOO8 BAR"),
    ("SUBJECT: FOO.\nREF: STATE 1", "FOO."),
    ("SUBJECT/TITLE: FOO", "FOO"),
    ("SUBJECT: FOO\nDERIVED FROM: DSCG 05-1\nDECL: X", "FOO"),
]


@pytest.mark.parametrize(("text", "subject"), SUBJECTS)
def test_subjects(text: str, subject: str) -> None:
    assert read(text).subject == subject


TAGS: list[tuple[str, list[str]]] = [
    ("TAGS: PREL, PGOV, SZ", ["PREL", "PGOV", "SZ"]),
    ("TAGS PREL PGOV SZ", ["PREL", "PGOV", "SZ"]),
    ("TAGS: PREL PGOV\nSZ\nSUBJECT: X", ["PREL", "PGOV", "SZ"]),
    ("TAGS: PRELSZ", ["PREL", "SZ"]),
    ("TAGS: ECONEFIN, SZ", ["ECON", "EFIN", "SZ"]),
    ("TAGS: OVIP (DOE, JANE R.), SZ", ["OVIP", "DOE, JANE R.", "SZ"]),
    ("TAGS: PREL, HUMAN RIGHTS, SZ", ["PREL", "HUMAN RIGHTS", "SZ"]),
    ("TAGS: KFRDCVISCMGT", ["KFRD", "CVIS", "CMGT"]),
    ("TAGS: PREL; PGOV; SZ.", ["PREL", "PGOV", "SZ"]),
    ("TAG: PREL, SZ", ["PREL", "SZ"]),
    ("tags: prel, sz", ["PREL", "SZ"]),
    ("AGS: PREL, SZ", ["PREL", "SZ"]),
    ("TAGS: PREL,\nPGOV, SZ", ["PREL", "PGOV", "SZ"]),
    ("TAGS: N/A", []),
    ("TAGS: [PREL](#) [SZ](#)", ["PREL", "SZ"]),
    ("TAGS: OVIP (ROE, JANE)", ["OVIP", "ROE, JANE"]),
    ("TAGS: OVIP (ROE JANE) SZ", ["OVIP", "ROE JANE", "SZ"]),
    ("TAGS: PREL/PGOV/SZ", ["PREL", "PGOV", "SZ"]),
    ("TAGS: PREL - PGOV - SZ", ["PREL", "PGOV", "SZ"]),
    ("TAGS: XF, XG, GAZA DISENGAGEMENT", ["XF", "XG", "GAZA DISENGAGEMENT"]),
    ("TAGS: CVIS, (DOE, JOHN), BL", ["CVIS", "DOE, JOHN", "BL"]),
    ("TAGS: PFOR, UR, US, (ROE)", ["PFOR", "UR", "US", "ROE"]),
    ("TAGS: PREL SZ SUBJECT: FOO", ["PREL", "SZ"]),
    ("TAGS: PREL, ISRAELI PALESTINIAN AFFAIRS, IS", ["PREL", "ISRAELI PALESTINIAN AFFAIRS", "IS"]),
    ("TAGS: PTER MARR, SZ", ["PTER", "MARR", "SZ"]),
    ("TAGS: P-REL, SZ", ["PREL", "SZ"]),
    ("TAGS: PREL SZ SIPDIS", ["PREL", "SZ"]),
]


@pytest.mark.parametrize(("line", "codes"), TAGS)
def test_tags(line: str, codes: list[str]) -> None:
    assert [tag.code for tag in read(line).tags] == codes


def test_a_caption_in_the_tags_line_is_a_caption() -> None:
    assert read("TAGS: PREL SZ SIPDIS").captions == ("SIPDIS",)


LABELS: list[tuple[str, str | None, str | None]] = [
    ("1. COMMENT AND ACTION REQUESTED: FOO BAR.", None, "COMMENT AND ACTION REQUESTED"),
    ("1. COMMENT ON THE DRAFT IS INVITED.", None, None),
    ("1. (C) SUMMARY On August 3 foo.", "C", "SUMMARY"),
    ("1. ((S) PATRONAGE", "S", None),
]


@pytest.mark.parametrize(("text", "marking", "label"), LABELS)
def test_labels_and_marks(text: str, marking: str | None, label: str | None) -> None:
    block = read(f"SUBJECT: X\n\n{text}\n").body[0]
    assert (block.marking, block.label) == (marking, label)


CLASSIFIED_BY: list[tuple[str, tuple[str | None, str | None, tuple[str, ...]]]] = [
    (
        "Classified By: Ambassador John Q. Doe, reasons 1.4 (b) and (d).",
        ("John Q. Doe", "Ambassador", ("1.4(b)", "1.4(d)")),
    ),
    ("CLASSIFIED BY: DCM JANE DOE, REASON 1.4 (B), (D)", ("JANE DOE", "DCM", ("1.4(b)", "1.4(d)"))),
    (
        "Classified By: Jane Doe, Political Counselor, for reasons 1.4 (B) and (D)",
        ("Jane Doe", "Political Counselor", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Charge d'Affaires John Doe for reasons 1.4(b,d)",
        ("John Doe", "Charge d'Affaires", ("1.4(b)", "1.4(d)")),
    ),
    (
        "CLASSIFIED BY: A/DCM JOHN DOE. REASON: 1.5 (B/D).",
        ("JOHN DOE", "A/DCM", ("1.5(b)", "1.5(d)")),
    ),
    (
        "CLASSIFIED BY: JOHN DOE, CG, BASRAH, DOS.\nREASON: 1.4 (b)",
        ("JOHN DOE", "CG, BASRAH, DOS", ("1.4(b)",)),
    ),
    (
        "Classified By: Pol/Econ Chief John Doe. Reason: 1.4 (d)",
        ("John Doe", "Pol/Econ Chief", ("1.4(d)",)),
    ),
    (
        "Classified By: Ambassador John Doe. Reason: E.O. 12958, 1.4 (b,d)",
        ("John Doe", "Ambassador", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: AMBASSADOR JOHN DOE FOR REASONS 1.4 (B) AND (D).",
        ("JOHN DOE", "AMBASSADOR", ("1.4(b)", "1.4(d)")),
    ),
    (
        "1. (U) Classified by Political Counselor Jane Doe. Reason: 1.5 (b) and (d).",
        ("Jane Doe", "Political Counselor", ("1.5(b)", "1.5(d)")),
    ),
    (
        "(U) CLASSIFIED BY EMBASSY POLITICAL OFFICER JOHN DOE, REASON 1.5 (D)",
        ("JOHN DOE", "EMBASSY POLITICAL OFFICER", ("1.5(d)",)),
    ),
    (
        "Classified By: Deputy Chief of Mission John R. Doe; reasons 1.4 (b, d)",
        ("John R. Doe", "Deputy Chief of Mission", ("1.4(b)", "1.4(d)")),
    ),
    (
        "CLASSIFIED BY CHARGE JOHN DOE FOR REASONS 1.5 B AND D",
        ("JOHN DOE", "CHARGE", ("1.5(b)", "1.5(d)")),
    ),
    (
        "Classified By: DAS John Doe, Reasons 1.4(b) and (d)",
        ("John Doe", "DAS", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: EUR/FO Jane McRoe for reasons 1.4 (b) and (d)",
        ("Jane McRoe", "EUR/FO", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Acting Political Counselor Jane Doe for reasons 1.4 (b) and (d)",
        ("Jane Doe", "Acting Political Counselor", ("1.4(b)", "1.4(d)")),
    ),
    ("Classified By: AMB. JOHN DOE, REASON 1.4 (B&D)", ("JOHN DOE", "AMB.", ("1.4(b)", "1.4(d)"))),
    (
        "Classified By: Classified by Ambassador John Doe for reasons 1.4 (b) and (d)",
        ("John Doe", "Ambassador", ("1.4(b)", "1.4(d)")),
    ),
    (
        "CLASSIFIED BY: JOHN DOE, DIRECTOR, EUR/WE, STATE\nREASON: 1.4(B)(D)",
        ("JOHN DOE", "DIRECTOR, EUR/WE, STATE", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: CDA John Doe for Reasons 1.4 (b, d)",
        ("John Doe", "CDA", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Consul General Jane Doe.  Reason 1.4 (b/d)",
        ("Jane Doe", "Consul General", ("1.4(b)", "1.4(d)")),
    ),
    ("Classified By: John Doe.  Reasons 1.4 (b) and (d)", ("John Doe", None, ("1.4(b)", "1.4(d)"))),
    (
        "CLASSIFIED BY POL/MIL COUNSELOR JOHN DOE, FOR REASONS 1.5 (B) AND (D).",
        ("JOHN DOE", "POL/MIL COUNSELOR", ("1.5(b)", "1.5(d)")),
    ),
    (
        "Classified By: PRM Assistant Secretary Richard P. Roe, reasons 1.4 (b) and (d)",
        ("Richard P. Roe", "PRM Assistant Secretary", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: (U) John Doe, Ambassador, for Reasons 1.4 (b) and (d)",
        ("John Doe", "Ambassador", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified by Econ Counselor Jane Doe reasons 1.4 (b,d)",
        ("Jane Doe", "Econ Counselor", ("1.4(b)", "1.4(d)")),
    ),
    (
        "CLASSIFIED BY: AMBASSADOR JOHN DOE, 1.4 (B), (D)",
        ("JOHN DOE", "AMBASSADOR", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: A. Richard Roe, Charge d'Affaires, Reason 1.4 (b) and (d)",
        ("A. Richard Roe", "Charge d'Affaires", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Ambassador John Roe per 1.4 (b) and (d)",
        ("John Roe", "Ambassador", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Ambassador James D. McRoe under Section 1.4 b/d",
        ("James D. McRoe", "Ambassador", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: EcoPol Chief Jane Doe for reasons 1.4 b and d.",
        ("Jane Doe", "EcoPol Chief", ("1.4(b)", "1.4(d)")),
    ),
    (
        "Classified By: Deputy Assistant Secretary of State for African Affairs Jane Doe for reasons 1.4 (b)",
        ("Jane Doe", "Deputy Assistant Secretary of State for African Affairs", ("1.4(b)",)),
    ),
    ("Classified By: By DCM Jane Doe for reasons 1.4 (b)", ("Jane Doe", "DCM", ("1.4(b)",))),
    (
        "CLASSIFIED BY: Jane Doe, Chief, Political Section, Department of State; REASON: 1.4(B)",
        ("Jane Doe", "Chief, Political Section, Department of State", ("1.4(b)",)),
    ),
    (
        "Classified By: USDel Head of Delegation, Jane Doe; E.O. 12958 Reason: 1.4 (b)",
        ("Jane Doe", "USDel Head of Delegation", ("1.4(b)",)),
    ),
    (
        "Classified By: NEA - A/S Jane Doe, Reasons 1.4(b)",
        ("Jane Doe", "NEA, A/S", ("1.4(b)",)),
    ),
    (
        "Classified By: The Ambassador, reasons 1.4 (b/d)",
        (None, "Ambassador", ("1.4(b)", "1.4(d)")),
    ),
]


@pytest.mark.parametrize(("line", "values"), CLASSIFIED_BY)
def test_classified_by(line: str, values: tuple[str | None, str | None, tuple[str, ...]]) -> None:
    by = read(f"SUBJECT: FOO\n\n{line}\n\n1. (C) Summary: text.\n").classified_by
    assert by is not None
    assert (by.name, by.title, by.reasons) == values


SUMMARIES: list[tuple[str, str | None]] = [
    ("1. (C) Summary: Foo bar. End summary.\n\n2. (C) Baz.", "Foo bar."),
    ("1. (C) SUMMARY. Foo bar. END SUMMARY.\n", "Foo bar."),
    ("1. Begin Summary: Foo. End Summary.\n", "Foo."),
    ("Summary\n-------\n1. (C) Foo bar.\n\nBody\n----\n2. (C) Baz.", "Foo bar."),
    ("1. (C) Summary: Foo bar.\n\n2. (C) Baz.", "Foo bar."),
    ("1. (C) SUMMARY AND COMMENT: Foo. END SUMMARY AND COMMENT.\n", "Foo."),
    ("1. (SBU) Summary and Action Request: Foo.\n\n2. (C) Baz.", "Foo."),
    ("1. (C) Summary: Foo.\n\n2. (C) Bar. End Summary.\n\n3. (C) Baz", "Foo.\n\nBar."),
    ("SUMMARY: FOO BAR. END SUMMARY.\n\n1. BAZ", "FOO BAR."),
    ("1. (C) (Summary) Foo bar. (End Summary)\n", "Foo bar."),
    ("1. SUMMARY (C): FOO. END SUMMARY.\n", "FOO."),
    ("1. (C) Summay: Foo.\n\n2. x", "Foo."),
    (
        "------- \nSummary \n------- \n \n1. (C) Foo \nbar. \n \n2. (C) Second. End summary. \n \n",
        "Foo bar.\n\nSecond.",
    ),
    ("1. (C) Key points: -- Foo.\n\n2. (C) x", None),
    (
        "Summary and Comment\n-------------------\n\n1. (C) Foo.\n\n2. (C) End Summary and Comment.\n\n3. x",
        "Foo.",
    ),
    ("SUMMARY\n\n1. (SBU) Foo.\n\nDETAILS\n\n2. Baz", "Foo."),
    ("1. (U) Executive Summary: Foo. End Summary.", "Foo."),
    ("¶1. (C) SUMMARY: Foo. END SUMMARY.", "Foo."),
    ("1. BEGIN SUMMARY.  FOO BAR.  END SUMMARY.", "FOO BAR."),
]


@pytest.mark.parametrize(("text", "summary"), SUMMARIES)
def test_summaries(text: str, summary: str | None) -> None:
    assert read(f"SUBJECT: FOO\n\n{text}").summary == summary


HEADING = "VZCZCXRO4086\nOO RUEHFK\nDE RUEHSW #0123 0730915\nZNR UUUUU ZZH\n"
ADDRESS = "FM AMEMBASSY BERN\nTO SECSTATE WASHDC\n"


def test_passing_and_attention_lines_are_taken_apart() -> None:
    telegram = read(
        f"O 140915Z MAR 07\n{ADDRESS}UNCLAS BERN 000123\n\nSTATE FOR ARA/AND, EB/IFD\n"
        "DEPT PASS TO USTR FOR JDOE; TREASURY FOR OASIA\nAMEMBASSY OTTAWA PASS TO AMCONSUL QUEBEC\n\n"
        "SUBJECT: X\n"
    )
    assert [(a.station, a.action, a.offices) for a in telegram.attention] == [
        ("STATE", "attention", ("ARA/AND", "EB/IFD")),
        ("DEPT", "pass", ("USTR", "JDOE")),
        ("TREASURY", "attention", ("OASIA",)),
        ("AMEMBASSY OTTAWA", "pass", ("AMCONSUL QUEBEC",)),
    ]


def test_a_number_with_letters_in_it_is_taken_when_another_place_confirms_it() -> None:
    confirmed = read(f"{HEADING}O 140915Z MAR 07\n{ADDRESS}UNCLAS BERN 00O123\n")
    assert confirmed.mrn is not None
    assert confirmed.mrn.short == "07BERN123"
    assert [(r.was, r.now) for r in confirmed.repairs] == [("00O123", "000123")]
    alone = read(f"O 140915Z MAR 07\n{ADDRESS}UNCLAS BERN 00O123\n")
    assert alone.mrn is None
    assert "mrn-unreadable" in [d.code for d in alone.diagnostics]


DATE_LINES = [
    "P 140915Z MAR 07",
    "P 140915 Z MAR 07",
    "P 140915 MARCH 07",
    "P140915Z MAR 07",
    "P 140915Z MAR07",
    "P 1409152 MAR 07",
    "P 14O9l5Z MAR O7",
    "P 140915Z MAR. 2007",
    "P 1 4 0 9 1 5 Z M A R 0 7",
    "PR 140915Z MAR 07 ZFF4",
    "p 140915z mar 07",
]


@pytest.mark.parametrize("line", DATE_LINES)
def test_date_time_groups_in_the_states_in_which_they_are_met(line: str) -> None:
    telegram = read(f"{line}\n{ADDRESS}UNCLAS BERN 0123\n")
    assert telegram.dtg == "2007-03-14T09:15:00Z"
    assert telegram.precedence == "PRIORITY"


def test_a_misspelt_month_is_settled_by_the_time_of_filing_or_left_open() -> None:
    settled = read(f"{HEADING}O 140915Z MAT 07\n{ADDRESS}UNCLAS BERN 000123\n")
    assert settled.dtg == "2007-03-14T09:15:00Z"
    assert [(r.was, r.now) for r in settled.repairs] == [("MAT", "MAR")]
    left_open = read(f"O 140915Z JIN 07\n{ADDRESS}UNCLAS BERN 000123\n")
    assert left_open.dtg is None
    assert "dtg-unreadable" in [d.code for d in left_open.diagnostics]
    assert left_open.mrn is not None, "the number needs only the year"


MISSPELT = [("SEFSITIVE", "SENSITIVE"), ("SIDPIS", "SIPDIS"), ("NODDIS", "NODIS")]


@pytest.mark.parametrize(("line", "caption"), MISSPELT)
def test_a_misspelt_caption_is_read_when_it_can_be_only_one(line: str, caption: str) -> None:
    text = f"R 140915Z MAR 07\n{ADDRESS}UNCLAS BERN 000123\n\n{line}\n\nTAGS: PREL\nSUBJECT: X\n"
    telegram = read(text)
    assert telegram.captions == (caption,)
    assert [(r.was, r.now, r.why) for r in telegram.repairs] == [
        (line, caption, "caption misspelt")
    ]


RULE = "-" * 25


def test_rules_in_lines_run_together_part_headings_from_the_text_between_them() -> None:
    said = " ".join(["The lamp was lit, and the press wrote about the harbour."] * 4)
    text = f"{RULE} The press: {RULE} {said} {RULE} The harbour: {RULE}"
    telegram = read(f"R 140915Z MAR 07\n{ADDRESS}UNCLAS BERN 000123\n\nSUBJECT: X\n\n{text}\n")
    assert [(block.kind, block.text) for block in telegram.body] == [
        ("heading", "The press:"),
        ("text", said),
        ("heading", "The harbour:"),
    ]


def test_an_address_s_second_half_is_read_as_far_as_it_goes() -> None:
    telegram = reftel.read("INFO AMEMBASSY BERN PRIORITY 12\nAMEMBASSY OSLO\n")
    assert [each.line for each in telegram.info] == ["AMEMBASSY BERN PRIORITY 12", "AMEMBASSY OSLO"]
