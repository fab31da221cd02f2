"""The command as a user runs it: a real process, its two outputs and its exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.telegrams import WIRE, corpus_folder

Result = subprocess.CompletedProcess[str]


def reftel(*words: str | Path, stdin: str = "", **environment: str) -> Result:
    command = [sys.executable, "-m", "reftel", *map(str, words)]
    environ = {**os.environ, "COLUMNS": "80", **environment}
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, env=environ, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    place = tmp_path_factory.mktemp("cli") / "archive"
    filed = reftel("add", "--archive", place, examples)
    assert filed.returncode == 0, filed.stderr
    return place


def test_read_prints_what_a_telegram_says() -> None:
    done = reftel("read", "-", stdin=WIRE)
    assert done.returncode == 0
    assert "A LAMP FOR THE HARBOUR" in done.stdout
    assert "Embassy Bern" in done.stdout
    assert "\x1b" not in done.stdout, "no colour into a pipe"
    assert max(map(len, done.stdout.splitlines())) <= 84


def test_read_json_gives_the_record(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text(WIRE)
    record = json.loads(reftel("read", "--format", "json", file).stdout)
    assert list(record)[:2] == ["reftel", "source"]
    assert record["source"] == str(file)
    assert record["mrn"]["text"] == "07BERN123"
    assert [r["mrn"] for r in record["references"]] == ["07ROME88", "06BERN2001"]
    lines = reftel("read", "--format", "jsonl", file, file).stdout.splitlines()
    assert [next(iter(json.loads(line))) for line in lines] == ["source", "source"]


def test_the_year_resolves_a_fragment() -> None:
    fragment = "UNCLAS BERN 000123\nSUBJECT: X\nREF: ROME 88\n"
    record = json.loads(
        reftel("read", "--format", "json", "--year", "1999", "-", stdin=fragment).stdout
    )
    assert record["mrn"]["text"] == "99BERN123"
    assert record["references"][0]["mrn"] == "99ROME88"


def test_a_file_that_is_no_telegram_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Dear Sir,\nthank you.\n")
    (tmp_path / "b.txt").write_text(WIRE)
    done = reftel("read", "--format", "jsonl", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path / 'a.txt'}:1: not a telegram" in done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_add_reports_and_search_finds(folder: Path) -> None:
    again = reftel("add", "--archive", folder, "-", stdin=WIRE)
    assert "1 filed" in again.stderr
    assert again.stdout == ""
    found = json.loads(reftel("search", "--archive", folder, "--format", "json", "goat").stdout)
    assert found["total"] == len(found["results"]) > 2
    for result in found["results"]:
        assert {"mrn", "dtg", "from", "classification", "subject", "snippet"} <= result.keys()
        assert "goat" in result["snippet"].lower()
    assert found["counts"]["post"]["OSLO"] >= 2


def test_search_finds_nothing_with_1_and_a_mistake_with_2(folder: Path) -> None:
    assert reftel("search", "--archive", folder, "zeppelin").returncode == 1
    wrong = reftel("search", "--archive", folder, "psot:BERN")
    assert wrong.returncode == 2
    assert "did you mean post:" in wrong.stderr
    assert "  psot:BERN\n  ^" in wrong.stderr


def test_show_prints_a_telegram_in_any_spelling(folder: Path) -> None:
    spellings = ("79BERN4120", "1979BERN04120", "79 bern 4120")
    shown = {reftel("show", "--archive", folder, spelling).stdout for spelling in spellings}
    assert len(shown) == 1
    assert "THIS ALSO IS KEPT" in " ".join(shown.pop().split())
    source = reftel("show", "--archive", folder, "--format", "source", "79BERN4120").stdout
    assert source.startswith(" Declassified/Released")
    missing = reftel("show", "--archive", folder, "79BERN4071")
    assert missing.returncode == 1
    assert "not held" in missing.stderr


def test_serve_answers_one_request(folder: Path) -> None:
    done = reftel("serve", "--archive", folder, "--get", "/t/79BERN4120.json")
    assert json.loads(done.stdout)["subject"] == "CONVENTION ON LIGHTS SIGNED"


def test_tables_look_a_code_up() -> None:
    assert "Bolivia" in reftel("tables", "tags", "BL").stdout
    assert "did you mean" in reftel("tables", "captions", "NODISS").stderr
    assert "posts" in reftel("tables").stdout


def test_verify_and_rebuild(folder: Path) -> None:
    assert reftel("rebuild-index", "--archive", folder).returncode == 0
    assert reftel("verify", "--archive", folder).returncode == 0


def test_without_an_archive_it_says_what_to_do(tmp_path: Path) -> None:
    done = reftel("search", "lamp", REFTEL_ARCHIVE=str(tmp_path / "none"))
    assert done.returncode == 2
    assert "reftel add" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_use_is_2() -> None:
    for words in (("read",), ("nonsense",), ("search", "--limit", "x", "a")):
        assert reftel(*words).returncode == 2


def test_a_closed_pipe_ends_quietly(examples: Path) -> None:
    command = f"{sys.executable} -m reftel read --format jsonl {examples} | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False
    )
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_colour_and_progress_on_a_terminal_only(tmp_path: Path, examples: Path) -> None:
    def on_terminal(*words: str, **environment: str) -> str:
        ours, theirs = pty.openpty()
        environ = {**os.environ, "TERM": "xterm", **environment}
        environ.pop("NO_COLOR", None) if "NO_COLOR" not in environment else None
        command = [sys.executable, "-m", "reftel", *words]
        child = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environ)
        os.close(theirs)
        output = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            output += piece
        child.wait()
        os.close(ours)
        return output.decode("utf-8", "replace")

    file = tmp_path / "t.txt"
    file.write_text(WIRE)
    assert "\x1b[97;42m" in on_terminal("read", str(file))
    assert "\x1b[97;42m" not in on_terminal("read", str(file), NO_COLOR="1")
    filing = on_terminal("add", "--archive", str(tmp_path / "a"), str(examples))
    assert "Filing" in filing
    files = sum(path.is_file() for path in examples.rglob("*"))
    assert f"{files} at " in filing
    assert "100%" in filing


def test_every_command_has_help_with_an_example() -> None:
    from reftel.cli import cli

    for name, command in cli.commands.items():
        assert command.help, name
        assert "Example: reftel" in command.help, name
        assert reftel(name, "--help").returncode == 0
        for each, below in getattr(command, "commands", {}).items():
            assert f"Example: reftel {name} {each}" in (below.help or ""), each


def test_the_seed_reads_on_the_command_line() -> None:
    seed = next((corpus_folder() / "seed").glob("*.txt"))
    done = reftel("read", seed)
    assert done.returncode == 0
    assert "mended:" in done.stdout


def test_anatomy_names_every_line_and_explains_it(examples: Path) -> None:
    done = reftel("anatomy", examples / "2000s" / "07OSLO488.txt")
    assert done.returncode == 0
    assert "date-time-group" in done.stdout
    said = " ".join(done.stdout.split())
    assert "↳ Format line 6: FM, the post or office that sends the telegram." in said
    assert "0.00 % not understood" in done.stdout
    assert "\x1b" not in done.stdout
    coloured = reftel("anatomy", examples / "2000s" / "07OSLO488.txt", FORCE_COLOR="1")
    assert "\x1b[" in coloured.stdout


def test_anatomy_as_json(examples: Path) -> None:
    done = reftel("anatomy", "--format", "json", examples / "1970s" / "79BERN4120.txt")
    runs = json.loads(done.stdout)["runs"]
    assert {run["kind"] for run in runs} >= {"page-line", "tags", "subject", "body"}


def test_the_schema_is_printed() -> None:
    assert json.loads(reftel("schema").stdout)["title"] == "Reftel record"


def test_a_file_of_several_telegrams_gives_several_records(tmp_path: Path) -> None:
    several = tmp_path / "day.txt"
    second = WIRE.replace("0123", "0124").replace("LAMP", "BELL")
    several.write_text(f"{WIRE}\n{second}", encoding="utf-8")
    done = reftel("read", "--format", "jsonl", several)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["mrn"]["text"] for record in records] == ["07BERN123", "07BERN124"]
    assert [record["source"].rpartition("#")[2][:5] for record in records] == ["line-", "line-"]
