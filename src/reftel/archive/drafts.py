"""Drafts kept beside an archive: a text file each, never replaced by half of one."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from reftel.access import Reader

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}\Z")


class DraftNameError(ValueError):
    """A name that no draft can have; the message says what names look like."""


class Drafts:
    """A reader's drafts, in the folder `drafts` of an archive."""

    def __init__(self, archive: Path, reader: Reader) -> None:
        self.folder = archive / "drafts" / reader.folder

    def names(self) -> tuple[str, ...]:
        """The names of the drafts, the one saved last first."""
        files = self.folder.glob("*.txt") if self.folder.is_dir() else ()
        return tuple(p.stem for p in sorted(files, key=lambda p: -p.stat().st_mtime_ns))

    def read(self, name: str) -> str | None:
        """The text of a draft, `None` where there is none of that name."""
        path = self._path(name)
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def save(self, name: str, text: str) -> None:
        """Keep a draft under a name, in place of the one that had it; on disk when this returns."""
        path = self._path(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)

    def _path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise DraftNameError(
                f"{name!r} is no name for a draft: small letters, digits and hyphens, at most 80"
            )
        return self.folder / f"{name}.txt"
