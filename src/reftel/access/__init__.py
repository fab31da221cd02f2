"""Who may read what: labels of telegrams, readers, the decision between them, and the audit trail."""

from reftel.access.labels import OPEN, Label, label_of, opens_on
from reftel.access.policy import FILE as ACCESS_FILE
from reftel.access.policy import Policy, load_policy, parse_policy
from reftel.access.readers import EVERYTHING, Reader
from reftel.access.trail import FILE as TRAIL_FILE
from reftel.access.trail import Deed, Entry, Trail, TrailError

__all__ = [
    "ACCESS_FILE",
    "EVERYTHING",
    "OPEN",
    "TRAIL_FILE",
    "Deed",
    "Entry",
    "Label",
    "Policy",
    "Reader",
    "Trail",
    "TrailError",
    "label_of",
    "load_policy",
    "opens_on",
    "parse_policy",
]
