"""Reading: `read`, `anatomy`, `schema`, `tables`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator

import click
import msgspec

import reftel
from reftel import tables
from reftel.cli.common import (
    DONE,
    NOTHING,
    UNREADABLE,
    as_json,
    color,
    format_option,
    say,
    width,
)
from reftel.sources import Problem, walk
from reftel.telegram import Telegram, record_schema, to_builtins


@click.command("read")
@click.argument("paths", nargs=-1, required=True)
@format_option("text", "json", "jsonl")
@click.option(
    "--year", type=click.IntRange(1900, 2100), help="The year, where the text does not say."
)
@click.option("--text", "with_text", is_flag=True, help="Keep the exact text in each record.")
def read_command(paths: tuple[str, ...], form: str, year: int | None, with_text: bool) -> None:
    """Say what telegrams say. PATHS are files, folders, archives, or - for standard input.

    \b
    Example: reftel read --format json telegram.txt
    """
    problems = [0]
    telegrams = read_all(paths, year, problems)
    if form == "json":
        records = [
            to_builtins(telegram, source=path, text=with_text) for path, telegram in telegrams
        ]
        if records:
            click.echo(as_json(records[0] if len(records) == 1 else records))
    else:
        for path, telegram in telegrams:
            if form == "jsonl":
                record = to_builtins(telegram, source=path, text=with_text)
                first = {"source": record.pop("source")}
                click.echo(json.dumps({**first, **record}, ensure_ascii=False))
            else:
                show_text(telegram)
    sys.exit(UNREADABLE if problems[0] else DONE)


def read_all(
    paths: Iterable[str], year: int | None, problems: list[int]
) -> Iterator[tuple[str, Telegram]]:
    for item in walk(paths, stdin=sys.stdin.buffer):
        if isinstance(item, Problem):
            problems[0] += not item.reason.startswith("filed with a doubt")
            say(str(item).replace("filed with a doubt", "read with a doubt"))
            continue
        try:
            yield item.path, reftel.read(item.text, year=year)
        except reftel.NotATelegram as refusal:
            problems[0] += 1
            say(f"{item.path}:1: not a telegram: {refusal.why}")


def show_text(telegram: Telegram) -> None:
    from reftel.terminal.render import render

    click.echo(render(telegram, width=width(), color=color()), color=color() or None)


@click.command("anatomy")
@click.argument("paths", nargs=-1, required=True)
@format_option("text", "json")
@click.option(
    "--year", type=click.IntRange(1900, 2100), help="The year, where the text does not say."
)
def anatomy_command(paths: tuple[str, ...], form: str, year: int | None) -> None:
    """Take telegrams apart: every line with the kind of element it is, and what it says.

    \b
    Example: reftel anatomy telegram.txt | less -R
    """
    from reftel.read.anatomy import anatomy
    from reftel.terminal import render_anatomy

    problems = [0]
    for path, telegram in read_all(paths, year, problems):
        if form == "json":
            runs = [run._asdict() for run in anatomy(telegram)]
            click.echo(as_json({"source": path, "runs": msgspec.to_builtins(runs)}))
        else:
            shown = render_anatomy(telegram, width=width(), color=color())
            click.echo(shown, color=color() or None)
    sys.exit(UNREADABLE if problems[0] else DONE)


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of the record that `reftel read --format json` writes.

    \b
    Example: reftel schema > telegram.schema.json
    """
    click.echo(as_json(record_schema()))


@click.command("tables")
@click.argument("kind", required=False)
@click.argument("code", required=False)
@format_option("text", "json")
def tables_command(kind: str | None, code: str | None, form: str) -> None:
    """Look a code up in the tables: all kinds, one kind, or one code.

    \b
    Example: reftel tables tags PREL
    """
    try:
        if kind is None:
            entries = []
        elif code is not None:
            entries = tables.lookup(kind, code)
        elif kind in tables.KINDS:
            entries = list(tables.table(kind))
        else:
            entries = tables.lookup(None, kind)
    except tables.UnknownCodeError as error:
        say(f"reftel: {error}")
        sys.exit(NOTHING)
    if form == "json":
        click.echo(
            as_json([entry.columns | {"table": entry.kind} for entry in entries] or tables.KINDS)
        )
        return
    for line in [_entry_line(entry) for entry in entries] or tables.KINDS:
        click.echo(line)


def _entry_line(entry: tables.Entry) -> str:
    era = f"  [{entry.era}]" if entry.era else ""
    return f"{entry.kind:<16}{entry.code:<12} {entry.name}{era}"
