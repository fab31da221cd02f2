"""The REF lines: what a telegram refers to, item by item; and what its text cites.

ref = label item *(sep item); item = [enumerator] cite ["(" note ")"]
cite = [yy SP] post SP serial | post SP "A-" serial | post SP dtg | free text     content 3.14
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from reftel import tables
from reftel.read.dates import find_date
from reftel.read.elements import Piece
from reftel.telegram import Mrn, Reference, ReferenceKind, Span, written_year

REF_LABEL: Final = re.compile(
    r"\s*(?:\*\*)?(?:A\. ?(?=REF ))?(?:\(?(?:RE?F|REF ?TEL)(?:S|\(S\)|TELS?|ERENCES?|ERENCE\(S\))?|RETELS?)"
    r"(?:\s*(?:[:;]|\.(?! ?[A-Z]\b)|-+(?= *[A-Z]))[\s.:*]*|\s+(?=\(?[A-Z]\)?[.):] ?|\(?[A-Z]\) ?)"
    r"|\s+(?-i:(?=(?:[0-9]{2,4} ?)?[A-Z][A-Z ]{2,20} [0-9]{2,8})))",
    re.IGNORECASE,
)
# label = "(A)" | "A." | "A)" | "A:"; a pilcrow put before it by the publisher; sometimes twice
_ENUMERATOR: Final = re.compile(
    r"(?:(?<=\A)|(?<=[\s;,:.\n(-])(?<![A-Z]\.))(?:¶ ?)?(?:(?:REF|AND|&) )?"
    r"(?:\((?P<a>[A-Z])\)[.:]?|\[(?P<e>[A-Z])\]|(?P<b>[A-Z]) ?[.):](?!\S\.)"
    r"|(?P<c>[A-Z])-(?= ?[0-9]{2} [A-Z]{4}| [A-Z]{4}))[ \t]*"
    r"(?:\((?P<again>[A-Z])\)[ \t]*|(?P=b)[.)][ \t]*)?",
    re.IGNORECASE,
)
_BARE_ENUMERATOR: Final = re.compile(
    r"(?:(?<=\A)|(?<=[\s;,]))(?:REF )?(?P<b>[A-Z])[ \t]+(?=(?:[0-9]{2} ?)?[A-Z]{4,}[A-Z ]* [0-9]{2,8})"
)
_NUMBERED: Final = re.compile(
    r"(?:(?<=\A)|(?<=[\s;,]))\(?(?P<n>[1-9])[.)][ \t]*(?=(?:[0-9]{2} )?[A-Z])"
)
_CITE: Final = re.compile(
    r"(?<![A-Z0-9])(?:\(?['’]?(?P<year>(?:19[5-9]|20[0-4])[0-9]|[0-9]{2})\)?[\s-]*)?"
    r"(?P<post>[A-Z][A-Z.'’]*(?:(?:[ \t\n]+|-|/)[A-Z][A-Z.'’]*){0,5}?)"
    r"(?:[ \t\n]*(?:TELS?\.?|CABLES?|TELEGRAMS?|MSG|NO\.?|NR\.?|NUMBER|#|-|:|,)){0,2}[ \t\n]*"
    r"(?:\((?:C|S|U|LOU|SBU)\)[ \t]*)?"
    r"(?:\(?['’]?(?P<mid>0[0-9]|9[0-9])\)?[ -]+(?=[0-9]{2}))?"
    r"(?P<serial>[0-9](?:[0-9]|(?<=[0-9 ])O(?=[0-9])){0,7})"
    # `TREASURY 78-106` is no telegram's number.
    r"(?![0-9])(?!(?<![0-9]{3})-[0-9]{2})"
    # A page line: `BERN 00000123 002 OF 003`
    r"(?!\s+[0-9]{2,3}(?:\.[0-9])? OF [0-9])"
    r"(?!\s*(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*\b)(?!Z\b| ?Z [A-Z]{3}\b)"
    r"(?!(?:ST|ND|RD|TH)\b)(?![:.][0-9])(?!/[0-9]{1,2}/)(?! ?(?:PERCENT|MILLION|YEARS?|DAYS?)\b)"
    r"(?:[ \t]*(?:\(|OF |, )?(?P<after>(?:19[6-9]|20[0-4])[0-9])\b\)?|[ \t]*\(['’]?(?P<short>[0-9]{2})\)"
    r"|(?<=[0-9]{3})[-/ ](?P<behind>[0-9]{2})(?=[\s.]*(?:[,;]|\Z)))?",
    re.IGNORECASE,
)
_MORE_SERIAL: Final = re.compile(
    r"\s*(?:\((?!NOTAL)[^()]{0,30}\)|\(NOTAL\))?\s*(?:,?\s*AND|&|,|/|;)\s*(?:[A-Z][.)]\s*)?(?P<serial>[0-9]{2,8})"
    r"(?![0-9A-Z.:-]|/(?![0-9]{3})|\s+(?!AND\b)[A-Z]{3,}\s+[0-9]{2})(?!\s*(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b)"
    r"(?:[ \t]*\((?P<year>(?:19[6-9]|20[0-4])[0-9])\))?",
    re.IGNORECASE,
)
_AIRGRAM: Final = re.compile(r"\b(?:A|CA|TOAID A|AIDTO A)-? ?[0-9]{1,5}\b", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\s*(?:[;\n]|:(?= *[A-Z]{2}[A-Z ]))\s*")
_JOINT: Final = re.compile(
    r"\s*(?:,|&|\bAND\b|\bALSO\b|\bPLUS\b|/|--+)\s*(?:\bSEE\b\s*)?", re.IGNORECASE
)
_KINDS: Final[tuple[tuple[ReferenceKind, re.Pattern[str]], ...]] = (
    ("mail", re.compile(r"E-?MAIL|@|\bO-I\b|OFFICIAL.INFORMAL", re.IGNORECASE)),
    (
        "telephone",
        re.compile(r"TELE?CON|TELEPHONE|PHONE|FONECON|RADIO CALL|CONVERSATION", re.IGNORECASE),
    ),
    ("report", re.compile(r"\bIIR\b|\bI?IR [0-9]|REPORT|FBIS|\bTD[- ]?[0-9]", re.IGNORECASE)),
    ("telegram", re.compile(r"\bMSG\b|[0-3][0-9]{5} ?Z|CABLE|TELEGRAM|\bTEL\b", re.IGNORECASE)),
    (
        "document",
        re.compile(
            r"MEMO|LETTER|\bLTR\b|NOTE|\bC?A-? ?[0-9]|F[AM][HM]\b|FAM\b|HTTP|AIRGRAM|DIPNOTE",
            re.IGNORECASE,
        ),
    ),
)
# The halves of a post's name that was folded: `04 LA` and `PAZ 4000`.
_LAST_WORD: Final = re.compile(r"(?<![A-Z.])([A-Z][A-Z.]+)\s*\Z", re.IGNORECASE)
_WORD_AND_NUMBER: Final = re.compile(
    r"\s*([A-Z][A-Z.]+(?: [A-Z][A-Z.]+){0,2}) +[0-9]{1,8}\b", re.IGNORECASE
)
_YEAR_LAST: Final = re.compile(r"(?:[.)] ?|\A\s*)[0-9]{2}\s*\Z")
# Words that stand before numbers and are no post's name.
_NOT_A_POST: Final = frozenset(
    """JAN FEB MAR APR MAY JUN JUL AUG SEP SEPT OCT NOV DEC JANUARY FEBRUARY MARCH APRIL JUNE JULY AUGUST
    SEPTEMBER OCTOBER NOVEMBER DECEMBER AND PREVIOUS PARA PARAS PARAGRAPH MSG REF REFS REFTEL DTG OF NO NR
    NUMBER THE IN ON AT BY FROM FOR WITH SECTION SEC PAGE PART TEL CABLE TELEGRAM MEMO LETTER DATED SERIES
    EMAIL NOTE IIR IR REPORT ANNEX ARTICLE FY CY RESOLUTION UNSCR UNSC NOTAL SEE ALSO FAM FAH TAB LINE VOL
    SUBJECT CIRCULAR TO OR A AN IS AS CLASSIFIED REASON REASONS DECL EO TAGS ITEM CASE DOC FILE INFO
    MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY EXT TELEPHONE PHONE ROOM BOX SERIAL
    THRU THROUGH REFERENCE REFERENCES MY OUR YOUR
    CONTRACT LICENSE GRANT PROJECT PUBLIC LAW CHAPTER TITLE TABLE FIGURE PHASE ROUND GROUP CLASS""".split()
)
# EMBTEL is a telegram of the writer's own embassy, DEPTEL one of the Department's.
_OWN: Final = re.compile(r"(?P<department>DEPT)TELS?|(?:EMB|CON|MIS|MY|OUR)TELS?", re.IGNORECASE)
# Numbers that a telegram to or from a travelling party has besides its own.
_SERIES: Final = frozenset(("TOSEC", "SECTO", "TODEP", "DEPTO", "CADEL"))
# Posts that sent some 20,000 telegrams a year or more in the 1970s.
_BUSY: Final = frozenset(
    """BANGKOK BONN CAIRO GENEVA LONDON MANILA MEXICO MOSCOW NEWDELHI PARIS ROME SAIGON TELAVIV
    TOKYO""".split()
)
# What agencies in Washington sent to all posts is counted in one series.
_AGENCIES: Final = frozenset(("USIA", "USICA", "USDOC", "SECDEF", "JCS", "CIA", "DIA", "TREASURY"))
_OF_AN_AGENCY: Final = 400
_EARLY: Final = 40
# Numbers ran from July to June until July 1967; that count went on to the end of 1968.
_BY_FISCAL_YEAR: Final = frozenset((1966, 1967))
_LAST_FISCAL: Final = 1968
_HALF_YEAR: Final = 183
_LONG_AGO: Final = 20
_CITE_YEAR: Final = re.compile(r"[0-9]{2,4}\)?[ -]+[A-Z]", re.IGNORECASE)
_MONTH_DATED: Final = re.compile(r"\s*[(,]?\s*(?:DATED|OF|DTD|\()?\s*", re.IGNORECASE)


# A dash at the start of a line keeps its indentation on the wire.
_DASH_IN_FRONT: Final = re.compile(r"\n[ \t]*-[ \t]+")
_WORD_CHARACTER: Final = re.compile(r"\w")
_JOINT_AT_END: Final = re.compile(r"\s*\b(?:AND|ALSO|PLUS)\Z", re.IGNORECASE)
_NUMBER_FIRST: Final = re.compile(r"0*[0-9]{2,8}(?![0-9/])")
_NUMBER_ALONE: Final = re.compile(r"(0*[0-9]{2,8})(?: AND PREVIOUS| \(NOTAL\))?", re.IGNORECASE)
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}\Z")
_NUMBER_AND_POST: Final = re.compile(r"([0-9]{2,6}) ([A-Z][A-Z. ]{2,24})", re.IGNORECASE)
_ZERO_WITHIN: Final = re.compile(r"(?<=[A-Z])0(?=[A-Z])")
_CAPITALS_LAST: Final = re.compile(r"[A-Z]{3,}\s*\Z")
_CAPITALS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGIT: Final = re.compile(r"[0-9]")
_NAME_WORD: Final = re.compile(r"[A-Z][A-Z.'’]*", re.IGNORECASE)
_NO_CAPITAL: Final = re.compile(r"[^A-Z]")


ITEM: Final = re.compile(
    r"\s*(?:-\s+|¶ ?)?\(?(?P<letter>[A-Z]|[a-z](?=[.)] ?(?:[0-9]{2} )?[A-Za-z][A-Za-z ]+ [0-9]{2,7}\b))"
    r"(?:(?<=\(.)\)|[.)])\s*\S"
)
"""A line that opens with the letter of an item."""
CITED: Final = re.compile(r"(?:[0-9]{2} )?(?P<post>[A-Z][A-Z ]+) [0-9]{2,7}\b")
_NUMBERED_ITEM: Final = re.compile(
    r"\s*\(?(?P<n>[2-9])(?P<sign>[.)]) *(?:[0-9]{2} )?[A-Z][A-Z ]{2,24} [0-9]{1,7}[\s.,;]*\Z"
)
_LETTER: Final = re.compile(r"(?<![A-Za-z.])([A-Za-z])[.)](?![A-Z]\.)")
_UNFINISHED: Final = re.compile(
    r"(?:[ (,;][A-Z]|\A[A-Z])[.)] ?(?:(?:[0-9]{2} )?(?:[A-Z][A-Z. ]{1,24})?)?\Z", re.IGNORECASE
)
_REST: Final = re.compile(r"\s*(?:[A-Z][A-Z.]+ ){0,3}[0-9]{2}", re.IGNORECASE)
_ONE_CITED: Final = re.compile(
    r"\s*REF[A-Za-z()]{0,7}[ :.]+(?:[0-9]{2,4} )?[A-Z][A-Z. ]{2,24} [0-9]{2,7}(?: \(NOTAL\))?\.?\s*\Z"
)
_JOINED_ON: Final = re.compile(r"\s*(?:AND|ALSO|PLUS|OF|DATED|[(&,;])", re.IGNORECASE)
_NUMBERED_NAME: Final = re.compile(r"[A-Z ] [0-9]{2}")
_FEW_WORDS: Final = 3
_FEW_LINES: Final = 10


def is_next_number(lines: list[Piece], text: str) -> bool:
    """Whether a line is one whole citation whose number follows that of the line above: `2. BERN 12`."""
    item = _NUMBERED_ITEM.match(text)
    return item is not None and f"{int(item['n']) - 1}{item['sign']}" in lines[-1].text


def goes_on(lines: list[Piece], text: str, blank: bool) -> bool:
    """Whether a line can go on with the references of those above: an item whose letter follows (the
    next one, below a `blank` line), or a citation; below one whole citation that asks for no more, no
    sentence does."""
    if item := ITEM.match(text):
        near = reversed(lines[-_FEW_LINES:])
        letters = next((each for line in near if (each := _LETTER.findall(line.text))), None)
        steps = ord(item["letter"].upper()) - ord(letters[-1].upper() if letters else "A")
        fits = steps in ((1, 2) if blank else (0, 1, 2)) if letters else steps == 0 and not blank
    elif len(lines) > 1 or not _ONE_CITED.match(lines[0].text):
        return True
    else:
        fits = len(text.split()) <= _FEW_WORDS or _JOINED_ON.match(text) is not None
    if fits or not _NUMBERED_NAME.search(text):
        return fits
    return any(tables.canonical_post(cited["post"]) for cited in CITED.finditer(text))


def is_unfinished(line: str, text: str) -> bool:
    """Whether a line breaks off within a citation, and a text is its rest: `C) RIO`, `DE JANEIRO 12`."""
    return _UNFINISHED.search(line.rstrip()) is not None and _REST.match(text) is not None


class Citing(msgspec.Struct, frozen=True, gc=False):
    """The telegram that refers: what a year-less citation is resolved against."""

    year: int | None
    day_of_year: int | None
    post: str | None
    number: int | None


def parse_references(text: str, start: int, citing: Citing) -> list[Reference]:
    """The items of a REF line whose text begins at `start` of the source."""
    references: list[Reference] = []
    post: str | None = None
    # A nought within a name is an O; it has the same place.
    plain = _ZERO_WITHIN.sub("O", text) if "0" in text else text
    for enumerator, item, offset in _items(plain, citing):
        found, post = _read_item(enumerator, item, start + offset, citing, post)
        references.extend(found)
    if plain == text:
        return references
    return [
        replace(each, text=_trim(text[each.span.start - start : each.span.end - start]))
        for each in references
        if each.span is not None
    ]


def _items(text: str, citing: Citing) -> list[tuple[str | None, str, int]]:
    chain = _chain(text)
    if not chain:
        return [(None, item, at) for item, at in _split(text, 0)]
    items: list[tuple[str | None, str, int]] = []
    items += [(None, item, at) for item, at in _split(text[: chain[0][1]], 0)]
    ends = [start for _, start, _ in chain[1:]] + [len(text)]
    for (letter, _, begin), end in zip(chain, ends, strict=True):
        items += [
            (letter, item, at) for item, at in _rejoin(_split(text[begin:end], begin), citing)
        ]
    return items


def _chain(text: str) -> list[tuple[str, int, int]]:
    """The enumerators of a REF line with where each starts and ends. They run A, B, C: a lone
    capital with a point elsewhere is an initial."""
    chain: list[tuple[str, int, int]] = []
    for mark in _ENUMERATOR.finditer(text):
        letter = (mark["a"] or mark["b"] or mark["c"] or mark["e"]).upper()
        # `STATE 345 (B) BERN 12`: the first is A without saying so.
        second = (
            not chain
            and (mark["a"] or mark["b"]) in ("B", "b")
            and text[: mark.start()].strip()[-1:].isdigit()
        )
        if (
            second
            or _counts_on(chain, letter)
            or (chain and letter == chain[-1][0] and text[chain[-1][2] : mark.start()].strip())
        ):
            chain.append((letter, mark.start(), mark.end()))
    if chain:
        return _with_bare(text, chain)
    for pattern in (_BARE_ENUMERATOR, _NUMBERED):
        for mark in pattern.finditer(text):
            letter = mark["b"] if pattern is _BARE_ENUMERATOR else chr(64 + int(mark["n"]))
            if _counts_on(chain, letter):
                chain.append((letter, mark.start(), mark.end()))
        if len(chain) > 1:
            break
        chain.clear()
    else:
        return []
    if pattern is _NUMBERED:
        return [(str(ord(letter) - 64), start, end) for letter, start, end in chain]
    return chain


def _counts_on(chain: list[tuple[str, int, int]], letter: str) -> bool:
    if not chain:
        return letter == "A"
    step = ord(letter) - ord(chain[-1][0])
    return step in (1, 2)


def _with_bare(text: str, chain: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """The chain with letters that stand without a sign (`A. BERN 1 B BERN 2`) in their places."""
    for mark in _BARE_ENUMERATOR.finditer(text):
        letter = mark["b"]
        before = [each for each in chain if each[1] < mark.start()]
        after = [each for each in chain if each[1] > mark.start()]
        if before and letter == chr(ord(before[-1][0]) + 1) and (not after or after[0][0] > letter):
            chain = [*before, (letter, mark.start(), mark.end()), *after]
    return chain


def _rejoin(pieces: list[tuple[str, int]], citing: Citing) -> list[tuple[str, int]]:
    """Under one enumerator, a line that cites nothing goes on with the item above."""
    joined: list[tuple[str, int]] = []
    for item, at in pieces:
        if joined and not _cites(item, citing):
            joined[-1] = (f"{joined[-1][0]}\n{item}", joined[-1][1])
        else:
            joined.append((item, at))
    return joined


def _split(text: str, at: int) -> list[tuple[str, int]]:
    items: list[tuple[str, int]] = []
    position = 0
    for match in [*_SEPARATOR.finditer(text), None]:
        if match and text[match.start() : match.end()].strip() == "" and _folded(text, match):
            continue
        end = match.start() if match else len(text)
        item = text[position:end]
        stripped = item.strip(" \t\n\r,;.-")
        if _WORD_CHARACTER.search(stripped):
            items.append((stripped, at + position + item.index(stripped)))
        position = match.end() if match else end
    return items


def _folded(text: str, line_end: re.Match[str]) -> bool:
    """Whether a line was folded between a post and its number, or between the words of its name."""
    before, after = text[: line_end.start()], text[line_end.end() :]
    if _NUMBER_FIRST.match(after) and _CAPITALS_LAST.search(before):
        return True
    first, last = _LAST_WORD.search(before), _WORD_AND_NUMBER.match(after)
    if first and last and tables.canonical_post(f"{first[1]} {last[1]}"):
        return True
    if last and _YEAR_LAST.search(before):
        return True
    return before.rstrip()[-1:] in _CAPITALS and not _DIGIT.search(before.rpartition("\n")[2])


def _cites(item: str, citing: Citing) -> bool:
    return next(_cited(item, citing), None) is not None


def _cited(item: str, citing: Citing) -> Iterator[tuple[re.Match[str], tuple[str, int]]]:
    """The citations in an item, each with its post and where that one's name begins."""
    at = 0
    while (match := _CITE.search(item, at)) is not None:
        post = _post_of(match, citing)
        if post is not None:
            yield match, post
            at = match.end()
        else:
            # What is no number of that name may be the year of the next: `F. 09 BERN 12`.
            at = match.start("serial")
            if _CITE_YEAR.match(item, at) is None:
                at = match.end()


def _read_item(
    enumerator: str | None, item: str, at: int, citing: Citing, before: str | None
) -> tuple[list[Reference], str | None]:
    """The references of one item, and the post cited last (an item may hold only a number)."""
    found: list[tuple[re.Match[str], tuple[str, int]]] = []
    for match, post in _cited(item, citing):
        if found and post[0] in _SERIES and not item[found[-1][0].end() : post[1]].strip(" /,("):
            # `STATE 265879/TOSEC 123` is one telegram, numbered twice.
            continue
        found.append((match, post))
    if _AIRGRAM.search(item) and not any(int(m["serial"].replace("O", "0")) > 99 for m, _ in found):
        found = []
    if not found:
        return _uncited(enumerator, item, at, citing, before), before
    references: list[Reference] = []
    for index, (match, (name, name_at)) in enumerate(found):
        start = 0 if index == 0 else _begin(item, found[index - 1][0].end(), match, name_at)
        stop = len(item)
        if index + 1 < len(found):
            following, (_, next_name) = found[index + 1]
            stop = _begin(item, match.end(), following, next_name)
        piece = item[start:stop]
        text = _trim(piece)
        year = _year_of(match, item[match.end() : stop], citing)
        serials = [(int(match["serial"].upper().replace("O", "0")), year)]
        end = match.end()
        while (again := _MORE_SERIAL.match(item, end)) and again.end() <= stop:
            serials.append((int(again["serial"]), int(again["year"]) if again["year"] else year))
            end = again.end()
        lead = len(piece) - len(piece.lstrip(" \t\n,;&-"))
        span = Span(at + start + lead, at + start + lead + len(piece[lead:].rstrip(" \t\n,;&-")))
        references += [
            Reference(
                enumerator, "telegram", resolve_number(name, serial, sent, citing), text, span
            )
            for serial, sent in serials
            if serial
        ]
    return references, found[-1][1][0]


def _begin(item: str, end: int, match: re.Match[str], name_at: int) -> int:
    """Where the text of a citation begins that follows another one ending at `end`."""
    first = max(match.start() if match["year"] else name_at, end)
    joints = list(_JOINT.finditer(item, end, first))
    return joints[-1].end() if joints else first


def _trim(piece: str) -> str:
    text = " ".join(_DASH_IN_FRONT.sub(" ", piece).split()).strip(" ,;&-")
    return _JOINT_AT_END.sub("", text)


def _uncited(
    enumerator: str | None, item: str, at: int, citing: Citing, before: str | None
) -> list[Reference]:
    text = " ".join(item.split())
    span = Span(at, at + len(item))
    # A number alone is of the post cited last; under a letter, where none was, of the writer's own.
    post = before or (citing.post if enumerator else None)
    if post and (alone := _NUMBER_ALONE.fullmatch(text)) and (before or not _YEAR.match(text)):
        mrn = resolve_number(post, int(alone[1]), None, citing)
        return [Reference(enumerator, "telegram", mrn, text, span)]
    if (turned := _NUMBER_AND_POST.fullmatch(text)) and (post := tables.canonical_post(turned[2])):
        mrn = resolve_number(post, int(turned[1]), None, citing)
        return [Reference(enumerator, "telegram", mrn, text, span)]
    kind: ReferenceKind = next((kind for kind, found in _KINDS if found.search(item)), "other")
    return [Reference(enumerator, kind, None, text, span)]


def _post_of(match: re.Match[str], citing: Citing) -> tuple[str, int] | None:
    """The post that a citation names, in letters alone, and where its name begins.

    The words before the number are tried from the longest on; a name that no table knows may still
    be a post's when it stands alone and is one word of four letters or more.
    """
    name = match["post"]
    start = match.start("post")
    words = list(_NAME_WORD.finditer(name))
    if (own := _OWN.fullmatch(words[-1][0])) is not None:
        named = "STATE" if own["department"] else citing.post
        return (named, start + words[-1].start()) if named else None
    for word in words:
        rest = name[word.start() :]
        letters = _NO_CAPITAL.sub("", rest.upper())
        if letters in _NOT_A_POST or len(letters) < (2 if len(words) == 1 else 3):
            continue
        post = tables.canonical_post(rest, citing.year)
        if post and not (len(letters) < 4 and word is not words[0]):
            return post, start + word.start()
    last = words[-1][0].upper().strip(".'’")
    if last in _NOT_A_POST:
        return None
    if near := tables.misspelt_post(name if len(words) < 4 else last):
        return near, start
    alone = len(words) == 1 or all(word[0].upper() in _NOT_A_POST for word in words[:-1])
    # An agency of three letters (`DEA 468`) counts only when the item holds nothing else.
    whole = match.start() == 0 and match.end() == len(match.string.rstrip(" ."))
    if alone and len(last) >= (3 if whole else 4) and last.isalpha() and _telegram_number(match):
        return last, start + words[-1].start()
    return None


def _telegram_number(match: re.Match[str]) -> bool:
    """Whether a number behind an unknown name looks like that of a telegram, not like a year's."""
    serial = match["serial"]
    return len(serial) >= 2 and not (
        len(serial) == 4 and serial[:2] in ("19", "20") and not match["year"]
    )


def _year_of(match: re.Match[str], after: str, citing: Citing) -> int | None:
    for name in ("year", "mid", "short", "after"):
        if digits := match[name]:
            return written_year(digits)
    if match["behind"] and citing.year:
        # `BERN 1234-05`, if that can be a year: else it is the last of several numbers.
        year = written_year(match["behind"])
        if citing.year - _LONG_AGO <= year <= citing.year:
            return year
    dated = find_date(after[:40], citing.year or 2000)
    if dated and not re.search(
        r"[0-9A-Z]{3}", _MONTH_DATED.sub("", after[: dated[1]]), re.IGNORECASE
    ):
        return int(dated[0][:4])
    return None


def resolve_number(post: str, number: int, year: int | None, citing: Citing) -> str | None:
    """The short spelling; without a year, that of the citing telegram, or the one before when the
    number is larger than any that the post can have reached by then (January citing December)."""
    if year is None:
        if citing.year is None:
            return None
        year = citing.year - 1 if _beyond(post, number, citing) else citing.year
    letters = post if post.isalpha() and post.isascii() else Mrn.of(year, post, number).post
    return f"{str(year)[-2:]}{letters}{number}"


def _beyond(post: str, number: int, citing: Citing) -> bool:
    day, year = citing.day_of_year, citing.year
    if day is not None and year in _BY_FISCAL_YEAR and day > _HALF_YEAR:
        # Counted anew since July: a larger number is of the spring.
        return False
    if post == citing.post and citing.number is not None:
        return number > citing.number
    if day is None:
        return False
    if year in _BY_FISCAL_YEAR or year == _LAST_FISCAL:
        day += _HALF_YEAR
    # The busiest posts send some 40,000 telegrams a year, the Department some 400,000. In the first
    # weeks, when most citations of the year before are made, the others count too.
    early = day <= _EARLY and post not in _BUSY
    if post == "STATE":
        daily = 900 if early else 1200
    else:
        daily = _OF_AN_AGENCY if post in _AGENCIES else 60 if early else 140
    return number > daily * day + 5 * daily
