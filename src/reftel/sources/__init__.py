"""Where telegrams come in: folders, files, zip archives, the Archives' PDF exports, standard input.

Each input becomes an `Incoming` text or a `Problem` that says what could not be read and why; no
input stops another, and nothing is opened that is no regular file.
"""

from reftel.sources.incoming import Incoming, Problem
from reftel.sources.walk import count, walk

__all__ = ["Incoming", "Problem", "count", "walk"]
