"""Threads: who answers whom, by explicit references and by other signs; paths; the most cited; GraphML."""

from __future__ import annotations

import io
from pathlib import Path

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reftel.access import Reader
from reftel.archive import Archive
from reftel.archive.graphml import thread_graphml, whole_graphml
from reftel.archive.threads import Thread, most_cited, path, thread
from reftel.telegram import Mrn
from tests.archive.test_archive import incoming


def telegram(
    post: str,
    number: int,
    day: int,
    *,
    to: str = "SECSTATE WASHDC",
    ref: str = "",
    subject: str = "LIGHTHOUSE DUES",
    text: str = "The lamp burned.",
) -> str:
    sender = "SECSTATE WASHDC" if post == "STATE" else f"AMEMBASSY {post}"
    return (
        f"R {1 + (day - 1) % 28:02d}0915Z {('JAN', 'FEB', 'MAR', 'APR')[(day - 1) // 28]} 79\n"
        f"FM {sender}\nTO {to}\nUNCLAS {post} {number:06d}\n\nE.O. 12065: N/A\nTAGS: PREL\n"
        f"SUBJECT: {subject}\n\n{f'REF: {ref}' if ref else ''}\n\n1. {text}\n\nDOE\n"
    )


CONVERSATION = (
    telegram("BERN", 10, 3, subject="LIGHTHOUSE DUES: SWISS VIEWS"),
    telegram("STATE", 900, 5, to="AMEMBASSY BERN", ref="BERN 10", subject="LIGHTHOUSE DUES: GUIDANCE"),
    telegram("BERN", 14, 8, ref="A. STATE 900 B. ROME 77", subject="LIGHTHOUSE DUES: ANSWER",
             text="Ref A instructions carried out. See also OSLO 310."),
    telegram("OSLO", 310, 7, ref="ROME 77", subject="FISHERY LIMITS"),
    telegram("ROME", 90, 20, subject="WINE"),
)  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive.open(tmp_path / "archive")
    archive.add(incoming(*CONVERSATION))
    return archive


def links(found: Thread) -> dict[tuple[str, str], tuple[str, str, str]]:
    return {(link.source, link.target): (link.kind, link.does, link.sure) for link in found.links}


def test_a_thread_says_who_answers_whom_in_order_of_time_with_ghosts_in_their_places(
    archive: Archive,
) -> None:
    found = thread(archive, Mrn.of(1979, "STATE", 900))
    assert [node.key for node in found.nodes] == [
        "79BERN10", "79STATE900", "79ROME77", "79OSLO310", "79BERN14",
    ]  # fmt: skip
    assert links(found) == {
        ("79STATE900", "79BERN10"): ("reference", "answers", "certain"),
        ("79BERN14", "79STATE900"): ("reference", "answers", "certain"),
        ("79BERN14", "79ROME77"): ("reference", "refers to", "certain"),
        ("79BERN14", "79OSLO310"): ("text", "refers to", "certain"),
        ("79OSLO310", "79ROME77"): ("reference", "refers to", "certain"),
    }
    ghost = next(node for node in found.nodes if node.digest is None)
    assert ghost.before is not None
    assert ghost.before[:10] == "1979-01-07", "OSLO 310 cites it, and was sent that day"
    assert found.cut == ()


def test_a_thread_that_is_cut_says_so(archive: Archive) -> None:
    near = thread(archive, Mrn.of(1979, "BERN", 10), depth=1)
    assert [node.key for node in near.nodes] == ["79BERN10", "79STATE900"]
    assert near.cut == ("telegrams that lie a step further: 1",)
    few = thread(archive, Mrn.of(1979, "BERN", 14), limit=2)
    assert len(few.nodes) == 2
    assert "left out at step 1" in few.cut[0]


def test_what_cites_a_circular_is_not_followed_through_it(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive") as archive:
        circular = telegram(
            "STATE", 5, 1, to="ALL DIPLOMATIC AND CONSULAR POSTS", subject="CIRCULAR"
        )
        answers = [telegram("BERN", n, 2 + n // 10, ref="STATE 5") for n in range(1, 61)]
        archive.add(incoming(circular, *answers))
        found = thread(archive, Mrn.of(1979, "BERN", 1))
        assert len(found.nodes) < 20
        assert any("79STATE5 is cited 60 times" in cut for cut in found.cut)
        assert len(thread(archive, Mrn.of(1979, "STATE", 5), limit=100).nodes) == 61


def test_separate_telegrams_and_subjects_that_go_on_are_found_and_not_called_certain(
    tmp_path: Path,
) -> None:
    subject = "DISPUTE OVER RIPARIAN LIGHTHOUSE DUES"
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(
            incoming(
                telegram("BERN", 10, 3, subject=subject, text="Text of note is sent septel."),
                telegram("BERN", 11, 3, subject=f"{subject}: TEXT OF NOTE"),
                telegram("STATE", 700, 9, to="AMEMBASSY BERN", subject=subject),
                telegram("BERN", 12, 3, subject="WINE LISTS"),
            )
        )
        found = links(thread(archive, Mrn.of(1979, "BERN", 10)))
        assert found["79BERN10", "79BERN11"] == ("separate", "goes with", "likely")
        assert found["79STATE700", "79BERN10"] == ("subject", "goes with", "likely")
        assert all("79BERN12" not in pair for pair in found)
        assert all(sure != "certain" for _, _, sure in found.values())


def test_a_reference_to_what_was_sent_later_is_doubted(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(telegram("BERN", 5, 3, ref="ROME 9"), telegram("ROME", 9, 30)))
        (link,) = thread(archive, Mrn.of(1979, "BERN", 5)).links
        assert (link.sure, "misread" in link.why) == ("possible", True)


def test_the_most_cited_of_a_post_a_year_or_a_search(archive: Archive) -> None:
    assert [(each.mrn, each.citing) for each in most_cited(archive, limit=2)] == [
        ("79ROME77", 2),
        ("79BERN10", 1),
    ]
    assert [each.mrn for each in most_cited(archive, post="BERN")] == ["79BERN10"]
    assert most_cited(archive, year=1978) == ()
    assert [each.mrn for each in most_cited(archive, query="fishery")] == ["79OSLO310"]


def test_copies_are_counted_once_among_those_that_cite(tmp_path: Path) -> None:
    text = (
        "The keeper said the lamp had burned all night and that nobody had complained of it at all."
    )
    one = telegram("BERN", 5, 3, ref="ROME 9", text=text)
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(one, one.replace("complained", "complaimed"), telegram("OSLO", 1, 4)))
        assert archive.count() == 2
        assert [(each.mrn, each.citing) for each in most_cited(archive)] == [("79ROME9", 1)]


def test_graphml_is_read_by_networkx_as_it_was_meant(archive: Archive) -> None:
    found = thread(archive, Mrn.of(1979, "STATE", 900))
    graph = networkx.read_graphml(io.BytesIO(thread_graphml(found.nodes, found.links).encode()))
    assert set(graph.edges) == {(link.source, link.target) for link in found.links}
    assert graph.nodes["79ROME77"]["held"] is False
    assert graph.nodes["79BERN14"]["subject"] == "LIGHTHOUSE DUES: ANSWER"
    assert graph.edges["79BERN14", "79OSLO310"]["kind"] == "text"
    whole = networkx.read_graphml(io.BytesIO("".join(whole_graphml(archive.graph)).encode()))
    assert set(whole.edges) == set(graph.edges)


_references = st.dictionaries(
    st.integers(1, 14), st.sets(st.integers(1, 14), max_size=3), min_size=2, max_size=14
)


@settings(max_examples=6)
@given(cites=_references, ends=st.tuples(st.integers(1, 14), st.integers(1, 14)))
def test_threads_and_paths_are_those_of_a_library_for_graphs(
    tmp_path_factory: pytest.TempPathFactory,
    cites: dict[int, set[int]],
    ends: tuple[int, int],
) -> None:
    graph = networkx.Graph()
    texts = []
    for number, cited in cites.items():
        graph.add_node(number)
        graph.add_edges_from((number, other) for other in cited - {number})
        ref = "; ".join(f"79 BERN {n}" for n in sorted(cited - {number}))
        texts.append(telegram("BERN", number, number, ref=ref, subject="", text=f"Word{number}."))
    with Archive.open(tmp_path_factory.mktemp("graph") / "archive") as archive:
        archive.add(incoming(*texts))
        start = min(cites)
        found = thread(archive, Mrn.of(1979, "BERN", start), depth=14, limit=100)
        wanted = networkx.node_connected_component(graph, start)
        assert {node.key for node in found.nodes} == {f"79BERN{n}" for n in wanted}
        one, other = ends
        shortest = path(archive, Mrn.of(1979, "BERN", one), Mrn.of(1979, "BERN", other))
        joined = one in graph and other in graph and networkx.has_path(graph, one, other)
        if joined or one == other:
            length = networkx.shortest_path_length(graph, one, other) if one != other else 0
            assert len(shortest.nodes) == length + 1
            assert (shortest.nodes[0].key, shortest.nodes[-1].key) == (
                f"79BERN{one}",
                f"79BERN{other}",
            )
            for link, (a, b) in zip(
                shortest.links, zip(shortest.nodes, shortest.nodes[1:], strict=False), strict=True
            ):
                assert {link.source, link.target} == {a.key, b.key}
        else:
            assert shortest.nodes == ()
            assert shortest.whole


def test_what_falls_open_counts_from_then_on(tmp_path: Path) -> None:
    closed = telegram("BERN", 5, 3, ref="ROME 9").replace("UNCLAS BERN", "S E C R E T BERN")
    closed = closed.replace("12065: N/A", "12958: DECL: 06/01/2090").replace("JAN 79", "JAN 07")
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(closed))
        seen = archive.view(Reader("open"))
        assert most_cited(seen) == ()
        assert archive.open_due(20900602) == 1
        assert [(each.mrn, each.citing) for each in most_cited(seen)] == [("07ROME9", 1)]
