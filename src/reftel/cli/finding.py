"""Finding: `search`, `like`, `saved`, `export`, `cite`."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, cast

import click
import msgspec

from reftel.access.policy import EVERYBODY
from reftel.cli.common import (
    DONE,
    NOTHING,
    UNREADABLE,
    Place,
    as_json,
    color,
    fail,
    finding_options,
    format_option,
    open_view,
    say,
    width,
)
from reftel.sources.decode import UndecodableError, decode
from reftel.tables.spreadsheet import csv_line
from reftel.telegram import Mrn
from reftel.write.citation import FORMS as CITATIONS
from reftel.write.citation import cited

if TYPE_CHECKING:
    from reftel.archive import Document, Hit, QueryError, View
    from reftel.archive.saved import SavedSearches

_BAR_STEP = 100
# No word of a command line holds it.
_WORD = "\0"


class _QueryCommand(click.Command):
    """A command that takes a query, of which a word may begin with a hyphen (`-lamp`, `-tags:*`). Its
    options begin with two, but for -h."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [each for each in self.params if isinstance(each, click.Option)]
        taking = {name for each in options if not each.is_flag for name in each.opts}
        given, words = iter(args), list[str]()
        for word in given:
            denies = word.startswith("-") and not word.startswith("--") and word not in ("-", "-h")
            # It is no option then for click, and stays where it stands.
            words.append(f"{_WORD}{word}" if denies else word)
            if word == "--":
                words += given
            elif word in taking:
                words += islice(given, 1)
        left = super().parse_args(ctx, words)
        for name, value in ctx.params.items():
            if isinstance(value, str):
                ctx.params[name] = value.removeprefix(_WORD)
            elif isinstance(value, tuple):
                ctx.params[name] = tuple(each.removeprefix(_WORD) for each in value)
        return left


@click.command(cls=_QueryCommand)
@click.argument("query", nargs=-1)
@finding_options
@click.option("--order", type=click.Choice(["relevance", "newest", "oldest"]), help="How to sort.")
@click.option("--limit", type=click.IntRange(0), help="How many [default: 20; all of a batch].")
@click.option("--offset", default=0, type=click.IntRange(0), help="How many to pass over.")
@click.option("--counts", is_flag=True, help="Also count by year, post, TAGS and classification.")
@click.option(
    "--save", "name", metavar="NAME", help="Keep the search; reftel saved says what is new."
)
@click.option("--replace", is_flag=True, help="Save it in place of one that has the name.")
@click.option(
    "--batch",
    type=click.File("rb"),
    help="Search for each line of a file, and write a table of all results (CSV).",
)
@format_option("text", "json", "jsonl", "csv")
def search(
    query: tuple[str, ...],
    folder: Place | None,
    order: Any,
    limit: int | None,
    offset: int,
    counts: bool,
    name: str | None,
    replace: bool,
    batch: Any,
    form: str,
) -> None:
    """Find telegrams. The search language is described in docs/search.md.

    \b
    Example: reftel search '"light dues" post:BERN after:1978'
             reftel search light -lamp
             reftel search --batch queries.txt > found.csv
    """
    text = " ".join(query)
    if replace and name is None:
        fail(
            "--replace says what --save does with a name that is taken: name the search with --save"
        )
    if batch is not None:
        if text or name or counts or offset:
            fail(
                "--batch takes its queries from the file alone, and no --save, --counts or --offset"
            )
        try:
            queries, doubt = decode(batch.read())
        except UndecodableError as error:
            fail(f"{batch.name}: {error}")
        if doubt:
            say(f"{batch.name}: {doubt}")
        _batch(queries, batch.name, folder, order, limit, form)
    if form == "csv":
        fail("a table is written by --batch, and by reftel export QUERY results.csv")
    with open_view(folder) as view:
        from reftel.archive import QueryError
        from reftel.archive.results import hit_to_json, results_to_json
        from reftel.archive.saved import SavedNameError

        try:
            if name is not None and not replace and (kept := _saved(view).find(name)) is not None:
                fail(f"{kept.query!r} is saved as {name} already; give another name, or --replace")
            results = view.search(
                text, order=order, limit=20 if limit is None else limit, offset=offset
            )
            named = view.named(text)
            if name is not None:
                _saved(view).save(name, text)
                say(f"saved as {name}; {results.total} results count as seen")
        except QueryError as error:
            _mistaken(error, text)
        except SavedNameError as error:
            fail(str(error))
        if form == "json":
            click.echo(as_json(results_to_json(results)))
        elif form == "jsonl":
            for hit in results.hits:
                click.echo(json.dumps(hit_to_json(hit), ensure_ascii=False))
        else:
            from reftel.terminal import render_results

            shown = render_results(results, width=width(), color=color(), counts=counts)
            click.echo(shown, nl=False, color=color() or None)
        if named:
            told = f"The telegram with this number: reftel show {named.short}"
            click.echo(told, err=form != "text")
    sys.exit(DONE if results.total else NOTHING)


def _mistaken(error: QueryError, query: str) -> NoReturn:
    fail(f"{error.message}\n  {query}\n  {' ' * error.position}^")


def _batch(
    text: str, path: str, folder: Place | None, order: Any, limit: int | None, form: str
) -> NoReturn:
    if order == "relevance":
        fail("--batch sorts by date: --order newest or --order oldest")
    with open_view(folder) as view:
        from reftel.archive.batch import BatchRow, queries_in, search_all

        columns = BatchRow.__struct_encode_fields__
        mistakes = 0
        first = True
        for row in search_all(view, queries_in(text), order or "newest", limit):
            if row.error is not None:
                say(f"{path}:{row.line}: {row.error}")
                mistakes += 1
            if form in ("csv", "text"):
                if first:
                    click.echo(csv_line(columns), nl=False)
                values = msgspec.structs.astuple(row)
                click.echo(csv_line(values, own=(columns.index("query"),)), nl=False)
            else:
                line = msgspec.json.encode(row).decode()
                click.echo(
                    line if form == "jsonl" else f"{'[' if first else ','}\n{line}",
                    nl=form == "jsonl",
                )
            first = False
        if form == "json":
            click.echo("[]" if first else "\n]")
    sys.exit(UNREADABLE if mistakes else DONE)


@click.command()
@click.argument("number")
@finding_options
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1), help="How many.")
@format_option("text", "json", "jsonl")
def like(number: str, folder: Place | None, limit: int, form: str) -> None:
    """Find the telegrams most like one, by the words that mark it out.

    \b
    Example: reftel like 79BERN4120
    """
    with open_view(folder) as view:
        document = _the_document(view, number)
        found = view.like(document.digest, limit)
        _print_hits(found, form)
    sys.exit(DONE if found else NOTHING)


def _print_hits(hits: Iterable[Hit], form: str) -> None:
    from reftel.archive.results import hit_to_json
    from reftel.terminal import render_hit

    if form == "json":
        click.echo(as_json([hit_to_json(hit) for hit in hits]))
        return
    for hit in hits:
        if form == "jsonl":
            click.echo(json.dumps(hit_to_json(hit), ensure_ascii=False))
        else:
            shown = render_hit(hit, width=width(), color=color())
            click.echo(shown, nl=False, color=color() or None)


def _the_document(view: View, number: str) -> Document:
    """The document that a number or the beginning of a digest names."""
    mrn = Mrn.parse(number)
    documents = [d for d in view.cited_as(mrn) if d.variant_of is None] if mrn else []
    if not documents and (one := view.document(number)):
        return one
    if not documents:
        say(f"reftel: {number} is not held")
        if mrn is None:
            say("  a number is year, post and number, such as 79BERN123")
        sys.exit(NOTHING)
    if len(documents) > 1:
        say(f"reftel: {len(documents)} documents have the number {number}; the first is taken")
        for each in documents:
            subject = each.damaged or each.telegram.subject or "(no subject)"
            say(f"  {each.digest[:16]}  {subject}")
    return documents[0]


def _saved(view: View) -> SavedSearches:
    from reftel.archive.saved import SavedSearches

    if view.reader.name == EVERYBODY:
        fail("searches are kept for readers who are known by name, not for everybody together")
    return SavedSearches(view.folder, view)


@click.command()
@click.argument("name", required=False)
@finding_options
@click.option("--keep", is_flag=True, help="What is shown stays new.")
@click.option("--forget", is_flag=True, help="Give the saved search up.")
@format_option("text", "json", "jsonl")
def saved(name: str | None, folder: Place | None, keep: bool, forget: bool, form: str) -> None:
    """Say what is new in the saved searches, or show what is new in one of them.

    \b
    Example: reftel search --save dues '"light dues"'
             reftel saved
             reftel saved dues
    """
    if name is None and (keep or forget):
        fail("name the saved search")
    with open_view(folder) as view:
        from reftel.archive import QueryError
        from reftel.archive.saved import SavedNameError

        searches = _saved(view)
        try:
            if name is None:
                found = _print_saved(searches, form)
            elif forget:
                searches.forget(name)
                found = 1
            else:
                look = searches.look(name)
                found = len(look.new)
                _print_hits(searches.hits(look), form)
                say(f"{found} new of {look.total} since {look.search.looked}")
                if not keep:
                    searches.mark(name)
        except SavedNameError as error:
            fail(str(error))
        except QueryError as error:
            fail(f"the search cannot be understood any more: {error}")
    sys.exit(DONE if found else NOTHING)


def _print_saved(searches: SavedSearches, form: str) -> int:
    values = [
        {
            **msgspec.to_builtins(look.search),
            "total": look.total,
            "new": len(look.new),
            "mistake": look.mistake,
        }
        for look in searches.looks()
    ]
    if form == "json":
        click.echo(as_json(values))
    for value in values:
        if form == "jsonl":
            click.echo(json.dumps(value, ensure_ascii=False))
        elif form == "text":
            if value["mistake"] is not None:
                say(f"{value['name']}: {value['query']} cannot be understood: {value['mistake']}")
                continue
            new = f"{value['new']} new"
            click.echo(f"{value['name']:<20} {new:>10} of {value['total']:<8} {value['query']}")
    return len(values)


@click.command(cls=_QueryCommand)
@click.argument("query", nargs=-1)
@click.argument("target")
@finding_options
@click.option(
    "--order", type=click.Choice(["newest", "oldest"]), default="newest", show_default=True
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "parquet", "mbox", "text", "bibtex", "ris", "csl-json"]),
    help="[default: by the name of the file]",
)
def export(
    query: tuple[str, ...], target: str, folder: Place | None, order: Any, form: str | None
) -> None:
    """Write all results of a search to a file, or to - (standard output). A folder (its name ends in /)
    gets each telegram's original text.

    \b
    Example: reftel export 'tags:EWWT year:1979' lights.csv
              reftel export 'post:BERN' bern/
    """
    with open_view(folder) as view:
        from reftel.archive import QueryError
        from reftel.archive.export import FORMS, ExportError, export_texts
        from reftel.archive.export import export as write_out

        text = " ".join(query)
        if form is None:
            form = _form_of(target, {each.suffix: name for name, each in FORMS.items()})
        if target != "-" and not target.endswith("/") and not Path(target).parent.is_dir():
            fail(f"{target}: there is no folder {Path(target).parent}; make it first")
        try:
            damaged: list[str] = []
            documents: Iterable[Document] = _noting(damaged, view.every(text, order))
            if sys.stderr.isatty():
                documents = _with_bar(documents, view.search(text, limit=0).total)
            if target.endswith("/"):
                number = export_texts(documents, Path(target))
            elif target == "-":
                number = write_out(documents, form, cast("BinaryIO", sys.stdout.buffer))
            else:
                part = Path(f"{target}.part")
                try:
                    with part.open("wb") as file:
                        number = write_out(documents, form, file)
                    if Path(target).exists():
                        shutil.copymode(target, part)
                    part.replace(target)
                finally:
                    part.unlink(missing_ok=True)
        except QueryError as error:
            _mistaken(error, text)
        except ExportError as error:
            fail(str(error))
        except BrokenPipeError:
            # Who reads has enough.
            raise
        except OSError as error:
            fail(f"{target}: {error.strerror or error}")
        except KeyboardInterrupt:
            partly = target == "-" or target.endswith("/")
            left = "not all was written" if partly else f"{target} is not written"
            say(f"\nreftel: interrupted; {left}")
            sys.exit(130)
        for each in damaged:
            say(each)
        unread = f"; {len(damaged)} of them are damaged and could not be read" if damaged else ""
        where = "standard output" if target == "-" else target
        say(f"{number} telegrams written to {where}{unread}")
    sys.exit(UNREADABLE if damaged else DONE if number else NOTHING)


def _noting(damaged: list[str], documents: Iterable[Document]) -> Iterator[Document]:
    """The documents; what is said of those that cannot be read is noted."""
    for document in documents:
        if document.damaged:
            damaged.append(document.damaged)
        yield document


def _form_of(target: str, by_suffix: dict[str, str]) -> str:
    if target.endswith("/"):
        return "text"
    found = by_suffix.get(Path(target).suffix.lower())
    if found is None:
        known = ", ".join(by_suffix)
        fail(f"{target} does not say in which form; name a file in {known}, a folder/, or --format")
    return found


def _with_bar(documents: Iterable[Document], total: int) -> Iterator[Document]:
    began = time.monotonic()
    with click.progressbar(
        length=total,
        label="Writing",
        file=sys.stderr,
        show_pos=True,
        item_show_func=lambda rate: rate,
    ) as bar:
        for number, document in enumerate(documents, 1):
            yield document
            if number % _BAR_STEP == 0:
                bar.update(_BAR_STEP, f"{number / (time.monotonic() - began):.0f}/s")
        bar.update(total % _BAR_STEP)


@click.command()
@click.argument("number")
@finding_options
@click.option("--paragraph", metavar="2 | 2-4", help="Cite this paragraph, or these.")
@click.option("--url", help="The address at which it can be read.")
@format_option(*CITATIONS)
def cite(
    number: str, folder: Place | None, paragraph: str | None, url: str | None, form: str
) -> None:
    """Cite a telegram: as a note, for a bibliography, as the National Archives ask, or for a program.

    \b
    Example: reftel cite 79BERN4120 --paragraph 2 --format bibtex
    """
    with open_view(folder) as view:
        document = _the_document(view, number)
        try:
            citation = cited(
                document.telegram, digest=document.digest, paragraph=paragraph, url=url
            )
        except ValueError as error:
            fail(f"{number}: {error}")
        text = CITATIONS[form].make(citation)
    if text is None:
        fail(
            f"{number}: the National Archives hold telegrams of 1973-79 in this way; use --format note"
        )
    click.echo(text, nl=not text.endswith("\n"))
