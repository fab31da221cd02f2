"""Keep and find: a folder with the telegrams (SQLite) and their search index (Tantivy)."""

from reftel.archive.archive import Archive, Progress
from reftel.archive.model import (
    Count,
    Document,
    Facets,
    Fragment,
    Hit,
    Order,
    Report,
    Results,
)
from reftel.archive.query import FIELDS, QueryError
from reftel.archive.results import results_to_json
from reftel.archive.store import StoreError
from reftel.sources import Problem

__all__ = [
    "FIELDS",
    "Archive",
    "Count",
    "Document",
    "Facets",
    "Fragment",
    "Hit",
    "Order",
    "Problem",
    "Progress",
    "QueryError",
    "Report",
    "Results",
    "StoreError",
    "results_to_json",
]
