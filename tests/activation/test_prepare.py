"""What is left of a record once its events are settled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.activation.prepare import Candidate, Row, in_rounds, with_claimed
from include.records import Profile


def candidate_of(record_id: str, *, email: str) -> Candidate:
    row = Row(
        ordinal=1,
        record_id=record_id,
        exists=True,
        stamp=None,
        row_hash=1,
        sent_fingerprint=b"before",
        values={"City": None},
    )
    profile = Profile(record_id=record_id, identifiers={"email": email}, attributes={"city": None})
    return Candidate(row=row, profile=profile, fingerprint=b"now", differs=True, clears=False)


@pytest.mark.parametrize(("clears", "is_sent"), [(True, True), (False, False)])
def test_a_record_that_became_empty_is_sent_where_empty_means_clear(clears: bool, is_sent: bool) -> None:
    """Its attributes are to be emptied at the platform; where they are to be left, there is nothing to send."""
    candidate = replace(candidate_of("003", email="a@example.com"), clears=clears)
    assert (with_claimed(candidate, set()) is not None) is is_sent


def test_one_person_is_never_twice_in_a_round() -> None:
    """An address in two spellings of its letters is one person to most platforms; order is kept for each."""
    first = candidate_of("003A", email="ada@example.com")
    other = candidate_of("003B", email="bob@example.com")
    again = candidate_of("003C", email="Ada@Example.com")
    ids = [[each.row.record_id for each in round_] for round_ in in_rounds([first, other, again])]
    assert ids == [["003A", "003B"], ["003C"]]
    assert in_rounds([first, other]) == [[first, other]]
    assert in_rounds([]) == []
