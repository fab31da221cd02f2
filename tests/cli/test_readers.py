"""Readers at the terminal: what is shown where the file has gone that said who may read what."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reftel.archive import Archive
from reftel.cli import cli
from tests.archive.test_archive import incoming, make

_POLICY = '[everybody]\nclearance = "UNCLASSIFIED"\n[[reader]]\nname = "low"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    with Archive.open(folder) as archive:
        archive.add(incoming(make(1), make(2).replace("UNCLAS", "SECRET")))
    return folder


def reftel(folder: Path | str, *words: str) -> Result:
    done = CliRunner().invoke(cli, [*words, "--archive", str(folder)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_an_archive_that_has_readers_is_shown_to_nobody_without_its_access_file(
    folder: Path, tmp_path: Path
) -> None:
    assert "of 2, best first" in reftel(folder, "search", "burned").output
    (folder / "access.toml").write_text(_POLICY)
    assert "1 of 1, best first" in reftel(folder, "search", "burned", "--as", "low").output
    (folder / "access.toml").rename(tmp_path / "kept.toml")
    # Neither here nor where it is copied to without what lies beside it.
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "telegrams.db", other)
    for place in (folder, other):
        for words in (("search", "burned"), ("show", "07BERN2"), ("serve", "--get", "/api/search")):
            refused = reftel(place, *words)
            assert refused.exit_code == 2
            assert "there is no" in refused.output
            assert f"{place / 'access.toml'} to say who reads what" in refused.output
            assert "burned" not in refused.output.lower()
        assert reftel(place, "archive", "verify").exit_code == 0
    open_to_all = '[everybody]\nclearance = "TOP SECRET"\ncaptions = ["*"]\n'
    (other / "access.toml").write_text(open_to_all)
    assert "of 2, best first" in reftel(other, "search", "burned").output
    told = reftel(folder, "serve", "--everything-to-everybody", "--get", "/t/07BERN2.json")
    assert told.exit_code == 0


def test_what_the_trail_shows_rules_no_terminal(folder: Path) -> None:
    (folder / "access.toml").write_text(_POLICY)
    reftel(folder, "search", "x\x1b[2J\n99  inspector  open", "--as", "low")
    shown = reftel(folder, "audit", "show").output
    assert len(shown.splitlines()) == 1
    assert "\x1b" not in shown
    assert "inspector" in shown


def test_a_name_that_is_no_text_ends_in_an_answer(folder: Path) -> None:
    (folder / "access.toml").write_text(_POLICY)
    assert reftel(folder, "show", "light\udcff").exit_code != 0


def test_a_decision_is_in_the_trail_of_an_archive_that_has_one(folder: Path) -> None:
    decision = ("access", "set", "07BERN1", "--classification", "SECRET", "--why", "a source")
    assert reftel(folder, *decision).exit_code == 0
    assert not (folder / "audit.db").exists()
    (folder / "access.toml").write_text(_POLICY)
    reftel(folder, "search", "burned")
    assert reftel(folder, *decision).exit_code == 0
    shown = reftel(folder, "audit", "show", "--kind", "decide").output
    assert "07BERN1 SECRET" in shown
    assert "command line of" in shown
