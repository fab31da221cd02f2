"""The codes of diagnostics, each with what it says and what a reader can do about it."""

from __future__ import annotations

CODES: dict[str, str] = {
    "attribute-differs": "The Archives' catalogue says otherwise than the telegram; the telegram's own"
    " words are kept.",
    "classification-differs": "Two of classification line, banners and security line disagree. The"
    " classification line is kept; handle the telegram as the higher one.",
    "correction-given": "The sender corrects the text behind it (format line 15). The correction is not"
    " applied: read the lines that it names.",
    "declassification-date-past": "The date on which it falls open is not after the telegram's own: a slip"
    " of the pen, or a note made later.",
    "dtg-unreadable": "The date-time group is no date and time. The sent date is left empty.",
    "dtg-without-time": "Only a date can be read; midnight stands for the time.",
    "ending-differs": "The message ends with another serial number than it began with: two messages may"
    " have run together.",
    "filing-time-differs": "The Julian time of filing lies more than two days from the date-time group.",
    "filing-time-unreadable": "The time of filing has no year in the text, or is no time; name one with"
    " `--year`.",
    "label-lost": "A line stands where a labelled one should, without its label, and is read by what it"
    " holds.",
    "markings-quoted": "The telegram has no markings of its own; those of the one that it quotes whole are"
    " given.",
    "mrn-from-page-line": "No number can be read on the classification line; that of a page line is taken.",
    "mrn-from-station-serial": "No number can be read on the classification line; the sending station's"
    " serial number is taken, which has only its last four digits.",
    "mrn-unreadable": "The classification line has a number that cannot be read.",
    "office-sum-differs": "The copies of the office list do not add up to its total: an office is lost or"
    " garbled.",
    "page-line-differs": "A page line names another telegram: pages of two may be mixed.",
    "precedence-differs": "Routing line, date-time group and addressees disagree on the precedence.",
    "quote-doubtful": "An ampersand stands where a quotation mark may have been lost; the other mark of the"
    " pair is not found, so it is left as it is.",
    "section-line-differs": "A section line names another telegram.",
    "section-missing": "Sections of the telegram are not here; join them when they come.",
    "serial-differs": "The sending station's serial number is not the last four digits of the telegram's.",
    "text-encoded": "The text stands in a transfer encoding of the mail; places within it cover it whole.",
    "text-lost": "The copy says that text was lost here.",
    "words-run-together": "Two words were written as one, and are read apart.",
    "year-unknown": "The number has no year, since there is no date-time group; name one with `--year`.",
}
"""Every code that `Diagnostic.code` gives, with a sentence that explains it."""
