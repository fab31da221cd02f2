"""Where telegrams come in: folders, files, archives, tables, mail, records, PDF, standard input.

`inputs` walks and gives bytes with their names, one input after another and none held longer than it
takes to hand it on; `texts` makes an input's texts, and does nothing else, so that it can be done
elsewhere (in another process). `walk` is both. Each input becomes an `Incoming` text or a `Problem`
that says what could not be read and why; no input stops another, and nothing is opened that is no
regular file. docs/sources.md names every form.
"""

from reftel.sources.incoming import Incoming, Input, Problem, SourceFile
from reftel.sources.texts import read_bytes, texts
from reftel.sources.walk import ALL, inputs, total_bytes, walk

__all__ = [
    "ALL",
    "Incoming",
    "Input",
    "Problem",
    "SourceFile",
    "inputs",
    "read_bytes",
    "texts",
    "total_bytes",
    "walk",
]
