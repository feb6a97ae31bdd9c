"""What checks find in a generated org is what was planted in it, record by record, or the difference is explained."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition
from include.quality.assess import assess_org
from include.records import AirflowRun
from include.sandbox.org.generator.defects import DEFECTS, NOT_DUPLICATES, bit, find
from include.sandbox.org.generator.vocabulary import ROLE_MAILBOXES
from include.sandbox.org.ids import make_id
from include.warehouse.engine import open_warehouse, quoted
from include.warehouse.health.findings import failing_ids
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
# The check that finds a planted duplicate with the record that it doubles.
DOUBLED = {
    "account_duplicate": "account_duplicate_website",
    "contact_duplicate_email": "contact_duplicate_email",
    "contact_duplicate_phone": "contact_duplicate_phone",
    "contact_duplicate_moved": "contact_duplicate_phone",
    "contact_duplicate_typo": "contact_duplicate_respelt",
    "contact_duplicate_nickname": "contact_duplicate_respelt",
    "contact_duplicate_swapped": "contact_duplicate_respelt",
}
# What is bad in generated records though nobody planted it: the condition on the generator's own records.
OLD = "t.\"LastModifiedDate\" < TIMESTAMP '{now}' - INTERVAL {days} DAY"
OPEN_DEAL = "t.\"StageName\" NOT IN ('Closed Won', 'Closed Lost') AND "
BY_NATURE = {
    "account_industry_missing": 't."Industry" IS NULL',
    "account_state_unknown": "t.\"BillingCountry\" = 'United States' AND t.\"BillingState\" <> 'CA'",
    "account_untouched": OLD.format(now=NOW.replace(tzinfo=None), days=1095),
    "account_without_contacts": 't."Id" NOT IN (SELECT "AccountId" FROM "Contact" WHERE "AccountId" IS NOT NULL)',
    "contact_phone_missing": 't."Phone" IS NULL AND t."MobilePhone" IS NULL',
    "contact_role_mailbox": f"split_part(t.\"Email\", '@', 1) IN {ROLE_MAILBOXES}",
    "contact_untouched": OLD.format(now=NOW.replace(tzinfo=None), days=1095),
    "lead_source_missing": 't."LeadSource" IS NULL',
    "lead_untouched": 'NOT t."IsConverted" AND ' + OLD.format(now=NOW.replace(tzinfo=None), days=365),
    "lead_waiting_in_queue": (
        'NOT t."IsConverted" AND t."OwnerId" NOT IN (SELECT "Id" FROM "User")'
        f" AND t.\"CreatedDate\" < TIMESTAMP '{NOW.replace(tzinfo=None)}' - INTERVAL 7 DAY"
    ),
    "opportunity_closes_before_created": 't."CloseDate" < t."CreatedDate"::DATE - INTERVAL 365 DAY',
    "opportunity_no_next_step": OPEN_DEAL + 't."NextStep" IS NULL',
    "opportunity_stage_stuck": (
        f"{OPEN_DEAL} t.\"LastStageChangeDate\" < TIMESTAMP '{NOW.replace(tzinfo=None)}' - INTERVAL 180 DAY"
    ),
    "opportunity_without_activity": (
        OPEN_DEAL + 't."Id" NOT IN (SELECT "WhatId" FROM "Task" WHERE "WhatId" IS NOT NULL'
        ' UNION ALL SELECT "WhatId" FROM "Event" WHERE "WhatId" IS NOT NULL)'
    ),
    "opportunity_without_contact": (OPEN_DEAL + 't."Id" NOT IN (SELECT "OpportunityId" FROM "OpportunityContactRole")'),
}
# Nothing of the kind is among generated records; tests of predicates and rules make some.
NOTHING = frozenset({
    "account_address_incomplete", "account_country_unknown", "account_parent_gone", "account_phone_without_country",
    "account_website_malformed", "contact_country_unknown", "contact_disposable_email", "contact_email_bounced",
    "contact_first_name_missing", "contact_free_mail", "contact_reports_to_themselves", "lead_company_placeholder",
    "lead_conversion_incomplete", "lead_country_unknown", "lead_disposable_email", "lead_duplicate_email",
    "lead_role_mailbox", "lead_website_malformed", "opportunity_amount_negative", "opportunity_close_date_far",
    "opportunity_won_without_amount",
})  # fmt: skip
# The generated org lacks a field that they need.
NOT_ASSESSED = frozenset({
    "contact_consent_missing", "lead_email_bounced", "opportunity_currency_missing", "opportunity_currency_differs",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Person:
    """Hold what two contacts may have in common, by another reading than that of the rules."""

    id: str
    name: tuple[str, str]
    account: str | None
    phone: str | None
    numbers: frozenset[str]
    place: str | None
    born: object

    @classmethod
    def read(cls, id, first, last, account, phone, mobile, place, born) -> Person:
        called = tuple("".join(filter(str.isalnum, str(each or "").casefold())) for each in (first, last))
        numbers = ["".join(filter(str.isdigit, str(each or "")))[-8:] for each in (phone, mobile)]
        usable = [each if len(each) == 8 and len(set(each)) > 1 else "" for each in numbers]
        return cls(
            id=str(id),
            name=called,
            account=account,
            phone=usable[0] or None,
            numbers=frozenset(filter(None, usable)),
            place=place,
            born=born,
        )


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

    def twin_of(self, name: str) -> set[frozenset[str]]:
        """Return each record of a planted pair together with the one that it was made from."""
        defect = find(name)
        assert defect is not None
        rows = self.truth.database.rows(
            f'SELECT "Id", _twin FROM "{defect.object}" WHERE (_defects & {bit(defect)}) <> 0'
        )
        return {frozenset(map(str, row)) for row in rows}

    def planted_people(self) -> set[str]:
        """Return the contacts of all planted duplicates."""
        return set().union(*(self.pairs(name) for name in DOUBLED if name.startswith("contact_")))

    def pairs_of(self, rules: Iterable[str] = (), *, object: str = "") -> set[frozenset[str]]:
        """Return which two records these rules (or any) brought together."""
        statement = (
            "SELECT left_id, right_id FROM headwater.duplicate_pair"
            " WHERE (cardinality(%s::text[]) = 0 OR rule = ANY(%s)) AND %s IN (object, '')"
        )
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(statement, (list(rules), list(rules), object))
            return {frozenset(row) for row in rows}

    def people(self) -> dict[str, Person]:
        """Return all contacts by Id, read as somebody would who compares them by eye."""
        rows = self.truth.database.rows(
            'SELECT "Id", "FirstName", "LastName", "AccountId", "Phone", "MobilePhone", "MailingPostalCode",'
            ' "Birthdate" FROM "Contact"'
        )
        return {str(row[0]): Person.read(*row) for row in rows}

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


def test_every_shipped_check_has_a_row():
    """A check that is new has to be entered in one of the tables, too."""
    found_by = {*EXACT.values(), *(check for check, _ in EXPLAINED.values()), *DOUBLED.values()}
    by_comparing = {"account_duplicate_name", "contact_duplicate_name"}
    assert set(SHIPPED) == found_by | by_comparing | set(BY_NATURE) | NOTHING | NOT_ASSESSED


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


@pytest.mark.parametrize("defect", DOUBLED)
def test_a_planted_duplicate_is_found_with_the_record_that_it_doubles(found, defect):
    """The check of that kind names both; a slip that spelling does not count as one is found by the equal names."""
    check = DOUBLED[defect]
    planted = found.twin_of(defect)
    assert planted
    pairs = found.pairs_of(SHIPPED[check].duplicates.rules)
    missed = [pair for pair in planted if pair not in pairs]
    assert set().union(*(set(planted) - set(missed))) <= found.failing(check)
    if defect == "contact_duplicate_typo":
        people = found.people()
        assert all(people[one].name == people[other].name for one, other in map(sorted, missed))
        assert set().union(*missed) <= found.failing("contact_duplicate_name")
    else:
        assert missed == []


def test_contacts_of_one_name_and_number_are_those_that_comparing_everybody_finds(found):
    """Planted ones of every kind that have both in common, and nobody else."""
    numbers = defaultdict(set)
    for each in found.people().values():
        for number in each.numbers:
            numbers[each.name, number].add(each)
    alike = {id for group in numbers.values() for id in told_apart_by_nothing(group)}
    assert found.failing("contact_duplicate_phone") == alike
    assert alike <= found.planted_people()


def test_contacts_of_one_name_at_one_account_are_those_that_comparing_everybody_finds(found):
    """Besides planted ones a few strangers of one name whom nothing in their records tells apart."""
    people = found.people()
    accounts = defaultdict(set)
    for each in people.values():
        if each.account:
            accounts[each.name, each.account].add(each)
    alike = {id for group in accounts.values() for id in told_apart_by_nothing(group, elsewhere=True)}
    assert found.failing("contact_duplicate_name") == alike
    strangers = alike - found.planted_people()
    assert len(strangers) <= 0.01 * len(found.planted_people())


@pytest.mark.parametrize(
    ("check", "defects"),
    [
        ("account_duplicate_website", ["account_duplicate"]),
        ("account_duplicate_name", ["account_duplicate"]),
        ("contact_duplicate_email", ["contact_duplicate_email"]),
        (
            "contact_duplicate_respelt",
            ["contact_duplicate_typo", "contact_duplicate_nickname", "contact_duplicate_swapped"],
        ),
    ],
)
def test_no_record_is_called_a_duplicate_that_was_planted_as_none(found, check, defects):
    """Pair by pair: what the rules of a check brought together was planted as one of these kinds."""
    planted = {pair for defect in defects for pair in found.twin_of(defect)}
    pairs = found.pairs_of(SHIPPED[check].duplicates.rules, object=SHIPPED[check].object)
    assert pairs <= planted
    assert found.failing(check) == set().union(*pairs)


@pytest.mark.parametrize("trap", [each.name for each in NOT_DUPLICATES])
def test_somebody_who_only_looks_like_a_duplicate_is_none(found, trap):
    """No rule brings the two together that share a home, a name, a mailbox or a switchboard."""
    planted = found.twin_of(trap)
    assert planted
    assert not planted & found.pairs_of()


@pytest.mark.parametrize(("check", "condition"), BY_NATURE.items())
def test_a_check_finds_what_the_generator_s_own_records_hold(found, check, condition):
    """Count and Ids are those that the condition finds before anything was extracted or loaded."""
    rows = found.truth.database.rows(f'SELECT "Id" FROM "{SHIPPED[check].object}" AS t WHERE {condition}')
    assert rows
    assert found.failing(check) == {str(id) for (id,) in rows}


def test_a_check_finds_nothing_where_nothing_is(found):
    """Nor is anything said of a field that the org does not have."""
    assert {check: found.counts[check] for check in NOTHING} == dict.fromkeys(NOTHING, 0)
    assert set(SHIPPED) - set(found.counts) == NOT_ASSESSED


def told_apart_by_nothing(group: Iterable[Person], *, elsewhere: bool = False) -> set[str]:
    """Return who of a group cannot be told from another: no two birthdays; `elsewhere`: nor another home and number."""
    alike = set()
    for one, other in combinations(group, 2):
        if one.born and other.born and one.born != other.born:
            continue
        apart = one.place != other.place and one.phone and other.phone and one.phone != other.phone
        if not (elsewhere and apart and not (one.born and one.born == other.born)):
            alike |= {one.id, other.id}
    return alike
