"""Where an archive is: a folder, or a database that a URL names with a folder here for its index."""

from __future__ import annotations

import uuid
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from reftel.archive.model import StoreError

SCHEMES = ("postgresql", "postgres")


def is_url(place: object) -> bool:
    return isinstance(place, str) and place.partition("://")[0] in SCHEMES


def parted(url: str, folders: Path | None = None) -> tuple[str, Path]:
    """The URL for the database alone, and the folder of its indexes: what `folder` in the URL names, or
    one among `folders`. Raises `StoreError`."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    named = options.pop("folder", None)
    # PostgreSQL's own URLs have %20 for a blank, never +.
    database = urlunsplit(parts._replace(query=urlencode(options, quote_via=quote)))
    if named:
        return database, Path(named).expanduser()
    if folders is None:
        raise StoreError(f"{url} names no folder for its index: add ?folder=/path/of/a/folder")
    host = parts.hostname or options.get("host", "local")
    name = "-".join(filter(None, (host, str(parts.port or ""), parts.path.strip("/"))))
    return database, folders / quote(name, safe="")


def name_of(folder: Path) -> str:
    """The name under which a database lists what has changed for the index in a folder: kept in the file
    `place`, with that file's own number in the file system. A copy of the folder has another number and
    gets a name of its own: what one of two under one name has seen to, the other would never hear of."""
    file = folder / "place"
    kept = file.read_text().split() if file.exists() else []
    if not kept or kept[1:] not in ([], [str(file.stat().st_ino)]):
        kept = [str(uuid.uuid4())]
        file.write_text(f"{kept[0]}\n")
    if len(kept) == 1:
        file.write_text(f"{kept[0]}\n{file.stat().st_ino}\n")
    return kept[0]
