"""The week in a mail: sent once, readable everywhere, of counts alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine

from include.config.health import DigestDefinition, HealthDefinition
from include.config.notify import ChannelDefinition
from include.errors import ConnectionLost
from include.notifications.digest import compose_digest
from include.notifications.mail import MailMessenger, MailServer
from include.notifications.send_digest import digest_key, send_digest
from include.quality.digest import moments_before, sum_up
from include.records import Message
from include.sandbox.mail.app import Sink
from include.sandbox.mail.box import Box
from include.warehouse.health.digests import Digest, week_facts
from tests.notifications.health_org import NOON, URL, HealthOrg, Inbox, check
from tests.notifications.test_channels import free_port

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = timedelta(days=7)


@pytest.fixture
def org(warehouse: Engine) -> HealthOrg:
    made = HealthOrg(warehouse)
    made.keys = {
        "health": {"digest": {"mail": ["lead@example.com"], "time_zone": "Europe/Berlin"}},
        "objects": ["Contact"],
    }
    return made


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[Box, int]]:
    box, port = Box(tmp_path), free_port()
    controller = Controller(Sink(box), hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def digest_of(org: HealthOrg, high: datetime) -> Digest:
    low = high - WEEK
    moments = moments_before(low, high)
    facts = week_facts(org.engine, "acme", low=low, high=high, moments=moments, objects=["Contact"])
    assert facts is not None
    return sum_up("acme", facts, low=low, high=high, tolerance=org.definition.health.tolerance)


def send(org: HealthOrg, port: int, high: datetime, *, again: str = "") -> bool:
    def messenger(channel: ChannelDefinition) -> MailMessenger:
        server = MailServer(host="127.0.0.1", port=port, sender="headwater@example.com", secure="")
        return MailMessenger(server, channel.mail)

    return send_digest(
        org.engine,
        org.definition,
        key=digest_key(high, again),
        title="Digest",
        path="",
        compose=lambda: compose_digest(digest_of(org, high), zone=BERLIN, airflow_url=URL),
        messenger=messenger,
    )


def a_week(org: HealthOrg) -> datetime:
    """Let a week pass in which one issue begins and one ends, and return its end."""
    org.checks = {
        "no_email": check(),
        "no_phone": check("no_phone", title="Contacts <b>without</b> phone", bad_when="{row.Phone} IS NULL"),
    }
    org.contacts(0)
    org.assess(0)
    org.contacts(90)
    org.run('UPDATE salesforce_acme."Contact" SET "Phone" = \'+49 30 1\'')
    org.assess(5 * 24)
    return NOON + WEEK


def test_a_digest_arrives_as_text_and_as_html(org: HealthOrg, sink: tuple[Box, int]) -> None:
    """With the grades at both ends of the week, what changed, and what to mend first."""
    box, port = sink
    assert send(org, port, a_week(org))

    (mail,) = box.newest(10)
    assert mail.recipients == ("lead@example.com",)
    assert mail.subject.strip() == "[Headwater acme] Week's health: grade 91.0% (+91.0 points), 1 new, 1 mended"
    for words in ("Contacts without e-mail", "0 → 90 of 1,000 records (9.0%)", "910 of 1,000 records have no issue."):
        assert words in mail.text
        assert words in mail.html
    assert "Contacts <b>without</b> phone" in mail.text
    assert "Contacts &lt;b&gt;without&lt;/b&gt; phone" in mail.html
    assert "+9.0 points: Contacts without e-mail" in mail.text
    assert f"{URL}/headwater/health/issue/no_email?org=acme" in mail.html
    assert "Mon 16 Nov 2026, 13:00 to Mon 23 Nov 2026, 13:00 (Europe/Berlin)" in mail.text
    assert "All objects    1,000  91.0%        0.0%" in mail.text


def test_a_week_that_was_told_is_not_told_again(org: HealthOrg, sink: tuple[Box, int]) -> None:
    """A retry, a second run and new recipients bring nothing; the next week does, and whoever asks for it again."""
    box, port = sink
    high = a_week(org)
    assert [send(org, port, high) for _ in range(3)] == [True, False, False]
    org.keys["health"]["digest"]["mail"] = ["other@example.com"]
    assert not send(org, port, high)
    assert send(org, port, high + WEEK)
    assert send(org, port, high, again="manual-1")
    assert box.count() == 3


def test_a_digest_that_was_not_taken_is_sent_by_the_next_try(org: HealthOrg, sink: tuple[Box, int]) -> None:
    """And a process that dies between sending and writing that down sends once more: better twice than never."""
    box, port = sink
    high = a_week(org)
    with pytest.raises(Exception, match="does not answer"):
        send(org, free_port(), high)
    assert org.rows("SELECT state, tries FROM headwater.notification_delivery") == [("waiting", 1)]

    class Killed(BaseException):
        """Stop the process as a signal would."""

    def dies(channel: ChannelDefinition) -> MailMessenger:
        class Dying(MailMessenger):
            def send(self, message: Message) -> None:
                super().send(message)
                raise Killed

        return Dying(MailServer(host="127.0.0.1", port=port, sender="h@example.com", secure=""), channel.mail)

    with pytest.raises(Killed):
        send_digest(
            org.engine,
            org.definition,
            key=digest_key(high),
            title="Digest",
            path="",
            compose=lambda: compose_digest(digest_of(org, high), zone=BERLIN, airflow_url=URL),
            messenger=dies,
        )
    assert send(org, port, high)
    assert not send(org, port, high)
    assert box.count() == 2


def test_a_digest_goes_to_a_webhook_besides_the_mail_and_neither_waits_for_the_other(org: HealthOrg) -> None:
    """Chat services show `text`; what one of the two did not take is sent there alone by the next try."""
    org.keys["health"]["digest"]["webhook"] = "acme_chat"
    high = a_week(org)
    mail, chat = (org.inboxes.setdefault(name, Inbox()) for name in ("lead@example.com", "acme_chat"))

    def again() -> bool:
        return send_digest(
            org.engine,
            org.definition,
            key=digest_key(high),
            title="Digest",
            path="",
            compose=lambda: compose_digest(digest_of(org, high), zone=BERLIN, airflow_url=URL),
            messenger=org.messenger,
        )

    mail.down = True
    with pytest.raises(ConnectionLost):
        again()
    assert (len(mail.taken), len(chat.taken)) == (0, 1)
    mail.down = False
    assert [again(), again()] == [True, False]
    assert (len(mail.taken), len(chat.taken)) == (1, 1)
    text = chat.taken[0].body["text"]
    assert text.startswith("[Headwater acme] Week's health: grade 91.0% (+91.0 points), 1 new, 1 mended\n")
    assert "0 → 90 of 1,000 records (9.0%)" in text
    del org.keys["health"]["digest"]["mail"]
    assert org.definition.health.digest.wanted


class Loads(HTMLParser):
    """Collect what a mail program would have to fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag in ("img", "script", "link", "iframe", "object", "video", "base", "form") or names & {
            "src",
            "background",
        }:
            self.found.append(tag)
        self.found += [name for name in names if name.startswith("on")]


def test_the_mail_fetches_nothing_and_knows_both_themes(org: HealthOrg) -> None:
    """No image tells that it was opened, and nobody is blinded at night."""
    message = compose_digest(digest_of(org, a_week(org)), zone=BERLIN, airflow_url=URL)
    loads = Loads()
    loads.feed(message.html)

    assert loads.found == []
    assert "url(" not in message.html
    assert "@import" not in message.html
    assert "prefers-color-scheme: dark" in message.html


def test_what_came_and_went_within_the_week_is_no_change_of_it(org: HealthOrg) -> None:
    """Nothing is reported that is as it was; without an older assessment nothing can be compared."""
    org.contacts(0)
    org.assess(0)
    org.contacts(90)
    org.assess(24)
    org.contacts(0)
    org.assess(24)

    assert digest_of(org, NOON + WEEK).changes == ()
    quiet = compose_digest(digest_of(org, NOON + WEEK), zone=BERLIN, airflow_url="")
    assert "Nothing changed by more than noise." in quiet.text
    first = compose_digest(digest_of(org, NOON + timedelta(hours=1)), zone=BERLIN, airflow_url="")
    assert "There is no older assessment to compare with." in first.text


def test_a_record_with_another_issue_lifts_nothing(org: HealthOrg) -> None:
    """What would lift the grade most are the records that have this issue alone."""
    org.checks = {
        "no_email": check(),
        "no_phone": check("no_phone", title="No phone", bad_when="{row.Phone} IS NULL"),
        "no_both": check("no_both", title="Neither", bad_when="{row.Phone} IS NULL AND {row.Email} IS NULL"),
    }
    org.contacts(50)
    org.run("""UPDATE salesforce_acme."Contact" SET "Phone" = '1' WHERE "Id" > '003000000000030AAA'""")
    org.assess(0)

    lifts = digest_of(org, NOON + WEEK).lifts
    assert [(each.issue.check_id, each.records, round(each.points, 4)) for each in lifts] == [("no_email", 20, 0.02)]


def test_a_period_is_that_of_the_schedule_in_its_own_zone() -> None:
    """Monday at seven in Berlin, summer and winter."""
    digest = DigestDefinition(mail=("a@example.com",), time_zone="Europe/Berlin")
    wednesday = datetime(2026, 10, 28, 9, tzinfo=UTC)

    assert digest.period(wednesday) == (datetime(2026, 10, 19, 5, tzinfo=UTC), datetime(2026, 10, 26, 6, tzinfo=UTC))
    monday = datetime(2026, 10, 26, 6, tzinfo=UTC)
    assert digest.period(monday)[1] == monday
    assert digest.period(monday - timedelta(seconds=2))[1] == datetime(2026, 10, 19, 5, tzinfo=UTC)


def test_a_retry_in_the_hour_that_a_clock_shows_twice_is_of_the_same_period() -> None:
    """At half past two of summer time it begins; at ten past two of winter time it is tried again."""
    digest = DigestDefinition(mail=("a@example.com",), time_zone="Europe/Berlin", schedule="30 2 * * *")
    first = digest.period(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))

    assert first == (datetime(2026, 10, 24, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert digest.period(datetime(2026, 10, 25, 1, 10, tzinfo=UTC)) == first


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"digest": {"schedule": "0 8 * * 1"}}, "names no recipients"),
        ({"digest": {"mail": ["a@example.com"], "time_zone": "Mars/Base"}}, "is no time zone"),
        ({"owners": {"fallback": "a@example.com"}}, "add `tell: true`"),
    ],
)
def test_a_definition_that_would_tell_nobody_is_refused(keys: dict[str, object], words: str) -> None:
    """What is written down and never used is a mistake."""
    with pytest.raises(ValueError, match=words):
        HealthDefinition.model_validate(keys)
