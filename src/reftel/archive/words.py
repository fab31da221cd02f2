"""The words of a text as the index holds them, and pairs of the commonest.

To see whether a phrase stands in a telegram, an index compares the places of its words. Of words that stand
in most telegrams there are so many that "of the" would take longer than any other search; as a word of its
own it takes no longer than one. The list is fixed, not an archive's own: what is indexed of a telegram must
not depend on what else is filed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import tantivy


def analyzer() -> tantivy.TextAnalyzer:
    """Words in lower case without accents: ÉLÉPHANT and elephant are one."""
    simple = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    return simple.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.ascii_fold()).build()


def words_in(text: str) -> list[str]:
    """The words of a text as the index holds them."""
    return list(_analyzer().analyze(text))


_analyzer = cache(analyzer)

# The words that a quarter or so of released telegrams hold, with the little words of French and Spanish. What
# pairs an index holds depends on it: whoever changes it changes the format (`Indexes.FORMAT`).
COMMON = frozenset(
    """
    a about after against agreement all also ambassador american an and any are as at be because been before
    between both but by can comment could country department did do during economic embassy end first
    following for foreign from general government had has have he his however i if in international into is
    it its made may meeting military minister more most national new no not now of on one only or other our
    out over political present president said should so some state such than that the their them there these
    they this those three through time to two under united up us was we were what when which while who will
    with within would year years you
    al au aux con dans de del des du el en est et la las le les los para par por pour que se sur un una une y
    """.split()
)

# Letters in lower case and figures, and blanks for all else: words of ASCII as the index holds them.
_FOLDED = {
    code: letter.lower() if letter.isalnum() else " "
    for code in range(128)
    if (letter := chr(code))
}


def pairs_in(text: str) -> str:
    """Each two of the commonest words that stand in a row in a text, as the index holds them."""
    words = text.translate(_FOLDED).split() if text.isascii() else words_in(text)
    return " ".join(pairs_of(words))


def pairs_of(words: Sequence[str]) -> list[str]:
    """Each two of the commonest words that stand in a row among some."""
    return [f"{one}_{other}" for one, other in pairwise(words) if one in COMMON and other in COMMON]
