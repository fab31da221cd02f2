"""Many searches at once: a file of queries in, a table of their results out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from reftel.archive.model import TimeOrder
from reftel.archive.query import QueryError
from reftel.archive.view import View


class BatchRow(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """One result of one query; a query that finds nothing, or cannot be understood, has a row of its own
    without a result. `line` is the query's line in its file, `rank` counts from 1."""

    line: int
    query: str
    total: int | None
    rank: int | None = None
    digest: str | None = None
    mrn: str | None = None
    sent: str | None = None
    sender: str | None = None
    classification: str | None = None
    subject: str | None = None
    error: str | None = None


def queries_in(text: str) -> Iterator[tuple[int, str]]:
    """The queries of a file, one a line, with the number of the line; blank lines and those that begin
    with `#` are passed over."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def search_all(
    view: View, queries: Iterable[tuple[int, str]], order: TimeOrder, limit: int | None = None
) -> Iterator[BatchRow]:
    """The rows of all queries, in their order; at most `limit` results of each, if it is given."""
    for line, query in queries:
        try:
            total = view.search(query, limit=0).total
            documents = view.every(query, order)
        except QueryError as error:
            yield BatchRow(line, query, None, error=str(error))
            continue
        if not total or limit == 0:
            yield BatchRow(line, query, total)
        for rank, document in enumerate(islice(documents, limit), 1):
            t = document.telegram
            yield BatchRow(
                line,
                query,
                total,
                rank,
                document.digest,
                t.mrn.short if t.mrn else None,
                t.dtg,
                t.originator.name if t.originator else None,
                t.classification,
                t.subject,
                document.damaged,
            )
