"""Texts made to keep a reader busy: each grows with `size`, and none may cost more than its length."""

from __future__ import annotations

from collections.abc import Callable

Hostile = Callable[[int], str]

_HEAD = "R 011200Z MAR 07\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\nUNCLAS BERN 0123\n"


def _repeat(before: str, unit: str, after: str = "") -> Hostile:
    return lambda size: before + unit * (size // len(unit)) + after


KINDS: dict[str, Hostile] = {
    "blanks": _repeat("", " ", "x"),
    "blank lines": _repeat(_HEAD, "\n"),
    "dashes": _repeat(_HEAD, "-"),
    "dashes and blanks": _repeat(_HEAD, "- "),
    "runs of dashes": _repeat(_HEAD, "-------- "),
    "rules between words": _repeat(f"{_HEAD}\n1. (C) ", "-------- word "),
    "signs": _repeat(_HEAD, "=_*~-"),
    "brackets": _repeat(f"{_HEAD}\n1. (C) ", "("),
    "closing brackets": _repeat(f"{_HEAD}\n1. (C) ", "word) and "),
    "eights": _repeat(f"{_HEAD}\n1. (C) ", "word8 "),
    "ampersands": _repeat(f"{_HEAD}\n1. (C) ", "&word "),
    "quotes": _repeat(f"{_HEAD}\n1. (C) ", '"&word8'),
    "quotes that lost both marks": _repeat(f"{_HEAD}\n1. (C) ", "&quoted8 "),
    "commas": _repeat(f"{_HEAD}\n1. (C) ", "word,s "),
    "letters apart": _repeat(f"{_HEAD}\n1. (C) ", "A "),
    "hyphens at line ends": _repeat(f"{_HEAD}\n1. (C) ", "WORD-\nTION "),
    "one word": _repeat(_HEAD, "A"),
    "one line": _repeat(f"{_HEAD}\n1. (C) ", "SOME WORDS OF A TEXT "),
    "digits": _repeat(_HEAD, "1"),
    "numbers": _repeat(f"{_HEAD}\n1. (C) ", "BERN 1234 "),
    "paragraphs": _repeat(_HEAD, "\n1. (C) x\n"),
    "pilcrows": _repeat(_HEAD, "¶1. "),
    "captions": _repeat(_HEAD, "SIPDIS "),
    "tags": _repeat(f"{_HEAD}TAGS: ", "PREL, "),
    "tags run together": _repeat(f"{_HEAD}TAGS: ", "PREL"),
    "persons": _repeat(f"{_HEAD}TAGS: ", "(DOE, JANE), "),
    "subject": _repeat(f"{_HEAD}SUBJECT: ", "WORD "),
    "subject lines": _repeat(f"{_HEAD}SUBJECT: ", "WORD\n"),
    "labels": _repeat(_HEAD, "SUBJECT: x TAGS: PREL "),
    "label lines": _repeat(_HEAD, "TAGS: PREL\nE.O. 12958: N/A\n"),
    "references": _repeat(f"{_HEAD}REF: ", "A. BERN 123 "),
    "references without numbers": _repeat(f"{_HEAD}REF: ", "BERN "),
    "reference words": _repeat(f"{_HEAD}REF: ", "WORD-AND/"),
    "reference list": _repeat(f"{_HEAD}REF: BERN 1", ", 123"),
    "reference lines": _repeat(f"{_HEAD}REF: ", "A. BERN 123\n"),
    "enumerators": _repeat(f"{_HEAD}REF: ", "A. "),
    "reftels": _repeat(f"{_HEAD}REF: A. BERN 1 B. BERN 2\n\n1. (C) ", "(REF A, B) "),
    "classified by": _repeat(f"{_HEAD}SUBJECT: X\nClassified By: ", "Chief "),
    "reasons": _repeat(f"{_HEAD}SUBJECT: X\nClassified By: A B, Reasons 1.4 ", "(b), "),
    "order": _repeat(f"{_HEAD}E.O. 12958: DECL: ", "25X1, "),
    "dates": _repeat(f"{_HEAD}E.O. 12958: DECL: ", "1/1/1/"),
    "addressees": _repeat("R 011200Z MAR 07\nFM A\nTO ", "RUEHSW/AMEMBASSY BERN PRIORITY 1234\n"),
    "one address": _repeat("R 011200Z MAR 07\nFM A\nTO ", "AMEMBASSY "),
    "routing": _repeat("VZCZCXYZ0001\nRR ", "RUEHSW "),
    "offices": _repeat("ACTION EUR-12\nINFO ", "OCT-01 ISO-00 "),
    "page lines": _repeat("PAGE 01  BERN 00123  011200Z\n", "PAGE 02  BERN 00123  011200Z\n"),
    "sections": _repeat(_HEAD, "BERN 00000123  002 OF 002\n"),
    "headings": _repeat("", _HEAD),
    "stamps": _repeat(_HEAD, "Declassified/Released US Department of State EO Systematic Review "),
    "catalogue": _repeat("Message Attributes\n", "Subject: X\nTAGS: Y\n"),
    "smart": _repeat("MRN: 13 BERN 1\nFrom: AMEMBASSY BERN\nInfo: ", "BERN, AMEMBASSY ROUTINE; "),
    "quoted": _repeat(f"{_HEAD}\n1. (C) x\n", "QUOTE\n" + _HEAD),
    "page": _repeat("<html><body><pre>\n" + _HEAD, "<b>x</b>&amp;"),
    "open tags": _repeat("<html><body><pre>\n" + _HEAD, "<b "),
    "mail": _repeat("From: a@b.example\nMessage-ID: <x@y>\nTo: ", '"A B" <a@b.example>, '),
    "mojibake": _repeat(f"{_HEAD}\n1. (C) ", "â€™"),
    "links": _repeat(f"{_HEAD}\n1. (C) ", "[x](#)"),
    "open links": _repeat(f"{_HEAD}\n1. (C) ", "[x]("),
    "bold": _repeat(f"{_HEAD}\n1. (C) ", "**x"),
}
"""Each kind of text by its name."""
