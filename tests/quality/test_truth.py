"""What checks find in a generated org is what was planted in it, record by record, or the difference is explained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition
from include.quality.assess import assess_org
from include.records import AirflowRun
from include.sandbox.org.generator.defects import DEFECTS, bit, find
from include.sandbox.org.ids import make_id
from include.warehouse.engine import open_warehouse, quoted
from include.warehouse.findings import failing_ids
from tools.bench.generated import NOW, OBJECTS, GeneratedOrg

pytestmark = pytest.mark.slow
SHIPPED = load_definitions(Path(__file__).parents[2] / "include" / "definitions").checks

# The check that finds just the records with a planted defect.
EXACT = {
    "account_without_website": "account_website_missing",
    "account_inactive_owner": "account_owner_inactive",
    "account_test_record": "account_test_record",
    "account_invalid_phone": "account_phone_not_a_number",
    "account_name_in_capitals": "account_name_in_capitals",
    "contact_missing_email": "contact_email_missing",
    "contact_invalid_email": "contact_email_invalid",
    "contact_phone_without_country": "contact_phone_without_country",
    "contact_invalid_phone": "contact_phone_not_a_number",
    "contact_orphan": "contact_without_account",
    "contact_test_record": "contact_test_record",
    "contact_future_birthdate": "contact_birthdate_in_future",
    "contact_inactive_owner": "contact_owner_inactive",
    "lead_missing_email": "lead_email_missing",
    "lead_invalid_email": "lead_email_invalid",
    "lead_phone_without_country": "lead_phone_without_country",
    "lead_invalid_phone": "lead_phone_not_a_number",
    "lead_test_record": "lead_test_record",
    "lead_inactive_owner": "lead_owner_inactive",
    "lead_duplicates_contact": "lead_is_contact_already",
    "opportunity_stale": "opportunity_close_date_past",
    "opportunity_probability_mismatch": "opportunity_stage_disagrees",
    "opportunity_missing_amount": "opportunity_amount_missing",
    "opportunity_orphan": "opportunity_without_account",
}
# The check that misses some of them, for a reason that each missed record is held to.
EXPLAINED = {
    "contact_name_in_capitals": ("contact_name_in_capitals", "the name is in a script without capitals"),
    "lead_name_in_capitals": ("lead_name_in_capitals", "the name is in a script without capitals"),
    "lead_matches_account": ("lead_should_be_contact", "the account has another name, by a defect of its own"),
    "opportunity_inactive_owner": ("opportunity_owner_inactive", "the deal is closed: nobody has to work for it"),
}
# The check that finds a planted duplicate with the record that it doubles. "": no rule of ours may claim to know it.
DOUBLED = {
    "account_duplicate": "account_duplicate_website",
    "contact_duplicate_email": "contact_duplicate_email",
    "contact_duplicate_phone": "contact_duplicate_phone",
    "contact_duplicate_typo": "contact_duplicate_respelt",
    "contact_duplicate_nickname": "contact_duplicate_respelt",
    "contact_duplicate_swapped": "contact_duplicate_respelt",
    "contact_duplicate_moved": "",
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """Hold a generated org, its truth, and an assessment of it in a warehouse."""

    engine: Engine
    truth: GeneratedOrg
    assessment_id: int
    counts: dict[str, int]

    def planted(self, name: str) -> set[str]:
        defect = find(name)
        assert defect is not None
        return self.truth.planted(bit(defect), defect.object)

    def pairs(self, name: str) -> set[str]:
        """Return the records of a defect and those that they double."""
        defect = find(name)
        assert defect is not None
        return self.planted(name) | self.truth.twins(bit(defect), defect.object)

    def failing(self, check: str) -> set[str]:
        ids = set(failing_ids(self.engine, "acme", check, self.assessment_id, limit=100_000))
        assert len(ids) == self.counts[check]
        return ids

    def values(self, object: str, ids: set[str], *fields: str) -> list[tuple]:
        names = ", ".join(map(quoted, fields))
        statement = f'SELECT {names} FROM {quoted("salesforce_acme", object)} WHERE "Id" = ANY(%s)'
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement, (sorted(ids),))]


@pytest.fixture(scope="module")
def found(tmp_path_factory, module_warehouse_url) -> Iterator[Found]:
    """Return a generated org with an assessment by all shipped checks."""
    truth = GeneratedOrg(tmp_path_factory.mktemp("generated"), contacts=8_000, seed=3)
    engine = open_warehouse(module_warehouse_url)
    truth.load_into(engine, "acme")
    org = OrgDefinition(org="acme", connection="acme", objects=OBJECTS)
    assessment = assess_org(engine, org, SHIPPED, now=NOW, run=AirflowRun())
    counts = {issue.check_id: issue.failing for issue in assessment.issues if issue.verdict != "not_assessed"}
    yield Found(engine=engine, truth=truth, assessment_id=assessment.assessment_id, counts=counts)
    truth.close()
    engine.dispose()


def test_every_planted_defect_is_looked_for():
    """A defect that is new in the generator has to be entered in one of the three tables."""
    assert sorted(each.name for each in DEFECTS) == sorted([*EXACT, *EXPLAINED, *DOUBLED])


@pytest.mark.parametrize(("defect", "check"), EXACT.items())
def test_a_check_finds_the_planted_records_and_no_others(found, defect, check):
    """Count and Ids are those of the truth, and there are some."""
    planted = found.planted(defect)
    assert planted
    assert found.failing(check) == planted


@pytest.mark.parametrize("defect", EXPLAINED)
def test_a_check_that_misses_planted_records_has_a_reason_for_each(found, defect):
    """It finds no others, and what it misses is what the table says."""
    check, reason = EXPLAINED[defect]
    planted, failing = found.planted(defect), found.failing(check)
    assert failing <= planted
    assert failing
    missed = planted - failing
    object = SHIPPED[check].object
    if "capitals" in reason:
        for first, last in found.values(object, missed, "FirstName", "LastName"):
            assert f"{first}{last}".lower() == f"{first}{last}".upper()
    elif "closed" in reason:
        assert all(closed for (closed,) in found.values(object, missed, "IsClosed"))
    else:
        respelt = found.planted("account_duplicate") | found.planted("account_test_record")
        for (company,) in found.values(object, missed, "Company"):
            number = re.findall(r" (\d+) ", f"{company} ")
            assert make_id("001", int(number[-1])) in respelt


@pytest.mark.parametrize("defect", [name for name, check in DOUBLED.items() if check])
def test_a_planted_duplicate_is_found_with_the_record_that_it_doubles(found, defect):
    """Both are named by the check of that kind, or by a stricter one; who only looks like a duplicate by none."""
    object = find(defect).object
    checks = [name for name, each in SHIPPED.items() if each.duplicates and each.object == object]
    anywhere = set().union(*(found.failing(check) for check in checks))
    pairs = found.pairs(defect)
    assert pairs
    missed = pairs - anywhere
    # Of typing errors a few leave nothing to compare by: no phone, and the first letters differ.
    assert len(missed) <= (0.05 * len(pairs) if defect == "contact_duplicate_typo" else 0)
    assert found.failing(DOUBLED[defect]) & pairs


@pytest.mark.parametrize("object", ["Account", "Contact"])
def test_no_record_is_called_a_duplicate_that_was_planted_as_none(found, object):
    """Every record that a check of duplicates names belongs to a planted pair."""
    checks = [name for name, each in SHIPPED.items() if each.duplicates and each.object == object]
    planted = set().union(*(found.pairs(name) for name in DOUBLED if find(name).object == object))
    for check in checks:
        failing = found.failing(check)
        # Of people generated by chance a few in ten thousand share name and number, or name and account.
        assert len(failing - planted) <= 0.01 * len(planted), check
