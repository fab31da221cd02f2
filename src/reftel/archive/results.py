"""Results of a search as JSON-ready values: the same for the command line, the reading room and its API,
whose schemas are made from these types."""

from __future__ import annotations

from typing import Any

import msgspec

from reftel.archive.model import Count, Hit, Order, Results


class Result(msgspec.Struct, frozen=True, rename={"sender": "from"}, omit_defaults=True):
    """One result: `digest` identifies the document, `mrn` cites it. `dtg` is ISO 8601 UTC, `snippet` some
    forty words of the text. Of one that cannot be read, `damaged` says why and what to do."""

    mrn: str | None
    dtg: str | None
    sender: str | None
    classification: str | None
    captions: tuple[str, ...]
    subject: str | None
    snippet: str
    digest: str
    damaged: str | None = None


class FacetCounts(msgspec.Struct, frozen=True):
    """How many of all results have which value, most frequent first (years newest first)."""

    year: dict[str, int]
    post: dict[str, int]
    tags: dict[str, int]
    classification: dict[str, int]


class Found(msgspec.Struct, frozen=True):
    """A page of results: `total` counts all of them, `results` holds those from `offset` on. `cut` names
    the counts that have more values than are listed; `suggestion` is a query that finds something where a
    word of this one seems misspelt."""

    query: str
    order: Order
    total: int
    offset: int
    results: tuple[Result, ...]
    counts: FacetCounts
    cut: tuple[str, ...]
    suggestion: str | None


def found(results: Results) -> Found:
    facets = results.facets
    return Found(
        query=results.query,
        order=results.order,
        total=results.total,
        offset=results.offset,
        results=tuple(result(hit) for hit in results.hits),
        counts=FacetCounts(
            _counts(facets.year),
            _counts(facets.post),
            _counts(facets.tags),
            _counts(facets.classification),
        ),
        cut=facets.cut,
        suggestion=results.suggestion,
    )


def result(hit: Hit) -> Result:
    return Result(
        mrn=hit.mrn,
        dtg=hit.dtg,
        sender=hit.originator,
        classification=hit.classification,
        captions=hit.captions,
        subject=hit.subject,
        snippet="".join(fragment.text for fragment in hit.snippet),
        digest=hit.digest,
        damaged=hit.damaged,
    )


def results_to_json(results: Results) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(found(results))
    return values


def hit_to_json(hit: Hit) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(result(hit))
    return values


def _counts(counts: tuple[Count, ...]) -> dict[str, int]:
    return {count.value: count.count for count in counts}
