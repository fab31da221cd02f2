"""An archive in each of the stores that keep one, so that each behaves as the other."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from reftel.access import OPEN, Label
from reftel.archive import Archive
from tests.archive.test_archive import incoming, make
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


_STORY = "the lamp burned and the keeper wrote down what passed by in the night; "


def _secret(number: int) -> str:
    text = make(number, text=f"secret lamp {number}", ref=f"BERN {number - 1}")
    return text.replace("UNCLAS BERN", "S E C R E T BERN").replace("N/A", "DECL: 03/01/2099")


def _texts(count: int = 40) -> list[str]:
    rng = random.Random(5)
    texts = []
    for number in range(1, count + 1):
        noise = " ".join(f"{rng.randrange(16**8):x}" for _ in range(60))
        if number % 5:
            text = f"lamp {number} {_STORY}{noise}"
            texts.append(make(number, text=text, ref=f"BERN {number + 1}"))
        else:
            texts.append(_secret(number))
    return [*texts, texts[0].replace(" wrote ", " wr*te ")]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with telegrams under two labels, a copy, decisions, and files beside it."""
    folder = tmp_path_factory.mktemp("care") / "archive"
    with Archive.open(folder) as archive:
        archive.add(incoming(*_texts()))
        digests = [hit.digest for hit in archive.search("lamp", limit=3).hits]
        archive.decide(digests[:1], Label("SECRET", ("NODIS",)), who="Roe", why="sources")
        archive.decide(digests[1:2], OPEN, who="Roe", why="known", opens=date(2031, 1, 1))
        assert archive.verify() == []
    (folder / "drafts").mkdir()
    (folder / "drafts" / "one.txt").write_text("a draft")
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "archive"))
