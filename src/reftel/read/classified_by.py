"""The Classified By line: who classified the telegram, in what position, and why.

clsby = "Classified By:" name ["," title] "Reason" [":"] section letters         content 3.15
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from reftel.telegram import ClassifiedBy

CLASSIFIED_LABEL: Final = re.compile(
    r"\s*(?:\*\*)?(?:[0-9]{1,2}\. *)?(?:\([A-Z]{1,3}\) *)?CLASS(?:IFIED)?\.? +BY\b\s*[:;.]?\s*",
    re.IGNORECASE,
)
FURTHER_LABEL: Final = re.compile(
    r"\s*(?:\([A-Z]{1,3}\) *)?"
    r"(?:DERIVED FROM|DECLASSIFY ON|(?P<reason>REASONS?(?=\s*:\s*(?:E\.?O|1\.[45]))))\s*:\s*",
    re.IGNORECASE,
)
"""What can stand on lines of their own below: the source it was classified from, until when, why."""
# Where the name ends: the word REASON, or the section of the order with the first letter.
_REASON: Final = re.compile(
    r"[\s,.;:(-]*(?:\b(?:FOR|PER|UNDER|PURSUANT TO|IAW|IN ACCORDANCE WITH|BASED ON|AND|BY|OF)\s+)?(?:THE\s+)?"
    r"(?:(?:(?:UNDER|OF|PER)\s+)?E\.?\s?O\.?\s*1[23][0-9]{3}[\s,.;:]*(?:FOR\s+)?)?"
    r"(?:(?:REASON(?:\(S\)|S)?|(?:SECTIONS?|SEC\.)(?=\W*1\.))(?!\w)\s*[:;.]*\s*|(?=\(?1\.[4-6]\s*[(\[]?\s*[A-H]\b))",
    re.IGNORECASE,
)
_SECTION: Final = re.compile(r"1\s?[.,]\s?([456])", re.IGNORECASE)
_LETTERS: Final = re.compile(r"(?<![A-Z])([A-H])(?![A-Z])", re.IGNORECASE)
_GLUED: Final = re.compile(r"[A-H]", re.IGNORECASE)
# What ends the letters of the reasons.
_NO_LETTERS: Final = re.compile(r"\bDECL|\bDERIVED|\b[0-9]{4}\b|\b[A-Z]{4,}", re.IGNORECASE)
_COMMA: Final = re.compile(r",(?!\s*(?:JR|SR|II|III)\b)", re.IGNORECASE)
_BY: Final = re.compile(r"\ABY\s+", re.IGNORECASE)
_DASHED: Final = re.compile(r"(.+?) -+ (.+)")
_ARTICLE: Final = re.compile(r"^THE\s+", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"\bAND\b|\bOR\b|&", re.IGNORECASE)
_MARK: Final = re.compile(r"\([A-Z]{1,3}\)\s*")
_TITLE_WORDS: Final = frozenset(
    """AMBASSADOR AMB CHARGE CHARGÉ D'AFFAIRES DAFFAIRES D'AFFAIRS AFFAIRES CHARGEE A.I AI CDA AD
    INTERIM DCM ADCM DPO
    A/DCM DEPUTY CHIEF CHIEFS MISSION CONSUL CONSULATE GENERAL CG PRINCIPAL OFFICER OFF PO MINISTER
    MINISTER-COUNSELOR COUNSELOR COUNSELLOR COUNS COUNSEL ACTING POL ECON POLITICAL ECONOMIC POLECON
    POLCOUNS ECONCOUNS POLOFF ECONOFF POLCHIEF ECONCHIEF POL/ECON POLITICAL/ECONOMIC POL-ECON POLMIL
    POL/MIL ASSISTANT ASST SECRETARY A/S DAS PDAS PDAS/ACTING U/S UNDER UNDERSECRETARY DIRECTOR OFFICE
    EMBASSY EMBASSY'S SECTION HEAD ATTACHE DEFENSE DAO LEGAL LEGATT PUBLIC AFFAIRS PAO MANAGEMENT
    REGIONAL SECURITY RSO COMMERCIAL AGRICULTURAL CONSULAR TEAM LEADER PRT COORDINATOR SPECIAL ENVOY
    REPRESENTATIVE REP PERMANENT EXECUTIVE STAFF SENIOR ADVISOR ADVISER COUNTRY VICE U.S US USG STATE DEPT
    DEPARTMENT BUREAU MILITARY EXTERNAL ENVIRONMENT SCIENCE TECHNOLOGY HEALTH LABOR FIRST SECOND THIRD
    REFUGEE TRADE UNIT DELEGATION DELEGATE OIC POLAD CONGEN FSO MGMT EUR NEA WHA EAP AF SCA SA INR ISN
    IRAN WATCHER TREASURY FINANCIAL INTERNAL FOREIGN POLICY OPERATIONS PLANNING TRANSITION GLOBAL""".split()
)
_LINKS: Final = frozenset(("OF", "FOR", "THE", "AND", "&", "TO", "AT", "IN", "-"))


# An officer classifies telegram after telegram in the same words.
@lru_cache(maxsize=1024)
def parse_classified_by(text: str) -> ClassifiedBy:
    """The values of the line's text, label removed. Reasons come as `1.4(b)`."""
    plain = " ".join(text.split())
    while again := CLASSIFIED_LABEL.match(plain):
        plain = plain[again.end() :]
    if mark := _MARK.match(plain):
        plain = plain[mark.end() :]
    plain = _BY.sub("", plain)
    reason = _REASON.search(plain)
    who = plain[: reason.start()] if reason else plain.partition("DECL")[0]
    reasons = parse_reasons(plain[reason.end() :]) if reason else ()
    name, title = _name_and_title(who.strip(" .,;:(-"))
    return ClassifiedBy(name, title, reasons)


def _name_and_title(who: str) -> tuple[str | None, str | None]:
    """Name and position: `DCM Jane Doe`, `Jane Doe, DCM`, `DCM, Jane Doe`, or only one of them."""
    head, rest = [*_COMMA.split(who, maxsplit=1), ""][:2]
    if not rest:
        head, _, rest = who.partition(";")
    if not rest and (dash := _DASHED.match(who)):
        head, rest = dash[1], dash[2]
    words = head.split()
    mixed = head != head.upper()
    at = _title_end(words, mixed)
    rest = rest.strip(" ,.;:")
    if at == 0:
        cut = next(
            (i for i, word in enumerate(words) if i and _is_title(word, mixed=False)), len(words)
        )
        behind = cut + _title_end(words[cut:], mixed)
        if cut == 1 and len(words) - behind >= 2:
            # One word that no list knows, a position, and a name: `EcoPol Chief Mike Hammer`.
            return _clean(" ".join(words[behind:])), " ".join(words[:behind])
        if cut == 1 and behind == len(words) and rest and _is_name(rest):
            return _clean(rest), " ".join(words)
        title = ", ".join(part for part in (" ".join(words[cut:]), rest) if part)
        return _clean(" ".join(words[:cut])), title or None
    title = " ".join(words[:at])
    if at < len(words):
        return _clean(" ".join(words[at:])), _drop_article(title)
    if rest:
        inner, more = _name_and_title(rest)
        if inner:
            return inner, _drop_article(f"{title}, {more}" if more else title)
        return None, f"{_drop_article(title)}, {more}"
    return None, _drop_article(title)


def _is_name(text: str) -> bool:
    words = text.split()
    return len(words) > 1 and not any(_is_title(word, mixed=False) for word in words)


def _title_end(words: list[str], mixed: bool) -> int:
    """How many words at the start are a position's."""
    at = 0
    for index, word in enumerate(words):
        if _is_title(word, mixed):
            at = index + 1
        elif word.upper().strip(".,:") not in _LINKS and not _in_a_field(words, at, index):
            break
    return at


def _in_a_field(words: list[str], at: int, index: int) -> bool:
    """Whether a word stands between FOR or OF and AFFAIRS: `for South and Central Asian Affairs`."""
    if not 0 < at <= index or words[at : at + 1] == [] or words[at].upper() not in ("FOR", "OF"):
        return False
    return any(word.upper().strip(".,:") == "AFFAIRS" for word in words[index + 1 : index + 5])


def _is_title(word: str, mixed: bool) -> bool:
    plain = word.upper().strip(".,:;()’'").replace("’", "'")
    if plain in _TITLE_WORDS or ("/" in plain and len(plain) > 2):
        return True
    if "-" in plain and all(part in _TITLE_WORDS for part in plain.split("-")):
        return True
    # In a line of mixed case a word of capitals is an office: PRM, EUR, USNATO.
    return mixed and word.isupper() and word.isalpha() and 2 <= len(word) <= 7


def _drop_article(title: str) -> str:
    return _ARTICLE.sub("", title).strip(" :;,")


def _clean(name: str) -> str | None:
    return name.strip(" ,.;:()") or None


def parse_reasons(text: str) -> tuple[str, ...]:
    """The reasons that a text names by section and letters, as `1.4(b)`."""
    section = _SECTION.search(text)
    if section is None:
        return ()
    letters = _BETWEEN.sub(" ", text[section.end() :])
    letters = _NO_LETTERS.split(letters, maxsplit=1)[0]
    # Letters may be glued in brackets: (BD)
    found = _LETTERS.findall(letters) or _GLUED.findall(letters.split(".")[0])
    unique = list(dict.fromkeys(letter.lower() for letter in found))
    return tuple(f"1.{section[1]}({letter})" for letter in unique)
