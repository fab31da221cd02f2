"""Keeping and showing: `add`, `show`, `serve`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reftel.access import EVERYTHING
from reftel.cli.common import (
    DONE,
    NOTHING,
    UNREADABLE,
    Place,
    access_option,
    archive_option,
    as_json,
    directory_of,
    directory_option,
    fail,
    fail_unrecorded,
    finding_options,
    format_option,
    needs_readers,
    open_archive,
    open_view,
    policy_of,
    say,
)
from reftel.cli.reading import show_text
from reftel.sources import Problem, total_bytes
from reftel.telegram import Mrn, to_builtins

if TYPE_CHECKING:
    from reftel.access import Policy
    from reftel.archive import Archive, Card, Progress, Report
    from reftel.web.readers import Readers


@click.command()
@click.argument("paths", nargs=-1, required=True)
@archive_option
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    help="How many other processes read [default: one for each core, none for little].",
)
def add(paths: tuple[str, ...], folder: Place | None, workers: int | None) -> None:
    """File telegrams: folders, files, archives, tables, mail, records, PDF, or - for standard input.

    What was filed before an interruption is passed over when the same is filed again.

    \b
    Example: reftel add telegrams/ years.7z cables.csv
    """
    with open_archive(folder, new=True) as archive:
        from reftel.archive.pool import cores

        size = total_bytes(paths)
        if workers is None:
            workers = cores() if size > _LITTLE_BYTES else 0
        bar = _Bar(size) if sys.stderr.isatty() else None
        try:
            report = archive.fill(
                paths,
                stdin=sys.stdin.buffer,
                workers=workers,
                on_progress=bar.show if bar else None,
                on_problem=bar.tell if bar else lambda problem: say(str(problem)),
            )
        except KeyboardInterrupt:
            if bar:
                bar.end()
            say("reftel: interrupted; what was filed is kept. Give the same command to go on.")
            sys.exit(130)
        if bar:
            bar.end()
        say(_sums(report, archive.count()))
    nothing = not (report.added or report.known or report.unchanged)
    sys.exit(UNREADABLE if nothing and (report.refused or report.unreadable) else DONE)


_LITTLE_BYTES = 4_000_000


def _sums(report: Report, held: int) -> str:
    copies = ""
    if report.variants:
        better = f" ({report.better:,} better than what was held)" if report.better else ""
        copies = f", {report.variants:,} of them further copies{better}"
    parts = [f"{report.added:,} filed{copies}", f"{report.known:,} held already"]
    if report.refused:
        parts.append(f"{report.refused:,} no telegrams")
    if report.unreadable:
        parts.append(f"{report.unreadable:,} unreadable")
    if report.unchanged:
        files = "1 file" if report.unchanged == 1 else f"{report.unchanged:,} files"
        parts.append(f"{files} unchanged since filed, not read again")
    return "; ".join([*parts, f"{held:,} in the archive"])


class _Bar:
    """A progress bar by bytes, with the rate in inputs and the remaining time; problems stand above."""

    def __init__(self, size: int) -> None:
        self._began = time.monotonic()
        self._seen = 0
        self._bar = click.progressbar(
            length=size,
            label="Filing",
            file=sys.stderr,
            width=30,
            item_show_func=lambda rate: rate,
        )
        self._bar.render_progress()

    def show(self, progress: Progress) -> None:
        rate = progress.done / max(time.monotonic() - self._began, 0.001)
        step, self._seen = progress.bytes - self._seen, progress.bytes
        self._bar.update(step, f"{progress.done:,} at {rate:,.0f}/s")

    def tell(self, problem: Problem) -> None:
        sys.stderr.write("\r\x1b[K")
        say(str(problem))

    def end(self) -> None:
        self._bar.render_finish()


@click.command()
@click.argument("number")
@finding_options
@format_option("text", "json", "source")
@click.option("--all", "all_copies", is_flag=True, help="Every document with the number.")
def show(number: str, folder: Place | None, form: str, all_copies: bool) -> None:
    """Print a telegram by its message reference number, in any spelling.

    \b
    Example: reftel show 79BERN123
    """
    mrn = Mrn.parse(number)
    with open_view(folder) as view:
        documents = view.cited_as(mrn) if mrn else ()
        if not documents and (one := view.document(number)):
            documents = (one,)
        cards = view.cards(mrn) if mrn else ()
        for card in cards:
            say(_card_line(card))
        if not documents and cards:
            sys.exit(NOTHING)
        if not documents:
            say(f"reftel: {number} is not held")
            if mrn is None:
                say("  a number is year, post and number, such as 79BERN123")
            sys.exit(NOTHING)
        reading = [d for d in documents if all_copies or d.variant_of is None]
        for document in reading or documents:
            if document.damaged:
                say(f"reftel: {document.damaged}")
            elif form == "source":
                click.echo(document.telegram.source, nl=False)
            elif form == "json":
                click.echo(as_json(to_builtins(document.telegram, source=document.origin)))
            else:
                show_text(document.telegram)
        if any(document.damaged for document in reading):
            sys.exit(UNREADABLE)


def _card_line(card: Card) -> str:
    to = "; ".join(card.to) or "addressees that cannot be read"
    return (
        f"{card.mrn} is withheld from this reader: {card.classification}, {card.dtg or 'no date'},"
        f" from {card.originator or 'an originator that cannot be read'} to {to}"
    )


@click.command()
@archive_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--get", "path", metavar="PATH", help="Answer one request and end, without a server.")
@click.option(
    "--as", "name", metavar="NAME", help="With --get: as this reader of the access file sees it."
)
@access_option
@click.option(
    "--everything-to-everybody",
    "open_to_all",
    is_flag=True,
    help="Listen beyond this machine without an access file: whoever comes reads all there is.",
)
@directory_option
def serve(
    folder: Place | None,
    host: str,
    port: int,
    path: str | None,
    name: str | None,
    access_file: Path | None,
    open_to_all: bool,
    directory_file: Path | None,
) -> None:
    """Open the reading room. docs/access.md says how readers see what they may.

    \b
    Example: reftel serve --get /t/79BERN123.json
    """
    archive = open_archive(folder)
    try:
        from reftel import web
    except ImportError as error:
        fail(f"{error.name} is not installed; install it with: pip install 'reftel[web]'")
    policy = policy_of(archive.folder, access_file)
    if policy is None and host not in _LOOPBACK and not open_to_all and path is None:
        fail(
            f"whoever reaches {host} would read the whole archive; say with --access FILE who reads what"
            " (docs/access.md), or give --everything-to-everybody"
        )
    with archive:
        if policy is not None or not open_to_all:
            needs_readers(archive, policy)
        readers = _readers(policy, archive)
        if path is not None:
            if name is not None and policy is None:
                fail(f"--as {name}: there is no access file to say who that is")
            reader = EVERYTHING if name is None or policy is None else policy.named(name)
            if reader is None:
                fail(f"--as {name}: the access file names no such reader")
            status, body = web.get(archive, path, readers, reader)
            click.echo(body, nl=False)
            sys.exit(DONE if status < 400 else NOTHING)
        try:
            directory = directory_of(directory_file)
            web.serve(
                archive,
                host=host,
                port=port,
                on_ready=_say_open,
                directory=directory,
                readers=readers,
            )
        except OSError as error:
            fail(f"cannot listen on {host}:{port}: {error.strerror or error}; try another --port")
        except ImportError as error:
            fail(f"{error.name} is not installed; install it with: pip install 'reftel[openid]'")


_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _readers(policy: Policy | None, archive: Archive) -> Readers | None:
    from reftel.access import TrailError
    from reftel.web.readers import open_readers

    try:
        return open_readers(archive.folder, policy) if policy else None
    except TrailError as error:
        fail_unrecorded(archive.folder, error)


def _say_open(address: str) -> None:
    say(f"The reading room is open at {address} (close it with Ctrl-C)")
