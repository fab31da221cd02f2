"""Checking: `check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

import reftel
from reftel.check import PROFILES, RULES, Finding, Held, check, silence
from reftel.check.sarif import sarif
from reftel.cli.common import (
    DONE,
    NOTHING,
    UNREADABLE,
    Place,
    as_json,
    color,
    directory_of,
    directory_option,
    fail,
    format_option,
    open_view,
    say,
    width,
)
from reftel.sources import Problem, walk
from reftel.telegram import Telegram
from reftel.write.draft import is_draft, read_draft

if TYPE_CHECKING:
    from reftel.archive import View


@click.command("check")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "sarif")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default=PROFILES[0],
    show_default=True,
    help="Whose rules hold.",
)
@click.option(
    "--silence",
    "silenced",
    multiple=True,
    metavar="RULE=REASON",
    help="Do not report a rule, by number or name, for a reason.",
)
@click.option("--list", "listed", is_flag=True, help="List the rules of the profile.")
@click.option(
    "--year", type=click.IntRange(1900, 2100), help="The year, where the text does not say."
)
@click.option(
    "--archive",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="An archive, for rules that ask whether a telegram is held.",
)
@directory_option
def check_command(
    paths: tuple[str, ...],
    form: str,
    profile: Any,
    silenced: tuple[str, ...],
    listed: bool,
    year: int | None,
    folder: Place | None,
    directory_file: Path | None,
) -> None:
    """Check drafts and telegrams against the drafting rules. PATHS are files, folders, or -.

    Exit code 1 when there is an error; warnings alone leave it 0. docs/rules.md explains each rule.

    \b
    Example: reftel check draft.txt --silence summary='the text is a list'
    """
    reasons = _reasons(silenced)
    if listed:
        _list_rules(profile, form)
        return
    if not paths:
        raise click.UsageError("name a file, a folder, or - for standard input; or give --list")
    problems = [0]
    errors = warnings = 0
    checked: list[tuple[str, str, tuple[Finding, ...]]] = []
    with ExitStack() as stack:
        held = _held(stack.enter_context(open_view(folder))) if folder else None
        for path, telegram, draft in _telegrams(paths, year, directory_file, problems):
            findings = check(
                telegram,
                profile=profile,
                silenced=None if form == "sarif" else reasons,
                directory=directory_of(directory_file),
                held=held,
                draft=draft,
            )
            counted = [each for each in findings if each.rule not in reasons]
            errors += sum(each.severity == "error" for each in counted)
            warnings += sum(each.severity == "warning" for each in counted)
            checked.append((path, telegram.source, findings))
            if form == "text":
                _show(path, telegram.source, findings)
    if form == "json":
        records = [
            {"source": path, "findings": msgspec.to_builtins(findings)}
            for path, _, findings in checked
        ]
        click.echo(as_json(records[0] if len(records) == 1 else records))
    elif form == "sarif":
        click.echo(as_json(sarif(checked, version=reftel.__version__, silenced=reasons)))
    else:
        say(f"{len(checked)} checked: {_many(errors, 'error')}, {_many(warnings, 'warning')}")
    sys.exit(UNREADABLE if problems[0] else NOTHING if errors else DONE)


def _held(view: View) -> Held:
    from reftel.archive.held import ArchiveHeld

    return ArchiveHeld(view)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _reasons(silenced: tuple[str, ...]) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for each in silenced:
        name, _, reason = each.partition("=")
        if not reason.strip():
            fail(f"--silence {each}: give the reason: --silence {name}='why it does not hold here'")
        try:
            reasons[silence(name.strip())] = reason.strip()
        except KeyError as error:
            fail(str(error.args[0]))
    return reasons


def _list_rules(profile: Any, form: str) -> None:
    rules = [rule for _, rule in sorted(RULES.items()) if profile in rule.profiles]
    if form == "json":
        fields = ("number", "name", "severity", "sentence", "source", "profiles", "needs")
        click.echo(as_json([{field: getattr(rule, field) for field in fields} for rule in rules]))
        return
    for rule in rules:
        click.echo(f"{rule.number}  {rule.severity:<8} {rule.name:<20} {rule.sentence}")


def _telegrams(
    paths: tuple[str, ...], year: int | None, directory_file: Path | None, problems: list[int]
) -> Iterator[tuple[str, Telegram, bool]]:
    """Path, telegram, and whether it is a draft, of each; what is neither is said and counted."""
    for item in walk(paths, stdin=sys.stdin.buffer):
        if isinstance(item, Problem):
            problems[0] += not item.reason.startswith("filed with a doubt")
            say(str(item))
            continue
        if is_draft(item.text):
            now = datetime.now(UTC)
            draft = read_draft(item.text, now=now, directory=directory_of(directory_file))
            for problem in draft.problems:
                problems[0] += 1
                place = f"{item.path}:{problem.line}:{problem.column}"
                say(f"{place}: {problem.message}; {problem.remedy}")
            yield item.path, draft.telegram, True
            continue
        try:
            yield item.path, reftel.read(item.text, year=year), False
        except reftel.NotATelegram as refusal:
            problems[0] += 1
            say(f"{item.path}:1: neither a draft nor a telegram: {refusal.why}")


def _show(path: str, source: str, findings: tuple[Finding, ...]) -> None:
    from reftel.terminal import render_findings

    text = render_findings(path, source, findings, width=width(), color=color())
    click.echo(text, nl=False, color=color() or None)
