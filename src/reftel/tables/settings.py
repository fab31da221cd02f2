"""A file of settings (TOML): its tables as values, and its mistakes said so that the person who made them
finds and mends them."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

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


def read_settings(path: Path) -> str:
    """The text of a file of settings. Raises `ConfigError` for what is no UTF-8, `OSError`."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([f"not UTF-8: {error.reason} at byte {error.start}"]) from None


def read_tables(
    text: str, kinds: Mapping[str, type[msgspec.Struct]], lists: Container[str], problems: list[str]
) -> dict[str, Any]:
    """The tables of a file as values of their kinds; `lists` names those that stand any number of times.

    What is wrong is added to `problems`. Raises `ConfigError` for what is no TOML.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"not TOML: {error}"]) from None
    values: dict[str, Any] = {}
    for name, table in tables.items():
        if name not in kinds:
            problems.append(f"unknown table [{name}]{nearest(name, kinds)}")
            continue
        if name in lists:
            if not isinstance(table, list):
                problems.append(f"[{name}] stands once; write [[{name}]] for each")
                continue
            rows = [
                _row(kinds[name], f"[[{name}]] {at}", row, problems)
                for at, row in enumerate(table, 1)
            ]
            values[name] = tuple(row for row in rows if row is not None)
        elif not isinstance(table, dict):
            problems.append(f"{name} is a table; write [{name}]")
        else:
            values[name] = _row(kinds[name], f"[{name}]", table, problems)
    return values


def _row(kind: type[msgspec.Struct], where: str, row: Any, problems: list[str]) -> Any:
    if not isinstance(row, dict):
        problems.append(f"{where}: it is a table of keys")
        return None
    label = row.get("name") or row.get("to") or row.get("office")
    where = f"{where} ({label})" if isinstance(label, str) else where
    keys = kind.__struct_fields__
    problems += [
        f"{where}: unknown key {key!r}{nearest(key, keys)}" for key in row if key not in keys
    ]
    for key, below in row.items():
        inner = _struct(get_type_hints(kind).get(key))
        if inner and isinstance(below, dict):
            problems += [
                f"{where}: unknown key '{key}.{each}'{nearest(each, inner.__struct_fields__)}"
                for each in below
                if each not in inner.__struct_fields__
            ]
    try:
        return msgspec.convert({k: v for k, v in row.items() if k in keys}, kind)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at `$.")
        key = place.rstrip("`")
        outer, _, last = key.rpartition(".")
        holder = (_struct(get_type_hints(kind).get(outer)) if outer else None) or kind
        what = of_type(said, holder, last)
        problems.append(f"{where}: {key}: {what}" if key else f"{where}: {what}")
        return None


def _struct(annotation: Any) -> type[msgspec.Struct] | None:
    """The table that a key holds, if it holds one."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            return each
    return None


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
