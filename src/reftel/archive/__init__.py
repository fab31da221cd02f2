"""Keep and find: a folder with the telegrams (SQLite) and their search index (Tantivy)."""

from reftel.archive.archive import Archive
from reftel.archive.model import (
    Card,
    Count,
    DamagedError,
    Document,
    Facets,
    Fragment,
    Hit,
    Order,
    Progress,
    Report,
    Results,
    StoreError,
)
from reftel.archive.query import FIELDS, QueryError
from reftel.archive.results import results_to_json
from reftel.archive.view import View
from reftel.sources import Problem

__all__ = [
    "FIELDS",
    "Archive",
    "Card",
    "Count",
    "DamagedError",
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
    "View",
    "results_to_json",
]
