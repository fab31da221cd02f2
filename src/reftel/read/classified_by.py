"""The Classified By line: who classified the telegram, in what position, and why.

clsby = "Classified By:" name ["," title] "Reason" [":"] section letters         content 3.15
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from reftel.read.damaged_labels import is_near
from reftel.telegram import ClassifiedBy

CLASSIFIED_LABEL: Final = re.compile(
    r"\s*(?:\*\*)?(?:¶ ?)?(?:[0-9]{1,2}\. *)?"
    r"(?:\([A-Z]{1,3}\) *|\(?(?:C|S|TS|CONFIDENTIAL|SECRET) ?--? ?(?:THE )?ENTIRE TEXT[.)]* *)?"
    r"CLASS(?:IFIED)?\.? +BY\b\s*[:;.]?\s*",
    re.IGNORECASE,
)
FURTHER_LABEL: Final = re.compile(
    r"\s*(?:\([A-Z]{1,3}\) *)?"
    r"(?:DERIVED FROM|DECLASSIFY ON|(?P<reason>REASONS?(?=\s*:\s*(?:E\.?O|1\.[45]))))\s*:\s*",
    re.IGNORECASE,
)
"""What can stand on lines of their own below: the source it was classified from, until when, why."""
# Lines were cut at this column, words or not; a cut between words left the blank on the next line.
_CUT_AT: Final = 71
_WHOLE: Final = frozenset("AND BY FOR OF PER REASON REASONS TO THE UNDER".split())
# Where the name ends: the word REASON, or the section of the order with the first letter.
_LINK: Final = (
    r"(?:F[O0]?R|PER|UNDER|PURSUANT TO|IAW|IN ACCORDANCE WITH|BASED (?:[O0]N|UP[O0]N)|DUE TO|AND|BY|OF"
    r"|THE)"
)
_REASON: Final = re.compile(
    rf"[\s,.;:(?-]*(?:\b{_LINK}\s+){{0,3}}"
    r"(?:(?:E\.?\s?[O0]\.?\s*)?\b1[23][0-9]{3}[\s,.;:]*)?"
    rf"(?:\b{_LINK}\s+){{0,2}}"
    r"(?:\b(?:R ?E ?[AO]? ?S ?[O0] ?N(?: ?S\b|\(S\)|(?![A-Z]))|REA?OA?NS?\b|RASONS?\b|REAS\b(?=\s*\(?[A-H]\b)"
    r"|S ?E ?C ?T ?I ?O ?N ?S?(?=\W*1\.)|SEC\.(?=\W*1\.))(?!\w)\s*[:;.]*\s*(?:PARA\w*\s*)?"
    r"|(?=\(?1\s?[.,]\s?[2-6]\s?[.(\[]*\s*[A-H]\b))",
    re.IGNORECASE,
)
_SECTION: Final = re.compile(r"1\s?[.,]\s?([2-6])", re.IGNORECASE)
_LETTERS: Final = re.compile(r"(?<![A-Z])([A-H])(?![A-Z])", re.IGNORECASE)
_GLUED: Final = re.compile(r"[A-H]", re.IGNORECASE)
# What ends the letters of the reasons.
_NO_LETTERS: Final = re.compile(r"\bDECL|\bDERIVED|\b[0-9]{4}\b|\b[A-Z]{4,}", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"\bA ?N ?D\b|\bOR\b|&", re.IGNORECASE)
# `Classified By: Classified by`, `This message classified by`, `DOS CLASSIFICATION GUIDE BY`.
_AGAIN: Final = re.compile(
    r"(?:\A|.*\b)(?:CLASS?I?FI?ED|CLASSIFICATION GUIDE)\s+BY\b[\s:;.]*(?=\S)", re.IGNORECASE
)
_BY: Final = re.compile(r"\A(?:BY|[0-9]{1,2}\.)\s+", re.IGNORECASE)
_MARK: Final = re.compile(r"\([A-Z]{1,3}\)\s*")
_SUFFIX: Final = re.compile(r",\s*((?:JR|SR)\b\.?|I{2,3}\b|IV\b)", re.IGNORECASE)
_PARTS: Final = re.compile(r"[,;:](?!\s*\Z)|\s(?:-+|\?)\s")
_AFFAIRES: Final = re.compile(r"(?<=\bd),\s?(?=affair)", re.IGNORECASE)
_AD_INTERIM: Final = re.compile(r"\ba\. i\.", re.IGNORECASE)
_ORDER_LAST: Final = re.compile(r"[\s,.;(]*E\.?\s?O\.?\s*1[23][0-9]{3}\W*\Z", re.IGNORECASE)
_NUMBERS: Final = re.compile(r"[0-9]{2}")
_OFFICE_AND_NAME: Final = re.compile(r"(?<=[A-Z]{3})/(?=[A-Z][a-z]+ [A-Z])")
_ARTICLE: Final = re.compile(r"^THE\s+", re.IGNORECASE)
_INITIALS: Final = re.compile(r"(?:[A-Z]\.?|(?:[A-Z]\.){2,3})", re.IGNORECASE)
_SUFFIXES: Final = frozenset("JR SR II III IV".split())
_TITLE_WORDS: Final = frozenset(
    """AMBASSADOR AMB AMBASSADOR-AT-LARGE CHARGE CHARGÉ CHARGE' D'AFFAIRES DAFFAIRES D'AFFAIRS AFFAIRES D'
    DE'AFFAIRS CHARGEE A.I AI CDA AD INTERIM DCM ADCM DPO A/DCM DEPUTY CHIEF CHIEFS MISSION COM CONSUL
    CONSULATE GENERAL CG PRINCIPAL OFFICER OFFICIAL OFF PO MINISTER MIN MINISTER-COUNSELOR COUNSELOR
    COUNSELLOR COUNCILOR COUNCILLOR COUNS COUN COUNSEL MCOUNSELOR M/C MC M-C ACTING POL ECON POLITICAL
    ECONOMIC ECONOMICS ECONOMICAL POLECON ECOPOL ECPO POLCOUNS ECONCOUNS POLMINCOUNS POLMINCONS
    ECONMINCOUNS ECONMIN ECMIN EMIN POLOFF ECONOFF CONOFF EMBOFF POLCHIEF ECONCHIEF POL/ECON
    POLITICAL/ECONOMIC POL-ECON POLMIL POL/MIL POLITICAL-MILITARY ASSISTANT ASST SECRETARY A/S DAS PDAS
    PDAS/ACTING U/S UNDER UNDERSECRETARY DIRECTOR DIR OFFICE EMBASSY EMBASSY'S SECTION HEAD ATTACHE
    DEFENSE DAO LEGAL LEGATT PUBLIC AFFAIRS PAO MANAGEMENT REGIONAL SECURITY DIPLOMATIC RSO ARSO TDY
    COMMERCIAL AGRICULTURAL CONSULAR TEAM LEADER PRT COORDINATOR SPECIAL ENVOY REPRESENTATIVE REP
    PERMANENT PERMREP EXECUTIVE STAFF SENIOR ADVISOR ADVISER COUNTRY VICE U.S US USG STATE DEPT
    DEPARTMENT BUREAU MILITARY EXTERNAL ENVIRONMENT SCIENCE TECHNOLOGY HEALTH LABOR FIRST SECOND THIRD
    REFUGEE TRADE UNIT DELEGATION DELEGATE MEMBER USDEL CHAIRMAN CHAIR COMMISSIONER OIC POLAD CONGEN FSO
    IPO MGMT EUR NEA WHA EAP AF SCA SA IO INR ISN PRM VCI EB AIT USEU USUN USNATO USOSCE IRAN WATCHER
    TREASURY FINANCIAL INTERNAL FOREIGN POLICY OPERATIONS PLANNING TRANSITION GLOBAL GOVERNANCE
    INTERAGENCY PROVINCIAL INSTITUTIONAL REGION CONTROL ARMS COL LTC LTCOL MAJ MAJOR CAPT CAPTAIN CDR CMDR
    GEN BGEN RADM LT DR MR MRS MS""".split()
)
_LINKS: Final = frozenset(("OF", "FOR", "THE", "AND", "&", "TO", "AT", "IN", "ON", "-"))
# Long words of which a letter is often lost, doubled, misread or changed with the next one.
_OFTEN_MISSPELT: Final = tuple(
    """AMBASSADOR COUNSELOR COUNSELLOR DIRECTOR AFFAIRS AFFAIRES D'AFFAIRES D'AFFAIRS MINISTER
    REPRESENTATIVE SECRETARY POLITICAL ECONOMIC OFFICER PERMANENT ASSISTANT COORDINATOR""".split()
)
_LONG: Final = 6
_PARTICLES: Final = frozenset("DE LA DEL DELLA DA DOS DI VAN VON DER DEN LE BIN AL EL Y ST".split())
_MOST_NAMES: Final = 4


# An officer classifies telegram after telegram in the same words.
@lru_cache(maxsize=1024)
def parse_classified_by(text: str, column: int = 0) -> ClassifiedBy:
    """The values of the line's text, label removed; `column` is where in its line the text begins.
    Reasons come as `1.4(b)`."""
    plain = " ".join((_uncut(text, column) if "\n" in text else text).split())
    for opening in (_MARK, _AGAIN, _MARK, _BY):
        if match := opening.match(plain):
            plain = plain[match.end() :]
    reason = _REASON.search(plain)
    who = plain[: reason.start()] if reason else plain.partition("DECL")[0]
    reasons = parse_reasons(plain[reason.end() :]) if reason else ()
    if reason and who[-2:].upper() in _SUFFIXES and reason[0][:1] == ".":
        who += "."
    elif not reason:
        who = _ORDER_LAST.sub("", who)
    if not reasons and _NUMBERS.search(who):
        # References that strayed here, or damage.
        return ClassifiedBy(None, None)
    name, title = _name_and_title(who)
    return ClassifiedBy(name, title, reasons)


def is_cut(line: str) -> bool:
    """Whether a line is as long as those that were cut without regard to words."""
    return len(line.rstrip()) == _CUT_AT


def _uncut(text: str, column: int) -> str:
    """The text, with words whole that were cut at the end of a full line: `for re` and `asons`."""
    first, *others = text.split("\n")
    whole, above = first.rstrip(), " " * column + first
    for line in others:
        if not line.strip():
            continue
        head, tail = whole.rpartition(" ")[2], line.split()[0]
        cut = is_cut(above) and head[-1:].isalpha() and line[0].isalpha() and tail[0].isalpha()
        whole = f"{whole}{'' if cut and head.upper() not in _WHOLE else ' '}{line.strip()}"
        above = line
    return whole


def _name_and_title(who: str) -> tuple[str | None, str | None]:
    """Name and position: `DCM Jane Doe`, `Jane Doe, DCM`, `DCM, Jane Doe`, or only one of them."""
    plain = _AD_INTERIM.sub("a.i.", _AFFAIRES.sub("'", who))
    plain = _OFFICE_AND_NAME.sub(" - ", plain)
    suffix = _SUFFIX.search(plain)
    if suffix:
        plain = f"{plain[: suffix.start()]} {suffix[1]}{plain[suffix.end() :]}"
    parts = [part for each in _PARTS.split(plain) if (part := each.split())]
    found = [_parted(words) for words in parts]
    names = [at for at, (_, name, _) in enumerate(found) if name]
    if not names:
        return None, _ARTICLE.sub("", ", ".join(" ".join(words) for words in parts)).strip(
            " .,;:()"
        ) or None
    # One word alone is a name only where no other part holds one of more: `VCI, Jane Doe`.
    chosen = next((at for at in names if len(found[at][1]) > 1), names[0])
    titles = [" ".join(words) for words in parts]
    before, words, behind = found[chosen]
    titles[chosen : chosen + 1] = [" ".join(each) for each in (before, behind) if each]
    name = " ".join(words).strip(" ,;:()?-")
    if suffix:
        name = name.replace(f" {suffix[1]}", f", {suffix[1]}")
    if words[-1].upper() not in ("JR.", "SR."):
        name = name.rstrip(".")
    title = ", ".join(each.strip(" ,;:?-") for each in titles)
    if behind or chosen + 1 < len(parts):
        title = title.rstrip(".")
    return name or None, _ARTICLE.sub("", title).strip(" :;,") or None


def _parted(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The words of a part: those of a position, of the name behind it, of a position behind that."""
    # In a line of mixed case a word of capitals is an office, PRM or EUR, if it is not the name.
    mixed = not words[-1].isupper() and any(word != word.upper() for word in words)
    behind = len(words)
    while behind and (_is_title(words[behind - 1], mixed) or _is_link(words[behind - 1])):
        behind -= 1
    at, names = behind, 0
    while at and not _is_title(words[at - 1], mixed) and not _is_link(words[at - 1]):
        at -= 1
        names += not _is_initial(words[at])
    linked = at > 0 and _is_link(words[at - 1])
    if not names or (linked and (names == 1 or behind < len(words))):
        # `Secretary for Near Eastern Affairs`, `Chief of Party`
        return words, [], []
    if names == 1 and behind < len(words):
        # `Kirkuk Chief`
        return words, [], []
    if (linked and names > 2) or names > _MOST_NAMES:
        # `Ambassador to Ruritania John Doe`: the first words are the field's.
        at = _full_name(words, at, behind)
    return words[:at], words[at:behind], words[behind:]


def _full_name(words: list[str], first: int, end: int) -> int:
    """Where a given name and a surname begin that end before `end`."""
    at = end - 1
    while at > first and words[at].upper().strip(".,") in _SUFFIXES:
        at -= 1
    while at > first and words[at - 1].upper() in _PARTICLES:
        at -= 1
    while at > first and _is_initial(words[at - 1]):
        at -= 1
    return max(first, at - 1)


def _is_link(word: str) -> bool:
    return word.upper().strip(".,:") in _LINKS


def _is_initial(word: str) -> bool:
    return _INITIALS.fullmatch(word) is not None


def _is_title(word: str, mixed: bool) -> bool:
    plain = word.upper().strip(".,:;()?").replace("’", "'").replace("0", "O")
    if plain in _TITLE_WORDS or plain.strip("'") in _TITLE_WORDS:
        return True
    if "/" in plain and len(plain) > 1:
        return True
    if "-" in plain and len(plain) > 1:
        return all(_is_title(part, mixed) for part in word.split("-") if part)
    if len(plain) >= _LONG and any(
        plain[0] == title[0] and is_near(plain, title) for title in _OFTEN_MISSPELT
    ):
        return True
    return mixed and word.isupper() and word.isalpha() and 2 <= len(word) <= 7


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
