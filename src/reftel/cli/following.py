"""Following what telegrams say of each other: `thread`, `missing`, `diff`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from reftel import tables
from reftel.cli.common import (
    DONE,
    NOTHING,
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
from reftel.tables.spreadsheet import csv_line
from reftel.telegram import Mrn

if TYPE_CHECKING:
    from reftel.archive import Document, View


def _number(text: str) -> Mrn:
    mrn = Mrn.parse(text)
    if mrn is None:
        fail(f"{text} is no message reference number: year, post and number, such as 79BERN123")
    return mrn


def _post(text: str | None) -> str | None:
    if text is None:
        return None
    return tables.canonical_post(text) or "".join(c for c in text.upper() if c.isalpha())


@click.command()
@click.argument("number", required=False)
@finding_options
@click.option(
    "--depth", default=3, show_default=True, type=click.IntRange(1), help="Steps to follow."
)
@click.option("--limit", default=60, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--to", "other", metavar="NUMBER", help="The shortest path of references to another.")
@click.option("--most-cited", is_flag=True, help="The telegrams that most others cite.")
@click.option("--post", help="With --most-cited: of one post.")
@click.option("--year", type=int, help="With --most-cited: of one year.")
@click.option("--query", default="", help="With --most-cited: among what a search finds.")
@click.option("--whole", is_flag=True, help="Every reference in the archive, as GraphML.")
@format_option("text", "json", "graphml")
def thread(
    number: str | None,
    folder: Place | None,
    depth: int,
    limit: int,
    other: str | None,
    most_cited: bool,
    post: str | None,
    year: int | None,
    query: str,
    whole: bool,
    form: str,
) -> None:
    """Show what a telegram answers and what answers it, in order of time.

    \b
    Example: reftel thread 79BERN4120
    Example: reftel thread 79BERN4120 --to 79STATE2310
    Example: reftel thread --most-cited --post STATE --year 1979
    """
    if sum((number is not None, most_cited, whole)) != 1:
        fail("name one telegram, or --most-cited, or --whole")
    with open_view(folder) as view:
        if whole:
            from reftel.archive.graphml import whole_graphml

            for piece in whole_graphml(view.graph):
                click.echo(piece, nl=False)
        elif most_cited:
            _most_cited(view, _post(post), year, query, limit, form)
        elif other is not None:
            _path(view, _number(number or ""), _number(other), form)
        else:
            _thread(view, number or "", depth, limit, form)


def _thread(view: View, number: str, depth: int, limit: int, form: str) -> None:
    from reftel.archive.follow import thread_to_json
    from reftel.archive.graphml import thread_graphml
    from reftel.archive.threads import thread as thread_of
    from reftel.terminal.following import render_thread

    start = Mrn.parse(number) or view.document(number)
    if start is None:
        fail(f"{number} is neither a message reference number, such as 79BERN123, nor held")
    found = thread_of(view, start, depth=depth, limit=limit)
    if form == "json":
        click.echo(as_json(thread_to_json(found)))
    elif form == "graphml":
        click.echo(thread_graphml(found.nodes, found.links), nl=False)
    else:
        text = render_thread(found, width=width(), color=color())
        click.echo(text, nl=False, color=color() or None)
    known = any(node.digest for node in found.nodes)
    sys.exit(DONE if known else NOTHING)


def _path(view: View, one: Mrn, other: Mrn, form: str) -> None:
    from reftel.archive.follow import thread_to_json
    from reftel.archive.graphml import thread_graphml
    from reftel.archive.threads import path
    from reftel.terminal.following import render_path

    found = path(view, one, other)
    if form == "json":
        click.echo(as_json(thread_to_json(found)))
    elif form == "graphml":
        click.echo(thread_graphml(found.nodes, found.links), nl=False)
    else:
        text = render_path(found, width=width(), color=color())
        click.echo(text, nl=False, color=color() or None)
    sys.exit(DONE if found.nodes else NOTHING)


def _most_cited(
    view: View, post: str | None, year: int | None, query: str, limit: int, form: str
) -> None:
    from reftel.archive import QueryError
    from reftel.archive.follow import most_cited_to_json
    from reftel.archive.threads import most_cited
    from reftel.terminal.following import render_most_cited

    if form == "graphml":
        fail("--most-cited has no graph; use --format text or json")
    try:
        found = most_cited(view, post=post, year=year, query=query, limit=limit)
    except QueryError as error:
        fail(f"{error.message}\n  {query}\n  {' ' * error.position}^")
    if form == "json":
        click.echo(as_json(most_cited_to_json(found)))
    else:
        text = render_most_cited(found, width=width(), color=color())
        click.echo(text, nl=False, color=color() or None)
    sys.exit(DONE if found else NOTHING)


@click.command()
@click.argument("number", required=False)
@finding_options
@click.option("--post", help="The gaps of one post.")
@click.option("--year", type=int, help="The gaps of one year.")
@format_option("text", "json", "csv")
def missing(
    number: str | None, folder: Place | None, post: str | None, year: int | None, form: str
) -> None:
    """Say what is not held: of the archive, of a post or a year, or all that is known of one telegram.

    \b
    Example: reftel missing
    Example: reftel missing --post TEHRAN --year 1979
    Example: reftel missing 79TEHRAN1234
    """
    with open_view(folder) as view:
        if number is not None:
            _ghost(view, _number(number), form)
        else:
            _gaps(view, _post(post), year, form)


def _ghost(view: View, mrn: Mrn, form: str) -> None:
    from reftel.archive.follow import ghost_to_json
    from reftel.archive.ghosts import ghost
    from reftel.terminal.following import render_ghost

    if view.cited_as(mrn, damaged=True):
        say(f"{mrn.short} is held; see it with: reftel show {mrn.short}")
        sys.exit(NOTHING)
    if form == "csv":
        fail("one telegram has no table; use --format text or json")
    found = ghost(view, mrn)
    if form == "json":
        click.echo(as_json(ghost_to_json(found)))
    else:
        click.echo(
            render_ghost(found, width=width(), color=color()), nl=False, color=color() or None
        )


def _gaps(view: View, post: str | None, year: int | None, form: str) -> None:
    from reftel.archive.follow import completeness_to_json, missing_rows, missing_to_json
    from reftel.archive.gaps import Completeness
    from reftel.archive.ghosts import missing as missing_of
    from reftel.terminal.following import render_completeness, render_missing

    rows = view.gaps.completeness(post, year)
    if (
        not rows
        and post
        and year
        and next(view.graph.cited_and_not_held(post=post, year=year), None)
    ):
        # Of what nothing is held something may be cited.
        rows = (Completeness(post, year, 0, 0),)
    if not rows:
        say("nothing is held of that post and year")
        sys.exit(NOTHING)
    if post is None:
        if form == "json":
            click.echo(as_json([completeness_to_json(each) for each in rows]))
        elif form == "csv":
            _write_csv([completeness_to_json(each) for each in rows])
        else:
            click.echo(render_completeness(rows, color=color()), nl=False, color=color() or None)
        return
    found = [missing_of(view, each.post, each.year) for each in rows]
    if form == "json":
        click.echo(as_json([missing_to_json(each) for each in found]))
    elif form == "csv":
        flat = [
            {
                **row,
                "cited": "; ".join(f"{name} {count}" for name, count in row["cited"].items()),
                "addressees": "; ".join(
                    f"{told['count']} of {told['of']} to {told['addressee']}"
                    for told in row["addressees"]
                ),
                "withdrawn": "; ".join(row["withdrawn"]),
            }
            for each in found
            for row in missing_rows(each)
        ]
        _write_csv(flat)
    else:
        text = "\n".join(render_missing(each, color=color()) for each in found)
        click.echo(text, nl=False, color=color() or None)


@click.command()
@click.argument("one")
@click.argument("other", required=False)
@finding_options
@format_option("text", "json")
def diff(one: str, other: str | None, folder: Place | None, form: str) -> None:
    """Lay two documents side by side: digests, or one number for its copy to read and its next best.

    Ends with 1 where they differ.

    \b
    Example: reftel diff 79BERN4120
    Example: reftel diff 3f9c51e0 a07b2d44
    """
    import msgspec

    with open_view(folder) as view:
        from reftel.archive.beside import beside
        from reftel.terminal.following import render_beside

        left, *others = _documents(view, one)
        if other is not None:
            right = _documents(view, other)[0]
        elif others or (others := list(view.variants(left.digest))):
            right = others[0]
        else:
            fail(f"{one} has one document only; name another to compare it with")
        found = beside(left.telegram, right.telegram)
        if form == "json":
            click.echo(as_json(msgspec.to_builtins(found)))
        else:
            names = (
                f"{left.digest[:12]} {left.origin}",
                f"{right.digest[:12]} {right.origin}",
            )
            text = render_beside(found, names, width=width(), color=color())
            click.echo(text, nl=False, color=color() or None)
    differ = found.heading or not all(row.same for row in found.passages)
    sys.exit(NOTHING if differ else DONE)


def _documents(view: View, name: str) -> list[Document]:
    mrn = Mrn.parse(name)
    found = list(view.cited_as(mrn)) if mrn else []
    if not found and (document := view.document(name)):
        found = [document]
    if not found:
        say(f"reftel: {name} is not held")
        sys.exit(NOTHING)
    return found


def _write_csv(rows: list[dict[str, object]]) -> None:
    if rows:
        click.echo(csv_line(rows[0]), nl=False)
        for row in rows:
            click.echo(csv_line(row.values()), nl=False)
