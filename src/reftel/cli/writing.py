"""Writing: `draft`, `write`, `split`, `join`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

import reftel
from reftel.check import PROFILES, Profile, check
from reftel.cli.common import (
    DONE,
    NOTHING,
    UNREADABLE,
    Place,
    as_json,
    directory_of,
    directory_option,
    fail,
    finding_options,
    format_option,
    open_view,
    say,
    width,
)
from reftel.cli.reading import read_all, show_text
from reftel.sources import Incoming, walk
from reftel.tables.directory import Directory
from reftel.telegram import Mrn, RecordError, Telegram, from_builtins, to_builtins
from reftel.write import CannotWriteError, Written, split, write
from reftel.write.circuit import encode
from reftel.write.draft import Draft, is_draft, read_draft
from reftel.write.mail import MailError, from_mail, to_mail
from reftel.write.template import reply, template
from reftel.write.wire import heading_for

_form_option = click.option(
    "--form",
    "layout",
    type=click.Choice(["state", "acp127"]),
    help="Whose layout [default: the one it was read in, else state].",
)
_charset_option = click.option(
    "--charset",
    type=click.Choice(["ascii", "ustty", "ita2"]),
    help="What the circuit carries [default: ascii for state, ita2 for acp127].",
)


@click.command("draft")
@click.option("--from", "originator", help="Who sends it.")
@click.option("--reply", "number", metavar="MRN", help="The telegram of the archive it answers.")
@click.option(
    "--reply-to",
    "answered",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="A file with the telegram it answers.",
)
@finding_options
def draft_command(
    originator: str | None, number: str | None, answered: str | None, folder: Place | None
) -> None:
    """Print a new draft: an empty one, or a reply with reference, TAGS and addressees filled in.

    \b
    Example: reftel draft --reply 79BERN123 > reply.txt
    """
    if answered is not None:
        for _, telegram in read_all([answered], None, [0]):
            click.echo(reply(telegram, originator), nl=False)
            return
        sys.exit(UNREADABLE)
    if number is None:
        click.echo(template(originator or "AMEMBASSY BERN"), nl=False)
        return
    mrn = Mrn.parse(number)
    with open_view(folder) as view:
        held = view.cited_as(mrn) if mrn else ()
        if not held:
            say(f"reftel: {number} is not held")
            sys.exit(NOTHING)
        click.echo(reply(held[0].telegram, originator), nl=False)


@click.command("write")
@click.argument("path")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["wire", "mail", "json"]),
    default="wire",
    show_default=True,
    help="What to write.",
)
@_form_option
@_charset_option
@click.option(
    "--circuit",
    type=click.Choice(["ascii", "ita2"]),
    help="Write the bytes of a circuit: CR CR LF, letters shifts; five-unit codes one a byte.",
)
@click.option(
    "--station", metavar="RI", help="Our routing indicator: write format lines 1 to 4 too."
)
@click.option("--channel", metavar="ID", default="AAA001", help="Channel and number of this hop.")
@click.option("--attach", is_flag=True, help="With mail: attach the exact wire text.")
@directory_option
def write_command(
    path: str,
    kind: str,
    layout: Any,
    charset: Any,
    circuit: Any,
    station: str | None,
    channel: str,
    attach: bool,
    directory_file: Path | None,
) -> None:
    """Write a telegram to its wire form, or as Internet mail.

    PATH is a draft, a record (JSON), a telegram, a mail, or - for standard input.

    What is changed on the way is said on standard error; what cannot be written right is refused.

    \b
    Example: reftel write draft.txt > telegram.txt
    """
    telegram = one_telegram(path, directory_of(directory_file))
    if kind == "json":
        click.echo(as_json(to_builtins(telegram, source=path)))
        return
    if kind == "mail":
        _write_mail(path, telegram, directory_of(directory_file), attach=attach)
        return
    if station is not None and telegram.wire is None:
        telegram = _headed(path, telegram, station, channel, layout)
    try:
        text = write(telegram, form=layout, charset=charset)
    except CannotWriteError as error:
        _refuse(path, error.problems)
    _tell(path, text)
    if circuit:
        sys.stdout.buffer.write(encode(text, circuit))
    else:
        click.echo(text, nl=False)


def _write_mail(path: str, telegram: Telegram, directory: Directory, *, attach: bool) -> None:
    """The mail on standard output; its transactions and losses on standard error."""
    try:
        exact = write(telegram) if attach else None
        mail = to_mail(telegram, directory, wire=exact)
    except (CannotWriteError, MailError) as error:
        _refuse(path, getattr(error, "problems", [str(error)]))
    sys.stdout.buffer.write(mail.messages[0])
    for envelope in mail.envelopes:
        say(f"{path}: MT-PRIORITY={envelope.mt_priority} to {', '.join(envelope.mailboxes)}")
    for loss in mail.losses:
        say(f"{path}: {loss.field} is not carried: {loss.value} {loss.why}")


@click.command("split")
@click.argument("path")
@click.option(
    "--lines", default=100, show_default=True, type=click.IntRange(5), help="Of text, each."
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for the sections, a file each [default: standard output].",
)
@_form_option
@_charset_option
@directory_option
def split_command(
    path: str,
    lines: int,
    into: Path | None,
    layout: Any,
    charset: Any,
    directory_file: Path | None,
) -> None:
    """Cut a long telegram into sections, each a message of its own.

    \b
    Example: reftel split long.txt --into sections/
    """
    telegram = one_telegram(path, directory_of(directory_file))
    try:
        sections = split(telegram, form=layout, charset=charset, lines=lines)
    except CannotWriteError as error:
        _refuse(path, error.problems)
    _tell(path, sections[0])
    if into is None:
        click.echo("\n".join(sections), nl=False)
        return
    stem = Path(path).stem if path != "-" else "telegram"
    try:
        into.mkdir(parents=True, exist_ok=True)
        for number, section in enumerate(sections, 1):
            name = f"{stem}-section-{number:02d}-of-{len(sections):02d}.txt"
            (into / name).write_text(section, encoding="utf-8", newline="\n")
            click.echo(str(into / name))
    except OSError as error:
        fail(f"{into}: {error.strerror or error}")


@click.command("join")
@click.argument("paths", nargs=-1, required=True)
@format_option("source", "text", "json")
def join_command(paths: tuple[str, ...], form: str) -> None:
    """Join the sections of a telegram, in whatever order they come.

    Sections given twice and sections missing are named; exit code 1 when some are missing.

    \b
    Example: reftel join section-2.txt section-1.txt > whole.txt
    """
    problems = [0]
    groups: dict[tuple[str | None, str | None], list[tuple[str, Telegram]]] = {}
    for path, telegram in read_all(paths, None, problems):
        key = (telegram.mrn.short if telegram.mrn else None, telegram.dtg)
        groups.setdefault(key, []).append((path, telegram))
    joined = [(key, *_join(group)) for key, group in groups.items()]
    incomplete = False
    for (number, _), telegram, twice in joined:
        for name, path in twice:
            say(f"{path}: section {name} of {number} came twice; the better copy is taken")
        for doubt in telegram.diagnostics:
            if doubt.code == "section-missing":
                incomplete = True
                say(f"{number}: {doubt.message}")
    if form == "json":
        records = [to_builtins(telegram) for _, telegram, _ in joined]
        click.echo(as_json(records[0] if len(records) == 1 else records))
    for _, telegram, _ in joined if form != "json" else ():
        if form == "text":
            show_text(telegram)
        else:
            click.echo(telegram.source, nl=False)
    sys.exit(UNREADABLE if problems[0] else NOTHING if incomplete else DONE)


def _join(group: Sequence[tuple[str, Telegram]]) -> tuple[Telegram, list[tuple[int, str]]]:
    """One telegram of its sections, and those that came again."""
    seen: set[int] = set()
    twice: list[tuple[int, str]] = []
    for path, telegram in group:
        number = telegram.section.number if telegram.section else 1
        if number in seen:
            twice.append((number, path))
        seen.add(number)
    return reftel.join(telegram for _, telegram in group), twice


def one_telegram(path: str, directory: Directory, profile: Profile | None = None) -> Telegram:
    """The telegram of a draft, a record or a telegram's own text; a draft is checked by `profile`, or by
    the one of its date."""
    incoming = list(walk([path], stdin=sys.stdin.buffer))
    texts = [item for item in incoming if isinstance(item, Incoming)]
    if len(texts) != 1:
        for item in incoming:
            say(str(item) if not isinstance(item, Incoming) else item.path)
        fail(f"{path}: one draft, record or telegram is wanted, here are {len(texts)}")
    text = texts[0].text
    if text.lstrip().startswith("{"):
        try:
            return from_builtins(json.loads(text))
        except (json.JSONDecodeError, RecordError) as error:
            fail(f"{path}: {error}")
    if is_draft(text):
        draft = read_draft(text, now=datetime.now(UTC), directory=directory)
        return _of_draft(path, draft, directory, profile)
    try:
        telegram = reftel.read(text)
        if telegram.dialect == "mail":
            telegram, losses = from_mail(text, directory)
            for loss in losses:
                say(f"{path}: {loss.field} is not carried: {loss.value}: {loss.why}")
        return telegram
    except reftel.NotATelegram as refusal:
        fail(f"{path}:1: neither a draft nor a telegram: {refusal.why}")


def _of_draft(path: str, draft: Draft, directory: Directory, profile: Profile | None) -> Telegram:
    """The telegram of a draft that breaks no rule; warnings are said, errors end the command."""
    from reftel.terminal import render_findings

    for problem in draft.problems:
        say(f"{path}:{problem.line}:{problem.column}: {problem.message}; {problem.remedy}")
    sent = draft.telegram.dtg or ""
    if profile is None:
        profile = (
            "state-1973-79" if sent < "1980" else PROFILES[0] if sent < "2010" else "state-2009"
        )
    findings = check(draft.telegram, profile=profile, directory=directory, draft=True)
    text = render_findings(path, draft.telegram.source, findings, width=width(), color=False)
    click.echo(text, nl=False, err=True)
    if draft.problems or any(finding.severity == "error" for finding in findings):
        say(f"{path} is kept as it is; nothing was written")
        sys.exit(NOTHING)
    return draft.telegram


def _headed(path: str, telegram: Telegram, station: str, channel: str, layout: Any) -> Telegram:
    addressees = (*telegram.action, *telegram.info)
    without = [each.name for each in addressees if not each.routing_indicator]
    indicators = [each.routing_indicator for each in addressees]
    routing = tuple(dict.fromkeys(each for each in indicators if each and each != "ZEN"))
    if without:
        say(
            f"{path}: no routing indicator is known of {', '.join(without)}: format line 2 does not call"
            " them; name them in a directory file (--directory)"
        )
    if not routing:
        fail(f"{path}: --station: there is no station to call; nothing was written")
    wire = heading_for(
        telegram,
        station=station,
        channel=channel,
        routing=routing,
        filed=telegram.sent or datetime.now(UTC),
        form=layout or "state",
    )
    return msgspec.structs.replace(telegram, wire=wire)


def _tell(path: str, text: Written) -> None:
    for change in text.changes:
        say(f"{path}: {change.field}: {change.was!r} is sent as {change.now!r}: {change.why}")
    for field in text.losses:
        say(f"{path}: {field} is about the copy that was read, and is not sent")


def _refuse(path: str, problems: list[str]) -> NoReturn:
    for problem in problems:
        say(f"{path}: {problem}")
    say(f"{path} is kept as it is; nothing was written")
    sys.exit(NOTHING)
