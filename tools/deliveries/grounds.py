"""The platforms of a campaign: how each is run, opened and mapped to, whom it will refuse, and what it holds then."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import urllib3

from include.config.pushes import PushDefinition
from include.destinations.braze.destination import Braze
from include.destinations.hubspot.destination import HubSpot
from include.destinations.insider_one.destination import InsiderOne
from include.destinations.intercom.destination import Intercom
from include.destinations.klaviyo.destination import Klaviyo
from include.destinations.line import Patience
from include.destinations.protocol import Destination, Policy
from include.destinations.webhook.destination import Webhook
from include.sandbox.braze.credentials import KEY as BRAZE_KEY
from include.sandbox.hubspot.credentials import TOKEN as HUBSPOT_TOKEN
from include.sandbox.hubspot.credentials import UNIQUE_PROPERTY
from include.sandbox.insider_one.credentials import PARTNER
from include.sandbox.insider_one.credentials import TOKEN as INSIDER_TOKEN
from include.sandbox.intercom.credentials import TOKEN as INTERCOM_TOKEN
from include.sandbox.klaviyo.credentials import KEY as KLAVIYO_KEY
from include.sandbox.webhook.credentials import SECRET
from tools.deliveries.source import ORG

Values = dict[str, Any]


class Held:
    """Look into a sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = urllib3.PoolManager(retries=False)

    def all(self, name: str) -> Iterator[Values]:
        """Yield all that it holds of a kind."""
        offset = 0
        while page := orjson.loads(
            self._http.request("GET", f"{self.url}/sandbox/{name}?limit=10000&offset={offset}").data
        )[name]:
            yield from page
            offset += len(page)

    def faults(self, *wishes: Values) -> None:
        """Order these faults, and no others."""
        self._http.request("DELETE", f"{self.url}/sandbox/faults")
        answer = self._http.request("POST", f"{self.url}/sandbox/faults", body=orjson.dumps(list(wishes)))
        if answer.status != 200:
            raise ValueError(answer.data.decode())

    def counts(self) -> Values:
        """Return what it has counted."""
        found: Values = orjson.loads(self._http.request("GET", f"{self.url}/sandbox/counts").data)
        return found

    def disturbed(self) -> int:
        """Return how many requests were answered with 503."""
        return sum(each["status"] == 503 for each in self.all("requests"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Hold one platform.

    Args:
        options: of its sandbox's program, so that its windows don't make a campaign take hours.
        open: opens it at an address, with a patience and what the push asks of it.
        mapping: the part of the definition that is the platform's own.
        who: by what its sandbox knows a contact when some are to be refused.
        read: returns what it holds, by contact Id and field, and how many events of each contact.
    """

    options: tuple[str, ...]
    open: Callable[[str, Patience, Policy], Destination]
    mapping: Mapping[str, Any]
    who: Callable[[Values], str]
    read: Callable[[Held], dict[str, Values]]


def push_to(name: str) -> PushDefinition:
    """Return the definition of a push of all contacts, with an event for each change, to a platform."""
    plain = {
        "push": f"contacts_to_{name}",
        "org": ORG,
        "source": {"object": "Contact"},
        "destination": {"platform": name, "connection": f"{name}_demo"},
        "schedule": "30 * * * *",
        "identifiers": {"uuid": "Id", "email": "Email"},
        "event": {"name": "opportunity_won", "time": "SystemModstamp"},
    }
    return PushDefinition.model_validate({**plain, **GROUNDS[name].mapping})


def refused(name: str, values: Values, share: float) -> bool:
    """Say whether the sandbox refuses this contact, when so large a share of all is to be refused."""
    return zlib.crc32(GROUNDS[name].who(values).encode()) % 10_000 < share * 10_000


def _by_id(values: Values) -> str:
    return str(values["Id"])


def _insider_one(held: Held) -> dict[str, Values]:
    events = Counter(each["insider_id"] for each in held.all("events"))
    return {
        each["identifiers"]["uuid"]: {
            "Email": each["identifiers"]["email"],
            **_named(each["attributes"], FirstName="name", LastName="surname", MailingCity="city"),
            **_named(each["attributes"]["custom"], Title="title", Score__c="score"),
            "events": events[each["insider_id"]],
        }
        for each in held.all("profiles")
    }


def _intercom(held: Held) -> dict[str, Values]:
    events = Counter(each["contact"] for each in held.all("events"))
    return {
        each["external_id"]: {
            **_named(each, Email="email", FirstName="name"),
            **_named(each["custom_attributes"], Title="title", Score__c="annual_revenue"),
            "events": events[each["id"]],
        }
        for each in held.all("contacts")
    }


def _klaviyo(held: Held) -> dict[str, Values]:
    events = Counter(each["profile"] for each in held.all("events"))
    return {
        each["attributes"]["external_id"]: {
            **_named(each["attributes"], Email="email", FirstName="first_name", LastName="last_name"),
            "MailingCity": each["attributes"]["location"]["city"],
            **_named(each["properties"], Title="title", Score__c="score"),
            "events": events[each["id"]],
        }
        for each in held.all("profiles")
    }


def _hubspot(held: Held) -> dict[str, Values]:
    events = Counter(each["contact"] for each in held.all("events"))
    found = {}
    for each in held.all("contacts"):
        values = each["properties"]
        found[values[UNIQUE_PROPERTY]] = {
            **_named(values, Email="email", FirstName="firstname", LastName="lastname", Title="jobtitle"),
            "MailingCity": values["city"],
            "Score__c": float(values["annualrevenue"]),
            "events": events[each["id"]] + events[values["email"]],
        }
    return found


def _braze(held: Held) -> dict[str, Values]:
    events = Counter(each["braze_id"] for each in held.all("events"))
    return {
        each["external_id"]: {
            **_named(each, Email="email", FirstName="first_name", LastName="last_name", MailingCity="home_city"),
            **_named(each, Title="title", Score__c="score"),
            "events": events[each["braze_id"]],
        }
        for each in held.all("users")
    }


def _webhook(held: Held) -> dict[str, Values]:
    events = Counter(each["record_id"] for each in held.all("events"))
    return {
        each["record_id"]: {
            "Email": each["identifiers"]["email"],
            **_named(each["attributes"], FirstName="first", LastName="last", MailingCity="city"),
            **_named(each["custom_attributes"], Title="title", Score__c="score"),
            "events": events[each["record_id"]],
        }
        for each in held.all("records")
    }


def _named(values: Values, **names: str) -> Values:
    return {field: values[name] for field, name in names.items()}


_CUSTOM = {"title": "Title", "score": "Score__c"}
GROUNDS: Mapping[str, Ground] = {
    "insider_one": Ground(
        options=("--requests-per-minute", "100000000"),
        open=lambda url, patience, policy: InsiderOne(
            base_url=url, partner=PARTNER, token=INSIDER_TOKEN, patience=patience, policy=policy
        ),
        mapping={
            "attributes": {"name": "FirstName", "surname": "LastName", "city": "MailingCity"},
            "custom_attributes": _CUSTOM,
        },
        who=lambda values: repr([("email", values["Email"]), ("uuid", values["Id"])]),
        read=_insider_one,
    ),
    "intercom": Ground(
        options=("--requests", "100000000"),
        open=lambda url, patience, policy: Intercom(
            base_url=url, token=INTERCOM_TOKEN, patience=patience, policy=policy
        ),
        mapping={
            "match": "upsert",  # unless it is said, a push to Intercom makes nobody
            "attributes": {"name": "FirstName"},
            "custom_attributes": {"title": "Title", "annual_revenue": "Score__c"},
        },
        who=_by_id,
        read=_intercom,
    ),
    "klaviyo": Ground(
        options=("--pace", "100000", "--job-seconds", "0.5"),
        open=lambda url, patience, policy: Klaviyo(base_url=url, key=KLAVIYO_KEY, patience=patience, policy=policy),
        mapping={
            "attributes": {"first_name": "FirstName", "last_name": "LastName", "city": "MailingCity"},
            "custom_attributes": _CUSTOM,
        },
        who=_by_id,
        read=_klaviyo,
    ),
    "hubspot": Ground(
        options=("--requests", "100000000"),
        open=lambda url, patience, policy: HubSpot(
            base_url=url, token=HUBSPOT_TOKEN, unique_property=UNIQUE_PROPERTY, patience=patience, policy=policy
        ),
        mapping={
            "attributes": {
                "firstname": "FirstName", "lastname": "LastName", "city": "MailingCity", "jobtitle": "Title",
                "annualrevenue": "Score__c",
            },
        },
        who=_by_id,
        read=_hubspot,
    ),
    "braze": Ground(
        options=("--pace", "100000"),
        open=lambda url, patience, policy: Braze(base_url=url, key=BRAZE_KEY, patience=patience, policy=policy),
        mapping={
            "attributes": {"first_name": "FirstName", "last_name": "LastName", "city": "MailingCity"},
            "custom_attributes": _CUSTOM,
        },
        who=_by_id,
        read=_braze,
    ),
    "webhook": Ground(
        options=(),
        open=lambda url, patience, policy: Webhook(
            url=url, path="/inbox", secrets=[SECRET], allow_private=True, patience=patience, policy=policy
        ),
        mapping={
            "attributes": {"first": "FirstName", "last": "LastName", "city": "MailingCity"},
            "custom_attributes": _CUSTOM,
        },
        who=_by_id,
        read=_webhook,
    ),
}  # fmt: skip
