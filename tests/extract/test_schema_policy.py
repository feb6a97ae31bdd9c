"""Each class of change does what its policy says: the warehouse follows, stays as it is, or the object stops."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from include.config.schema_changes import ChangeClass, Policy, SchemaChangesDefinition
from include.errors import ConnectionLost, SchemaFrozen
from include.extract.drift_policy import Verdict, class_of, judge
from include.extract.metadata import read_metadata, refuse_problems
from include.extract.run import ExtractState
from include.records import Describe, Field, FieldChange, RunMode
from include.warehouse.engine import transaction
from include.warehouse.locks import object_lock
from include.warehouse.schema_changes import OpenChange, accept_change
from tests.extract.conftest import Desk

ONE = "CON000000000000001"


def obey(desk: Desk, **policies: str) -> None:
    """Give the org's definition these policies."""
    schema_changes = SchemaChangesDefinition.model_validate(policies)
    desk.definition = desk.definition.model_copy(update={"schema_changes": schema_changes})


def ledger(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT field, kind, class, state FROM headwater.schema_change ORDER BY change_id")


def columns(desk: Desk) -> dict[str, str]:
    return dict(
        desk.rows(
            "SELECT column_name::text, data_type::text FROM information_schema.columns"
            " WHERE table_schema = 'salesforce_main' AND table_name = 'Contact'"
        )
    )


def values(desk: Desk, column: str) -> set[Any]:
    return {row[0] for row in desk.rows(f'SELECT DISTINCT "{column}" FROM salesforce_main."Contact"')}


def accept(desk: Desk) -> None:
    """Accept the one change that waits."""
    with transaction(desk.warehouse) as connection:
        [change_id] = connection.exec_driver_sql(
            "SELECT change_id FROM headwater.schema_change WHERE state IN ('frozen', 'failed')"
        ).scalars()
        assert accept_change(connection, "main", change_id, "ann")
        assert not accept_change(connection, "main", change_id, "ben")


@pytest.fixture
def later(desk: Desk) -> Desk:
    """Return a desk whose org was read, an hour ago."""
    desk.org.put("Contact", 1, Visits__c=5)
    desk.org.tick(hours=1)
    desk.extract()
    desk.org.tick(hours=1)
    return desk


def test_a_new_field_under_freeze_is_not_read_and_the_rest_goes_on(later: Desk) -> None:
    """The warehouse's shape stays; a person who accepts it gets every value, also of the old records."""
    obey(later, added="freeze")
    later.org.change_fields("Contact", Score__c="double")
    for each in later.org.records["Contact"].values():
        each["Score__c"] = 4.5
    later.org.put("Contact", 2, LastName="Touched")
    later.org.tick(hours=1)

    assert later.extract()["Contact"].counts.updated == 1
    assert "Score__c" not in columns(later)
    assert ledger(later) == [("Score__c", "added", "added", "frozen")]
    later.org.tick(hours=1)
    assert later.extract()["Contact"].state is ExtractState.IDLE
    assert len(ledger(later)) == 1

    accept(later)
    later.org.tick(hours=1)
    assert later.extract()["Contact"].counts.updated == 30
    assert values(later, "Score__c") == {Decimal("4.5")}
    assert ledger(later) == [("Score__c", "added", "added", "followed")]
    later.org.tick(hours=1)
    assert later.extract()["Contact"].state is ExtractState.IDLE


def test_a_frozen_change_is_followed_once_the_definition_says_so(later: Desk) -> None:
    """Though the org says that nothing was modified since: it is asked without a date."""
    obey(later, added="freeze")
    later.org.change_fields("Contact", Score__c="double")
    later.org.tick(hours=1)
    later.extract()
    obey(later, added="evolve")
    later.org.tick(hours=1)
    later.extract()
    assert columns(later)["Score__c"] == "numeric"
    assert ledger(later) == [("Score__c", "added", "added", "followed")]


def test_a_policy_of_one_object_is_no_other_ones(later: Desk) -> None:
    """`objects` says where it differs."""
    definition = {"added": "freeze", "objects": {"Lead": {"added": "evolve"}}}
    later.definition = later.definition.model_copy(
        update={"schema_changes": SchemaChangesDefinition.model_validate(definition)}
    )
    later.org.change_fields("Contact", Score__c="double")
    later.org.change_fields("Lead", Score__c="double")
    later.org.tick(hours=1)
    later.extract()
    assert later.rows("SELECT object, state FROM headwater.schema_change ORDER BY object") == [
        ("Contact", "frozen"),
        ("Lead", "followed"),
    ]


def test_another_type_under_evolve_keeps_the_old_values_beside_the_new(later: Desk) -> None:
    """Nothing is cast: the old column has a marked name, the new one is filled for every record."""
    obey(later, type="evolve")
    for number, words in ((1, "five"), (2, "six")):
        later.org.records["Contact"][f"CON{number:015d}"]["Visits__c"] = words
    later.org.change_fields("Contact", Visits__c="string")
    later.org.tick(hours=1)

    later.extract()

    assert values(later, "Visits__c") == {None, "five", "six"}
    assert values(later, "Visits__c__was_integer") == {None, 5}
    [(note,)] = later.rows("SELECT note FROM headwater.schema_change")
    assert note == "its values until now are kept in the column Visits__c__was_integer"
    later.org.change_fields("Contact", Visits__c="int")
    for each in later.org.records["Contact"].values():
        each["Visits__c"] = 7
    later.org.tick(hours=1)
    later.extract()
    later.org.change_fields("Contact", Visits__c="string")
    later.org.tick(hours=1)
    later.extract()
    assert {"Visits__c__was_text", "Visits__c__was_integer_2"} < columns(later).keys()


def test_another_type_under_freeze_is_not_read_any_more(later: Desk) -> None:
    """The column keeps its last values, everything else goes on; when it changes back it is read again, for all."""
    obey(later, type="freeze")
    later.org.change_fields("Contact", Visits__c="string")
    later.org.put("Contact", 1, Visits__c="five", LastName="Touched")
    later.org.tick(hours=1)
    assert later.extract()["Contact"].counts.updated == 1
    assert values(later, "Visits__c") == {None, 5}
    assert ledger(later) == [("Visits__c", "type", "type", "frozen")]

    later.org.change_fields("Contact", Visits__c="int")
    later.org.records["Contact"][ONE]["Visits__c"] = 6
    later.org.tick(hours=1)
    later.extract()
    assert values(later, "Visits__c") == {None, 6}
    assert [state for *_, state in ledger(later)] == ["overtaken", "followed"]


def test_another_type_under_fail_stops_the_object_until_a_person_accepts(later: Desk) -> None:
    """The message names object, field, class and what to do; the ledger tells it once; the others go on."""
    later.org.change_fields("Contact", Visits__c="string")
    later.org.records["Contact"][ONE]["Visits__c"] = "five"
    later.org.put("Lead", 1, LastName="Touched")
    for _ in range(2):
        later.org.tick(hours=1)
        run = later.next_run()
        later.probe(run)
        with pytest.raises(SchemaFrozen, match=r"Contact\.Visits__c has another type: int .*schema_changes.type: fail"):
            later.extract_one(run)
        later.extract_one(run, "Lead")
    assert later.here("Lead") == later.there("Lead")
    assert ledger(later) == [("Visits__c", "type", "type", "failed")]
    accept(later)
    later.org.tick(hours=1)
    later.extract()
    assert values(later, "Visits__c") == {None, "five"}
    assert ledger(later) == [("Visits__c", "type", "type", "followed")]


def test_a_failed_change_that_is_taken_back_is_over(later: Desk) -> None:
    """Nothing waits for anybody then."""
    later.org.change_fields("Contact", Visits__c="string")
    later.org.tick(hours=1)
    later.probe(later.next_run())
    later.org.change_fields("Contact", Visits__c="int")
    later.org.tick(hours=1)
    later.extract()
    assert ledger(later) == [("Visits__c", "type", "type", "overtaken")]


def test_what_a_person_accepted_is_only_what_a_person_saw(later: Desk) -> None:
    """The field became something else again before the next run."""
    later.org.change_fields("Contact", Visits__c="string")
    later.org.tick(hours=1)
    later.probe(later.next_run())
    accept(later)
    later.org.change_fields("Contact", Visits__c="date")
    later.org.tick(hours=1)
    later.probe(later.next_run())
    assert [state for *_, state in ledger(later)] == ["overtaken", "failed"]


def test_numbers_that_become_wider_keep_their_column_and_their_values(later: Desk) -> None:
    """int → double loses nothing: the column follows (class `size`), and a narrower field fits what is there."""
    later.org.change_fields("Contact", Visits__c="double")
    later.org.put("Contact", 2, Visits__c=2.5)
    later.org.tick(hours=1)
    later.extract()
    assert columns(later)["Visits__c"] == "numeric"
    assert values(later, "Visits__c") == {None, Decimal(5), Decimal("2.5")}
    later.org.change_fields("Contact", Visits__c="int")
    later.org.put("Contact", 3, Visits__c=3)
    later.org.tick(hours=1)
    later.extract()
    assert columns(later)["Visits__c"] == "numeric"
    assert values(later, "Visits__c") == {None, Decimal(5), Decimal("2.5"), Decimal(3)}
    assert ledger(later) == [("Visits__c", "type", "size", "followed")] * 2


def test_a_view_that_keeps_a_column_from_being_widened_is_named_as_the_cause(later: Desk) -> None:
    """The person who made the view is the one who can drop it."""
    with transaction(later.warehouse) as connection:
        connection.exec_driver_sql('CREATE VIEW mine AS SELECT "Visits__c" FROM salesforce_main."Contact"')
    later.org.change_fields("Contact", Visits__c="double")
    later.org.tick(hours=1)
    run = later.next_run()
    later.probe(run)
    with pytest.raises(SchemaFrozen, match="a view uses the column"):
        later.extract_one(run)
    with transaction(later.warehouse) as connection:
        connection.exec_driver_sql("DROP VIEW mine")
    later.org.tick(hours=1)
    later.extract()
    assert columns(later)["Visits__c"] == "numeric"


@pytest.mark.parametrize("policy", ["evolve", "freeze"])
def test_a_field_that_is_gone_keeps_its_column_and_the_rest_goes_on(later: Desk, policy: str) -> None:
    """Under freeze it is shown until a person has seen it."""
    obey(later, removed=policy)
    later.org.change_fields("Contact", Visits__c=None)
    later.org.put("Contact", 2, LastName="Touched")
    later.org.tick(hours=1)
    assert later.extract()["Contact"].counts.updated == 1
    assert values(later, "Visits__c") == {None, 5}
    assert ledger(later) == [("Visits__c", "removed", "removed", "followed" if policy == "evolve" else "frozen")]
    if policy == "freeze":
        accept(later)
        later.org.tick(hours=1)
        later.extract()
        assert ledger(later) == [("Visits__c", "removed", "removed", "followed")]


def test_the_metadata_run_follows_without_reading_a_row_and_the_extract_fills(later: Desk) -> None:
    """One call for all objects; a second one that finds nothing modified changes nothing."""
    later.org.change_fields("Contact", Score__c="double")
    later.org.records["Contact"][ONE]["Score__c"] = 1.5
    later.org.tick(hours=1)
    later.org.calls.clear()
    with later.client(later.next_run()) as client:
        found = read_metadata(later.warehouse, client, later.definition)
        assert [(each.object, each.changes) for each in found] == [("Contact", 1), ("Lead", 0)]
        again = read_metadata(later.warehouse, client, later.definition)
        assert [each.changes for each in again] == [0, 0]
    assert later.org.calls == ["POST composite"] * 2
    assert columns(later)["Score__c"] == "numeric"
    later.extract()
    assert values(later, "Score__c") == {None, Decimal("1.5")}


def test_the_metadata_run_tells_every_problem_and_keeps_no_object_back(later: Desk) -> None:
    """All of them in one message; what can be followed is."""
    later.definition = later.definition.model_copy(update={"objects": ("Contact", "Lead")})
    later.org.change_fields("Contact", Visits__c="string")
    later.org.change_fields("Lead", Score__c="double")
    with later.client(later.next_run()) as client:
        found = read_metadata(later.warehouse, client, later.definition)
    assert [each.changes for each in found] == [0, 1]
    with pytest.raises(SchemaFrozen, match=r"Contact\.Visits__c"):
        refuse_problems(found)
    del later.org.objects["Lead"]
    with later.client(later.next_run()) as client:
        found = read_metadata(later.warehouse, client, later.definition)
    with pytest.raises(SchemaFrozen, match=r"Contact\.Visits__c.* — .*Lead"):
        refuse_problems(found)


def test_the_metadata_run_disturbs_no_load(later: Desk) -> None:
    """An object that is being read keeps its columns until that run has ended."""
    later.org.change_fields("Contact", Score__c="double")
    with later.client(later.next_run()) as client, object_lock(later.warehouse, "main", "Contact", wait=True):
        found = read_metadata(later.warehouse, client, later.definition)
    assert [(each.object, each.busy) for each in found] == [("Contact", True), ("Lead", False)]
    assert "Score__c" not in columns(later)
    later.org.tick(hours=1)
    later.extract()
    assert "Score__c" in columns(later)


def test_a_fill_that_breaks_off_is_made_by_the_next_run(later: Desk) -> None:
    """The field stays noted as unfilled; the changes of the window are in."""
    later.org.change_fields("Contact", Score__c="double")
    for each in later.org.records["Contact"].values():
        each["Score__c"] = 1
    later.org.put("Contact", 3, LastName="Touched")
    later.org.tick(hours=1)
    run = later.next_run()
    later.probe(run)
    later.org.cut_results = 99
    with pytest.raises(ConnectionLost):
        later.extract_one(run)
    assert later.here()["CON000000000000003"][0] == "Touched"
    assert values(later, "Score__c") == {None, Decimal(1)}
    later.org.cut_results = 0
    later.org.tick(hours=1)
    later.extract()
    assert values(later, "Score__c") == {Decimal(1)}


def test_a_value_that_does_not_fit_its_new_column_is_put_aside_by_a_full_reading(later: Desk) -> None:
    """Every other record is filled, the one is a reject."""
    later.org.change_fields("Contact", Score__c="int")
    for number, each in enumerate(later.org.records["Contact"].values()):
        each["Score__c"] = 3_000_000_000 if number == 4 else 1
    later.org.tick(hours=1)
    later.extract()
    later.org.tick(hours=1)
    later.extract()
    assert later.rows('SELECT count(*) FROM salesforce_main."Contact" WHERE "Score__c" = 1') == [(29,)]
    assert later.rows("SELECT count(*) FROM headwater.reject WHERE settled_at IS NULL") == [(1,)]


def test_values_that_a_broken_off_load_brought_before_the_org_rewrote_them_are_read_again(later: Desk) -> None:
    """The load is taken up with the result that it had; the field is filled by the run after it."""
    later.org.cut_results = 99
    with pytest.raises(ConnectionLost):
        later.extract_one(later.next_run(), mode=RunMode.FULL)
    later.org.cut_results = 0
    later.org.change_fields("Contact", Visits__c="double")
    for each in later.org.records["Contact"].values():
        each["Visits__c"] = 8
    with later.client(later.next_run()) as client:
        read_metadata(later.warehouse, client, later.definition)
    later.extract(RunMode.FULL)
    later.org.tick(hours=1)
    later.extract()
    assert values(later, "Visits__c") == {Decimal(8)}
    assert later.rows("SELECT name FROM headwater.field WHERE unfilled_since IS NOT NULL") == []


def test_a_record_that_changed_while_its_new_field_was_filled_has_both(later: Desk) -> None:
    """The list shows a later stamp than the row here: the next window reads all of it."""
    later.org.change_fields("Contact", Score__c="double")
    for each in later.org.records["Contact"].values():
        each["Score__c"] = 1
    later.org.tick(hours=1)
    run = later.next_run()
    later.probe(run)
    later.org.put("Contact", 9, LastName="Meanwhile", Score__c=2)
    later.org.tick(minutes=1)
    later.extract_one(run)
    later.org.tick(hours=1)
    later.extract()
    assert later.here() == later.there()
    assert values(later, "Score__c") == {Decimal(1), Decimal(2)}


NUMBER = Field(name="N", label="N", type="int")
DEAL = Describe(object="Deal", label="Deal", key_prefix=None, fields=(NUMBER,))


@pytest.mark.parametrize(
    ("kind", "column", "needed", "expected"),
    [
        ("added", "", "text", ChangeClass.ADDED),
        ("added", "integer", "text", ChangeClass.TYPE),
        ("returned", "text", "text", ChangeClass.ADDED),
        ("removed", "text", "", ChangeClass.REMOVED),
        ("type", "text", "text", ChangeClass.SIZE),
        ("type", "integer", "numeric", ChangeClass.SIZE),
        ("type", "numeric", "integer", ChangeClass.SIZE),
        ("type", "text", "date", ChangeClass.TYPE),
        ("type", "", "date", ChangeClass.SIZE),
        ("length", "text", "text", ChangeClass.SIZE),
        ("label", "text", "text", ChangeClass.LABEL),
        ("picklist", "text", "text", ChangeClass.PICKLIST),
        ("formula", "text", "text", ChangeClass.FORMULA),
    ],
)
def test_the_class_of_a_change(kind: str, column: str, needed: str, expected: ChangeClass) -> None:
    """A type is another one when the column cannot take its values as they are."""
    assert class_of(FieldChange(object="Deal", field="N", kind=kind), column, needed) is expected


@pytest.mark.parametrize("change_class", ["label", "picklist", "formula", "length"])
@pytest.mark.parametrize(("policy", "state"), [("evolve", "followed"), ("freeze", "frozen"), ("fail", "failed")])
def test_what_does_not_concern_the_column_never_keeps_a_field_out(change_class: str, policy: str, state: str) -> None:
    """Its values are read as ever, unless the object stops."""
    key = "size" if change_class == "length" else change_class
    policies = SchemaChangesDefinition.model_validate({key: policy})
    change = FieldChange(object="Deal", field="N", kind=change_class, before="a", after="b")
    verdict: Verdict = judge([change], (), DEAL, policies=policies, columns={"N": "integer"})
    assert [each.state for each in verdict.judged] == [state]
    assert verdict.held == frozenset()
    assert bool(verdict.refused) is (policy == "fail")


def test_a_stricter_policy_is_for_what_comes() -> None:
    """What was frozen under the old one stays frozen."""
    frozen = OpenChange(
        change_id=1,
        change=FieldChange(object="Deal", field="N", kind="added", after="int"),
        change_class="added",
        state="frozen",
        accepted=False,
    )
    policies = SchemaChangesDefinition(added=Policy.FAIL)
    verdict = judge([], [frozen], DEAL, policies=policies, columns={})
    assert not verdict.refused
    assert verdict.held == {"N"}
