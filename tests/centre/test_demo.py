"""`make centre-demo` in its short form."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.telegrams import ROOT


def test_three_stations_show_themselves_and_leave_nothing_running(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "centre_demo.py", "--short"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    for told in (
        "read at MINFOR PORTA by TRADE (TAGS EWWT; word light dues)",
        "read at EMB SUDMARK by CHANCERY",
        "The reading room of PORTA finds it",
        "ministry is down",
        "It went round: by mail to SUDMARK",
        "waits for a person's acknowledgement",
        "MINFOR PORTA    14 sent to it,  14 read, 0 twice",
        "EMB NORDHAVEN   13 sent to it,  13 read, 0 twice",
        "EMB SUDMARK     14 sent to it,  14 read, 0 twice",
        "0 problems",
        "nothing is left",
    ):
        assert told in said, said
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in left
    assert list(tmp_path.iterdir()) == []
