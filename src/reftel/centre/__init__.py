"""The message centre: store and forward by precedence, losing nothing.

What decides does no I/O: `scan` reads a heading, `route` says where a message goes, `numbers` watches
channel numbers, `link` and `framing` understand what other stations say. `journal` writes down, `station`
keeps the queues, `accepting` and `sending` change them; the transports (`stream`, `folder`, `mailgate`)
and `running`, which puts all together, are thin.
"""

from reftel.centre.config import Config, load_config, parse_config
from reftel.centre.journal import Journal
from reftel.centre.journalfile import JournalError
from reftel.tables.settings import ConfigError

__all__ = ["Config", "ConfigError", "Journal", "JournalError", "load_config", "parse_config"]
