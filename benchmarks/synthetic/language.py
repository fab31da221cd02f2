"""An invented language with the statistics of a real one: frequent and rare words, names, phrases."""

from __future__ import annotations

from array import array
from random import Random

_WORDS = 40_000
_PAIRS = 1 << 18
_FUNCTION = """the of to and in that a for on is was with be by as it at from not are which this has
have had would will he said their they been were but or an its who more also than we all other some
could should no may only after before between under over about into during against any these""".split()
_NOT_WORDS = frozenset(
    "page quote secret origin action summary comment subject begin unquote end ref reftel".split()
)


class Language:
    """Words by Zipf's law in a pool of pairs, which prose is drawn from."""

    def __init__(self, rng: Random) -> None:
        vocabulary = _vocabulary(rng)
        self.phrases = [
            " ".join(rng.choices(vocabulary[60:4000], k=rng.randint(2, 4))) for _ in range(300)
        ]
        self.surnames = [word.capitalize() for word in rng.sample(vocabulary[500:], 3000)]
        figures = [f"{rng.randrange(2, 10 ** rng.randint(1, 6)):,}" for _ in range(500)]
        weights = [1 / (rank + 2.7) ** 1.02 for rank in range(len(vocabulary))]
        pool = rng.choices(vocabulary, weights, k=2 * _PAIRS)
        for stock, share in ((self.phrases, 0.01), (self.surnames, 0.03), (figures, 0.012)):
            ranks = [1 / (rank + 5) for rank in range(len(stock))]
            places = rng.sample(range(len(pool)), int(share * len(pool)))
            for at, word in zip(places, rng.choices(stock, ranks, k=len(places)), strict=True):
                pool[at] = word
        self._pairs = [f"{one} {two}" for one, two in zip(pool[::2], pool[1::2], strict=True)]

    def surname(self, rng: Random) -> str:
        """One of the two hundred officers, in capitals."""
        return self.surnames[int(rng.random() * 200)].upper()

    def words(self, rng: Random, pairs: int) -> list[str]:
        """So many pairs of words."""
        known = self._pairs
        return [known[at & (_PAIRS - 1)] for at in array("I", rng.randbytes(4 * pairs))]

    def prose(self, rng: Random, words: int) -> list[str]:
        """Sentences, in pairs of words."""
        picked = self.words(rng, (words + 1) // 2)
        at, count = 0, len(picked)
        while at < count:
            end = min(at + 4 + int(rng.random() * 10), count)
            picked[at] = picked[at][:1].upper() + picked[at][1:]
            if end - at > 7:
                picked[at + 3] += ","
            picked[end - 1] += "."
            at = end
        return picked


def _vocabulary(rng: Random) -> list[str]:
    """Words from the most to the least frequent: English's own small ones, then invented ones."""
    onsets = "b br c ch d dr f fr g gr h k l m n p pl qu r s sh st t tr v w z".split()
    vowels = "a e i o u ai ea ou".split()
    codas = ["", "", "", "", "n", "r", "l", "s", "t", "nd", "rm", "st"]
    endings = ["", "", "", "", "", "", "", "al", "ation", "ed", "er", "ing", "ity", "ment", "s"]
    words = dict.fromkeys(_FUNCTION)
    while len(words) < _WORDS:
        # Frequent words are short.
        syllables = 1 + (len(words) > 800) + (len(words) > 6000 and rng.random() < 0.5)
        parts = (
            rng.choice(onsets) + rng.choice(vowels) + rng.choice(codas) for _ in range(syllables)
        )
        word = "".join(parts) + (rng.choice(endings) if len(words) > 150 else "")
        if len(word) > 2 and word not in _NOT_WORDS:
            words[word] = None
    return list(words)
