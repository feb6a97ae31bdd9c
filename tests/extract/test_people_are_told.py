"""From what happens to an org, over the ledgers, to what people read: each once, and once when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from include.config.orgs import OrgDefinition
from include.config.schema_changes import SchemaChangesDefinition
from include.errors import JobFailed, MassDisappearance
from include.extract.metadata import read_metadata
from include.extract.onboard import forecast_onboarding
from include.notifications.conditions import conditions_of
from include.notifications.tell import tell
from include.records import Message
from include.warehouse.engine import transaction
from include.warehouse.notable import read_notable
from tests.extract.conftest import Desk


class Inbox:
    """Take messages, and remember their subjects without what is common to all."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    def send(self, message: Message) -> None:
        self.subjects.append(message.subject.removeprefix("[Headwater main] "))

    def read(self) -> list[str]:
        """Return the subjects since last time."""
        found, self.subjects = self.subjects, []
        return found


class Reader:
    """Run the last task of a DAG run, and read what came."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.inbox = Inbox()
        told = {
            "org": "main",
            "connection": "c",
            "objects": ["Contact", "Lead"],
            "notify": [{"mail": ["a@example.com"]}],
        }
        self.org = OrgDefinition.model_validate(told)

    def after(self, kind: str = "extract", **used_by: Any) -> list[str]:
        run = self.desk.same_run()
        with transaction(self.desk.warehouse) as connection:
            notable = read_notable(
                connection,
                "main",
                kind=kind,
                subjects=self.org.all_objects,
                objects=self.org.all_objects,
                dag_id=run.dag_id,
                dag_run_id=run.dag_run_id,
            )
        users = {("Contact", field): names for field, names in used_by.items()}
        tell(self.desk.warehouse, self.org, conditions_of("main", notable, [], users), messenger=lambda _: self.inbox)
        return self.inbox.read()


@pytest.fixture
def reader(desk: Desk) -> Reader:
    return Reader(desk)


def onboard(desk: Desk) -> None:
    with desk.client(desk.next_run()) as client:
        forecast_onboarding(desk.warehouse, client, desk.definition, desk.definition.all_objects)


def test_an_onboarding_that_stops_goes_on_and_ends(desk: Desk, reader: Reader) -> None:
    """Three messages: it stopped, it goes on, it ended; and none for the runs after it."""
    onboard(desk)
    desk.extract_one(desk.next_run(), "Lead")
    desk.org.job_state = "Failed"
    with pytest.raises(JobFailed):
        desk.extract_one(desk.next_run())
    assert reader.after() == ["First load of Contact failed"]
    assert reader.after() == []

    desk.org.job_state = "JobComplete"
    desk.extract()
    assert reader.after() == ["Over: First load of Contact failed, and 1 more"]
    desk.extract()
    assert reader.after() == []


def test_an_object_that_is_added_later_is_onboarded_by_itself(desk: Desk, reader: Reader) -> None:
    """Its end is told again; the others' is not."""
    onboard(desk)
    desk.extract()
    assert reader.after() == ["Onboarding of main ended"]
    desk.org.add_object("Case", LastName="string")
    desk.definition = desk.definition.model_copy(update={"objects": ("Contact", "Lead", "Case")})
    reader.org = reader.org.model_copy(update={"objects": ("Contact", "Lead", "Case")})
    onboard(desk)
    assert reader.after() == []
    desk.extract()
    assert reader.after() == ["Onboarding of main ended"]


def test_the_end_of_an_onboarding_is_news_for_a_day(desk: Desk, reader: Reader) -> None:
    """When the ledger of what was told is cleared out, it is not told anew."""
    onboard(desk)
    desk.extract()
    assert reader.after() == ["Onboarding of main ended"]
    with desk.warehouse.begin() as connection:
        connection.execute(text("DELETE FROM headwater.notification"))
        connection.execute(text("UPDATE headwater.object SET first_loaded_at = now() - interval '2 days'"))
    assert reader.after() == []


def test_a_mass_disappearance_is_told_until_it_is_accepted(desk: Desk, reader: Reader) -> None:
    """As one thing, though the comparison failed too."""
    desk.extract()
    reader.after()
    for number in range(20):
        del desk.org.records["Contact"][f"CON{number:015d}"]
    for _ in range(2):
        with pytest.raises(MassDisappearance):
            desk.reconcile()
    assert reader.after("reconcile") == ["19 records of Contact are gone from the org at once"]

    desk.reconcile(accept=19)
    assert reader.after("reconcile") == ["Over: 19 records of Contact are gone from the org at once"]


def test_a_degraded_copy_is_over_when_the_comparison_mended_it(desk: Desk, reader: Reader) -> None:
    """An idle run mends nothing, and says nothing."""
    desk.extract()
    assert reader.after() == []
    with desk.warehouse.begin() as connection:
        connection.execute(text("UPDATE headwater.run SET state = 'degraded' WHERE subject = 'Contact'"))
    assert reader.after() == ["The copy of Contact is degraded"]
    desk.extract()
    assert reader.after() == []
    desk.reconcile()
    assert reader.after("reconcile") == ["Over: The copy of Contact is degraded"]


def test_a_field_that_a_push_uses_is_told_when_it_goes_and_comes_back(desk: Desk, reader: Reader) -> None:
    """One that nothing uses is no news."""
    desk.extract()
    desk.org.tick(minutes=30)
    desk.org.change_fields("Contact", LastName=None, Visits__c=None)
    desk.extract()
    used = {"LastName": ("push people",)}
    assert reader.after(**used) == ["Contact.LastName is gone from the org"]
    assert reader.after(**used) == []

    desk.org.tick(minutes=30)
    desk.org.change_fields("Contact", LastName="string")
    desk.extract()
    assert reader.after(**used) == ["Over: Contact.LastName is gone from the org"]


def test_a_change_that_is_frozen_is_told_by_the_metadata_run_and_is_over_when_it_is_followed(
    desk: Desk, reader: Reader
) -> None:
    """Once, though each hour finds it again."""
    desk.extract()
    desk.definition = desk.definition.model_copy(update={"schema_changes": SchemaChangesDefinition(added="freeze")})
    desk.org.tick(minutes=30)
    desk.org.change_fields("Contact", Score__c="double")
    for expected in (["Contact.Score__c is new in the org"], []):
        with desk.client(desk.next_run()) as client:
            read_metadata(desk.warehouse, client, desk.definition)
        assert reader.after("metadata") == expected
    assert reader.after() == []
    desk.definition = desk.definition.model_copy(update={"schema_changes": SchemaChangesDefinition()})
    desk.extract()
    assert reader.after() == ["Over: Contact.Score__c is new in the org"]
