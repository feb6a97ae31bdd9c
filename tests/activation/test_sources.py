"""Where records come from: an object with a filter, a query of the extract, a model over the warehouse."""

from __future__ import annotations

from typing import Any

import pytest

from include.activation.options import PushMode
from include.config.pushes import PushDefinition
from include.errors import DefinitionError, NotReady, SandboxRefused
from include.records import Describe, Field, OutcomeCounts, Window
from include.warehouse.describes import keep_describe
from include.warehouse.engine import transaction
from include.warehouse.tables import apply_describe, table_of
from tests.activation.noted import Noted
from tests.activation.source import CHANGED_AT, NOW, Org, account_id, contact_id, definition, deliver, select

PLAIN = {"event": None, "custom_attributes": {}}
DEALS = {
    **PLAIN,
    "source": {"query": "deals", "key": "StageName"},
    "identifiers": {"uuid": "stagename"},
    "attributes": {},
    "custom_attributes": {"worth": "worth", "account_name": "Account.Name"},
}


def model(sql: str, **changes: Any) -> PushDefinition:
    """A push of a model, its SELECT filled in as the loader does."""
    said = {"source": {"model": "people", "key": "id"}, "identifiers": {"uuid": "id"}, "attributes": {}}
    push = definition(**PLAIN | said | {"custom_attributes": {"firm": "firm"}} | changes)
    return push.model_copy(update={"source": push.source.model_copy(update={"sql": sql})})


PEOPLE = """SELECT c."Id" AS id, a."Name" AS firm, c."SystemModstamp" AS changed
    FROM "Contact" c JOIN "Account" a ON a."Id" = c."AccountId" -- of firms only"""


def push_once(org: Org, push: PushDefinition, platform: Noted) -> OutcomeCounts:
    return deliver(org.engine, push, platform, select(org.engine, push).run_id)


@pytest.fixture
def deals(org: Org) -> Org:
    """The result of a query with a key of its own and no stamp."""
    describe = Describe(
        object="deals",
        label="deals",
        key_prefix=None,
        fields=(
            Field(name="StageName", label="Stage", type="id"),
            Field(name="worth", label="worth", type="currency"),
            Field(name="Account.Name", label="Account Name", type="string"),
        ),
    )
    with transaction(org.engine) as connection:
        apply_describe(connection, table_of("demo", "salesforce_demo", describe))
        keep_describe(connection, "demo", describe)
        connection.exec_driver_sql("UPDATE headwater.object SET first_loaded_at = now()")
    org.run("""INSERT INTO salesforce_demo.deals VALUES ('Closed Won', 7.5, 'Firm'), ('Lost', 0, NULL)""")
    return org


def test_only_records_that_meet_the_filter_are_selected(org: Org) -> None:
    """As in the org: case does not count, and a relationship may be followed."""
    org.add_account(1, Industry="Energy")
    org.add_contact(1, AccountId=account_id(1), Title="CTO")
    org.add_contact(2, AccountId=account_id(1))
    org.add_contact(3, Title="cto")
    source = {
        "object": "Contact",
        "filter": [{"field": "Title", "value": "Cto"}, {"field": "Account.Industry", "value": "energy"}],
    }

    run = select(org.engine, definition(source=source))

    assert (run.selected, run.to_send) == (1, 1)
    platform = Noted()
    deliver(org.engine, definition(source=source), platform, run.run_id)
    assert [each.record_id for each in platform.profiles] == [contact_id(1)]


def test_a_filter_compares_with_values_of_the_field_s_kind(org: Org) -> None:
    """What the org would refuse is refused here."""
    for field, value, said in [
        ("HasOptedOutOfEmail", "yes", "is true or false"),
        ("Birthdate", NOW, "is a date"),
        ("Score__c", "7", "is a number"),
        ("SystemModstamp", "2026-01-01", "is a time"),
        ("Titel", "x", "did you mean Title"),
    ]:
        source = {"object": "Contact", "filter": [{"field": field, "value": value}]}
        with pytest.raises(DefinitionError, match=said) as caught:
            select(org.engine, definition(source=source))
        assert caught.value.key == "source.filter"


def test_a_value_of_a_filter_cannot_become_sql(org: Org) -> None:
    """It is bound."""
    org.add_contacts(1)
    source = {"object": "Contact", "filter": [{"field": "Title", "value": "' OR TRUE --"}]}

    assert select(org.engine, definition(source=source)).selected == 0


def test_the_columns_of_a_query_are_fields(deals: Org) -> None:
    """Spelt in any case, dots and all; a record is known by the query's key."""
    platform = Noted()

    assert push_once(deals, definition(**DEALS), platform) == OutcomeCounts(selected=2, delivered=2)
    sent = {each.record_id: each.custom_attributes for each in platform.profiles}
    assert sent["Closed Won"] == {"worth": 7.5, "account_name": "Firm", "source": "salesforce"}
    assert push_once(deals, definition(**DEALS), platform) == OutcomeCounts(selected=2, unchanged=2)


def test_a_query_without_a_stamp_tells_each_change_once(deals: Org) -> None:
    """When a row last changed here stands in for the stamp."""
    push = definition(**DEALS | {"event": {"name": "deal_changed"}})
    platform = Noted()
    push_once(deals, push, platform)
    deals.run("UPDATE salesforce_demo.deals SET worth = 9, _loaded_at = now() WHERE \"StageName\" = 'Lost'")

    push_once(deals, push, platform)
    push_once(deals, push, platform)

    assert [event.name for each in platform.profiles for event in each.events] == ["deal_changed"] * 3


def test_an_unknown_column_of_a_query_is_named(deals: Org) -> None:
    """With the nearest there is."""
    with pytest.raises(DefinitionError, match=r"deals has no field 'wort' in the warehouse; did you mean worth\?"):
        select(deals.engine, definition(**DEALS | {"custom_attributes": {"x": "wort"}}))


def test_a_model_is_a_select_over_the_org_s_tables(org: Org) -> None:
    """Compared, delivered and remembered as the records of an object are."""
    org.add_account(1)
    org.add_contacts(3, AccountId=account_id(1))
    platform = Noted()

    assert push_once(org, model(PEOPLE), platform) == OutcomeCounts(selected=3, delivered=3)
    assert platform.profiles[0].custom_attributes == {"firm": "Firm 1", "source": "salesforce"}
    org.run('UPDATE salesforce_demo."Account" SET "Name" = \'Other\'')
    assert push_once(org, model(PEOPLE), platform) == OutcomeCounts(selected=3, delivered=3)
    assert push_once(org, model(PEOPLE), platform) == OutcomeCounts(selected=3, unchanged=3)


def test_a_row_that_leaves_the_model_is_gone(org: Org) -> None:
    """As a deleted record is."""
    org.add_account(1)
    org.add_contacts(2, AccountId=account_id(1))
    platform = Noted()
    push_once(org, model(PEOPLE, gone="delete"), platform)
    org.touch(1, AccountId=None)

    assert push_once(org, model(PEOPLE, gone="delete"), platform) == OutcomeCounts(selected=2, unchanged=1, delivered=1)
    assert platform.batches[-1][0].identifiers == {"uuid": contact_id(1)}


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nothing FROM \"Contact\"", 'column "nothing" does not exist'),
        ('SELECT "AccountId" AS id, 1 AS firm FROM "Contact"', "the 3 rows apart: 0 have none, and 2"),
        ('SELECT "Title" AS id, 1 AS firm FROM "Contact"', "3 have none, and 0 repeat"),
        ('SELECT "Id" AS key, 1 AS firm FROM "Contact"', "column model.id does not exist"),
        ('SELECT "Id" AS id FROM "Contact"', "the model people has no column 'firm'"),
        ('WITH x AS (DELETE FROM "Contact" RETURNING "Id") SELECT "Id" AS id, 1 AS firm FROM x', "cannot run it"),
        ('SELECT "Id" AS id, nextval(\'headwater.run_run_id_seq\') AS firm FROM "Contact"', "cannot run it"),
        ('SELECT "Id" AS id, 1 AS firm FROM "Contact"); DROP TABLE headwater.sent; --', "the warehouse cannot run it"),
        ('SELECT "Id" AS id, "LastName"::int AS firm FROM "Contact"', "the server says 22P02"),
        ('SELECT "Id" AS id, \'infinity\'::timestamptz AS firm FROM "Contact"', "no time of the years 1 to 9999"),
        ('SELECT "Id" AS id, date \'11111-11-11\' AS firm FROM "Contact"', "3 of its rows have no time"),
        ('SELECT "Id" AS id, pg_read_file(\'PG_VERSION\') AS firm FROM "Contact"', "permission denied"),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_pushed_says_why(org: Org, sql: str, said: str) -> None:
    """It may read, and nothing else; and no value of a row stands in the message."""
    org.add_account(1)
    org.add_contacts(3, AccountId=account_id(1))

    with pytest.raises(DefinitionError) as caught:
        select(org.engine, model(sql))

    assert said in str(caught.value)
    assert "Nr " not in str(caught.value)
    assert org.run("SELECT count(*) FROM headwater.sent") == [(0,)]
    assert org.run('SELECT count(*) FROM salesforce_demo."Contact"') == [(3,)]


def test_nothing_is_pushed_from_a_model_before_its_tables_are_loaded(org: Org) -> None:
    """Whichever of them it is; the server itself says what the SELECT reads."""
    org.add_contacts(1)
    org.run("UPDATE headwater.object SET first_loaded_at = NULL WHERE object = 'Account'")

    with pytest.raises(NotReady, match="reads Account"):
        select(org.engine, model(PEOPLE))


def test_a_backfill_of_a_model_needs_its_stamp(org: Org) -> None:
    """With it, only rows of the interval are selected."""
    org.add_account(1)
    org.add_contacts(2, AccountId=account_id(1))
    org.touch(2, minutes=600)
    interval = Window(low=CHANGED_AT, high=CHANGED_AT.replace(hour=9))

    with pytest.raises(DefinitionError, match=r"source\.stamp"):
        select(org.engine, model(PEOPLE), mode=PushMode.INTERVAL, interval=interval)
    stamped = model(PEOPLE, source={"model": "people", "key": "id", "stamp": "changed"})
    assert select(org.engine, stamped, mode=PushMode.INTERVAL, interval=interval).selected == 1


@pytest.mark.parametrize("sandbox", [True, False, None])
def test_a_push_for_production_refuses_a_sandbox(org: Org, sandbox: bool | None) -> None:
    """People of a sandbox are copies; one that isn't marked goes on."""
    org.run(
        "INSERT INTO headwater.org (org, org_id, instance_url, is_sandbox) VALUES ('demo', '00D', '', :sandbox)",
        sandbox=sandbox,
    )
    org.add_contacts(1)
    assert select(org.engine, definition()).to_send == 1
    if sandbox:
        with pytest.raises(SandboxRefused, match="'demo' is a sandbox org"):
            select(org.engine, definition(production=True))
    else:
        assert select(org.engine, definition(production=True)).to_send == 1


def test_a_filter_may_ask_for_nothing_but_an_empty_related_field(org: Org) -> None:
    """It binds no value, and looks at another table all the same; so does the look for who is gone."""
    org.add_account(1, Industry="Energy")
    org.add_account(2)
    org.add_contact(1, AccountId=account_id(1))
    org.add_contact(2, AccountId=account_id(2))
    push = definition(
        source={"object": "Contact", "filter": [{"field": "Account.Industry", "value": None}]}, gone="clear"
    )

    assert push_once(org, push, Noted()) == OutcomeCounts(selected=1, delivered=1)


@pytest.mark.parametrize("key", ["''", "'  '", "'a' || chr(30) || 'b'", "'a' || chr(10)"])
def test_a_key_that_no_ledger_could_hold_is_refused(org: Org, key: str) -> None:
    """Before anything is sent: what became of one row must not be said of another."""
    with pytest.raises(DefinitionError, match="1 have none, and 0 repeat"):
        select(org.engine, model(f"SELECT {key} AS id, 'Firm' AS firm UNION ALL SELECT 'b', 'Other'"))


def test_a_model_reads_neither_our_ledgers_nor_another_org(org: Org) -> None:
    """Secrets and other customers' people are not its business, and nobody looks whether those are loaded."""
    org.run("CREATE SCHEMA IF NOT EXISTS salesforce_other")
    org.run('CREATE TABLE salesforce_other."Contact" ("Id" text)')
    for sql in (
        "SELECT 'a' AS id, (SELECT max(encode(salt, 'hex')) FROM headwater.salt) AS firm",
        """SELECT "Id" AS id, 'Firm' AS firm FROM salesforce_other."Contact" """,
    ):
        with pytest.raises(DefinitionError, match="its own org"):
            select(org.engine, model(sql))
