"""A real browser, and the real server that it talks to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from reftel.archive import Archive
from tests.telegrams import ROOT

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync""".split()
SHOTS = ROOT / "test-output" / "screenshots"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("REFTEL_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    assert path, "install Chromium or Chrome, or set REFTEL_BROWSER to its path"
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(example_archive: Archive) -> Iterator[str]:
    """The real server, in a process of its own, on a free port."""
    command = [sys.executable, "-u", "-m", "reftel", "serve", "--port", "0", "--archive"]
    server = subprocess.Popen(
        [*command, str(example_archive.folder)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert server.stderr is not None
    line = server.stderr.readline()
    words = [word for word in line.split() if word.startswith("http://")]
    assert words, f"the server did not come up: {line}{server.stderr.read()}"
    yield words[0].rstrip("/")
    server.terminate()
    server.communicate()
