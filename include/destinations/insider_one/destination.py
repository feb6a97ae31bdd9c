"""Carry profiles and events to Insider One.

`build` and `check` decide in `body`, what an answer means in `replies`; only `send` and `test`
speak to the network. The platform stores an event twice if it is sent twice and answers HTTP 200 when it refuses users:
so an answer is read user by user, and a lost answer to a batch with events is never followed by a second sending.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

import orjson

from include.config.platforms import PLATFORMS, Capabilities
from include.destinations.insider_one import body as bodies
from include.destinations.insider_one import replies, rules
from include.destinations.insider_one.companions import AUTH_ADVICE, Companions
from include.destinations.line import Line, Patience, Request
from include.destinations.protocol import Access, Batch, BatchResult, Policy, never_settles
from include.destinations.sending import Sender, prove
from include.errors import AuthError
from include.ports import Bucket
from include.records import Event, Pace, Profile, ProfileAction, Receipt

PACES: Mapping[str, Pace] = MappingProxyType(
    {
        "": Pace(requests=25_000, seconds=60),  # upserts and attribute/delete share it
        "identity": Pace(requests=2_000, seconds=60),
        "identity_removal": Pace(requests=1_000, seconds=60),
        "profile": Pace(requests=1_000, seconds=60),
        "removal": Pace(requests=10_000, seconds=60),
    }
)

_UPSERT = "/api/user/v1/upsert"
_COLUMNS = "/api/user/v3/metadata/columns"


def open_insider_one(access: Access, *, bucket: Bucket | None = None, policy: Policy | None = None) -> InsiderOne:
    """Return the platform behind an Airflow connection: host (base URL), login (partner name), password (token).

    Raises:
        AuthError: partner name or token is missing or impossible.
        Unreachable: the host is no address.
    """
    return InsiderOne(
        base_url=access.base_url, partner=access.login, token=access.secret, bucket=bucket, policy=policy or Policy()
    )


class InsiderOne:
    """Be the platform Insider One behind the protocol of destinations.

    Args:
        base_url: where the platform listens, e.g. ``https://unification.useinsider.com``.
        partner: the account's name; the platform wants it in lower case.
        token: the request token of the unified customer database.
        bucket: hands out permission for each request; None sends as fast as the platform answers.
        policy: what the push asks of the platform.
        patience: how long to wait for what.
    """

    capabilities: Capabilities = PLATFORMS["insider_one"].capabilities
    settle = staticmethod(never_settles)

    def __init__(
        self,
        *,
        base_url: str,
        partner: str,
        token: str,
        bucket: Bucket | None = None,
        policy: Policy | None = None,
        patience: Patience | None = None,
    ) -> None:
        headers = _headers(partner, token)
        self._partner = headers["X-PARTNER-NAME"]
        self._policy = policy or Policy()
        self._line = Line(title="Insider One", base_url=base_url, headers=headers, bucket=bucket, patience=patience)
        self._upserts = Sender(
            line=self._line,
            request=lambda batch: Request(method="POST", path=_UPSERT, body=batch.body),
            interpret=replies.interpret,
            lost=replies.lost,
            batch_of=lambda records, batch: bodies.batch_of(records, skip_hook=batch.skip_hook),
            doubles=lambda batch: batch.holds_events,
            auth_advice=AUTH_ADVICE,
        )
        self._companions = Companions(self._line, policy=self._policy, upsert=self._upserts.send)

    def __repr__(self) -> str:
        return f"InsiderOne(base_url={self._line.base_url!r}, partner={self._partner!r}, token=***)"

    def expired(self, event: Event, *, now: datetime) -> bool:
        """Say whether the platform would drop this event for its age, without telling."""
        return rules.expired(event, now)

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        """Return why this profile must not be sent (rejected or skipped), or None if it may."""
        return bodies.check(profile, now=now, clear_nulls=self._policy.clear_nulls)

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        """Yield batches of checked profiles, within the limits by count and by serialized bytes."""
        return bodies.build(profiles, skip_hook=skip_hook, max_records=max_records)

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch and return one receipt for each of its records; see `Destination.send`."""
        action = batch.records[0].action if batch.records else ProfileAction.UPSERT
        if action is ProfileAction.DELETE:
            return self._companions.delete(batch)
        if action is ProfileAction.CLEAR:
            return self._companions.clear(batch)
        return self._companions.send(batch) if self._companions.concern(batch) else self._upserts.send(batch)

    def test(self) -> None:
        """Ask for the names of the attributes: the platform's one reading call without side effects."""
        prove(
            self._line,
            Request(method="POST", path=_COLUMNS, body=orjson.dumps({"table": "contacts"})),
            refuses=lambda reply: replies.refused_by_platform(reply.status, reply.body),
            is_ours=lambda reply: reply.body.lstrip()[:1] in (b"[", b"{"),
            auth_advice=AUTH_ADVICE,
        )


def _headers(partner: str, token: str) -> dict[str, str]:
    name, secret = partner.strip().lower(), token.strip()
    if not name or " " in name or not name.isascii() or not name.isprintable():
        raise AuthError("the partner name of the Insider One connection must be one word, as in the platform's address")
    if not secret or not secret.isascii() or not secret.isprintable():
        raise AuthError("the request token of the Insider One connection is empty or holds characters no token has")
    return {"X-PARTNER-NAME": name, "X-REQUEST-TOKEN": secret, "Content-Type": "application/json"}
