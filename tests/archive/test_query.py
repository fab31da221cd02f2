"""The search language: what each form means, and what its mistakes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reftel.archive.query import And, DateRange, Field, Not, Or, Query, QueryError, Words, parse


def _word(name: str, value: str) -> Field:
    return Field(name, Words(value))


CASES: list[tuple[str, Query | None]] = [
    ("", None),
    ("  ", None),
    ("lamp", Words("lamp")),
    ("lamp harbour", And((Words("lamp"), Words("harbour")))),
    ("lamp AND harbour", And((Words("lamp"), Words("harbour")))),
    ('"the lamp"', Words("the lamp", phrase=True)),
    ("light*", Words("light", prefix=True)),
    ("-lamp", Not(Words("lamp"))),
    ("NOT lamp", Not(Words("lamp"))),
    ("NOT -lamp", Words("lamp")),
    ("a OR b c", Or((Words("a"), And((Words("b"), Words("c")))))),
    ("(a OR b) c", And((Or((Words("a"), Words("b"))), Words("c")))),
    ("post:BERN", Field("post", Words("BERN"))),
    ('from:"AMEMBASSY BERN"', Field("from", Words("AMEMBASSY BERN", phrase=True))),
    ("after:1979", DateRange(19790101, None)),
    ("after:1979-06", DateRange(19790601, None)),
    ("before:1979-06-30", DateRange(None, 19790630)),
    ("year:1979", DateRange(19790101, 19800101)),
    ("U.S.-EU", Words("U.S.-EU")),
    ('"light dues"~5', Words("light dues", near=5)),
    ('"harbour li*"', Words("harbour li", phrase=True, prefix=True)),
    ('subject:"light dues"~5', Field("subject", Words("light dues", near=5))),
    ("signed:vanc*", Field("signed", Words("vanc", prefix=True))),
    ("to:secstate -has:date", And((_word("to", "secstate"), Not(_word("has", "date"))))),
    ("sent:1979", DateRange(19790101, 19800101)),
    ("sent:1979-06", DateRange(19790601, 19790701)),
    ("sent:1979-12", DateRange(19791201, 19800101)),
    ("sent:1979-06-14..1979-07", DateRange(19790614, 19790801)),
    ("sent:1979..", DateRange(19790101, None)),
    ("sent:..1979", DateRange(None, 19800101)),
    ("“light dues”", Words("light dues", phrase=True)),
    ("„light dues“~5 lamp", And((Words("light dues", near=5), Words("lamp")))),
    ("subject:«light dues»", Field("subject", Words("light dues", phrase=True))),
    ('"the “light” dues"', Words("the “light” dues", phrase=True)),
    ('“the "light" dues”', Words("the  light  dues", phrase=True)),
    ("subject:(light dues)", And((_word("subject", "light"), _word("subject", "dues")))),
    ("post:(BERN OR OSLO)", Or((_word("post", "BERN"), _word("post", "OSLO")))),
    (
        'subject:(-light ("light dues"~5 OR har*)) lamp',
        And(
            (
                And(
                    (
                        Not(_word("subject", "light")),
                        Or(
                            (
                                Field("subject", Words("light dues", near=5)),
                                Field("subject", Words("har", prefix=True)),
                            )
                        ),
                    )
                ),
                Words("lamp"),
            )
        ),
    ),
    ("-year:(1978 OR 1979)", Not(Or((parse("year:1978"), parse("year:1979"))))),  # type: ignore[arg-type]
    ('"light light"~5', Words("light light", near=5)),
    ("sent:1979..1979", DateRange(19790101, 19800101)),
    ('tags:"P*EL"', Field("tags", Words("P*EL", phrase=True))),
    ("note: lamp", And((Words("note:"), Words("lamp")))),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_what_a_query_means(text: str, expected: Query | None) -> None:
    assert parse(text) == expected


MISTAKES = [
    ('"open', "not closed", 0),
    ("(a", "not closed", 0),
    ("a)", "without an opening", 1),
    ("a AND", "ends where a word", 5),
    ("psot:BERN", "did you mean post:", 0),
    ("after:yesterday", "is no date", 0),
    ("after:1979-13", "no day of the calendar", 0),
    ('""', "nothing stands between", 1),
    ("OR a", "OR where a word", 0),
    ('"light dues"~', "how near is a number", 12),
    ('"light dues"~five', "how near is a number", 12),
    ('"a b c d e f g"~5', "at most 6 words", 1),
    ('tags:"PREL SZ"~5', "holds codes", 0),
    ("has:summry", "did you mean has:summary", 4),
    ("form:poem", "known are acp127", 5),
    ("sent:..", "on one side", 0),
    ("sent:1979..soon", "is no date", 0),
    ('subject:"open', "not closed", 0),
    ("lamp post: BERN", "post: is followed by a blank; write post:BERN", 5),
    ("cites: 79BERN4120", "write cites:79BERN4120", 0),
    ("lamp post:", "followed by nothing", 5),
    ("lamp “open", "not closed", 5),
    ("li*ht", "at the end of a word only", 2),
    ("lamp *light", "at the end of a word only", 5),
    ("tags:P*L", "at the end of a word only", 6),
    ('subject:"li*ht dues"', "at the end of a word only", 11),
    ('"light* dues"~5', "without a star", 6),
    ('"the the the"~2', "twice, not more often", 1),
    ('"the THE"~21', "at most 20 others between", 9),
    ("lamp sent:1980..1979", "1980 is after 1979", 5),
    ("has:(date summry)", "did you mean has:summary", 10),
    ("subject:(light post:BERN)", "in the brackets of subject:", 15),
    ("psot:(BERN OR OSLO)", "did you mean post:", 0),
    ("subject:()", "where a word is expected", 9),
    ("subject:(light", "not closed", 8),
]


@pytest.mark.parametrize(("text", "words", "position"), MISTAKES)
def test_a_mistake_says_what_and_where(text: str, words: str, position: int) -> None:
    with pytest.raises(QueryError, match=words) as caught:
        parse(text)
    assert caught.value.position == position


@given(st.text(alphabet='ab "“”„«»():-*~1ANDORTpost.', max_size=40) | st.text(max_size=60))
def test_any_text_is_a_query_or_a_mistake(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert 0 <= error.position <= max(len(text), 1)
