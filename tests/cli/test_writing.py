"""`check`, `draft`, `write`, `split` and `join` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.check.test_rules import SOUND as UNDATED
from tests.cli.test_cli import reftel
from tests.telegrams import ROOT, WIRE

SOUND = UNDATED.replace("Number: 124", "Number: 124\nDate: 2009-05-14 15:30")
WRONG = SOUND.replace("To: SECSTATE WASHDC PRIORITY\n", "").replace("1. (C)", "1. (S)")
EXAMPLES = ROOT / "tests" / "wire"


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.txt"
    path.write_text(SOUND)
    return path


def test_check_says_what_where_and_what_to_do(tmp_path: Path, draft: Path) -> None:
    done = reftel("check", draft)
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 errors, 0 warnings" in done.stderr
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(WRONG)
    found = reftel("check", wrong)
    assert found.returncode == 1
    line = WRONG[: WRONG.index("1. (S)")].count("\n") + 1
    assert f"{wrong}:{line}:1: error R22 portion-above" in found.stdout
    assert "^^^^" in found.stdout
    assert "to do: name who must act" in found.stdout
    assert "\x1b" not in found.stdout


def test_check_in_json_and_sarif_and_silenced(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(WRONG)
    record = json.loads(reftel("check", "--format", "json", wrong).stdout)
    assert {each["rule"] for each in record["findings"]} == {"R02", "R22"}
    quiet = ("--silence", "action-addressee=a test", "--silence", "R22=another")
    assert reftel("check", *quiet, wrong).returncode == 0
    log = json.loads(reftel("check", "--format", "sarif", *quiet, wrong).stdout)
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    assert len(run["tool"]["driver"]["rules"]) == 97
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["suppressions"][0]["justification"] in ("a test", "another")
        region = result["locations"][0]["physicalLocation"]["region"]
        assert 1 <= region["startLine"] <= region["endLine"]
    assert reftel("check", "--silence", "R02", wrong).returncode == 2
    assert "no rule" in reftel("check", "--silence", "R99=x", wrong).stderr


def test_check_lists_rules_and_reads_telegrams_and_says_what_is_neither() -> None:
    listed = reftel("check", "--list")
    assert listed.stdout.startswith("R01  error")
    assert reftel("check", "-", stdin=WIRE).returncode == 0
    neither = reftel("check", "-", stdin="hello there\n")
    assert neither.returncode == 2
    assert "neither a draft nor a telegram" in neither.stderr


def test_write_makes_a_telegram_of_a_draft_and_refuses_a_wrong_one(
    tmp_path: Path, draft: Path
) -> None:
    done = reftel("write", draft)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("P 141530Z MAY 09\nFM AMEMBASSY BERN\n")
    headed = reftel("write", "--station", "RUEHSW", "--channel", "SWA001", draft).stdout
    assert headed.startswith(
        "VZCZCSWA001\nPP RUEHC RUEHRO RUCNCIS\nDE RUEHSW #0124 1341530\nZNY CCCCC ZZH\n"
    )
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(WRONG)
    refused = reftel("write", wrong)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "R22" in refused.stderr
    assert "is kept as it is" in refused.stderr
    assert wrong.read_text() == WRONG


def test_write_says_which_addressees_have_no_routing_indicator(tmp_path: Path) -> None:
    draft = tmp_path / "draft.txt"
    heading = "From: AMEMBASSY BERN\nClassification: UNCLASSIFIED\nTags: PREL\nSubject: BUOYS\n"
    heading += "Number: 4\nDate: 2007-03-01\n"
    text = "\nThe buoys are lit.\n\nSigned: DOE\n"
    draft.write_text(f"{heading}To: HARBOR MASTER ELSEWHERE\n{text}")
    refused = reftel("write", "--station", "RUEHSW", draft)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no routing indicator is known of HARBOR MASTER ELSEWHERE" in refused.stderr
    assert "there is no station to call" in refused.stderr
    draft.write_text(f"{heading}To: SECSTATE WASHDC\nInfo: HARBOR MASTER ELSEWHERE\n{text}")
    done = reftel("write", "--station", "RUEHSW", draft)
    assert done.returncode == 0, done.stderr
    assert "\nRR RUEHC\n" in done.stdout
    assert "no routing indicator is known of HARBOR MASTER ELSEWHERE" in done.stderr


def test_write_takes_a_record_and_gives_the_bytes_of_a_circuit() -> None:
    record = reftel("read", "--format", "json", EXAMPLES / "01-single-section.txt").stdout
    assert (
        reftel("write", "-", stdin=record).stdout
        == (EXAMPLES / "01-single-section.txt").read_text()
    )
    bad = reftel("write", "-", stdin='{"reftel": 1, "mrn": 5}')
    assert bad.returncode == 2
    assert "not a record" in bad.stderr


def test_write_as_mail_and_back(tmp_path: Path) -> None:
    directory = tmp_path / "stations.toml"
    rows = [
        ("EMB NORDHAVEN", "QZBBNV", "nordhaven@emb.example"),
        ("MINFOR PORTA", "QZAAMF", "minfor@porta.example"),
        ("MINTRADE PORTA", "QZAATR", "mintrade@porta.example"),
        ("EMB SUDMARK", "QZCCSM", "sudmark@emb.example"),
    ]
    directory.write_text(
        "".join(
            f'[[station]]\nname = "{n}"\nrouting_indicator = "{r}"\nmailbox = "{m}"\n'
            for n, r, m in rows
        )
    )
    wire = EXAMPLES / "03a-dual-precedence-as-filed.txt"
    mail = reftel("write", "--as", "mail", "--attach", "--directory", directory, wire)
    assert mail.returncode == 0
    assert "MT-PRIORITY=-2 to mintrade@porta.example, sudmark@emb.example" in mail.stderr
    assert "not carried" not in mail.stderr
    back = reftel("write", "--directory", directory, "-", stdin=mail.stdout)
    assert back.stdout == wire.read_text()
    plain = reftel("write", "--as", "mail", "--directory", directory, wire)
    assert "transmission is not carried" in plain.stderr
    assert reftel("write", "--as", "mail", wire).returncode == 1


def test_split_and_join(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    paragraph = "(U) " + "The lamp was lit again. " * 60 + "\n\n"
    long.write_text(
        SOUND.split("\n\n")[0].replace("CONFIDENTIAL", "SECRET")
        + "\n\n"
        + paragraph.replace("(U)", "(S)") * 12
    )
    done = reftel("split", long, "--into", tmp_path / "sections")
    assert done.returncode == 0, done.stderr
    files = done.stdout.split()
    assert len(files) == 3
    assert "SECTION 02 OF 03" in Path(files[1]).read_text()
    whole = reftel("join", *reversed(files), files[0])
    assert whole.returncode == 0
    assert "section 1 of 09BERN124 came twice" in whole.stderr
    record = json.loads(reftel("join", "--format", "json", *files).stdout)
    assert record["sections_present"] == [1, 2, 3]
    missing = reftel("join", files[0], files[2])
    assert missing.returncode == 1
    assert "section 2 of 3 is not here" in missing.stderr


def test_draft_prints_one_to_fill_in_or_a_reply(tmp_path: Path) -> None:
    assert reftel("draft", "--from", "AMEMBASSY OSLO").stdout.startswith("From: AMEMBASSY OSLO\n")
    telegram = tmp_path / "t.txt"
    telegram.write_text(WIRE)
    answer = reftel("draft", "--reply-to", telegram).stdout
    assert "To: AMEMBASSY BERN\n" in answer
    assert "Ref: A. 07 BERN 123\n" in answer
    archive = tmp_path / "archive"
    reftel("add", "--archive", archive, telegram)
    assert reftel("draft", "--archive", archive, "--reply", "07BERN123").stdout == answer
    assert reftel("draft", "--archive", archive, "--reply", "07BERN124").returncode == 1
