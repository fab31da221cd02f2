"""The search language as values: words, phrases, AND, OR, NOT, fields, dates (docs/search.md).

query  = or
or     = and *("OR" and)
and    = not *(["AND"] not)
not    = ("NOT" / "-") not / atom
atom   = "(" or ")" / field ":" value / phrase / word ["*"]
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias

FIELDS: dict[str, str] = {
    "post": "the post that sent it, as in its number: post:LAPAZ",
    "from": 'words of the originator: from:"AMEMBASSY BERN"',
    "to": "words of an action or information addressee: to:secstate",
    "tags": "a TAGS code: tags:PREL",
    "class": "the classification: class:confidential",
    "caption": "a caption: caption:EXDIS",
    "mrn": "the message reference number, in any spelling: mrn:07TOKYO2483",
    "subject": "words of the subject: subject:harbour",
    "after": "sent on that day or later: after:1979-06",
    "before": "sent before that day: before:1980",
    "year": "sent in that year: year:1979",
}
"""Every field of the search language, with a sentence and an example for the help page."""

DEPTH_LIMIT = 50
LENGTH_LIMIT = 4000


class QueryError(ValueError):
    """A query that cannot be understood: what is wrong, and at which character (from 0)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class Words:
    """A word or phrase of the text; `prefix` for `word*`."""

    text: str
    phrase: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    value: str


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

_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=[^\s-]))"
    r"|(?P<field>[A-Za-z]+):(?=\S)(?P<value>\"[^\"]*\"?|[^\s()]+)"
    r"|\"(?P<phrase>[^\"]*)(?P<end>\"?)|(?P<word>[^\s()\"]+))"
)


class _Token(NamedTuple):
    kind: str
    text: str
    position: int
    value: str = ""


def parse(text: str) -> Query | None:
    """The query as a value; `None` for an empty one, which finds everything.

    Raises `QueryError` for what cannot be understood.
    """
    if len(text) > LENGTH_LIMIT:
        raise QueryError(f"a query has at most {LENGTH_LIMIT} characters", LENGTH_LIMIT)
    tokens = _tokens(text)
    if not tokens:
        return None
    parser = _Parser(tokens, len(text))
    query = parser.either(0)
    if parser.at < len(tokens):
        raise QueryError("a closing bracket without an opening one", tokens[parser.at].position)
    return query


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        assert match is not None, "the pattern takes any character"
        at = match.end()
        start = match.start(match.lastgroup or 0)
        if match["open"]:
            tokens.append(_Token("open", "(", start))
        elif match["close"]:
            tokens.append(_Token("close", ")", start))
        elif match["minus"]:
            tokens.append(_Token("not", "-", start))
        elif match["field"]:
            tokens.append(_Token("field", match["field"], match.start("field"), match["value"]))
        elif match["phrase"] is not None:
            if not match["end"]:
                message = "a quotation mark is not closed; add one, or leave it out"
                raise QueryError(message, match.start("phrase") - 1)
            tokens.append(_Token("phrase", match["phrase"], match.start("phrase")))
        elif match["word"] in ("AND", "OR", "NOT"):
            tokens.append(_Token(match["word"].lower(), match["word"], start))
        else:
            tokens.append(_Token("word", match["word"], start))
    return tokens


class _Parser:
    """Recursive descent over the tokens; `at` is the next one."""

    def __init__(self, tokens: list[_Token], length: int) -> None:
        self.tokens = tokens
        self.at = 0
        self._length = length

    def _next(self) -> _Token | None:
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
            if not token.text.strip():
                raise QueryError("nothing stands between the quotation marks", token.position)
            return Words(token.text, phrase=True)
        if token.kind == "word":
            return _word(token)
        raise QueryError(f"{token.text} where a word is expected", token.position)

    def _bracketed(self, opening: _Token, depth: int) -> Query:
        if depth >= DEPTH_LIMIT:
            raise QueryError(f"brackets are {DEPTH_LIMIT} deep at most", opening.position)
        query = self.either(depth + 1)
        token = self._next()
        if token is None:
            raise QueryError("a bracket is not closed; add one, or leave it out", opening.position)
        self.at += 1
        return query


def _word(token: _Token) -> Words:
    if token.text.endswith("*") and len(token.text) > 1:
        return Words(token.text.rstrip("*"), prefix=True)
    return Words(token.text)


def _field(token: _Token) -> Query:
    name = token.text.lower()
    value = token.value.strip('"').strip()
    if token.value.startswith('"') and (len(token.value) < 2 or not token.value.endswith('"')):
        raise QueryError("a quotation mark is not closed; add one, or leave it out", token.position)
    if name not in FIELDS:
        near = get_close_matches(name, FIELDS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}:" if near else f"known are {', '.join(FIELDS)}"
        raise QueryError(f"no field {token.text}: ({hint})", token.position)
    if not value:
        raise QueryError(f"{name}: is followed by nothing", token.position)
    if name in ("after", "before", "year"):
        return _dates(name, value, token.position)
    return Field(name, value)


_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?\Z")


def _dates(name: str, value: str, position: int) -> DateRange:
    match = _DATE.match(value)
    if match is None or (name == "year" and match[2]):
        form = "1979" if name == "year" else "1979, 1979-06 or 1979-06-30"
        raise QueryError(f"{name}:{value} is no date; write {name}:{form}", position)
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    if not 1 <= month <= 12 or not 1 <= day <= monthrange(max(year, 1), month)[1]:
        raise QueryError(f"{value} is no day of the calendar", position)
    first = year * 10_000 + month * 100 + day
    if name == "after":
        return DateRange(first, None)
    if name == "before":
        return DateRange(None, first)
    return DateRange(first, (year + 1) * 10_000 + 101)


def words_of(query: Query | None) -> list[Words]:
    """The words and phrases that results must or may hold: what a snippet marks."""
    if isinstance(query, Words):
        return [query]
    if isinstance(query, Field) and query.name == "subject":
        return [Words(query.value, phrase=" " in query.value)]
    if isinstance(query, And | Or):
        return [words for inner in query.queries for words in words_of(inner)]
    return []
