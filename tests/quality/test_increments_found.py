"""Checks that find other records by what those say: judged on what a change concerns, they find what all would."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import event, text

from include.config.predicates import read_predicate
from include.quality.lookups import lookups_of
from include.warehouse.belongings import forget
from include.warehouse.health.findings import failing_ids
from tests.quality.conftest import NOW
from tests.quality.test_increments import _compare

_COMPANY = "lower(btrim({row.Company})) IN (SELECT lower(btrim({a.Name})) FROM {Account} AS a"
_LONELY = "NOT EXISTS (SELECT 1 FROM {Contact} AS person WHERE {person.AccountId} = {row.Id})"
_CROWDED = (
    "(SELECT count(*) FROM {Contact} AS person WHERE {person.Email} LIKE '%@%' AND {person.AccountId} = {row.Id})"
)
_STAGE = (
    "{row.Probability} >= 80 AND {row.StageName} IN (SELECT {early.StageName} FROM {Opportunity} AS early"
    " WHERE NOT {early.IsClosed} GROUP BY {early.StageName} HAVING avg({early.Probability}) < 40)"
)


def _checks(make_check):
    return (
        make_check("known", object="Lead", bad_when="NOT {row.IsConverted} AND " + _COMPANY + ")"),
        make_check("known_here", object="Lead", bad_when=_COMPANY + " WHERE {a.OwnerId} = {row.OwnerId})"),
        make_check("unknown", object="Lead", bad_when="NOT (" + _COMPANY + "))"),
        make_check("not_listed", object="Lead", bad_when="{row.Company} NOT IN (SELECT {a.Name} FROM {Account} AS a)"),
        make_check("lonely", object="Account", bad_when=_LONELY),
        make_check("crowded", object="Account", bad_when=_CROWDED + " > 1"),
        make_check("nameless", object="Account", bad_when="{row.Name} IS NULL"),
        make_check("stage", object="Opportunity", bad_when=_STAGE),
        make_check("homeless", bad_when="NOT EXISTS (SELECT 1 FROM {Account} AS p WHERE {p.Id} = {row.AccountId})"),
        make_check("twins", expect={"type": "expect_column_values_to_be_unique", "column": "Email"}),
        make_check("mail", expect={"type": "expect_column_values_to_match_regex", "column": "Email", "regex": "@"}),
    )


_VALUES = {
    "Account": {"Name": ("Nordwind", " nordwind ", "Südwind", "", None), "OwnerId": ("u1", "u2", None)},
    "Contact": {"AccountId": ("a1", "a2", "a3", None), "Email": ("a@b.de", "b@b.de", "nobody", None)},
    "Lead": {"Company": ("Nordwind", "Südwind ", "", None), "IsConverted": (True, False), "OwnerId": ("u1", "u2")},
    "Opportunity": {
        "StageName": ("New", "Talk", None), "Probability": (5, 30, 90), "IsClosed": (True, False),
    },
}  # fmt: skip


def _change(org, dice):
    """Do what a load, a merge in the org, a comparison or somebody at a prompt may do, and note a run or not."""
    name = dice.choice(tuple(_VALUES))
    table = f'salesforce_acme."{name}"'
    record, other = (f"{name[0].lower()}{dice.randrange(6)}" for _ in range(2))
    field = dice.choice(tuple(_VALUES[name]))
    value = dice.choice(_VALUES[name][field])
    statements = {
        "load": f'UPDATE {table} SET "{field}" = :value WHERE "Id" = :id OR "Id" = :other',
        "delete": f'UPDATE {table} SET _deleted_at = now() WHERE "Id" = :id',
        "restore": f'UPDATE {table} SET _deleted_at = NULL WHERE "Id" = :id',
        "remove": f'DELETE FROM {table} WHERE "Id" = :id',
        "rename": f'UPDATE {table} SET "Id" = :other WHERE "Id" = :id'
        f' AND NOT EXISTS (SELECT FROM {table} WHERE "Id" = :other)',
        "merge": 'UPDATE salesforce_acme."Contact" SET "AccountId" = :other WHERE "AccountId" = :id',
    }
    what = dice.choice(("put", "put", "put", "load", "load", "delete", "restore", "remove", "rename", "merge"))
    if what == "put":
        org.put(name, {"Id": record} | {each: dice.choice(among) for each, among in _VALUES[name].items()})
    else:
        with org.engine.begin() as connection:
            statement = text(statements[what])
            values = {"id": record, "other": other, "value": value}
            connection.execute(statement, {each: values[each] for each in values if f":{each}" in statements[what]})
    for each in {name, "Contact"} if what == "merge" else {name}:
        org.extracted(each)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_found_by_what_it_says_is_judged_as_if_all_were(make_org, make_check, seed):
    """Renamed, moved, merged, deleted, restored and removed records, and Ids that change: nothing differs from all."""
    dice = random.Random(seed)
    org = make_org(*_VALUES)
    for name, fields in _VALUES.items():
        org.put(
            name, *({"Id": f"{name[0].lower()}{n}"} | {f: dice.choice(v) for f, v in fields.items()} for n in range(4))
        )
        org.extracted(name)
    checks = _checks(make_check)
    for _ in range(12):
        _compare(org, checks, org.assess(*checks), NOW)
        for _ in range(dice.randrange(1, 4)):
            _change(org, dice)
    _compare(org, checks, org.assess(*checks), NOW)


def _swept(org, run):
    """Return the statements that look for failing records, by whether they look among some only."""
    seen: list[str] = []

    def note(connection, cursor, statement, *rest):
        if statement.startswith("CREATE TEMPORARY TABLE found"):
            seen.append(statement)

    event.listen(org.engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        event.remove(org.engine, "before_cursor_execute", note)
    return ["IN (SELECT record_id FROM" in each for each in seen]


def test_a_check_is_not_judged_when_no_field_changed_that_it_reads(make_org, make_check):
    """Websites change: nobody asks again which accounts have no contact, and nobody reads the contacts."""
    org = make_org("Account", "Contact")
    org.put("Account", {"Id": "a"}, {"Id": "b"})
    org.put("Contact", {"Id": "1", "AccountId": "a"})
    org.extracted("Account")
    org.extracted("Contact")
    lonely = make_check("lonely", object="Account", bad_when=_LONELY)
    assert org.assess(lonely).issues[0].failing == 1
    with org.engine.begin() as connection:
        connection.execute(text("""UPDATE salesforce_acme."Account" SET "Website" = 'x.de'"""))
    org.extracted("Account")
    assert _swept(org, lambda: org.assess(lonely)) == []
    with org.engine.begin() as connection:
        connection.execute(text("""UPDATE salesforce_acme."Contact" SET "AccountId" = 'b'"""))
    org.extracted("Contact")
    found = []
    assert _swept(org, lambda: found.append(org.assess(lonely))) == [True]
    (issue,) = found[0].issues
    assert (issue.failing, issue.appeared, issue.mended) == (1, 1, 1)
    assert failing_ids(org.engine, "acme", "lonely", found[0].assessment_id) == ("a",)


def test_rows_that_somebody_removes_by_hand_take_their_findings_along(make_org, make_check):
    """And are counted no more, though the table is not read."""
    org = make_org("Contact")
    org.put("Contact", *({"Id": f"c{n}"} for n in range(4)))
    org.extracted("Contact")
    org.assess(make_check())
    with org.engine.begin() as connection:
        connection.execute(text("""DELETE FROM salesforce_acme."Contact" WHERE "Id" = 'c1'"""))
    org.extracted("Contact")
    found = org.assess(make_check())
    assert failing_ids(org.engine, "acme", "no_email", found.assessment_id) == ("c0", "c2", "c3")
    assert [(issue.records, issue.failing, issue.mended) for issue in found.issues] == [(3, 3, 1)]


def test_a_journal_notes_what_is_written_and_goes_with_its_object(make_org, make_check):
    """A row that is replaced went and came; after forgetting the object not even the table is left."""
    org = make_org("Contact")
    org.put("Contact", {"Id": "1", "Email": "a@b.de"})
    org.extracted("Contact")
    org.assess(make_check())

    def journal():
        with org.engine.connect() as connection:
            return connection.execute(text("SELECT to_regclass('headwater.journal_1')::text")).scalar_one()

    def lines():
        with org.engine.connect() as connection:
            return connection.execute(text(f'SELECT "Id", born FROM {journal()} ORDER BY 1, 2')).all()

    org.put("Contact", {"Id": "1", "Email": None}, {"Id": "2"})
    assert lines() == [("1", False), ("1", True), ("2", True)]
    forget(org.engine, "acme", "Contact")
    assert journal() is None


@pytest.mark.parametrize(
    "bad_when",
    [
        "CASE WHEN {row.Email} IN (SELECT {a.Name} FROM {Account} AS a) THEN true ELSE false END",
        "({row.Email} IN (SELECT {a.Name} FROM {Account} AS a)) IS NULL",
        "{row.Email} NOT IN (SELECT {a.Name} FROM {Account} AS a)",
        "NOT ({row.Phone} IS NULL AND {row.Email} IN (SELECT {a.Name} FROM {Account} AS a))",
        "coalesce({row.Email} IN (SELECT {a.Name} FROM {Account} AS a), true)",
        "{row.Email} IN (SELECT max({a.Name}) FROM {Account} AS a)",
        "{row.Email} IN (SELECT {a.Name} FROM {Account} AS a GROUP BY {a.OwnerId}, {a.Name})",
        "EXISTS (SELECT 1 FROM {Account} AS a WHERE {a.Id} = {row.AccountId} OR {a.Name} IS NULL)",
        "EXISTS (SELECT 1 FROM {Account} AS a WHERE {a.Name} <> {row.Email})",
        "EXISTS (SELECT 1 FROM {Account} AS a JOIN {User} AS u ON {u.Id} = {a.OwnerId} WHERE {a.Id} = {row.AccountId})",
        "EXISTS (SELECT 1 FROM {Account} AS a WHERE {a.Id} = {row.AccountId}"
        " AND EXISTS (SELECT 1 FROM {User} AS u WHERE {u.Id} = {a.OwnerId}))",
        "EXISTS (SELECT 1 FROM {Account} AS a WHERE age({a.LastModifiedDate}) = age({row.LastModifiedDate}))",
        "EXISTS (SELECT 1 FROM {Account} AS a WHERE {a.Name} || {row.Email} = {row.LastName})",
    ],
)
def test_what_is_found_in_any_other_way_is_judged_whole(bad_when):
    """Where one change may concern records that cannot be told, or not known and no are not the same."""
    assert lookups_of(read_predicate(bad_when, "Contact")) is None


@pytest.mark.parametrize(
    "bad_when",
    [
        "EXISTS (SELECT 1 FROM {Account} AS a WHERE {row.AccountId} = {a.Id} AND {a.Name} IS NOT NULL)",
        "NOT EXISTS (SELECT 1 FROM {Account} AS a WHERE {a.Name} IS NOT NULL AND left({a.Name}, 3) = {row.Email})",
        "(SELECT count(*) FROM {Account} AS a WHERE {a.Name} = {row.Email} GROUP BY {a.OwnerId}) > 3",
        "{row.Phone} IS NULL AND ({row.Fax} IS NULL"
        " OR lower({row.Email}) IN (SELECT DISTINCT {a.Name} FROM {Account} AS a))",
        "{row.Email} IN (SELECT {a.Name} FROM {Account} AS a WHERE {a.OwnerId} = 'x' OR {a.Id} = {row.Id})",
        "EXISTS (SELECT 1 FROM {Account} AS a WHERE {a.Id} = {row.AccountId}"
        " AND {row.OwnerId} IN (SELECT {u.Id} FROM {User} AS u WHERE NOT {u.IsActive}))",
    ],
)
def test_what_is_found_by_an_equal_expression_is_read_so(bad_when):
    """Whatever else the sub-select asks of the records that are equal."""
    assert lookups_of(read_predicate(bad_when, "Contact"))
