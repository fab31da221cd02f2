"""Results of a search as JSON-ready values: the same for the command line and the reading room."""

from __future__ import annotations

from typing import Any

from reftel.archive.model import Count, Hit, Results


def results_to_json(results: Results) -> dict[str, Any]:
    """`results` holds the page of results, `total` counts all of them, `counts` are the facets."""
    return {
        "query": results.query,
        "order": results.order,
        "total": results.total,
        "offset": results.offset,
        "results": [hit_to_json(hit) for hit in results.hits],
        "counts": {
            "year": _counts(results.facets.year),
            "post": _counts(results.facets.post),
            "tags": _counts(results.facets.tags),
            "classification": _counts(results.facets.classification),
        },
    }


def hit_to_json(hit: Hit) -> dict[str, Any]:
    return {
        "mrn": hit.mrn,
        "dtg": hit.dtg,
        "from": hit.originator,
        "classification": hit.classification,
        "captions": list(hit.captions),
        "subject": hit.subject,
        "snippet": "".join(fragment.text for fragment in hit.snippet),
        "digest": hit.digest,
    }


def _counts(counts: tuple[Count, ...]) -> dict[str, int]:
    return {count.value: count.count for count in counts}
