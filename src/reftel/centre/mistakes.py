"""Mistakes in a configuration, said so that the person who made them finds and mends them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args, get_type_hints

_WHERE = re.compile(
    r"\[\[?(?P<table>\w+)\]?\](?: (?:(?P<at>[0-9]+)(?=[ :])|\(?(?P<label>[^:()]+)\)?))?[^:]*: "
    r"(?:unknown key '(?P<wrong>[\w.]+)'|(?P<key>[\w.]+):)?"
)
_UNKNOWN = re.compile(r"unknown table \[(?P<table>\w+)\]")
_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>\w+)(?P<below>[\w.]*)\s*\]?\]")
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text in quotation marks",
    "bool": "true or false",
    "array": "a list in square brackets",
    "object": "a table",
}


class ConfigError(ValueError):
    """A configuration that cannot be used; each of `problems` says where, what, and what to write."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


def nearest(word: str, words: Iterable[str]) -> str:
    """What may have been meant: the nearest of some words, or all of them."""
    known = list(words)
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known) or 'none'}"


def of_type(said: str, kind: type, key: str) -> str:
    """What msgspec says of a value, in the words of the file's writer."""
    if match := re.match(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>\w+)`", said):
        wanted = [_TYPES.get(each, each) for each in match["wanted"].split(" | ") if each != "null"]
        got = _TYPES.get(match["got"], match["got"])
        return f"{' or '.join(wanted)} is wanted, and this is {got}"
    if match := re.match(r"Invalid enum value '(?P<value>.*)'", said):
        allowed = _words(get_type_hints(kind).get(key))
        return f"{match['value']!r} is none of {', '.join(allowed)}"
    if match := re.match(r"Object missing required field `(?P<field>\w+)`", said):
        return f"it has no {match['field']}; add one"
    return f"{said[0].lower()}{said[1:]}"


def _words(annotation: Any) -> list[str]:
    """The texts that a Literal allows, wherever it stands in a type."""
    if isinstance(annotation, str):
        return [annotation]
    return [word for each in get_args(annotation) for word in _words(each)]


def placed(problems: Sequence[str], text: str) -> list[str]:
    """The problems with the lines of the file on which they stand, in the file's order."""
    blocks = _blocks(text)
    found = [(_line(problem, blocks), problem) for problem in problems]
    found.sort(key=lambda each: each[0] or 0)
    return [f"line {line}: {problem}" if line else problem for line, problem in found]


def _blocks(text: str) -> list[tuple[str, int, list[str]]]:
    """The tables of a file: name, first line, lines; `[circuit.tls]` belongs to the circuit above it."""
    blocks: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        if header and not header["below"]:
            blocks.append((header["name"], number, [line]))
        elif blocks:
            blocks[-1][2].append(line)
    return blocks


def _line(problem: str, blocks: list[tuple[str, int, list[str]]]) -> int | None:
    said = _WHERE.match(problem) or _UNKNOWN.match(problem)
    if said is None:
        return None
    parts = said.groupdict()
    named = [block for block in blocks if block[0] == parts["table"]]
    if parts.get("at"):
        named = named[int(parts["at"]) - 1 :]
    elif label := parts.get("label"):
        quoted = re.compile(rf"=\s*[\"']{re.escape(label)}[\"']")
        named = [block for block in named if any(quoted.search(line) for line in block[2])]
    if not named:
        return None
    _, first, lines = named[0]
    key = (parts.get("wrong") or parts.get("key") or "").rpartition(".")[2]
    begins = re.compile(rf"\s*(?:\w+\.)?{re.escape(key)}\s*=")
    at = next((n for n, line in enumerate(lines) if key and begins.match(line)), 0)
    return first + at
