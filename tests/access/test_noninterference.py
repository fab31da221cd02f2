"""What a reader may not read leaves no trace: every answer is that of an archive which never held it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reftel.access import Reader
from reftel.archive import Archive
from reftel.telegram import Mrn
from tests.access.worlds import SHOW_CARDS, World, answers, filed, open_to, pages, readers, worlds

# By hand: REFTEL_LONG_ACCESS=1000 tries a thousand archives.
_LONG = os.environ.get("REFTEL_LONG_ACCESS")
_EXAMPLES = int(_LONG or 5)
_SETTINGS = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    # Each try takes a second: a shorter example is looked for by hand.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if _LONG else [])],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _differ(one: dict[str, str], other: dict[str, str]) -> dict[str, tuple[str, str | None]]:
    assert one.keys() == other.keys()
    return {key: (value, other[key]) for key, value in one.items() if value != other[key]}


@_SETTINGS
@given(worlds, readers)
def test_a_view_answers_as_if_nothing_else_were_held(world: World, reader: Reader) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = filed(world, Path(folder) / "whole")
        rest = filed(world, Path(folder) / "rest", open_to(whole, reader))
        seen = answers(whole.view(reader), world)
        differing = _differ(seen, answers(rest.view(reader), world))
        assert not differing, differing
        whole.close()
        rest.close()


@_SETTINGS
@given(worlds, readers)
def test_the_pages_answer_as_if_nothing_else_were_held(world: World, reader: Reader) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = filed(world, Path(folder) / "whole")
        rest = filed(world, Path(folder) / "rest", open_to(whole, reader))
        seen = pages(whole, reader, world, Path(folder) / "whole")
        differing = _differ(seen, pages(rest, reader, world, Path(folder) / "rest"))
        assert not differing, differing
        whole.close()
        rest.close()


@_SETTINGS
@given(worlds, readers, st.sampled_from(("CONFIDENTIAL", "SECRET")))
def test_cards_are_of_what_may_be_known_and_change_nothing_else(
    world: World, reader: Reader, cards: str
) -> None:
    knowing = Reader("reader", reader.clearance, reader.captions, cards)
    with tempfile.TemporaryDirectory() as folder:
        whole = filed(world, Path(folder) / "whole")
        view = whole.view(knowing)
        seen = answers(view, world)
        plain = answers(whole.view(reader), world)
        assert {name for name in seen if seen[name] != plain[name]} <= SHOW_CARDS
        known = Reader("known", max(reader.clearance, cards, key=_height), reader.captions)
        rest = filed(world, Path(folder) / "rest", open_to(whole, known))
        assert seen == answers(rest.view(knowing), world)
        for post in ("BERN", "OSLO"):
            for number in range(1, 6):
                mrn = Mrn.of(2007, post, number)
                assert view.cards(mrn) == rest.view(knowing).cards(mrn)
                assert _held_or_card(whole, knowing, mrn) == bool(rest.cited_as(mrn))
        whole.close()
        rest.close()


def _height(word: str) -> int:
    return ("", "UNCLASSIFIED", "SENSITIVE BUT UNCLASSIFIED", "CONFIDENTIAL", "SECRET").index(word)


def _held_or_card(archive: Archive, reader: Reader, mrn: Mrn) -> bool:
    view = archive.view(reader)
    return bool(view.cited_as(mrn) or view.cards(mrn))
