"""The search language (docs/search.md) in Tantivy's form."""

from __future__ import annotations

import re
from itertools import combinations

import tantivy

from reftel import tables
from reftel.archive.index import schema
from reftel.archive.query import TEXT_FIELDS, And, DateRange, Field, Not, Or, Query, Words
from reftel.archive.words import pairs_of, words_in
from reftel.telegram import Mrn

_BOTH = ("subject", "text")
_SUBJECT_WEIGHT = 2.0
_LOWER = ("has", "form")


def build(query: Query | None) -> tantivy.Query:
    """Tantivy's form of a query."""
    if query is None:
        return tantivy.Query.all_query()
    if isinstance(query, Words):
        return _words(query)
    if isinstance(query, Field):
        return _field(query)
    if isinstance(query, DateRange):
        return _dates(query)
    if isinstance(query, Not):
        return _all(
            (tantivy.Query.all_query(), tantivy.Occur.Must),
            (build(query.query), tantivy.Occur.MustNot),
        )
    if isinstance(query, Or):
        return _all(*((build(inner), tantivy.Occur.Should) for inner in query.queries))
    assert isinstance(query, And)
    return _all(*((build(inner), tantivy.Occur.Must) for inner in query.queries))


def _words(words: Words) -> tantivy.Query:
    tokens = words_in(words.text)
    if not tokens:
        whole = words.phrase or words.near is not None
        return tantivy.Query.empty_query() if whole else tantivy.Query.all_query()
    either = [
        (
            tantivy.Query.boost_query(_in_field(name, tokens, words), _weight(name)),
            tantivy.Occur.Should,
        )
        for name in _BOTH
    ]
    return _all(*either)


def _in_field(name: str, tokens: list[str], words: Words) -> tantivy.Query:
    phrase: list[str | tuple[int, str]] = [*tokens]
    if words.near is not None:
        return _near(name, tokens, words.near)
    if words.prefix:
        if len(tokens) > 1:
            # Not the phrase prefix query, which looks at the first fifty words that begin so.
            phrase[-1] = f"{tokens[-1]}.*"
            return tantivy.Query.regex_phrase_query(schema(), name, phrase)
        return tantivy.Query.regex_query(schema(), name, f"{tokens[0]}.*")
    if len(tokens) > 1:
        # What one writes as one word (U.S.-EU) stands in the text as words in a row.
        whole = tantivy.Query.phrase_query(schema(), name, phrase)
        return _with_pairs(tokens, whole) if name == "text" else whole
    return tantivy.Query.term_query(schema(), name, tokens[0])


def _with_pairs(tokens: list[str], phrase: tantivy.Query) -> tantivy.Query:
    """A phrase of the text: where two of the commonest words stand in a row in it, the places of its words
    are compared only in telegrams where these two do; and of nothing but these two, not at all."""
    pairs = [
        tantivy.Query.term_query(schema(), "pairs", pair)
        for pair in dict.fromkeys(pairs_of(tokens))
    ]
    if not pairs:
        return phrase
    if len(tokens) == 2:
        return pairs[0]
    # They say where it can be, and nothing of its rank.
    where = (tantivy.Query.const_score_query(pair, 0.0) for pair in pairs)
    return _all((phrase, tantivy.Occur.Must), *((each, tantivy.Occur.Must) for each in where))


def _near(name: str, tokens: list[str], distance: int) -> tantivy.Query:
    """Each two of the words near each other; one that is written twice, near itself."""
    if len(tokens) == 1:
        return tantivy.Query.term_query(schema(), name, tokens[0])
    pairs = sorted(set(combinations(sorted(tokens), 2)))
    return _all(*((_pair(name, one, other, distance), tantivy.Occur.Must) for one, other in pairs))


def _pair(name: str, one: str, other: str, distance: int) -> tantivy.Query:
    """Two words near each other: a phrase of two words in one place, with slop, takes them in either order.
    A word that stands once would be both, so that of one word each distance is a phrase of its own."""
    if one != other:
        return tantivy.Query.phrase_query(schema(), name, [(0, one), (0, other)], slop=distance + 1)
    apart = (
        tantivy.Query.phrase_query(schema(), name, [(0, one), (between + 1, one)])
        for between in range(distance + 1)
    )
    return _all(*((each, tantivy.Occur.Should) for each in apart))


def _field(field: Field) -> tantivy.Query:
    if field.name in TEXT_FIELDS:
        tokens = words_in(field.words.text)
        if not tokens:
            return tantivy.Query.empty_query()
        names = ("action", "info") if field.name == "to" else (field.name,)
        return _all(
            *((_in_field(name, tokens, field.words), tantivy.Occur.Should) for name in names)
        )
    if field.words.prefix:
        begin = re.escape(field.value.lower() if field.name in _LOWER else field.value.upper())
        # Where there is no post, year or classification stands an empty one.
        return tantivy.Query.regex_query(schema(), field.name, f"{begin}.*" if begin else ".+")
    values = _raw_values(field.name, field.value)
    # A post without a letter is none, and not the empty one.
    terms = [tantivy.Query.term_query(schema(), field.name, value) for value in values if value]
    return _all(*((term, tantivy.Occur.Should) for term in terms))


def _dates(dates: DateRange) -> tantivy.Query:
    first = max(dates.first or 1, 1)
    end = dates.end if dates.end is not None else 99_999_999
    if end <= first:
        return tantivy.Query.empty_query()
    days = tantivy.Query.range_query(
        schema(), "day", tantivy.FieldType.Unsigned, first, end, True, False
    )
    # By itself it adds to the rank of some: those in a part of the index that does not lie within it whole.
    return tantivy.Query.const_score_query(days, 0.0)


def _weight(field: str) -> float:
    return _SUBJECT_WEIGHT if field == "subject" else 1.0


def _all(*clauses: tuple[tantivy.Query, tantivy.Occur]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(occur, query) for query, occur in clauses])


def _raw_values(name: str, value: str) -> list[str]:
    """The spellings under which a field's value is indexed."""
    if name == "post":
        letters = "".join(c for c in value.upper() if c.isalpha())
        return list({letters, tables.canonical_post(value) or letters})
    if name in ("mrn", "cites"):
        mrn = Mrn.parse(value)
        return [mrn.short if mrn else value.upper()]
    if name == "class":
        return [_full_class(value)]
    return [value.lower() if name in _LOWER else value.upper()]


def _full_class(value: str) -> str:
    """The classification that a short form stands for: `U`, `SBU`, `LOU`, `C`, `S`, `TS`."""
    short = {
        "U": "UNCLASSIFIED",
        "UNCLAS": "UNCLASSIFIED",
        "SBU": "SENSITIVE BUT UNCLASSIFIED",
        "LOU": "LIMITED OFFICIAL USE",
        "C": "CONFIDENTIAL",
        "S": "SECRET",
        "TS": "TOP SECRET",
    }
    return short.get(value.upper(), value.upper())
