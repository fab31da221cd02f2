"""Records to write, made by Hypothesis: any telegram that a wire form should be able to carry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from reftel import tables
from reftel.read.executive_order import by_schedule, parse_executive_order
from reftel.read.paragraphs import label_of_paragraph
from reftel.read.summary import find_summary
from reftel.read.tags_line import parse_tags
from reftel.telegram import (
    Addressee,
    Block,
    ClassifiedBy,
    Mrn,
    Reference,
    Span,
    Station,
    Telegram,
    WireForm,
)
from reftel.write.wire import heading_for

_WORDS = (
    "THE MINISTER SAID THAT HARBOUR DUES WOULD FALL BY JUNE AND LAMPS BE LIT AGAIN NORTH OF ISLAND"
    " DELEGATION AGREED TO MEET WITH US BEFORE TALKS RESUME IN BERN WHERE FERRIES RUN ON SUNDAYS 12"
    " KEEPERS ASKED FOR MORE OIL A LETTER WAS READ ALOUD NOBODY LAUGHED (AGAIN) 85 CROWNS, NOT 90"
).split()
_POSTS = ("BERN", "OSLO", "ROME", "LISBON", "COPENHAGEN", "VALLETTA", "THE HAGUE", "LA PAZ")
_MARKS = {"UNCLASSIFIED": ("U",), "CONFIDENTIAL": ("U", "C"), "SECRET": ("U", "C", "S")}
_LONG = 60


def sentences(least: int = 3, most: int = _LONG) -> st.SearchStrategy[str]:
    """A sentence or several of a telegram's words, ending in a full stop."""
    words = st.lists(st.sampled_from(_WORDS), min_size=least, max_size=most)
    return words.map(lambda each: " ".join(each).rstrip(",") + ".")


@st.composite
def addressees(draw: st.DrawFn, posts: tuple[str, ...], lowest: bool) -> tuple[Addressee, ...]:
    words = (None, "PRIORITY") if lowest else ("PRIORITY", "IMMEDIATE")
    return tuple(
        Addressee(
            f"AMEMBASSY {post}",
            tables.routing_indicator(f"AMEMBASSY {post}"),
            draw(st.sampled_from(words)),
            draw(st.one_of(st.none(), st.integers(1, 9999).map(lambda n: f"{n:04d}"))),
        )
        for post in posts
    )


@st.composite
def bodies(draw: st.DrawFn, level: str, most: int = 8) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for number in range(1, draw(st.integers(1, most)) + 1):
        if draw(st.integers(0, 4)) == 0:
            words = draw(
                st.lists(
                    st.sampled_from(("TALKS", "DUES", "LAMPS", "FERRY")), min_size=2, max_size=4
                )
            )
            blocks.append(Block("heading", None, None, None, " ".join(words), Span(0, 0)))
        text = draw(sentences())
        if number == 1 and draw(st.booleans()):
            text = f"SUMMARY: {text} END SUMMARY."
        if draw(st.booleans()):
            text += "\n\n" + draw(sentences())
        if draw(st.integers(0, 3)) == 0:
            items = draw(st.lists(sentences(2, 20), min_size=2, max_size=4))
            text += "".join(f"\n-- {item}" for item in items)
        marking = draw(st.sampled_from(_MARKS[level]))
        blocks.append(
            Block("paragraph", number, marking, label_of_paragraph(text), text, Span(0, 0))
        )
    return tuple(blocks)


@st.composite
def records(draw: st.DrawFn, form: WireForm = "state", most: int = 8) -> Telegram:
    """A telegram of a post, with all that its form carries, and procedure lines half of the time."""
    posts = draw(st.permutations(_POSTS))
    sender, listed = posts[0], posts[1:]
    cut = draw(st.integers(1, 3))
    action = draw(addressees(tuple(listed[:cut]), lowest=False))
    info = draw(addressees(tuple(listed[cut : draw(st.integers(cut, len(listed)))]), lowest=True))
    if form == "acp127":
        action = tuple(Addressee(a.name, a.routing_indicator) for a in action)
        info = tuple(Addressee(a.name, a.routing_indicator) for a in info)
    seconds = draw(st.integers(0, 5 * 365 * 24 * 60)) * 60
    sent = datetime(2004, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    dtg = sent.strftime("%Y-%m-%dT%H:%M:%SZ")
    level = draw(st.sampled_from(("UNCLASSIFIED", "CONFIDENTIAL", "SECRET")))
    body = draw(bodies(level, most))
    order = "N/A" if level == "UNCLASSIFIED" else f"DECL: {sent:%m/%d}/{sent.year + 9}"
    number = draw(st.integers(1, 9999))
    highest = "IMMEDIATE" if any(a.precedence == "IMMEDIATE" for a in action) else "PRIORITY"
    letters = "ABC"[: draw(st.integers(0, 3))]
    references = tuple(
        Reference(
            letter if len(letters) > 1 else None,
            "telegram",
            f"{sent.year % 100:02d}{post.replace(' ', '')}{at + 1}",
            f"{sent.year % 100:02d} {post} {at + 1}",
        )
        for at, (letter, post) in enumerate(
            zip(letters, draw(st.permutations(_POSTS)), strict=False)
        )
    )
    named = "AMEMBASSY " + sender
    telegram = Telegram(
        source="",
        dialect="cable",
        mrn=Mrn.of(sent.year, tables.canonical_post(named, sent.year) or sender, number),
        precedence=highest,
        dtg=dtg,
        originator=Station(named),
        action=action,
        info=info,
        classification=level,
        captions=draw(st.sampled_from(((), ("SIPDIS",), ("NOFORN", "SIPDIS")))),
        executive_order=by_schedule(parse_executive_order("12958", order, sent.year), level, dtg),
        tags=tuple(
            parse_tags(
                draw(st.sampled_from(("PREL, SZ", "ETRD, EWWT, NO", "OVIP (DOE, JANE), PREL"))),
                sent.year,
            )
        ),
        subject=draw(sentences(3, 18)).rstrip("."),
        references=references,
        classified_by=None
        if level == "UNCLASSIFIED"
        else ClassifiedBy("JANE R. DOE", "AMBASSADOR", ("1.4(b)", "1.4(d)")),
        summary=find_summary(list(body)),
        body=body,
        signature="FERRIER",
    )
    if draw(st.booleans()):
        import msgspec

        wire = heading_for(
            telegram,
            station="RUEHSW",
            channel="XRO0001" if form == "state" else "SWA001",
            routing=tuple(a.routing_indicator or "RUEHC" for a in (*action, *info)),
            filed=sent,
            form=form,
        )
        telegram = msgspec.structs.replace(telegram, wire=wire)
    return telegram
