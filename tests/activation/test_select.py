"""Selection in SQL against a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.activation.deliver import hold_push
from include.activation.options import PushMode, PushRunOptions
from include.errors import DefinitionError, NotReady
from include.records import AirflowRun, OutcomeCounts, Window
from include.warehouse.describes import keep_describe
from include.warehouse.engine import transaction
from tests.activation.source import ACCOUNT, CHANGED_AT, CONTACT, Org, contact_id, definition, describe, select


def test_everything_is_new_at_first(org: Org) -> None:
    """All live records are selected, and their Ids kept under the run."""
    org.add_contacts(3)
    org.run('UPDATE salesforce_demo."Contact" SET _deleted_at = now() WHERE "Id" = :id', id=contact_id(2))

    found = select(org.engine, definition())

    assert (found.selected, found.unchanged, found.to_send, found.guard) == (2, 0, 2, None)
    rows = org.run("SELECT record_id FROM headwater.selection WHERE run_id = :id ORDER BY ordinal", id=found.run_id)
    assert [row.record_id for row in rows] == [contact_id(1), contact_id(3)]


def test_an_interval_is_half_open(org: Org) -> None:
    """A backfill selects by the record's stamp: low included, high excluded."""
    for number in (1, 2, 3):
        org.add_contact(number, SystemModstamp=CHANGED_AT + timedelta(hours=number))
    hours = Window(low=CHANGED_AT + timedelta(hours=1), high=CHANGED_AT + timedelta(hours=3))

    found = select(org.engine, definition(), mode=PushMode.INTERVAL, interval=hours)

    assert (found.selected, found.to_send) == (2, 2)


def test_named_records_only(org: Org) -> None:
    """Record Ids narrow the selection."""
    org.add_contacts(3)

    assert select(org.engine, definition(), record_ids=(contact_id(2),)).selected == 1


def test_nothing_is_selected_before_the_first_load_is_complete(org: Org) -> None:
    """Half an object is not pushed; the run is there, failed, with the reason."""
    org.run("UPDATE headwater.object SET first_loaded_at = NULL WHERE object = 'Contact'")

    with pytest.raises(NotReady, match="first load is not complete"):
        select(org.engine, definition())

    assert org.run("SELECT state FROM headwater.run")[0].state == "failed"


def test_related_objects_must_be_loaded_too(org: Org) -> None:
    """A name that is not there yet would be sent as empty."""
    org.run("UPDATE headwater.object SET first_loaded_at = NULL WHERE object = 'Account'")

    with pytest.raises(NotReady, match="Account"):
        select(org.engine, definition())


def test_a_vanished_field_is_an_error_not_a_null(org: Org) -> None:
    """A mapped field that the org no longer describes stops the push."""
    org.add_contacts(1)
    fields = [field for field in CONTACT.fields if field.name != "Title" and field.name[0] != "_"]
    kept = describe(
        "Contact", *(field for field in fields if field.name not in ("Id", "CreatedDate", "SystemModstamp"))
    )
    with transaction(org.engine) as connection:
        keep_describe(connection, "demo", kept)

    with pytest.raises(DefinitionError, match=r"Contact\.Title has vanished") as caught:
        select(org.engine, definition())

    assert caught.value.key == "custom_attributes.title"


def test_a_new_field_is_not_sent_before_older_records_have_its_values(org: Org) -> None:
    """Its column is there, and empty for all that came before it."""
    org.add_contacts(1)
    org.run("UPDATE headwater.field SET unfilled_since = now() WHERE object = 'Contact' AND name = 'Title'")
    select(org.engine, definition())  # an old field whose values are read again is no reason to wait
    org.run(
        "INSERT INTO headwater.schema_change (org, object, field, kind) VALUES ('demo', 'Contact', 'Title', 'added')"
    )

    with pytest.raises(NotReady, match=r"Contact\.Title .* is new.*demo_extract"):
        select(org.engine, definition())


def test_a_field_of_a_joined_object_that_vanished_is_an_error(org: Org) -> None:
    """The same holds along a relationship."""
    with transaction(org.engine) as connection:
        keep_describe(connection, "demo", describe("Account", *(f for f in ACCOUNT.fields if f.name == "Industry")))

    with pytest.raises(DefinitionError, match=r"Account\.Name has vanished"):
        select(org.engine, definition())


@pytest.mark.parametrize(
    ("field", "advice"),
    [("Titel", "did you mean Title"), ("Business Phone", "is the label of Phone"), ("_run_id", "has no field")],
)
def test_an_unknown_field_is_named_with_the_nearest(org: Org, field: str, advice: str) -> None:
    """A label or a slip gets the API name suggested; our own columns are no fields."""
    push = definition(attributes={"city": field})

    with pytest.raises(DefinitionError, match=advice):
        select(org.engine, push)


def test_a_relationship_to_an_object_that_is_not_read_is_named(org: Org) -> None:
    """The message says which object to add."""
    org.run("UPDATE headwater.field SET reference_to = '{Campaign}' WHERE name = 'AccountId'")

    with pytest.raises(DefinitionError, match="leads to Campaign"):
        select(org.engine, definition())


@pytest.mark.parametrize(
    ("options", "asks"),
    [
        (PushRunOptions(approve_above=2), True),
        (PushRunOptions(approve_above=3), False),
        (PushRunOptions(approve_above=2, skip_hook=True), False),
    ],
)
def test_many_events_with_hooks_on_need_a_person(org: Org, options: PushRunOptions, asks: bool) -> None:
    """More records than the ceiling wait for approval, unless no journey can start."""
    org.add_contacts(3)

    assert (select(org.engine, definition(), options=options).guard is not None) is asks


def test_without_an_event_a_person_is_asked_too(org: Org) -> None:
    """Journeys also start when an attribute changes, or when somebody is new."""
    org.add_contacts(3)

    assert select(org.engine, definition(event=None), options=PushRunOptions(approve_above=1)).guard


def test_what_nobody_approved_is_held(org: Org) -> None:
    """A rejection holds every record; the outcomes add up."""
    org.add_contacts(3)
    run = select(org.engine, definition())

    assert hold_push(org.engine, run_id=run.run_id, cause="not approved") == OutcomeCounts(selected=3, held=3)
    assert set(org.causes(run.run_id).values()) == {"not_approved"}


def test_the_run_knows_its_airflow_run(org: Org) -> None:
    """Our run is found from Airflow's names."""
    select(org.engine, definition(), run=AirflowRun(dag_id="push_contacts", dag_run_id="manual__1", try_number=2))

    (row,) = org.run("SELECT kind, subject, dag_id, dag_run_id, try_number FROM headwater.run")
    assert tuple(row) == ("push", "contacts", "push_contacts", "manual__1", 2)
