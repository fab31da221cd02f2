"""Shared fixtures, and the two Hypothesis profiles: short every day, long by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from reftel.archive import Archive
from reftel.sources import walk
from tests.telegrams import ROOT

_CALM = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("short", deadline=None, max_examples=60, suppress_health_check=_CALM)
settings.register_profile("long", deadline=None, max_examples=5000, suppress_health_check=_CALM)
settings.load_profile(os.environ.get("REFTEL_HYPOTHESIS", "short"))


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of telegrams that ship with Reftel."""
    return ROOT / "examples"


@pytest.fixture(scope="session")
def example_archive(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Iterator[Archive]:
    """An archive of the telegrams that ship with Reftel; not to be changed."""
    with Archive.open(tmp_path_factory.mktemp("examples") / "archive") as archive:
        archive.add(walk([str(examples)]))
        yield archive
