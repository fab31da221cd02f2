"""More like this: the words that mark a telegram out, as a query."""

from __future__ import annotations

from collections import Counter
from math import log

import tantivy

from reftel.archive.index import Vocabulary, schema
from reftel.archive.words import words_in

_TERMS, _FEWER = 25, 10
_SHORTEST = 3
_FEW = 4
_SUBJECT_WEIGHT = 2.0


def alike(subject: str, text: str, held: Vocabulary, documents: int) -> tantivy.Query:
    """What finds telegrams that share the marked words of a subject and a text: those that stand often
    in it and seldom elsewhere, of `documents` in all. A fifth of them must be there."""
    counts = Counter(word for word in words_in(text) if _tells(word))
    often = {word: held.frequency(("text",), word) for word in counts}
    weights = {
        word: (1 + log(counts[word])) * log((documents + 1) / number)
        for word, number in often.items()
        # What stands here alone finds nothing else, and what stands everywhere tells nothing.
        if 1 < number <= max(documents // 2, _FEW)
    }
    marked = sorted(weights, key=lambda word: (-weights[word], word))
    # A word of every tenth telegram tells less than looking it up takes, unless there are few others.
    seldom = [word for word in marked if often[word] <= documents // 10]
    marked = seldom[:_TERMS] if len(seldom) >= _FEWER else marked[:_FEWER]
    headed = sorted({word for word in words_in(subject) if _tells(word)})
    terms = [
        (tantivy.Occur.Should, tantivy.Query.term_query(schema(), "text", word)) for word in marked
    ]
    terms += [
        (
            tantivy.Occur.Should,
            tantivy.Query.boost_query(
                tantivy.Query.term_query(schema(), "subject", word), _SUBJECT_WEIGHT
            ),
        )
        for word in headed
    ]
    if not terms:
        return tantivy.Query.empty_query()
    return tantivy.Query.boolean_query(
        terms, minimum_number_should_match=max(1, min(len(terms), len(marked) // 5))
    )


def _tells(word: str) -> bool:
    return len(word) >= _SHORTEST and not word.isdigit()
