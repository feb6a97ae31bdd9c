"""Owners are told of their own new findings: one mail each, once, by Ids and counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine

from include.config.health import OwnersDefinition
from include.config.notify import ChannelDefinition
from include.errors import FatalError
from include.notifications.owners import route
from include.notifications.tell_owners import OwnersTold, tell_owners
from include.records import Message
from include.warehouse.health.owner_findings import SalesforceUser
from tests.notifications.health_org import URL, HealthOrg, Inbox, check

ANN, BOB, EVE, QUEUE = ("005000000000001AAA", "005000000000002AAA", "005000000000003AAA", "00G000000000001AAA")


class Owned(HealthOrg):
    """Be an org whose contacts have owners, some of whom can be told."""

    refused: tuple[str, ...] = ()
    begun: Sequence[Message] = ()

    def people(self) -> None:
        self.table("User", Email="text", IsActive="boolean", ManagerId="text", UserType="text", Name="text")
        for user, mail, active, manager in (
            (ANN, "ann", True, None),
            (BOB, "bob", True, ANN),
            (EVE, "eve", False, BOB),
        ):
            self.run(
                "INSERT INTO salesforce_acme.\"User\" VALUES (:id, :mail, :active, :manager, 'Standard', 'Ann Smith')",
                id=user,
                mail=f"{mail}@example.com",
                active=active,
                manager=manager,
            )

    def bad(self, owner: str, *numbers: int) -> None:
        """Add contacts of an owner that have no e-mail."""
        for number in numbers:
            self.run(
                'INSERT INTO salesforce_acme."Contact" ("Id", "OwnerId") VALUES (:id, :owner)',
                id=f"003{number:012d}AAA",
                owner=owner,
            )

    def owners(self, hours: float = 25) -> OwnersTold:
        """Assess so many hours later and tell the owners."""
        self.assess(hours)
        return self.again()

    def again(self) -> OwnersTold:
        return tell_owners(
            self.engine, self.definition, self.checks, messenger=self.post, now=self.now, airflow_url=URL
        )

    def post(self, channel: ChannelDefinition) -> Any:
        outer = self

        class Post:
            def send(self, message: Message) -> None:
                if set(channel.mail) & set(outer.refused):
                    raise FatalError("the mail server refused the recipient")
                for address in channel.mail:
                    outer.inboxes.setdefault(address, Inbox()).send(message)

        return Post()

    @property
    def got(self) -> dict[str, int]:
        return {address: len(inbox.taken) for address, inbox in sorted(self.inboxes.items())}


@pytest.fixture
def org(warehouse: Engine) -> Owned:
    made = Owned(warehouse)
    made.keys = {"health": {"owners": {"tell": True, "fallback": "ops@example.com"}}}
    made.people()
    made.run(
        "INSERT INTO headwater.org (org, org_id, instance_url, name, is_sandbox)"
        " VALUES ('acme', '00D', 'https://acme.example', 'Acme', false)"
    )
    made.bad(ANN, 1, 2)
    assert made.owners() == OwnersTold(mails=1, findings=2)  # how things stand when telling begins
    made.begun = made.inboxes.pop("ann@example.com").taken
    return made


def test_each_owner_gets_one_mail_of_what_is_new(org: Owned) -> None:
    """With counts and links, and no name or address of anybody."""
    org.bad(ANN, 3, 4)
    org.bad(BOB, 5)
    assert org.owners() == OwnersTold(mails=2, findings=3)

    assert org.got == {"ann@example.com": 1, "bob@example.com": 1}
    (mail,) = org.inboxes["ann@example.com"].taken
    assert mail.subject == "[Headwater acme] 2 new findings in your records"
    assert "Contacts without e-mail (Contact): 2 new, 4 in all" in mail.text
    assert f"{URL}/headwater/health/issue/no_email?org=acme" in mail.text
    assert "https://acme.example/lightning/r/Contact/003000000000003AAA/view" in mail.text
    assert "003000000000001AAA" not in mail.text
    for words in ("Smith", "ann@", "bob@"):
        assert words not in mail.text


def test_the_first_mail_to_an_owner_says_how_things_stand(org: Owned) -> None:
    """Whatever was bad when telling began; and to who owns records only later, with the first finding that is new."""
    (mail,) = org.begun
    assert mail.subject == "[Headwater acme] 2 findings in your records"
    assert "This is how things stand; the mails after this one tell only what is new." in mail.text
    assert "Contacts without e-mail (Contact): 2\n" in mail.text
    assert mail.text.count("/lightning/r/Contact/") == 2

    org.checks = {**org.checks, "no_phone": check("no_phone", title="No phone", bad_when="{row.Phone} IS NULL")}
    org.bad(BOB, 3)
    org.run("""UPDATE salesforce_acme."Contact" SET "OwnerId" = :bob WHERE "Id" LIKE '%1AAA'""", bob=BOB)
    assert org.owners() == OwnersTold(mails=2, findings=5)  # Ann of one, Bob of all four
    (mail,) = org.inboxes["bob@example.com"].taken
    assert mail.subject == "[Headwater acme] 4 findings in your records"
    assert "Contacts without e-mail (Contact): 2\n" in mail.text
    assert "No phone (Contact): 2\n" in mail.text
    assert "1 new finding in your records" in org.inboxes["ann@example.com"].taken[0].subject
    assert org.owners() == OwnersTold()


def test_those_who_are_left_when_telling_begins_are_told_how_things_stand_by_the_next_run(warehouse: Engine) -> None:
    """Whoever waits loses nothing by it, and what came meanwhile is in it."""
    org = Owned(warehouse)
    org.keys = {"health": {"owners": {"tell": True, "max_mails": 1}}}
    org.people()
    org.bad(ANN, 1, 2)
    org.bad(BOB, 3)
    assert org.owners() == OwnersTold(mails=1, findings=2, waiting=1)
    org.bad(BOB, 4)
    assert org.owners() == OwnersTold(mails=1, findings=2)
    assert org.inboxes["bob@example.com"].taken[0].subject == "[Headwater acme] 2 findings in your records"
    assert org.owners() == OwnersTold()


def test_a_clock_that_was_set_back_keeps_no_mail_waiting(org: Owned) -> None:
    """The mail before bears a time that has not come yet."""
    org.bad(ANN, 3)
    assert org.owners(-1000) == OwnersTold(mails=1, findings=1)


def test_no_finding_is_told_twice(org: Owned) -> None:
    """Nor by a retry, nor by another assessment, nor when it flaps; a new one is told, a day later at the earliest."""
    org.bad(ANN, 3)
    org.owners()
    assert org.again() == OwnersTold()
    assert org.owners() == OwnersTold()
    org.run("""UPDATE salesforce_acme."Contact" SET "Email" = 'a@b.example' WHERE "Id" = '003000000000003AAA'""")
    org.assess(1)
    org.run("""UPDATE salesforce_acme."Contact" SET "Email" = NULL WHERE "Id" = '003000000000003AAA'""")
    assert org.owners(2) == OwnersTold()
    org.bad(ANN, 4)
    assert org.owners(1).mails == 1
    org.bad(ANN, 5)
    assert org.owners(1) == OwnersTold(waiting=1)
    org.bad(ANN, 6)
    org.bad(BOB, 7)
    assert org.owners(1) == OwnersTold(mails=1, findings=1, waiting=1)
    assert org.owners(30) == OwnersTold(mails=1, findings=2)
    assert org.got == {"ann@example.com": 3, "bob@example.com": 1}


def test_who_cannot_be_told_has_somebody_who_can(org: Owned) -> None:
    """An inactive user's go to the manager, with the manager's own in one mail; a queue's to the fallback."""
    org.bad(EVE, 3)
    org.bad(BOB, 4)
    org.bad(QUEUE, 5)
    assert org.owners().mails == 2

    assert org.got == {"bob@example.com": 1, "ops@example.com": 1}
    assert (
        f"come to you for: {EVE} (an inactive user), and in your own." in org.inboxes["bob@example.com"].taken[0].text
    )
    assert f"{QUEUE} (a queue)" in org.inboxes["ops@example.com"].taken[0].text


def test_without_a_fallback_nobody_is_told_and_it_is_said(org: Owned) -> None:
    """Nothing waits for ever for somebody who does not exist."""
    del org.keys["health"]["owners"]["fallback"]
    org.bad(QUEUE, 3)
    assert org.owners() == OwnersTold(unreachable=1)
    assert org.owners() == OwnersTold()


def test_a_run_sends_so_many_mails_and_the_next_one_the_others(org: Owned) -> None:
    """Who has most news comes first."""
    org.keys["health"]["owners"]["max_mails"] = 1
    org.bad(ANN, 3)
    org.bad(BOB, 4, 5)
    assert org.owners() == OwnersTold(mails=1, findings=2, waiting=1)
    assert org.got == {"bob@example.com": 1}
    assert org.again() == OwnersTold(mails=1, findings=1)
    assert org.got == {"ann@example.com": 1, "bob@example.com": 1}


def test_a_mail_lists_so_many_records_and_counts_the_others(org: Owned) -> None:
    """Nobody reads a thousand Ids."""
    org.keys["health"]["owners"]["max_records"] = 2
    org.bad(ANN, *range(10, 20))
    org.owners()
    text = org.inboxes["ann@example.com"].taken[0].text
    assert text.count("/lightning/r/Contact/") == 2
    assert "  and 8 more" in text


def test_what_an_address_refuses_goes_to_the_fallback_and_what_nobody_takes_waits(org: Owned) -> None:
    """One bad address stops no other mail."""
    org.refused = ("ann@example.com",)
    org.bad(ANN, 3)
    org.bad(BOB, 4)
    assert org.owners().mails == 2
    assert org.got == {"bob@example.com": 1, "ops@example.com": 1}
    org.refused = ("ann@example.com", "ops@example.com")
    org.bad(ANN, 5)
    told = org.owners()
    assert (told.mails, told.waiting, len(told.problems)) == (0, 1, 1)
    org.refused = ()
    assert org.again() == OwnersTold(mails=1, findings=1)


def test_killed_after_sending_one_owner_is_told_once_more_and_no_other(org: Owned) -> None:
    """Who was told is written down after each mail: better twice than never."""

    class Killed(BaseException):
        """Stop the process as a signal would."""

    org.bad(ANN, 3)
    org.bad(BOB, 4, 5)
    post = org.post

    def dies_after(channel: ChannelDefinition) -> Any:
        sends = post(channel)

        class Dying:
            def send(self, message: Message) -> None:
                sends.send(message)
                if "ann@example.com" in channel.mail:
                    raise Killed

        return Dying()

    org.assess(25)
    with pytest.raises(Killed):
        tell_owners(org.engine, org.definition, org.checks, messenger=dies_after, now=org.now)
    assert org.again() == OwnersTold(mails=1, findings=1, waiting=0)
    assert org.got == {"ann@example.com": 2, "bob@example.com": 1}


def test_issues_that_pass_are_muted_or_belong_to_a_team_are_no_matter_of_owners(org: Owned) -> None:
    """Within its threshold an issue is nobody's work."""
    for keys in ({"max_share": 1.0}, {"mute": True}, {"owner": "team@example.com"}):
        org.checks = {"no_email": check(**keys)}
        org.bad(ANN, len(org.rows('SELECT FROM salesforce_acme."Contact"')) + 1)
        assert org.owners() == OwnersTold()
    org.checks = {"no_email": check()}
    assert org.owners() == OwnersTold()


def test_no_address_stands_in_the_warehouse_or_in_a_definition_of_ours(org: Owned) -> None:
    """The ledger holds Ids of Salesforce; the page shows how many were told."""
    org.bad(ANN, 3)
    org.owners()
    assert org.rows("SELECT title FROM headwater.notification WHERE event = 'owners_told' ORDER BY raised_at") == [
        ("Owners were told of 2 findings in 1 mail",),
        ("Owners were told of 1 finding in 1 mail",),
    ]
    for table in ("notification", "notification_delivery", "owner_told"):
        assert "example.com" not in str(org.rows(f"SELECT * FROM headwater.{table}"))


def user(user_id: str = ANN, **changes: Any) -> SalesforceUser:
    usual = {"user_id": user_id, "email": "ann@example.com", "active": True, "standard": True, "manager_id": ""}
    return SalesforceUser(**(usual | changes))


@pytest.mark.parametrize(
    ("owner", "users", "keys", "address"),
    [
        (ANN, [user()], {}, "ann@example.com"),
        (ANN, [user(email="ann@example.com.invalid")], {"fallback": "f@x.example"}, "f@x.example"),
        (ANN, [user(email="two@x.example, three@x.example")], {}, ""),
        (ANN, [user(standard=False)], {"fallback": "f@x.example"}, "f@x.example"),
        (ANN, [user(active=False, manager_id=BOB), user(BOB, email="bob@x.example")], {}, "bob@x.example"),
        (ANN, [user(active=False, manager_id=BOB), user(BOB, email="bob@x.example")], {"managers": False}, ""),
        (ANN, [user(active=False, manager_id=BOB), user(BOB, active=False, manager_id=ANN)], {}, ""),
        (QUEUE, [], {"map": {QUEUE[:15]: "queue@x.example"}}, "queue@x.example"),
        (ANN, [], {}, ""),
    ],
)
def test_an_owner_leads_to_one_address(
    owner: str, users: list[SalesforceUser], keys: dict[str, Any], address: str
) -> None:
    """The map first, then the user, then managers without going round in circles, then the fallback."""
    definition = OwnersDefinition.model_validate({"tell": True, **keys})
    assert route(owner, {each.user_id: each for each in users}, definition).address == address
