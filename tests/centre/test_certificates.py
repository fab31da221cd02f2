"""A line beyond loopback, with the certificates that docs/centre.md makes."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.instruments.world import Process, free_port, telegram
from tests.telegrams import ROOT

_STATION = """\
[station]
name = "{name}"
routing_indicator = "{indicator}"
data = "{name}"
directory = "directory.toml"
[[circuit]]
name = "line"
station = "{other}"
{way}
send = "{send}"
receive = "{receive}"
[circuit.tls]
certificate = "{own}.pem"
key = "{own}.key"
authority = "authority.pem"
peer = "{peer}.example"
[[route]]
to = "Q"
circuits = ["line"]
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the page's commands were run, for three stations."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    folder = tmp_path_factory.mktemp("certificates")
    page = (ROOT / "docs" / "centre.md").read_text(encoding="utf-8")
    block = re.search(r"```\n(openssl req -x509.*?)```", page, re.DOTALL)
    assert block is not None
    first = block[1]
    again = first[first.index("openssl req -newkey") :]
    for commands in (first, again.replace("nordhaven", "porta"), again.replace("nordhaven", "spy")):
        subprocess.run(["bash", "-ec", commands], cwd=folder, check=True, capture_output=True)
    return folder


@contextmanager
def two_stations(
    certificates: Path, folder: Path, caller: str
) -> Iterator[tuple[Process, Process]]:
    """PORTA listens on every address, NORTH calls with the certificate of `caller`."""
    shutil.copytree(certificates, folder, dirs_exist_ok=True)
    (folder / "directory.toml").write_text(
        '[[station]]\nname = "PORTA"\nrouting_indicator = "QZAAMF"\n'
        '[[station]]\nname = "NORTH"\nrouting_indicator = "QZBBNV"\n'
    )
    port = free_port()
    here = socket.gethostbyname(socket.gethostname())
    porta = {"name": "PORTA", "indicator": "QZAAMF", "other": "QZBBNV", "send": "PNA"}
    porta |= {"receive": "NPA", "own": "porta", "peer": "nordhaven"}
    north = {"name": "NORTH", "indicator": "QZBBNV", "other": "QZAAMF", "send": "NPA"}
    north |= {"receive": "PNA", "own": caller, "peer": "porta"}
    ways = (f'listen = "0.0.0.0:{port}"', f'connect = "{here}:{port}"')
    processes = []
    for station, way in zip((porta, north), ways, strict=True):
        path = folder / f"{station['name']}.toml"
        path.write_text(_STATION.format(**station, way=way))
        processes.append(Process(station["name"], path, folder / station["name"]))
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.ready()
        yield processes[0], processes[1]
    finally:
        for process in processes:
            process.stop()


def until(happened: Callable[[], Any]) -> Any:
    end = time.monotonic() + 30
    while not (found := happened()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


def test_a_line_with_these_certificates_carries_telegrams(
    certificates: Path, tmp_path: Path
) -> None:
    with two_stations(certificates, tmp_path, "nordhaven") as (porta, north):
        north.send(telegram("NORTH", ("PORTA",), 1))
        (row,) = until(lambda: porta.ask("/centre/reading/UNASSIGNED.json"))
        assert row["subject"] == "TRIAL 1 FROM NORTH"


def test_a_station_with_the_certificate_of_another_is_refused_and_its_traffic_waits(
    certificates: Path, tmp_path: Path
) -> None:
    with two_stations(certificates, tmp_path, "spy") as (porta, north):
        north.send(telegram("NORTH", ("PORTA",), 1))
        log = tmp_path / "PORTA.log"
        until(lambda: "connection.refused" in log.read_text())
        assert "spy.example" in log.read_text() or "nordhaven.example" in log.read_text()
        assert porta.ask("/centre/offices.json")[0]["unread"] == 0
        (circuit,) = north.ask("/centre.json")["circuits"]
        assert circuit["waiting"][0]["count"] == 1 or circuit["on_the_way"] == 1
