"""What the measuring of duplicates says of a small crowd; larger ones are for `make duplicates`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tools.duplicates.crowd import Crowd
from tools.duplicates.measure import measure
from tools.duplicates.report import as_json, as_text, met


@pytest.mark.parametrize("seed", [1, 2])
def test_duplicates_are_found_look_alikes_are_not_and_increments_leave_what_a_whole_pass_does(
    tmp_path: Path, warehouse: Engine, seed: int
) -> None:
    """Of 5,000 contacts: precision of at least .99, recall of at least .95, leads among contacts, every trap passed."""
    crowd = Crowd(tmp_path, contacts=5000, seed=seed)
    try:
        measured = measure(warehouse, crowd)
    finally:
        crowd.close()
    found = measured.score
    told = as_text(measured)
    assert found.precision_among_traps >= 0.99, told
    assert found.precision >= 0.98, told  # strangers of one name at one company, by chance
    assert found.recall >= 0.95, told
    for kind in ("email", "phone", "typo", "nickname", "swapped"):
        assert found.recall_of(f"contact_duplicate_{kind}") >= 0.9, told
    assert found.recall_of("lead_duplicates_contact") >= 0.95, told
    assert found.recall_of("account_duplicate") >= 0.95, told
    assert found.right > 250
    assert sum(each.planted for each in found.traps) > 200
    assert measured.increment == 5
    assert measured.increment_is_whole, told
    assert met(measured)
    assert json.loads(json.dumps(as_json(measured)))["met"] is True


def test_the_score_sees_what_is_missing_and_what_is_wrong(tmp_path: Path, warehouse: Engine) -> None:
    """Without any pair recall is zero; with every trap taken for a duplicate precision is."""
    from include.warehouse.duplicates.ledger import FoundPair, store_pairs
    from include.warehouse.engine import transaction
    from tools.duplicates.crowd import ORG, settle_in
    from tools.duplicates.score import score
    from tools.duplicates.truth import keep_truth

    crowd = Crowd(tmp_path, contacts=2000, seed=1)
    try:
        settle_in(warehouse, crowd)
        keep_truth(warehouse, crowd)
    finally:
        crowd.close()
    nothing = score(warehouse, ORG)
    assert (nothing.recall, nothing.precision, nothing.right) == (0, 1, 0)
    with transaction(warehouse) as connection:
        traps = connection.exec_driver_sql("SELECT a, b FROM truth.trap").all()
        store_pairs(
            connection, ORG, "Contact", "rules", [FoundPair(left_id=a, right_id=b, rule="x", score=1) for a, b in traps]
        )
    wrong = score(warehouse, ORG)
    assert (wrong.precision, wrong.precision_among_traps, wrong.wrong) == (0, 0, len(traps))
    assert all(each.taken == each.planted for each in wrong.traps)
