"""Finding at the terminal: corrections, batches, saved searches, exports, citations."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_cli import reftel
from tests.telegrams import WIRE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    place = tmp_path_factory.mktemp("finding") / "archive"
    filed = reftel("add", "--archive", place, examples)
    assert filed.returncode == 0, filed.stderr
    return place


def test_a_word_of_a_query_may_begin_with_a_hyphen(folder: Path, tmp_path: Path) -> None:
    def total(*words: str) -> int:
        done = reftel("search", "--archive", folder, "--format", "json", *words)
        assert done.returncode in (0, 1), done.stderr
        found: int = json.loads(done.stdout)["total"]
        return found

    every, summed, light = total(), total("has:summary"), total("light")
    assert total("-has:summary") == total("--", "-has:summary") == every - summed > 0
    assert total("light", "-harbor", "--limit", "1") == total("light -harbor") < light
    assert total("-light", "--order", "newest") == every - light
    assert total('-"light dues" post:BERN') == total("post:BERN", '-"light dues"')
    target = tmp_path / "z.csv"
    done = reftel("export", "--archive", folder, "-has:summary", target)
    assert f"{every - summed} telegrams written" in done.stderr
    misspelt = reftel("search", "--archive", folder, "light", "--lmit", "1")
    assert misspelt.returncode == 2
    assert "--limit" in misspelt.stderr
    assert "Usage:" in reftel("search", "light", "-h").stdout
    assert "-5 is not in the range" in reftel("search", "light", "--limit", "-5").stderr


def test_a_misspelt_word_is_put_right(folder: Path) -> None:
    done = reftel("search", "--archive", folder, "lihgt", "dues")
    assert done.returncode == 1
    assert "Did you mean: light dues" in done.stdout


def test_a_batch_is_a_table_of_all_results_and_its_mistakes_have_their_line(
    folder: Path, tmp_path: Path
) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text('# lights\n"light dues"~5\n\nkeeper AND\nzzzz\n', encoding="utf-8")
    done = reftel("search", "--archive", folder, "--batch", queries)
    assert done.returncode == 2
    assert f"{queries}:4: the query ends" in done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert [row["line"] for row in rows] == ["2", "2", "4", "5"]
    assert [row["rank"] for row in rows] == ["1", "2", "", ""]
    assert rows[2]["error"]
    assert rows[3]["total"] == "0"
    as_json = json.loads(
        reftel("search", "--archive", folder, "--batch", queries, "--format", "json").stdout
    )
    assert [row["digest"] or "" for row in as_json] == [row["digest"] for row in rows]
    lines = reftel("search", "--archive", folder, "--batch", queries, "--format", "jsonl").stdout
    assert [json.loads(line) for line in lines.splitlines()] == as_json


def test_a_table_of_a_batch_has_the_queries_as_they_were_given(tmp_path: Path) -> None:
    queries = ["-fog post:BERN", "=1+1", "-zymurgist subject:-"]
    file, place = tmp_path / "queries.txt", tmp_path / "archive"
    file.write_text("\n".join(queries), encoding="utf-8")
    text = WIRE.replace("A LAMP FOR THE HARBOUR", "=SUM(A1) OF LAMPS")
    assert reftel("add", "--archive", place, "-", stdin=text).returncode == 0
    done = reftel("search", "--archive", place, "--batch", file)
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert list(dict.fromkeys(row["query"] for row in rows)) == queries
    assert rows[0]["subject"] == "'=SUM(A1) OF LAMPS", "no telegram runs as a formula"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_batch_may_be_written_in_any_editor(folder: Path, tmp_path: Path, encoding: str) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("# café\r\npost:BERN\r\ncafé\r\n", encoding=encoding, newline="")
    done = reftel("search", "--archive", folder, "--batch", queries, "--limit", "1")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert [(row["line"], row["query"]) for row in rows] == [("2", "post:BERN"), ("3", "café")]
    assert int(rows[0]["total"]) > 1
    assert ("Windows-1252" in done.stderr) == (encoding == "cp1252")
    queries.write_bytes(bytes(range(32)) * 9)
    binary = reftel("search", "--archive", folder, "--batch", queries)
    assert binary.returncode == 2
    assert f"{queries}: this is a binary file" in binary.stderr


def test_a_number_alone_leads_to_its_telegram(folder: Path) -> None:
    done = reftel("search", "--archive", folder, "1979BERN04120")
    assert "reftel show 79BERN4120" in done.stdout
    as_json = reftel("search", "--archive", folder, "79BERN4120", "--format", "json")
    assert "reftel show 79BERN4120" in as_json.stderr
    assert json.loads(as_json.stdout)["total"] == 0
    assert "reftel show" not in reftel("search", "--archive", folder, "79BERN9999").stdout


def test_a_saved_search_says_what_is_new(tmp_path: Path) -> None:
    place = tmp_path / "archive"
    assert reftel("add", "--archive", place, "examples/1970s").returncode == 0
    saved = reftel("search", "--archive", place, "--save", "goats", "goat")
    assert "saved as goats" in saved.stderr
    assert reftel("add", "--archive", place, "examples").returncode == 0
    listed = reftel("saved", "--archive", place)
    assert "goats" in listed.stdout
    new = reftel("saved", "--archive", place, "goats", "--format", "json")
    assert new.returncode == 0
    assert json.loads(new.stdout)
    assert reftel("saved", "--archive", place, "goats").returncode == 1, "they were seen"
    assert reftel("saved", "--archive", place, "goats", "--forget").returncode == 0
    assert not (place / "saved" / "@owner" / "goats.json").exists()


def test_a_name_that_is_taken_is_given_up_only_when_that_is_asked(folder: Path) -> None:
    def save(query: str, *more: str) -> tuple[int, str]:
        done = reftel("search", "--archive", folder, "--save", "taken", query, *more)
        return done.returncode, done.stderr

    assert save("goat")[0] == 0
    code, said = save("light")
    assert code == 2
    assert "'goat' is saved as taken already; give another name, or --replace" in said
    assert "goat" in reftel("saved", "--archive", folder).stdout
    assert save("light", "--replace")[0] == 0
    assert "--save" in reftel("search", "--archive", folder, "light", "--replace").stderr
    assert "light" in reftel("saved", "--archive", folder).stdout
    assert reftel("saved", "--archive", folder, "taken", "--forget").returncode == 0


def exporting(folder: Path, *words: str | Path) -> subprocess.Popen[bytes]:
    """The command at work on more than a pipe holds: who reads from it decides when it goes on."""
    command = [sys.executable, "-m", "reftel", "export", "--archive", str(folder), "", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_an_export_that_nobody_reads_to_its_end_ends_quietly(folder: Path) -> None:
    done = exporting(folder, "-", "--format", "jsonl")
    assert done.stdout is not None
    assert done.stderr is not None
    assert done.stdout.readline()
    done.stdout.close()
    assert done.stderr.read() == b""
    assert done.wait() in (0, 1)
    done.stderr.close()


def test_an_export_that_is_interrupted_says_what_is_written(folder: Path) -> None:
    done = exporting(folder, "-", "--format", "jsonl")
    assert done.stdout is not None
    assert done.stdout.read(1)
    done.send_signal(signal.SIGINT)
    _, said = done.communicate()
    assert done.returncode == 130
    assert said.decode().strip() == "reftel: interrupted; not all was written"


def test_an_export_into_a_folder_that_is_not_there_says_so(folder: Path, tmp_path: Path) -> None:
    done = reftel("export", "--archive", folder, "light", tmp_path / "none" / "x.csv")
    assert done.returncode == 2
    assert f"there is no folder {tmp_path / 'none'}; make it first" in done.stderr
    (tmp_path / "x.csv.part").mkdir()
    taken = reftel("export", "--archive", folder, "light", tmp_path / "x.csv")
    assert f"{tmp_path / 'x.csv'}: Is a directory" in taken.stderr


def test_an_export_takes_its_form_from_the_name_of_the_file(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "lights.csv"
    done = reftel("export", "--archive", folder, "light", target)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(target.read_text("utf-8"), newline="")))
    assert f"{len(rows)} telegrams written" in done.stderr
    nameless = reftel("export", "--archive", folder, "light", tmp_path / "lights.doc")
    assert nameless.returncode == 2
    assert "does not say in which form" in nameless.stderr
    out = reftel("export", "--archive", folder, "mrn:79BERN4120", "-", "--format", "bibtex")
    assert out.stdout.startswith("@misc{bern-1979-4120-")


def test_more_like_a_telegram(folder: Path) -> None:
    done = reftel("like", "--archive", folder, "79BERN4120", "--format", "jsonl", "--limit", "3")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 3
    assert "79BERN4120" not in {each["mrn"] for each in found}


def test_a_telegram_is_cited_to_a_paragraph(folder: Path) -> None:
    done = reftel("cite", "--archive", folder, "1979BERN04120", "--paragraph", "2")
    assert "para. 2" in done.stdout
    assert reftel("cite", "--archive", folder, "79BERN4120", "--paragraph", "99").returncode == 2
    later = reftel("cite", "--archive", folder, "07VALLETTA748", "--format", "archives")
    assert later.returncode == 2
    assert "1973-79" in later.stderr
