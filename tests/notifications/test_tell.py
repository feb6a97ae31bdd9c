"""People are told of a change once, when it begins and when it is over; what could not be sent is sent later."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.config.notify import ChannelDefinition, Event
from include.config.orgs import OrgDefinition
from include.errors import ConnectionLost
from include.notifications.conditions import Condition
from include.notifications.tell import Told, tell
from include.records import Message

ORG = OrgDefinition.model_validate(
    {
        "org": "main",
        "connection": "c",
        "notify": [{"mail": ["team@example.com"]}, {"webhook": "chat", "events": ["run_failed"]}],
    }
)


class Inbox:
    """Take messages, or refuse them while it is down; it remembers."""

    def __init__(self) -> None:
        self.down = False
        self.taken: list[Message] = []

    def send(self, message: Message) -> None:
        if self.down:
            raise ConnectionLost("the mail server does not answer")
        self.taken.append(message)


class Office:
    """Tell the two channels of the org."""

    def __init__(self, warehouse: Engine) -> None:
        self.warehouse = warehouse
        self.mails, self.chat = Inbox(), Inbox()

    def messenger(self, channel: ChannelDefinition) -> Inbox:
        return self.chat if channel.webhook else self.mails

    def tell(self, *conditions: Condition) -> Told:
        return tell(
            self.warehouse, ORG, conditions, messenger=self.messenger, airflow_url="https://airflow.example/base"
        )

    def subjects(self) -> list[str]:
        return [each.subject for each in self.mails.taken]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def office(warehouse: Engine) -> Office:
    return Office(warehouse)


def failing(subject: str = "Contact", *, holds: bool = True, event: Event = Event.RUN_FAILED) -> Condition:
    return Condition(
        key=f"failed:extract:{subject}",
        event=event,
        holds=holds,
        title=f"Extract of {subject} failed",
        message="AuthError: mend the connection",
        path="/dags/main_extract/runs/r1",
    )


def test_the_same_trouble_of_the_next_run_is_no_news(office: Office) -> None:
    """One message when it begins, none while it lasts, one when it is over, and again when it comes back."""
    for holds in (True, True, True, False, False, True):
        office.tell(failing(holds=holds))

    assert office.subjects() == [
        "[Headwater main] Extract of Contact failed",
        "[Headwater main] Over: Extract of Contact failed",
        "[Headwater main] Extract of Contact failed",
    ]


def test_what_a_run_did_not_look_at_keeps_its_state(office: Office) -> None:
    """A run of other objects neither tells nor ends it."""
    office.tell(failing())

    assert office.tell(failing("Lead", holds=False)) == Told(began=0, over=0, messages=0)
    assert office.rows("SELECT key FROM headwater.notification WHERE resolved_at IS NULL") == [
        ("failed:extract:Contact",)
    ]


def test_much_at_once_is_one_message(office: Office) -> None:
    """Ten objects that fail for one reason fill no inbox."""
    office.tell(*(failing(name) for name in ("Account", "Contact", "Lead")))

    (mail,) = office.mails.taken
    assert mail.subject == "[Headwater main] Extract of Account failed, and 2 more"
    assert mail.text.count("AuthError: mend the connection") == 3
    assert "https://airflow.example/base/dags/main_extract/runs/r1" in mail.text


def test_a_channel_is_told_only_what_it_asked_for(office: Office) -> None:
    """The chat wants failures; the mail, which names no events, gets everything."""
    office.tell(failing(), failing("Lead", event=Event.ONBOARDING_FAILED))

    assert [item["title"] for item in office.chat.taken[0].body["items"]] == ["Extract of Contact failed"]
    assert len(office.mails.taken[0].body["items"]) == 2


def test_what_was_not_taken_waits_and_goes_later(office: Office) -> None:
    """A mail server that is down loses nothing, and the other channel is told all the same."""
    office.mails.down = True
    told = office.tell(failing())

    assert [str(each) for each in told.problems] == ["the mail server does not answer"]
    assert len(office.chat.taken) == 1
    assert office.rows("SELECT tries, cause FROM headwater.notification_delivery WHERE state = 'waiting'") == [
        (1, "the mail server does not answer")
    ]
    office.mails.down = False
    assert office.tell() == Told(began=0, over=0, messages=1)
    assert office.subjects() == ["[Headwater main] Extract of Contact failed"]


def test_what_was_over_before_it_was_sent_is_not_sent(office: Office) -> None:
    """Nobody gets an all-clear for what they were not told."""
    office.mails.down = True
    office.tell(failing())
    office.mails.down = False
    office.tell(failing(holds=False))

    assert office.subjects() == []
    assert [each.body["items"][0]["state"] for each in office.chat.taken] == ["new", "over"]


def test_what_happens_once_has_no_all_clear_and_does_not_come_again(office: Office) -> None:
    """An onboarding ends once."""
    ended = Condition(key="onboarding_ended:1", event=Event.ONBOARDING_ENDED, holds=True, once=True, title="It ended")
    for _ in range(3):
        office.tell(ended)

    assert office.subjects() == ["[Headwater main] It ended"]
    assert office.rows("SELECT count(*) FROM headwater.notification WHERE resolved_at IS NULL") == [(0,)]


def test_news_of_yesterday_is_none(office: Office) -> None:
    """What could not be sent for a day is dropped, with that said in the ledger."""
    office.mails.down = True
    office.tell(failing())
    with office.warehouse.begin() as connection:
        connection.execute(text("UPDATE headwater.notification_delivery SET written_at = now() - interval '25 hours'"))
    office.mails.down = False

    assert office.tell().messages == 0
    assert office.rows("SELECT state FROM headwater.notification_delivery ORDER BY channel") == [
        ("dropped",),
        ("sent",),
    ]


def test_the_ledger_names_no_recipient(office: Office) -> None:
    """Addresses stand in the definition only."""
    office.tell(failing())

    assert "@" not in str(office.rows("SELECT * FROM headwater.notification_delivery"))
    assert "@" not in str(office.rows("SELECT * FROM headwater.notification"))
