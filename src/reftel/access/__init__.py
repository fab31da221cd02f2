"""Who may read what: labels of telegrams, readers, the decision between them, and the audit trail."""

from reftel.access.labels import OPEN, Label, label_of, opens_on
from reftel.access.readers import EVERYTHING, Reader

__all__ = ["EVERYTHING", "OPEN", "Label", "Reader", "label_of", "opens_on"]
