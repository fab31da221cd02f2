"""The search language as values: words, phrases, AND, OR, NOT, fields, dates (docs/search.md).

query  = or
or     = and *("OR" and)
and    = not *(["AND"] not)
not    = ("NOT" / "-") not / atom
atom   = "(" or ")" / field ":" words / field ":(" or ")" / words
words  = DQUOTE text ["*"] DQUOTE ["~" number] / word ["*"]

Typographic quotation marks count as DQUOTE. Words and phrases in the brackets of a field are that field's.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias, get_args

from reftel.archive.words import words_in
from reftel.telegram import Dialect

HAS: dict[str, str] = {
    "attributes": "the Archives' catalogue entry",
    "citation": "a number that its text names",
    "date": "a date-time group that can be read",
    "distribution": "a list of offices",
    "doubt": "a doubt of the reader",
    "number": "a message reference number",
    "reference": "a REF line",
    "repair": "damage that was mended",
    "section": "a section line",
    "signature": "a signature",
    "subject": "a subject",
    "summary": "a summary",
    "withheld": "an exemption under which a review withheld something",
}
"""What `has:` can ask for."""

FORMS: tuple[str, ...] = get_args(Dialect)
"""What `form:` can ask for: the forms of telegram that the reader tells apart (docs/record.md)."""

FIELDS: dict[str, str] = {
    "post": "the post that sent it, as in its number: post:LAPAZ",
    "from": 'words of the originator: from:"AMEMBASSY BERN"',
    "to": "words of an action or information addressee: to:secstate",
    "action": "words of an action addressee: action:secstate",
    "info": "words of an information addressee: info:moscow",
    "office": "an office that it was distributed to: office:EUR",
    "drafted": "words of the drafter's line: drafted:doe",
    "approved": "words of the approver's line: approved:roe",
    "cleared": "words of a clearance: cleared:EUR/CE",
    "signed": "words of the signature: signed:vance",
    "subject": "words of the subject: subject:harbor",
    "tags": "a TAGS code: tags:PREL",
    "class": "the classification: class:confidential",
    "caption": "a caption: caption:EXDIS",
    "exemption": "an exemption from declassification or release: exemption:B1",
    "precedence": "the precedence for action: precedence:immediate",
    "mrn": "the message reference number, in any spelling: mrn:79BERN4120",
    "cites": "cites this number, in its references or its text: cites:79BERN4120",
    "has": f"has one of {', '.join(HAS)}: has:summary",
    "form": f"is in a form, one of {', '.join(FORMS)}: form:cable",
    "sent": "sent in that time: sent:1979-06, sent:1979-06-14..1979-07-02",
    "after": "sent on that day or later: after:1979-06",
    "before": "sent before that day: before:1980",
    "year": "sent in that year: year:1979",
}
"""Every field of the search language, with a sentence and an example for the help page."""

DEPTH_LIMIT = 50
LENGTH_LIMIT = 4000
NEAR_WORDS_LIMIT = 6
NEAR_LIMIT = 1000
TWICE_LIMIT = 20

TEXT_FIELDS = frozenset(
    ("from", "to", "action", "info", "drafted", "approved", "cleared", "signed", "subject")
)
"""Fields that hold words; the others hold codes, which match whole."""


class QueryError(ValueError):
    """A query that cannot be understood: what is wrong, and at which character (from 0)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class Words:
    """A word or phrase of the text; `prefix` for `word*`. With `near`, words of which each two stand in
    either order with at most so many others between them."""

    text: str
    phrase: bool = False
    prefix: bool = False
    near: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """The words of one field, or its code."""

    name: str
    words: Words

    @property
    def value(self) -> str:
        return self.words.text


@dataclass(frozen=True, slots=True)
class DateRange:
    """Sent from `first` up to, not including, `end`: numbers such as 19790601, `None` for open."""

    first: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Not:
    query: Query


@dataclass(frozen=True, slots=True)
class And:
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    queries: tuple[Query, ...]


Query: TypeAlias = Words | Field | DateRange | Not | And | Or

_QUOTED = re.compile('"[^"]*"?|“[^”]*”|„[^“”]*[“”]|«[^»]*»|»[^«]*«|”[^”]*”|[“„«]')
_TOKEN = re.compile(
    r"\s*(?:(?P<open>(?:(?P<before>[A-Za-z]+):)?\()|(?P<close>\))|(?P<minus>-(?=[^\s-]))"
    r"|(?P<field>[A-Za-z]+):(?=\S)(?P<value>\"[^\"]*(?:\"(?:~[^\s()]*)?)?|[^\s()]+)"
    r"|\"(?P<phrase>[^\"]*)(?P<end>\"?)(?P<near>(?<=\")~[^\s()]*)?|(?P<word>[^\s()\"]+))"
)


class Token(NamedTuple):
    """A piece of a query: `text` begins at `position`; a field has a `value`, which begins at `at`, a phrase
    maybe `~5`. What stands in the brackets of a field is a field's."""

    kind: str
    text: str
    position: int
    value: str = ""
    at: int = 0


def parse(text: str) -> Query | None:
    """The query as a value; `None` for an empty one, which finds everything.

    Raises `QueryError` for what cannot be understood.
    """
    if len(text) > LENGTH_LIMIT:
        raise QueryError(f"a query has at most {LENGTH_LIMIT} characters", LENGTH_LIMIT)
    tokens = tokens_of(text)
    if not tokens:
        return None
    parser = _Parser(tokens, len(text))
    query = parser.either(0)
    if parser.at < len(tokens):
        raise QueryError("a closing bracket without an opening one", tokens[parser.at].position)
    return query


def straight_quotes(text: str) -> str:
    """The query with each pair of typographic quotation marks as plain ones; all else stands where it
    stood."""

    def straight(quoted: re.Match[str]) -> str:
        marked = quoted[0]
        if marked[0] == '"':
            return marked
        # One that is not closed stays so, and is told.
        return '"' if len(marked) == 1 else '"' + marked[1:-1].replace('"', " ") + '"'

    return _QUOTED.sub(straight, text)


def tokens_of(text: str) -> list[Token]:
    """The pieces of a query. Raises `QueryError` for a phrase without an end, a field without a value, and
    a field within another's brackets."""
    text = straight_quotes(text)
    tokens: list[Token] = []
    # The field of each bracket that is open.
    fields: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        assert match is not None, "the pattern takes any character"
        at = match.end()
        start = match.start(match.lastgroup or 0)
        field = fields[-1] if fields else ""
        named = match["before"] or match["field"]
        if match["field"]:
            start = match.start("field")
        if named and field:
            message = f"{named}: stands in the brackets of {field}:; close these before it"
            raise QueryError(message, start)
        if match["open"]:
            fields.append(named or field)
            _known(fields[-1], start)
            tokens.append(Token("open", "(", at - 1))
        elif match["close"]:
            if fields:
                fields.pop()
            tokens.append(Token("close", ")", start))
        elif match["minus"]:
            tokens.append(Token("not", "-", start))
        elif match["field"]:
            tokens.append(Token("field", named, start, match["value"], match.start("value")))
        elif match["phrase"] is not None:
            opening = match.start("phrase") - 1
            if not match["end"]:
                message = "a quotation mark is not closed; add one, or leave it out"
                raise QueryError(message, opening)
            near = match["near"] or ""
            if field:
                tokens.append(Token("field", field, opening, text[opening:at], opening))
            else:
                tokens.append(Token("phrase", match["phrase"], opening + 1, near))
        elif match["word"] in ("AND", "OR", "NOT"):
            tokens.append(Token(match["word"].lower(), match["word"], start))
        else:
            _not_a_field(match["word"], start, text[at:].split())
            if field:
                tokens.append(Token("field", field, start, match["word"], start))
            else:
                tokens.append(Token("word", match["word"], start))
    return tokens


def _known(name: str, position: int) -> None:
    if name and name.lower() not in FIELDS:
        close = get_close_matches(name.lower(), FIELDS, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}:" if close else f"known are {', '.join(FIELDS)}"
        raise QueryError(f"no field {name}: ({hint})", position)


def _not_a_field(word: str, position: int, behind: list[str]) -> None:
    """A field's name with its value behind a blank would be looked for as two words."""
    name = word[:-1].lower()
    if not word.endswith(":") or name not in FIELDS:
        return
    if not behind:
        raise QueryError(f"{name}: is followed by nothing", position)
    raise QueryError(f"{name}: is followed by a blank; write {name}:{behind[0]}", position)


class _Parser:
    """Recursive descent over the tokens; `at` is the next one."""

    def __init__(self, tokens: list[Token], length: int) -> None:
        self.tokens = tokens
        self.at = 0
        self._length = length

    def _next(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def either(self, depth: int) -> Query:
        queries = [self._both(depth)]
        while (token := self._next()) and token.kind == "or":
            self.at += 1
            queries.append(self._both(depth))
        return queries[0] if len(queries) == 1 else Or(tuple(queries))

    def _both(self, depth: int) -> Query:
        queries = [self._negated(depth)]
        while (token := self._next()) and token.kind not in ("or", "close"):
            if token.kind == "and":
                self.at += 1
            queries.append(self._negated(depth))
        return queries[0] if len(queries) == 1 else And(tuple(queries))

    def _negated(self, depth: int) -> Query:
        negative = False
        while (token := self._next()) and token.kind == "not":
            negative = not negative
            self.at += 1
        query = self._atom(depth)
        return Not(query) if negative else query

    def _atom(self, depth: int) -> Query:
        token = self._next()
        if token is None:
            raise QueryError("the query ends where a word is expected", self._length)
        self.at += 1
        if token.kind == "open":
            return self._bracketed(token, depth)
        if token.kind == "field":
            return _field(token)
        if token.kind == "phrase":
            return _phrase(token.text, token.value, token.position, words=True)
        if token.kind == "word":
            return _word(token.text, token.position)
        raise QueryError(f"{token.text} where a word is expected", token.position)

    def _bracketed(self, opening: Token, depth: int) -> Query:
        if depth >= DEPTH_LIMIT:
            raise QueryError(f"brackets are {DEPTH_LIMIT} deep at most", opening.position)
        query = self.either(depth + 1)
        token = self._next()
        if token is None:
            raise QueryError("a bracket is not closed; add one, or leave it out", opening.position)
        self.at += 1
        return query


def _phrase(text: str, near: str, position: int, *, words: bool) -> Words:
    """Of `words`, or a code, which may be damaged and hold a star."""
    if not text.strip():
        raise QueryError("nothing stands between the quotation marks", position)
    if not near:
        prefix = text.rstrip().endswith("*")
        whole = text.rstrip("* ") if prefix else text
        if words:
            _no_star(whole, position)
        return Words(whole, phrase=True, prefix=prefix)
    behind = position + len(text) + 1
    if not near[1:].isascii() or not near[1:].isdigit() or int(near[1:]) > NEAR_LIMIT:
        message = f'how near is a number up to {NEAR_LIMIT}: "light dues"~5'
        raise QueryError(message, behind)
    if len(set(text.lower().split())) > NEAR_WORDS_LIMIT:
        raise QueryError(f"at most {NEAR_WORDS_LIMIT} words can be near each other", position)
    if "*" in text:
        message = "a word that is near another is written whole, without a star"
        raise QueryError(message, position + text.index("*"))
    standing = words_in(text)
    most = max(map(standing.count, standing), default=0)
    if most > 2:
        raise QueryError("a word can be near itself twice, not more often", position)
    if most == 2 and int(near[1:]) > TWICE_LIMIT:
        raise QueryError(f"a word is near itself with at most {TWICE_LIMIT} others between", behind)
    return Words(text, near=int(near[1:]))


def _word(text: str, position: int) -> Words:
    if not text.strip("*"):
        return Words(text)
    whole = text.rstrip("*")
    _no_star(whole, position)
    return Words(whole, prefix=whole != text)


def _no_star(text: str, position: int) -> None:
    if "*" in text:
        message = "a star stands at the end of a word only, for all that begin so"
        raise QueryError(message, position + text.index("*"))


def _field(token: Token) -> Query:
    name, value, at = token.text.lower(), token.value, token.at
    _known(token.text, token.position)
    if value.startswith('"'):
        text, end, near = value[1:].partition('"')
        if not end:
            message = "a quotation mark is not closed; add one, or leave it out"
            raise QueryError(message, token.position)
        words = Words("")
        if text.strip():
            words = _phrase(text, near, at + 1, words=name in TEXT_FIELDS)
    else:
        words = _word(value, at)
    if not words.text.strip():
        raise QueryError(f"{name}: is followed by nothing", token.position)
    if name in ("after", "before", "year", "sent"):
        return _dates(name, words.text, token.position)
    if words.text == "*":
        if name in TEXT_FIELDS:
            raise QueryError(f"{name}:* wants the beginning of a word before the star", at)
        return Field(name, Words("", prefix=True))
    if name not in TEXT_FIELDS and words.near is not None:
        raise QueryError(f"{name}: holds codes, which are not near each other", token.position)
    listed = {"has": tuple(HAS), "form": FORMS}.get(name)
    if listed and not words.prefix and words.text.lower() not in listed:
        raise QueryError(_no_value(name, words.text, listed), at)
    return Field(name, words)


def _no_value(name: str, value: str, values: tuple[str, ...]) -> str:
    near = get_close_matches(value.lower(), values, n=1, cutoff=0.5)
    hint = f"did you mean {name}:{near[0]}" if near else f"known are {', '.join(values)}"
    return f"no {name}:{value} ({hint})"


_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?\Z")


def _dates(name: str, value: str, position: int) -> DateRange:
    if name == "sent" and ".." in value:
        first, _, last = value.partition("..")
        if not first and not last:
            raise QueryError("sent: wants a day on one side of .. at least", position)
        since = _span(name, first, position)[0] if first else None
        until = _span(name, last, position)[1] if last else None
        if since is not None and until is not None and since >= until:
            raise QueryError(f"sent: {first} is after {last}; write the first day first", position)
        return DateRange(since, until)
    begin, end = _span(name, value, position)
    if name == "after":
        return DateRange(begin, None)
    if name == "before":
        return DateRange(None, begin)
    return DateRange(begin, end)


def _span(name: str, value: str, position: int) -> tuple[int, int]:
    """The days of a year, a month or a day, as numbers: the first of them, and the first after them."""
    match = _DATE.match(value)
    if match is None or (name == "year" and match[2]):
        form = "1979" if name == "year" else "1979, 1979-06 or 1979-06-30"
        raise QueryError(f"{name}:{value} is no date; write {name}:{form}", position)
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    if not 1 <= month <= 12 or not 1 <= day <= monthrange(max(year, 1), month)[1]:
        raise QueryError(f"{value} is no day of the calendar", position)
    first = year * 10_000 + month * 100 + day
    if match[3]:
        return first, first + 1
    if match[2]:
        return first, first - day + 101 if month < 12 else (year + 1) * 10_000 + 101
    return first, (year + 1) * 10_000 + 101


def words_of(query: Query | None) -> list[Words]:
    """The words and phrases that results must or may hold: what a snippet marks."""
    if isinstance(query, Words):
        return [query]
    if isinstance(query, Field) and query.name == "subject":
        return [query.words]
    if isinstance(query, And | Or):
        return [words for inner in query.queries for words in words_of(inner)]
    return []
