"""The commands that an operator types, with a real centre behind them."""

from __future__ import annotations

import getpass
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reftel.telegram import Addressee, to_builtins
from tests.instruments.post import Post, post
from tests.instruments.station import message
from tests.instruments.world import telegram

DRAFT = """\
From: MINFOR PORTA
To: EMB NORDHAVEN PRIORITY
Classification: UNCLASSIFIED
TAGS: EWWT
Subject: THE MINISTER WANTS HERRING

The minister wants a barrel of herring by Friday.
"""


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A centre to which have come: a telegram for CONSULAR, three for a line that is down, one that
    nobody knows a way for."""
    with post(tmp_path_factory.mktemp("centre"), people=False) as made:
        text = "UNCLAS NORDHAVEN 0412\nTAGS: CASC\nSUBJECT: FERRY AGROUND\n1. ALL ARE SAFE."
        made.comes(message("BBA001", serial="0412", text=text))
        made.comes(message("BBA002", "QZCCSM", serial="0413"))
        made.comes(message("BBA003", "QZCCSM", serial="0414", letter="Z"))
        made.comes(message("BBA004", "QZCCSM", serial="0415", letter="P"))
        made.comes(message("BBA005", "QZDDXX", serial="0416"))
        made.taken(5)
        yield made


def reftel(centre: Post, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reftel", "centre", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "REFTEL_CENTRE": str(centre.folder / "centre.toml"),
            "COLUMNS": "100",
            **environment,
        },
    )


def as_json(centre: Post, *words: object) -> Any:
    return json.loads(reftel(centre, *words, "--format", "json").stdout)


def test_status_shows_alerts_queues_and_numbers_and_ends_with_1_when_one_is_grave(
    centre: Post,
) -> None:
    done = reftel(centre, "status")
    assert done.returncode == 1, done.stderr
    assert "!! south is down: not yet connected" in done.stdout
    (south,) = [line.split() for line in done.stdout.splitlines() if line.startswith("south")]
    assert south[:3] == ["south", "QZCCSM", "DOWN"]
    assert int(south[3]) >= 1, "FLASH"
    assert "\x1b[" not in done.stdout
    assert "\x1b[1;31mDOWN" in reftel(centre, "status", FORCE_COLOR="1").stdout
    now = as_json(centre, "status")
    assert {circuit["name"] for circuit in now["circuits"]} == {"north", "south"}


def test_queue_tells_the_order_and_the_reason(centre: Post) -> None:
    rows = as_json(centre, "queue", "south")
    assert [row["precedence"] for row in rows] == sorted(
        (row["precedence"] for row in rows), key="ZOPR".index
    )
    done = reftel(centre, "queue", "operator")
    assert "QZDDXX: no route leads to it" in done.stdout
    assert reftel(centre, "queue", "held").returncode == 1
    wrong = reftel(centre, "queue", "nort")
    assert wrong.returncode == 2
    assert "There is no queue nort; there are north, south" in wrong.stderr


def test_find_and_way_tell_what_happened_in_sentences(centre: Post) -> None:
    done = reftel(centre, "find", "QZBBNV", "0412")
    assert done.returncode == 0
    assert "taken on from north as BBA001" in done.stdout
    assert "put before CONSULAR" in done.stdout
    assert "SUBJECT: FERRY AGROUND" in done.stdout
    way = as_json(centre, "way", as_json(centre, "find", "BBA001")[0]["message"])
    assert [each["said"] for each in way["entries"] if each["kind"] == "accepted"]
    assert reftel(centre, "find", "NOTHING").returncode == 1
    assert "there is no message 999 in the journal" in reftel(centre, "way", "999").stderr


def test_a_draft_is_sent_and_found_where_it_was_written_and_its_copy_lies_in_the_folder(
    centre: Post, tmp_path: Path
) -> None:
    (tmp_path / "draft.txt").write_text(DRAFT)
    done = reftel(centre, "send", tmp_path / "draft.txt")
    assert done.returncode == 0, done.stderr
    assert "for north" in done.stderr
    number = int(done.stderr.split("accepted as message ")[1].split(",")[0])
    centre.until(
        lambda: (
            {"sent", "filed"}
            <= {each["kind"] for each in as_json(centre, "way", number)["entries"]}
        )
    )
    assert any("BARREL OF HERRING" in f.read_text() for f in (centre.folder / "out").iterdir())
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "reftel",
            "search",
            "--archive",
            centre.folder / "data/archive",
            "herring",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "THE MINISTER WANTS HERRING" in found.stdout
    (tmp_path / "draft.txt").write_text(DRAFT.replace("EMB NORDHAVEN", "EMB NOWHERE"))
    wrong = reftel(centre, "send", tmp_path / "draft.txt")
    assert wrong.returncode == 1, "a finding"
    assert "EMB NOWHERE" in wrong.stderr


def test_a_flash_that_goes_out_in_two_transmissions_is_filed_once(centre: Post) -> None:
    flash = msgspec.structs.replace(
        telegram("MINFOR PORTA", ("EMB NORDHAVEN",), 7, precedence="FLASH", words="TWO BARRELS"),
        info=(Addressee("CONSUL WESTBAY"),),
        info_precedence="ROUTINE",
    )
    first, second = (each["message"] for each in centre.ask("/centre/send", to_builtins(flash)))

    def filed(number: int) -> list[dict[str, Any]]:
        entries = as_json(centre, "way", number)["entries"]
        return [each["detail"] for each in entries if each["kind"] == "filed"]

    centre.until(lambda: filed(first) and filed(second))
    assert filed(second)[0]["of"] == first
    page = json.loads(urllib.request.urlopen(f"{centre.address}/search.json?q=TWO+BARRELS").read())
    assert page["total"] == 1


def test_what_an_operator_does_is_done_and_written_down(centre: Post) -> None:
    duty = next(row for row in as_json(centre, "queue", "south") if row["precedence"] == "P")
    assert "give the reason" in reftel(centre, "do", "discard", duty["duty"]).stderr
    assert reftel(centre, "do", "hold", duty["duty"], "--why", "a visit").returncode == 0
    assert as_json(centre, "queue", "held")[0]["message"] == duty["message"]
    assert reftel(centre, "do", "release", duty["duty"]).returncode == 0
    said = [each["said"] for each in as_json(centre, "way", duty["message"])["entries"]]
    assert any(each.startswith("held by ") and each.endswith(": a visit") for each in said)
    assert reftel(centre, "do", "hold", "99999").returncode == 2


def test_reading_queues_and_what_a_profile_would_have_found(centre: Post) -> None:
    offices = reftel(centre, "reading").stdout
    assert [line.split()[:2] for line in offices.splitlines() if "CONSULAR" in line] == [
        ["CONSULAR", "1"]
    ]
    assert "FERRY AGROUND" in reftel(centre, "reading", "CONSULAR").stdout
    assert as_json(centre, "reading", "CONSULAR")[0]["why"] == "TAGS CASC"
    assert reftel(centre, "reading", "TRADE").returncode == 1
    trial = reftel(centre, "profile", "CONSULAR")
    assert "CONSULAR would have found 1 of " in trial.stdout
    assert as_json(centre, "profile", "CONSULAR")["found"][0]["subject"] == "FERRY AGROUND"
    assert (
        "there is no [[profile]] of X; there are TRADE, CONSULAR"
        in reftel(centre, "profile", "X").stderr
    )


def test_a_configuration_with_mistakes_is_refused_and_the_centre_goes_on(centre: Post) -> None:
    path = centre.folder / "centre.toml"
    before = path.read_text()
    try:
        path.write_text(before + "\n[limit]\n")
        refused = reftel(centre, "check-config")
        assert refused.returncode == 2
        assert "unknown table [limit]; did you mean 'limits'?" in refused.stderr
        assert centre.ask("/health")["healthy"]
        path.write_text(before.replace("[http]", '[http]\nnames = ["porta.example"]'))
        assert "[http] changes only with a restart" in reftel(centre, "reload").stderr
    finally:
        path.write_text(before)
    done = reftel(centre, "reload")
    assert done.returncode == 0, done.stderr
    shown = reftel(centre, "check-config").stdout
    assert "MINFOR PORTA" in shown and "QZBB..." in shown


def test_verify_prints_what_proves_that_nothing_was_cut_off(centre: Post) -> None:
    done = reftel(centre, "verify")
    assert done.returncode == 0, done.stdout
    assert " 0 problems, last " in done.stdout


def test_without_a_centre_the_commands_say_how_to_start_one(tmp_path: Path, centre: Post) -> None:
    (tmp_path / "centre.toml").write_text(
        '[station]\nname = "X"\nrouting_indicator = "QZAAMF"\n', encoding="utf-8"
    )
    done = reftel(centre, "status", "--config", tmp_path / "centre.toml")
    assert done.returncode == 2
    assert "no centre runs" in done.stderr and "reftel centre run --config" in done.stderr


def test_an_operator_s_own_service_messages_go_by_name(centre: Post) -> None:
    asked = reftel(centre, "service", "north", "--form", "number")
    assert asked.returncode == 0
    number = re.search(r"message (\d+) is on its way to north", asked.stderr)
    assert number
    way = reftel(centre, "way", number[1]).stdout
    assert re.search(r"ZID BBA\d{3}", way)
    assert f"released by {getpass.getuser()}" in way
    for words, said in (
        (("north", "HELLO"), "'HELLO' has no operating signal"),
        (("nord", "ZID"), "no circuit is called 'NORD', and no route leads there"),
        (("south", "--form", "test", "ZID"), "give either the words of the message or a --form"),
    ):
        refused = reftel(centre, "service", *words)
        assert refused.returncode == 2
        assert said in refused.stderr


def test_a_part_is_asked_for_and_what_is_kept_is_shown(centre: Post) -> None:
    assert reftel(centre, "do", "ask-part", 1, "--part", "WA ALL ARE").returncode == 0
    assert "for a part of it: WA ALL ARE" in " ".join(reftel(centre, "way", 1).stdout.split())
    refused = reftel(centre, "do", "ask-part", 1, "--part", "HERRING")
    assert "'HERRING' is no part of a text" in refused.stderr
    assert reftel(centre, "prune", "--dry-run").stderr.startswith("0 texts and 0 entries would")
    assert reftel(centre, "prune").returncode == 0
    assert "0 texts and 0 entries removed from the journal" in reftel(centre, "status").stdout
    kept = reftel(centre, "check-config").stdout
    assert "texts 1 year, of service messages 30 days; entries 1 year, deeds 10 years" in kept
