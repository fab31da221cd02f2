"""The compiled reader says what the plain one says. `make compiled` compiles it and runs this."""

from __future__ import annotations

import json
import os
import subprocess
from random import Random

import pytest

import reftel
from reftel.telegram import to_builtins
from tests.instruments import damage
from tests.telegrams import corpus_texts, example_texts

PYTHON = os.environ.get("REFTEL_COMPILED", "")
# Reads texts, a JSON string a line, and prints their records.
_READ = """
import importlib, json, sys
import reftel
from reftel.telegram import to_builtins
assert not importlib.import_module("reftel.read.reader").__file__.endswith(".py"), "not compiled"
for line in sys.stdin:
    try:
        telegram = reftel.read(json.loads(line))
        print(json.dumps([to_builtins(telegram), [[e.kind, e.start, e.end] for e in telegram.elements]]))
    except reftel.NotATelegram as refusal:
        print(json.dumps(refusal.why))
"""


@pytest.mark.skipif(not PYTHON, reason="no compiled reader; `make compiled` makes one")
def test_compiled_reader_reads_as_the_plain_one() -> None:
    texts = [text for _, text in (*example_texts(), *corpus_texts())]
    for seed, kind in enumerate(damage.KINDS):
        texts += [kind(text, Random(seed)) for _, text in example_texts()]
    done = subprocess.run(
        [PYTHON, "-P", "-c", _READ],
        input="".join(f"{json.dumps(text)}\n" for text in texts),
        env={"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for text, line in zip(texts, done.stdout.splitlines(), strict=True):
        try:
            telegram = reftel.read(text)
            elements = [[e.kind, e.start, e.end] for e in telegram.elements]
            expected = [to_builtins(telegram), elements]
        except reftel.NotATelegram as refusal:
            expected = refusal.why
        assert json.loads(line) == json.loads(json.dumps(expected)), text[:80]
