"""Nothing costs more than its length: time grows with the text, whatever it holds."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

import reftel
from tests.instruments.hostile import KINDS, Hostile

SMALL, LARGE = 4_000, 32_000
# Eight times the text may cost eight times the time; a square would cost 64 times.
MOST = 30
TRIVIAL_SECONDS = 0.05


def _seconds(text: str) -> float:
    times = []
    for _ in range(3):
        began = time.process_time()
        with suppress(reftel.NotATelegram):
            reftel.read(text, year=2007)
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_time_grows_with_length(make: Hostile) -> None:
    large = _seconds(make(LARGE))
    assert large < TRIVIAL_SECONDS or large < MOST * _seconds(make(SMALL))
