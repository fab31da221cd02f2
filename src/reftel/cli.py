"""The command line: each command parses, calls one function of a room, and renders.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 nothing
found, 2 wrong use or unreadable input.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
import msgspec

import reftel
from reftel import tables
from reftel.sources import Incoming, Problem, count, walk
from reftel.telegram import Mrn, Telegram, record_schema, to_builtins

if TYPE_CHECKING:
    from reftel.archive import Archive, Progress

_Command = TypeVar("_Command", bound=Callable[..., Any])

DONE, NOTHING, UNREADABLE = 0, 1, 2


def _say(message: str) -> None:
    click.echo(message, err=True)


def _fail(message: str) -> NoReturn:
    _say(f"reftel: {message}")
    sys.exit(UNREADABLE)


def _color() -> bool:
    if "NO_COLOR" in os.environ:
        return False
    return sys.stdout.isatty() or "FORCE_COLOR" in os.environ


def _width() -> int:
    return shutil.get_terminal_size((80, 24)).columns


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _format_option(*formats: str) -> Callable[[_Command], _Command]:
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True
    )


def _archive_option(command: _Command) -> _Command:
    return click.option(
        "--archive",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="REFTEL_ARCHIVE",
        help="The archive's folder [default: REFTEL_ARCHIVE, or the user data folder].",
    )(command)


def _user_folder() -> Path:
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "reftel"


def _open(folder: Path | None, *, new: bool = False) -> Archive:
    try:
        from reftel.archive import Archive, StoreError
    except ImportError as error:
        _fail(f"{error.name} is not installed; install it with: pip install 'reftel[archive]'")
    place = folder or _user_folder()
    if not new and not (place / "telegrams.db").exists():
        _fail(f"there is no archive in {place}; file telegrams first: reftel add FOLDER")
    try:
        return Archive.open(place)
    except (StoreError, OSError) as error:
        _fail(str(error))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(reftel.__version__, prog_name="reftel")
def cli() -> None:
    """Read, keep and find diplomatic telegrams.

    \b
    Example: reftel read telegram.txt
    """


@cli.command("read")
@click.argument("paths", nargs=-1, required=True)
@_format_option("text", "json", "jsonl")
@click.option(
    "--year", type=click.IntRange(1900, 2100), help="The year, where the text does not say."
)
def read_command(paths: tuple[str, ...], form: str, year: int | None) -> None:
    """Say what telegrams say. PATHS are files, folders, zip archives, or - for standard input.

    \b
    Example: reftel read --format json telegram.txt
    """
    problems = [0]
    telegrams = _read_all(paths, year, problems)
    if form == "json":
        records = [to_builtins(telegram, source=path) for path, telegram in telegrams]
        if records:
            click.echo(_json(records[0] if len(records) == 1 else records))
    else:
        for path, telegram in telegrams:
            if form == "jsonl":
                record = to_builtins(telegram, source=path)
                first = {"source": record.pop("source")}
                click.echo(json.dumps({**first, **record}, ensure_ascii=False))
            else:
                _show_text(telegram)
    sys.exit(UNREADABLE if problems[0] else DONE)


def _read_all(
    paths: Iterable[str], year: int | None, problems: list[int]
) -> Iterator[tuple[str, Telegram]]:
    for item in walk(paths, stdin=sys.stdin.buffer):
        if isinstance(item, Problem):
            problems[0] += not item.reason.startswith("filed with a doubt")
            _say(str(item).replace("filed with a doubt", "read with a doubt"))
            continue
        try:
            yield item.path, reftel.read(item.text, year=year)
        except reftel.NotATelegram as refusal:
            problems[0] += 1
            _say(f"{item.path}:1: not a telegram: {refusal.why}")


def _show_text(telegram: Telegram) -> None:
    from reftel.terminal.render import render

    click.echo(render(telegram, width=_width(), color=_color()), color=_color() or None)


@cli.command("anatomy")
@click.argument("paths", nargs=-1, required=True)
@_format_option("text", "json")
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
    for path, telegram in _read_all(paths, year, problems):
        if form == "json":
            runs = [run._asdict() for run in anatomy(telegram)]
            click.echo(_json({"source": path, "runs": msgspec.to_builtins(runs)}))
        else:
            shown = render_anatomy(telegram, width=_width(), color=_color())
            click.echo(shown, color=_color() or None)
    sys.exit(UNREADABLE if problems[0] else DONE)


@cli.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of the record that `reftel read --format json` writes.

    \b
    Example: reftel schema > telegram.schema.json
    """
    click.echo(_json(record_schema()))


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@_archive_option
def add(paths: tuple[str, ...], folder: Path | None) -> None:
    """File telegrams: folders, files, zip archives, PDF exports, or - for standard input.

    \b
    Example: reftel add telegrams/ more.zip
    """
    with _open(folder, new=True) as archive:
        inputs = walk(paths, stdin=sys.stdin.buffer)
        if sys.stderr.isatty():
            report = _add_with_bar(archive, inputs, count(paths))
        else:
            report = archive.add(inputs)
        for problem in report.problems:
            _say(str(problem))
        copies = f", {report.variants} of them further copies" if report.variants else ""
        _say(
            f"{report.added} filed{copies}; {report.known} held already; {archive.count()} in the archive"
        )
    refused = [p for p in report.problems if not p.reason.startswith("filed with a doubt")]
    sys.exit(UNREADABLE if refused and not (report.added or report.known) else DONE)


def _add_with_bar(archive: Archive, inputs: Iterator[Incoming | Problem], total: int) -> Any:
    import time

    began = time.monotonic()
    with click.progressbar(
        length=total, label="Filing", file=sys.stderr, show_pos=True, item_show_func=_rate_shown
    ) as bar:
        seen = [0]

        def advance(progress: Progress) -> None:
            rate = progress.done / max(time.monotonic() - began, 0.001)
            bar.update(progress.done - seen[0], f"{rate:.0f}/s")
            seen[0] = progress.done

        return archive.add(inputs, batch=100, on_progress=advance)


def _rate_shown(rate: str | None) -> str | None:
    return rate


@cli.command()
@click.argument("query", nargs=-1)
@_archive_option
@click.option("--order", type=click.Choice(["relevance", "newest", "oldest"]), help="How to sort.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(0), help="How many.")
@click.option("--offset", default=0, type=click.IntRange(0), help="How many to pass over.")
@click.option("--counts", is_flag=True, help="Also count by year, post, TAGS and classification.")
@_format_option("text", "json", "jsonl")
def search(
    query: tuple[str, ...],
    folder: Path | None,
    order: Any,
    limit: int,
    offset: int,
    counts: bool,
    form: str,
) -> None:
    """Find telegrams. The search language is described in docs/search.md.

    \b
    Example: reftel search '"lighthouse dues" post:BERN after:1978'
    """
    with _open(folder) as archive:
        from reftel.archive import QueryError
        from reftel.archive.results import hit_to_json, results_to_json

        text = " ".join(query)
        try:
            results = archive.search(text, order=order, limit=limit, offset=offset)
        except QueryError as error:
            _fail(f"{error.message}\n  {text}\n  {' ' * error.position}^")
        if form == "json":
            click.echo(_json(results_to_json(results)))
        elif form == "jsonl":
            for hit in results.hits:
                click.echo(json.dumps(hit_to_json(hit), ensure_ascii=False))
        else:
            from reftel.terminal import render_results

            text = render_results(results, width=_width(), color=_color(), counts=counts)
            click.echo(text, nl=False, color=_color() or None)
    sys.exit(DONE if results.total else NOTHING)


@cli.command()
@click.argument("number")
@_archive_option
@_format_option("text", "json", "source")
@click.option("--all", "all_copies", is_flag=True, help="Every document with the number.")
def show(number: str, folder: Path | None, form: str, all_copies: bool) -> None:
    """Print a telegram by its message reference number, in any spelling.

    \b
    Example: reftel show 79BERN123
    """
    mrn = Mrn.parse(number)
    with _open(folder) as archive:
        documents = archive.cited_as(mrn) if mrn else ()
        if not documents and (one := archive.document(number)):
            documents = (one,)
        if not documents:
            _say(f"reftel: {number} is not held")
            if mrn is None:
                _say("  a number is year, post and number, such as 79BERN123")
            sys.exit(NOTHING)
        reading = [d for d in documents if all_copies or d.variant_of is None]
        for document in reading or documents:
            if form == "source":
                click.echo(document.telegram.source, nl=False)
            elif form == "json":
                click.echo(_json(to_builtins(document.telegram, source=document.origin)))
            else:
                _show_text(document.telegram)


@cli.command()
@_archive_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--get", "path", metavar="PATH", help="Answer one request and end, without a server.")
def serve(folder: Path | None, host: str, port: int, path: str | None) -> None:
    """Open the reading room.

    \b
    Example: reftel serve --get /t/79BERN123.json
    """
    archive = _open(folder)
    try:
        from reftel import web
    except ImportError as error:
        _fail(f"{error.name} is not installed; install it with: pip install 'reftel[web]'")
    with archive:
        if path is not None:
            status, body = web.get(archive, path)
            click.echo(body, nl=False)
            sys.exit(DONE if status < 400 else NOTHING)
        try:
            web.serve(archive, host=host, port=port, on_ready=_say_open)
        except OSError as error:
            _fail(f"cannot listen on {host}:{port}: {error.strerror or error}; try another --port")


def _say_open(address: str) -> None:
    _say(f"The reading room is open at {address} (close it with Ctrl-C)")


@cli.command("tables")
@click.argument("kind", required=False)
@click.argument("code", required=False)
@_format_option("text", "json")
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
        _say(f"reftel: {error}")
        sys.exit(NOTHING)
    if form == "json":
        click.echo(
            _json([entry.columns | {"table": entry.kind} for entry in entries] or tables.KINDS)
        )
        return
    for line in [_entry_line(entry) for entry in entries] or tables.KINDS:
        click.echo(line)


def _entry_line(entry: tables.Entry) -> str:
    era = f"  [{entry.era}]" if entry.era else ""
    return f"{entry.kind:<16}{entry.code:<12} {entry.name}{era}"


@cli.command()
@_archive_option
def verify(folder: Path | None) -> None:
    """Check that every document reads and that the index matches.

    \b
    Example: reftel verify
    """
    with _open(folder) as archive:
        problems = archive.verify()
        for problem in problems:
            _say(str(problem))
        _say(f"{archive.count()} telegrams, {len(problems)} problems")
    sys.exit(NOTHING if problems else DONE)


@cli.command("rebuild-index")
@_archive_option
def rebuild_index(folder: Path | None) -> None:
    """Build the search index again from the stored telegrams.

    \b
    Example: reftel rebuild-index
    """
    with _open(folder) as archive:
        archive.rebuild_index()
        _say(f"{archive.count()} telegrams indexed")


def main() -> None:
    """The `reftel` command. A closed pipe ends it quietly, Ctrl-C with 130."""
    try:
        code = cli(standalone_mode=False)
    except click.exceptions.Abort:
        _say("\nreftel: interrupted; what was filed is kept")
        sys.exit(130)
    except KeyboardInterrupt:
        _say("\nreftel: interrupted; what was filed is kept")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(UNREADABLE)
    except BrokenPipeError:
        # Standard output is closed: leave nothing for Python to flush into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)
    sys.exit(code if isinstance(code, int) else DONE)
