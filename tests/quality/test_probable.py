"""Duplicates by probability: what is found, what is kept of it, and that nothing of a person stays anywhere."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from include.config.orgs import OrgDefinition
from include.errors import DefinitionError
from include.quality.probable import find_probable
from include.sandbox.org.generator import vocabulary
from include.warehouse.duplicates.ledger import FoundPair, store_pairs
from include.warehouse.engine import transaction
from tools.duplicates.crowd import OBJECTS, ORG, Crowd, settle_in
from tools.duplicates.score import Score, score
from tools.duplicates.truth import keep_truth

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def org_with(**objects: dict[str, object]) -> OrgDefinition:
    """Return the crowd's org with these objects compared by probability."""
    return OrgDefinition(
        org=ORG,
        connection=ORG,
        objects=OBJECTS,
        probable_duplicates={"objects": objects},  # type: ignore[arg-type]
    )


@pytest.fixture
def crowd(tmp_path: Path, warehouse: Engine) -> Iterator[Crowd]:
    """Yield 5,000 contacts with the accounts and leads that go with them, in the warehouse."""
    made = Crowd(tmp_path, contacts=5000, seed=7)
    settle_in(warehouse, made)
    keep_truth(warehouse, made)
    yield made
    made.close()


def models(warehouse: Engine) -> list[tuple[dict[str, object], datetime]]:
    """Return the models that are kept, and since when."""
    with transaction(warehouse) as connection:
        rows = connection.execute(text("SELECT model, learnt_at FROM headwater.probable_model ORDER BY object"))
        return [(row.model, row.learnt_at) for row in rows]


def test_duplicates_are_found_and_look_alikes_are_not(crowd, warehouse, tmp_path, monkeypatch, caplog):
    """Of contacts; and nothing of them is left in the temporary folder, in a log or in what was learnt."""
    spill = tmp_path / "spill"
    spill.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spill))
    caplog.set_level(logging.DEBUG)
    found = find_probable(warehouse, org_with(Contact={"threshold": 0.9}), now=NOW)["Contact"]
    assert found.learnt
    said: Score = score(warehouse, ORG)
    assert said.precision >= 0.99, said
    assert said.recall >= 0.9, said
    assert found.pairs.found == said.right + said.wrong
    assert list(spill.iterdir()) == []
    ((model, _),) = models(warehouse)
    kept = json.dumps(model, ensure_ascii=False).lower()
    logged = caplog.text.lower()
    names = {name.lower() for name, _ in (*vocabulary.FIRST_NAMES, *vocabulary.LAST_NAMES) if len(name) > 4}
    assert not [name for name in names - {"null", "true"} if f'"{name}"' in kept or f"'{name}'" in kept]
    assert "example" not in kept
    assert not [record for record in caplog.records if record.name.startswith("splink")]
    assert "@example" not in logged


def test_what_was_learnt_is_used_again_until_it_is_old_and_is_the_same_each_time(crowd, warehouse):
    """One seed: the same people teach the same, and the pairs stay what they are."""
    org = org_with(Contact={"threshold": 0.9, "train_every_days": 30})
    first = find_probable(warehouse, org, now=NOW)["Contact"]
    ((model, learnt_at),) = models(warehouse)
    again = find_probable(warehouse, org, now=NOW + timedelta(days=29))["Contact"]
    assert (first.learnt, again.learnt) == (True, False)
    assert (again.pairs.found, again.pairs.lost) == (0, 0)
    assert models(warehouse) == [(model, learnt_at)]
    later = find_probable(warehouse, org, now=NOW + timedelta(days=31))["Contact"]
    assert later.learnt
    ((anew, _),) = models(warehouse)
    told = [
        [
            pytest.approx([level.get("m_probability", 0), level.get("u_probability", 0)], abs=1e-9)
            for comparison in model["comparisons"]
            for level in comparison["comparison_levels"]
        ],
        [
            [level.get("m_probability", 0), level.get("u_probability", 0)]
            for comparison in anew["comparisons"]
            for level in comparison["comparison_levels"]
        ],
    ]
    assert told[1] == told[0]


def test_pairs_of_rules_are_left_alone_and_its_own_are_replaced(crowd, warehouse):
    """A pair that rules found stays when probability does not find it, and the other way round."""
    with transaction(warehouse) as connection:
        ids = connection.execute(
            text(f'SELECT "Id" FROM salesforce_{ORG}."Contact" ORDER BY "Id" LIMIT 2')
        ).scalars().all()  # fmt: skip
        rule = FoundPair(left_id=ids[0], right_id=ids[1], rule="email", score=1)
        store_pairs(connection, ORG, "Contact", "rules", [rule])
        stale = FoundPair(left_id=ids[0], right_id=ids[1], rule="splink", score=1)
        store_pairs(connection, ORG, "Contact", "splink", [stale])
    found = find_probable(warehouse, org_with(Contact={}), now=NOW)["Contact"]
    assert found.pairs.lost == 1
    with transaction(warehouse) as connection:
        kept = connection.execute(
            text("SELECT rule FROM headwater.duplicate_pair WHERE left_id = :a AND right_id = :b"),
            {"a": ids[0], "b": ids[1]},
        ).scalars()
        assert list(kept) == ["email"]


def test_leads_are_compared_by_the_name_of_their_company(crowd, warehouse):
    """They have no account; one that is converted is left out."""
    with transaction(warehouse) as connection:
        table = f'salesforce_{ORG}."Lead"'
        first = connection.execute(
            text(f'SELECT "Id" FROM {table} WHERE NOT "IsConverted" AND "Email" LIKE :mail ORDER BY "Id" LIMIT 1'),
            {"mail": "%_@_%"},
        ).scalar_one()
        columns = '"FirstName", "LastName", "Email", "Phone", "Company", "PostalCode"'
        for id, converted in (("00Q000000000TWINAA", False), ("00Q000000000GONEAA", True)):
            connection.execute(
                text(
                    f'INSERT INTO {table} ("Id", "IsConverted", {columns})'
                    f' SELECT :id, :converted, {columns} FROM {table} WHERE "Id" = :first'
                ),
                {"id": id, "converted": converted, "first": first},
            )
    find_probable(warehouse, org_with(Lead={"threshold": 0.8}), now=NOW)
    with transaction(warehouse) as connection:
        pairs = connection.execute(
            text(
                "SELECT left_id, right_id FROM headwater.duplicate_pair"
                " WHERE object = 'Lead' AND :id IN (left_id, right_id)"
            ),
            {"id": first},
        ).all()
    assert [set(pair) for pair in pairs] == [{first, "00Q000000000TWINAA"}]


def test_too_few_to_learn_from_are_compared_by_what_is_known_before(warehouse):
    """An empty table is no mistake; with two people who are one, they are found, and no model is kept."""
    with transaction(warehouse) as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA salesforce_{ORG}")
        connection.exec_driver_sql(
            f'CREATE TABLE salesforce_{ORG}."Contact" ("Id" text PRIMARY KEY, "FirstName" text, "LastName" text,'
            ' "Email" text, "Phone" text, "MailingPostalCode" text, "Birthdate" date, _deleted_at timestamptz)'
        )
    org = org_with(Contact={}, Lead={})
    assert find_probable(warehouse, org, now=NOW)["Contact"].candidates == 0
    with transaction(warehouse) as connection:
        connection.exec_driver_sql(
            f'INSERT INTO salesforce_{ORG}."Contact" VALUES'
            " ('003000000000001AAA', 'Ann', 'Lee', 'ann@example.com', '+49 151 12345678', '10115', '1980-05-06', NULL),"
            " ('003000000000002AAA', 'Ann', 'Lee', 'ANN@example.com', '0151/12345678', '10115', '1980-05-06', NULL),"
            " ('003000000000003AAA', 'Bo', 'Lee', 'bo@example.com', '0151/12345678', '10115', '2001-05-06', NULL),"
            " ('003000000000004AAA', 'Ann', 'Lee', 'ann@example.com', '0151/12345678', '10115', NULL, now())"
        )
    found = find_probable(warehouse, org, now=NOW)
    assert set(found) == {"Contact"}
    assert (found["Contact"].learnt, found["Contact"].pairs.found) == (False, 1)
    assert models(warehouse) == []


def test_an_object_without_people_is_a_mistake_in_the_definition(warehouse):
    """Companies are compared by rules alone; the message names file and key."""
    with pytest.raises(DefinitionError, match=r"orgs/crowd\.yaml: probable_duplicates\.objects\.Account"):
        find_probable(warehouse, org_with(Account={}), now=NOW)
