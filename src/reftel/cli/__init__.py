"""The command line: each command parses, calls one function of a room, and renders.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 findings or
nothing found, 2 wrong use or unreadable input.
"""

from __future__ import annotations

import os
import sys

import click

import reftel
from reftel.cli import (
    access,
    archive,
    centre,
    checking,
    filing,
    finding,
    following,
    reading,
    writing,
)
from reftel.cli.common import DONE, UNREADABLE, say


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(reftel.__version__, prog_name="reftel")
def cli() -> None:
    """Read, write, check, keep and find diplomatic telegrams.

    \b
    Example: reftel read telegram.txt
    """


for _command in (
    reading.read_command,
    reading.anatomy_command,
    reading.schema_command,
    reading.tables_command,
    checking.check_command,
    writing.draft_command,
    writing.write_command,
    writing.split_command,
    writing.join_command,
    filing.add,
    finding.search,
    finding.like,
    finding.saved,
    finding.export,
    finding.cite,
    filing.show,
    following.thread,
    following.missing,
    following.diff,
    filing.serve,
    access.access,
    access.audit,
    archive.archive,
    # Names of an earlier version.
    archive.verify,
    archive.rebuild_index,
    centre.centre,
):
    cli.add_command(_command)


def main() -> None:
    """The `reftel` command. A closed pipe ends it quietly, Ctrl-C with 130."""
    try:
        code = cli(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        say("\nreftel: interrupted")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(UNREADABLE)
    except RuntimeError as error:
        # Raised where an archive is at work, and nowhere else is it worth loading.
        archives = sys.modules.get("reftel.archive")
        if archives is None or not isinstance(error, archives.StoreError):
            raise
        say(f"reftel: {error}")
        sys.exit(UNREADABLE)
    except BrokenPipeError:
        # Standard output is closed: leave nothing for Python to flush into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)
    sys.exit(code if isinstance(code, int) else DONE)
