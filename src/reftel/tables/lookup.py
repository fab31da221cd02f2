"""Looking a code up by its letters, for people: any table, near misses named."""

from __future__ import annotations

from difflib import get_close_matches

from reftel.tables.data import FILES, Entry, entries


class UnknownCodeError(LookupError):
    """A kind of table, or a code, that the tables do not hold; `nearest` are what may be meant."""

    def __init__(self, what: str, given: str, nearest: tuple[str, ...]) -> None:
        hint = f"; did you mean {', '.join(nearest)}?" if nearest else ""
        super().__init__(f"no {what} {given!r} in the tables{hint}")
        self.given = given
        self.nearest = nearest


def lookup(kind: str | None, code: str) -> list[Entry]:
    """The rows whose code is `code`, in any case, in one table or (`kind` None) in all of them.

    Raises `UnknownCodeError` with the nearest codes when there is none.
    """
    kinds = [_kind(kind)] if kind else list(FILES)
    wanted = _plain(code)
    found = [entry for each in kinds for entry in entries(each) if _plain(entry.code) == wanted]
    if found:
        return found
    codes = {_plain(entry.code): entry.code for each in kinds for entry in entries(each)}
    near = get_close_matches(wanted, codes, n=3, cutoff=0.6)
    raise UnknownCodeError("code", code, tuple(codes[match] for match in near))


def _kind(kind: str) -> str:
    if kind in FILES:
        return kind
    raise UnknownCodeError("table", kind, tuple(get_close_matches(kind, FILES, n=3, cutoff=0.4)))


def table(kind: str) -> tuple[Entry, ...]:
    """All rows of one table. Raises `UnknownCodeError` for an unknown kind."""
    return entries(_kind(kind))


def _plain(code: str) -> str:
    return " ".join(code.upper().split())
