"""An org whose assessments the tests make, and the people who are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from include.config.checks import CheckDefinition
from include.config.notify import ChannelDefinition
from include.config.orgs import OrgDefinition
from include.errors import ConnectionLost
from include.notifications.conditions import conditions_of
from include.notifications.health import health_conditions, mutes_of
from include.notifications.tell import Told, tell
from include.quality.assess import Assessment, assess_org
from include.records import AirflowRun, Message
from include.warehouse.engine import transaction
from include.warehouse.health.mutes import mutes
from include.warehouse.notable import read_notable

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)  # a Monday
URL = "https://airflow.example"


class Inbox:
    """Take messages, or refuse them while it is down; it remembers."""

    def __init__(self) -> None:
        self.down = False
        self.taken: list[Message] = []

    def send(self, message: Message) -> None:
        if self.down:
            raise ConnectionLost("the mail server does not answer")
        self.taken.append(message)

    @property
    def titles(self) -> list[str]:
        """Return the titles of all items, in the order of arrival."""
        return [item["title"] for each in self.taken for item in each.body["items"]]


def check(name: str = "no_email", **keys: Any) -> CheckDefinition:
    usual = {
        "check": name,
        "title": "Contacts without e-mail",
        "why": "Nobody can write to them.",
        "category": "Incomplete",
        "severity": "warning",
        "object": "Contact",
        "bad_when": "{row.Email} IS NULL",
    }
    return CheckDefinition.model_validate(usual | keys)


@dataclass
class HealthOrg:
    """Be an org of contacts of which as many have no e-mail as a test says, and its people."""

    engine: Engine
    checks: Mapping[str, CheckDefinition] = field(default_factory=lambda: {"no_email": check()})
    keys: dict[str, Any] = field(default_factory=lambda: {"notify": [{"mail": ["team@example.com"]}]})
    now: datetime = NOON
    inboxes: dict[str, Inbox] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.run("CREATE SCHEMA salesforce_acme")
        self.table("Contact", Email="text", Phone="text", OwnerId="text")

    @property
    def definition(self) -> OrgDefinition:
        return OrgDefinition.model_validate({"org": "acme", "connection": "acme", **self.keys})

    def table(self, name: str, **columns: str) -> None:
        listed = "".join(f', "{column}" {kind}' for column, kind in columns.items())
        self.run(f'CREATE TABLE salesforce_acme."{name}" ("Id" text PRIMARY KEY{listed}, _deleted_at timestamptz)')
        self.run("INSERT INTO headwater.object (org, object, first_loaded_at) VALUES ('acme', :name, now())", name=name)
        for position, column in enumerate(("Id", *columns)):
            self.run(
                "INSERT INTO headwater.field (org, object, position, name, label, type)"
                " VALUES ('acme', :object, :position, :name, :name, 'string')",
                object=name,
                position=position,
                name=column,
            )

    def contacts(self, without: int, of: int = 1_000, owner: str | None = None) -> None:
        """Let so many of them have no e-mail."""
        self.run('TRUNCATE salesforce_acme."Contact"')
        self.run(
            'INSERT INTO salesforce_acme."Contact" ("Id", "Email", "OwnerId")'
            " SELECT '003' || lpad(n::text, 12, '0') || 'AAA', CASE WHEN n > :without THEN 'a@b.example' END, :owner"
            " FROM generate_series(1, :of) AS n",
            without=without,
            of=of,
            owner=owner,
        )

    def assess(self, hours: float = 1) -> Assessment:
        """Assess so many hours after the assessment before."""
        self.now += timedelta(hours=hours)
        return assess_org(self.engine, self.definition, self.checks, now=self.now, run=AirflowRun())

    def tell(self) -> Told:
        """Do what the task `notify` does."""
        org = self.definition
        with transaction(self.engine) as connection:
            notable = read_notable(
                connection,
                org.org,
                kind="health",
                subjects=["assessment"],
                objects=org.all_objects,
                dag_id="",
                dag_run_id="",
            )
            muted = (*mutes_of(self.checks), *mutes(connection, org.org))
        assert notable.health is not None
        conditions = conditions_of(org.org, notable, (), {})
        conditions += health_conditions(org.org, notable.health, org.health, self.checks, muted)
        teams = {each.owner for each in self.checks.values() if each.owner}
        return tell(
            self.engine, org, conditions, messenger=self.messenger, airflow_url="https://airflow.example", teams=teams
        )

    def go(self, without: int, *, hours: float = 1, of: int = 1_000) -> Told:
        """Let so many be bad, assess, tell."""
        self.contacts(without, of)
        self.assess(hours)
        return self.tell()

    def messenger(self, channel: ChannelDefinition) -> Inbox:
        return self.inboxes.setdefault(",".join(channel.mail) or channel.webhook, Inbox())

    @property
    def team(self) -> Inbox:
        """Return the inbox of the org's own channel."""
        return self.inboxes.setdefault("team@example.com", Inbox())

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
