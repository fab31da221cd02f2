"""More like this: the words that mark a telegram out, as a query."""

from __future__ import annotations

from collections import Counter
from math import log

import tantivy

from reftel.archive.index import Vocabulary, schema
from reftel.archive.words import words_in

_TERMS = 25
_SHORTEST = 3
_FEW = 4
_SUBJECT_WEIGHT = 2.0


def alike(subject: str, text: str, held: Vocabulary, documents: int) -> tantivy.Query:
    """What finds telegrams that share the marked words of a subject and a text: those that stand often
    in it and seldom elsewhere, of `documents` in all. A fifth of them must be there."""
    counts = Counter(word for word in words_in(text) if _tells(word))
    weights = {
        word: (1 + log(count)) * log((documents + 1) / often)
        for word, count in counts.items()
        # What stands here alone finds nothing else, and what stands everywhere tells nothing.
        if 1 < (often := held.frequency(("text",), word)) <= max(documents // 2, _FEW)
    }
    marked = sorted(weights, key=lambda word: (-weights[word], word))[:_TERMS]
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
