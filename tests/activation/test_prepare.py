"""What is left of a record once its events are settled."""

from __future__ import annotations

import pytest

from include.activation.prepare import Candidate, Row, with_claimed
from include.records import Profile


@pytest.mark.parametrize(("clears", "is_sent"), [(True, True), (False, False)])
def test_a_record_that_became_empty_is_sent_where_empty_means_clear(clears: bool, is_sent: bool) -> None:
    """Its attributes are to be emptied at the platform; where they are to be left, there is nothing to send."""
    row = Row(
        ordinal=1,
        record_id="003",
        exists=True,
        stamp=None,
        row_hash=1,
        sent_fingerprint=b"before",
        values={"City": None},
    )
    profile = Profile(record_id="003", identifiers={"email": "a@example.com"}, attributes={"city": None})
    candidate = Candidate(row=row, profile=profile, fingerprint=b"now", differs=True, clears=clears)
    assert (with_claimed(candidate, set()) is not None) is is_sent
