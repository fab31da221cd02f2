"""An archive in each of the stores that keep one, so that each behaves as the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reftel.archive import Archive
from tests.instruments.postgres import Server, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgres() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where an archive may be begun."""
    if request.param == "sqlite":
        return tmp_path / "archive"
    server: Server = request.getfixturevalue("server")
    return f"{server.database()}&folder={tmp_path / 'index'}"


@pytest.fixture
def archive(place: Path | str) -> Iterator[Archive]:
    with Archive.open(place) as opened:
        yield opened
