"""Who may read what, and who did: `access` and `audit`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from reftel.access import TRAIL_FILE, Deed, Label, Policy, Trail, TrailError
from reftel.access.trail import as_csv
from reftel.cli.common import (
    DONE,
    NOTHING,
    Place,
    access_option,
    archive_option,
    as_json,
    fail,
    folder_of,
    format_option,
    indexing,
    open_archive,
    policy_of,
    say,
)
from reftel.tables.settings import nearest
from reftel.telegram import CLASSIFICATIONS, Mrn
from reftel.terminal.style import visible

if TYPE_CHECKING:
    from reftel.archive import Archive

_OPEN = "OPEN"


@click.group()
def access() -> None:
    """Who may read what: readers, and reviewers' decisions about telegrams.

    \b
    Example: reftel access check
    """


@access.command("check")
@archive_option
@access_option
@format_option("text", "json")
def check_command(folder: Place | None, access_file: Path | None, form: str) -> None:
    """Check the access file, and say what each reader may read.

    \b
    Example: reftel access check
    """
    policy = policy_of(folder_of(folder), access_file)
    if policy is None:
        say(f"there is no access.toml in {folder_of(folder)}: one user reads everything")
        sys.exit(NOTHING)
    readers = [policy.everybody, *(policy.reader(name) for name in policy.names)]
    if form == "json":
        values = [{**msgspec.to_builtins(r), "captions": sorted(r.captions)} for r in readers]
        click.echo(as_json(values))
        return
    wide = max(len(reader.name) for reader in readers)
    for reader in readers:
        captions = f" {', '.join(sorted(reader.captions))}" if reader.captions else ""
        more = f"; cards up to {reader.cards}" if reader.cards else ""
        more += "; auditor" if reader.auditor else ""
        click.echo(f"{reader.name:<{wide}}  {reader.clearance or _OPEN}{captions}{more}")
    say(_ways(policy))


def _ways(policy: Policy) -> str:
    ways = []
    if policy.access.proxy:
        trusted = ", ".join(policy.access.proxy.trusted)
        ways.append(f"the header {policy.access.proxy.header} from {trusted}")
    if policy.access.openid:
        ways.append(f"the OpenID provider {policy.access.openid.issuer}")
    if not ways:
        return "No [proxy] and no [openid]: on the pages nobody can be more than everybody"
    return f"Who somebody is says {' or '.join(ways)}"


@access.command("set")
@click.argument("number")
@archive_option
@click.option("--classification", help="The classification from now on; OPEN for everybody.")
@click.option("--caption", "captions", multiple=True, help="A caption that its readers must hold.")
@click.option(
    "--as-marked", is_flag=True, help="Take decisions back: what its own markings say holds."
)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The day on which it falls open.")
@click.option("--why", required=True, help="The reason, which is recorded.")
@click.option("--who", help="Who decided [default: the user of this command].")
def set_command(
    number: str,
    folder: Place | None,
    classification: str | None,
    captions: tuple[str, ...],
    as_marked: bool,
    until: datetime | None,
    why: str,
    who: str | None,
) -> None:
    """Record a reviewer's decision: under which classification and captions a telegram is kept.

    NUMBER is a message reference number, for every document that has it, or the beginning of a digest.

    \b
    Example: reftel access set 79BERN123 --classification SECRET --caption NODIS --why "names a source"
    """
    if as_marked == (classification is not None) or (as_marked and (captions or until)):
        fail("give --classification (with --caption for each caption), or --as-marked alone")
    if not why.strip():
        fail("--why: a decision is recorded with its reason")
    label = None if classification is None else _label(classification, captions)
    opens = until.date() if until else None
    if label and not label.classification and opens:
        fail("--until: what is open cannot fall open")
    with open_archive(folder) as archive:
        from reftel.archive import StoreError
        from reftel.archive.pool import cores

        digests = _digests(archive, number)
        if (archive.folder / TRAIL_FILE).exists():
            given = "as marked" if label is None else str(label) if label.classification else _OPEN
            try:
                with _trail(folder) as trail:
                    deed = Deed("decide", f"{number} {given}")
                    trail.write("", f"command line of {getuser()}", [deed]).result()
            except TrailError as error:
                fail(f"nothing is decided while the audit trail cannot be written: {error}")
        try:
            with indexing() as show:
                decided = archive.decide(
                    digests,
                    label,
                    who=who or getuser(),
                    why=why,
                    opens=opens,
                    workers=cores(),
                    on_progress=show,
                )
        except StoreError as error:
            fail(str(error))
    many = "1 document" if decided == 1 else f"{decided} documents"
    after = f"falls open on {opens}" if opens else "does not fall open by itself"
    if label is None:
        say(f"{many}: what the markings say holds again")
    elif label.classification:
        say(f"{many}: {label}; {after}")
    else:
        say(f"{many}: open to everybody")


def _label(classification: str, captions: tuple[str, ...]) -> Label:
    from reftel.access.labels import OTHER, caption_name

    word = classification.upper()
    if word not in (_OPEN, *CLASSIFICATIONS):
        fail(f"--classification: {word!r} is none{nearest(word, (_OPEN, *CLASSIFICATIONS))}")
    named = []
    for caption in captions:
        name = caption_name(caption)
        if name in (None, OTHER):
            fail(f"--caption: {caption!r} is no caption that restricts who reads")
        named.append(name)
    if word == _OPEN and named:
        fail("--caption: what bears a caption that restricts it is not open")
    return Label("" if word == _OPEN else word, tuple(sorted(set(named))))


def _digests(archive: Archive, number: str) -> list[str]:
    mrn = Mrn.parse(number)
    documents = archive.cited_as(mrn, damaged=True) if mrn else ()
    if not documents and (one := archive.document(number, damaged=True)):
        documents = (one,)
    if not documents:
        say(f"reftel: {number} is not held")
        sys.exit(NOTHING)
    return [document.digest for document in documents]


@access.command()
@click.argument("number")
@archive_option
@format_option("text", "json")
def decisions(number: str, folder: Place | None, form: str) -> None:
    """Show what reviewers decided about a telegram: when, who, why.

    \b
    Example: reftel access decisions 79BERN123
    """
    with open_archive(folder) as archive:
        found = [each for digest in _digests(archive, number) for each in archive.decisions(digest)]
    if form == "json":
        click.echo(as_json(msgspec.to_builtins(found)))
    else:
        for each in found:
            until = f" until {each.opens}" if each.opens else ""
            label = each.label or "as marked"
            click.echo(f"{each.digest[:16]}  {each.at}  {each.who}: {label}{until} ({each.why})")
    sys.exit(DONE if found else NOTHING)


@click.group()
def audit() -> None:
    """The audit trail: who searched for and opened what, and was refused what.

    \b
    Example: reftel audit verify
    """


def _trail(folder: Place | None) -> Trail:
    path = folder_of(folder) / TRAIL_FILE
    if not path.exists():
        fail(f"there is no audit trail {path}; one is kept where there is an access file")
    try:
        return Trail(path)
    except TrailError as error:
        fail(str(error))


@audit.command("show")
@archive_option
@click.option("--who", help="What this reader did.")
@click.option(
    "--kind",
    help="Of one kind: search, open, refused, not-held, card, export, decide, log-in, log-out, prune.",
)
@click.option("--words", help="Where these words stand in what was asked for.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (UTC).")
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@format_option("text", "jsonl")
def show_command(
    folder: Place | None,
    who: str | None,
    kind: str | None,
    words: str | None,
    since: datetime | None,
    last: int,
    form: str,
) -> None:
    """Show the newest entries, oldest first.

    \b
    Example: reftel audit show --who mueller --kind refused
    """
    with _trail(folder) as trail:
        after = since.replace(tzinfo=UTC).timestamp() if since else None
        found = 0
        for each in trail.entries(who=who, kind=kind, words=words, since=after, last=last):
            found += 1
            if form == "jsonl":
                click.echo(json.dumps({**msgspec.to_builtins(each), "time": each.time}))
            else:
                number = "" if each.found is None else f"  ({each.found} found)"
                whom = each.who or "owner"
                line = f"{each.id}  {each.time}  {whom}  {each.address}  {each.kind}  {each.what}{number}"
                # What somebody asked for could rule the terminal, or look like a line of its own.
                click.echo(" ".join(visible(line).split("\n")))
    sys.exit(DONE if found else NOTHING)


@audit.command("export")
@archive_option
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (UTC).")
def export_command(folder: Place | None, since: datetime | None) -> None:
    """Write all entries as a table (CSV) to standard output. What a spreadsheet would take for a formula
    has an apostrophe before it.

    \b
    Example: reftel audit export > audit.csv
    """
    with _trail(folder) as trail:
        after = since.replace(tzinfo=UTC).timestamp() if since else None
        for line in as_csv(trail.entries(since=after)):
            click.echo(line, nl=False)


@audit.command("verify")
@archive_option
@click.option(
    "--head", metavar="NUMBER:DIGEST", help="An entry and its digest, kept elsewhere before."
)
def verify_command(folder: Place | None, head: str | None) -> None:
    """Check that no entry was altered, removed or put in, and print the last entry's number and digest: keep
    them where nobody who can write the trail can write.

    \b
    Example: reftel audit verify --head 48213:9f86d081884c7d659a2feaa0c55ad015
    """
    kept = None
    if head is not None:
        number, _, digest = head.partition(":")
        if not number.isdecimal() or not digest:
            fail("--head: write the entry's number, a colon and its digest, as verify printed them")
        kept = (int(number), digest.lower())
    with _trail(folder) as trail:
        problems = list(trail.verify(kept))
        last, digest = trail.head()
    for problem in problems:
        say(problem)
    click.echo(f"{last}:{digest}")
    sys.exit(NOTHING if problems else DONE)


@audit.command("prune")
@archive_option
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="A day (UTC).")
def prune_command(folder: Place | None, before: datetime) -> None:
    """Remove the entries from before a day. The digest of the last of them stays, so that the rest can be
    verified; export them first if they are to be kept elsewhere.

    \b
    Example: reftel audit prune --before 2020-01-01
    """
    day: date = before.date()
    with _trail(folder) as trail:
        removed = trail.prune(before.replace(tzinfo=UTC).timestamp(), getuser())
    say(f"{removed} entries from before {day} are removed")
