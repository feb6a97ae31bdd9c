"""Carry records to any address that takes signed webhooks (Standard Webhooks 1.0.0).

A message's id is the same at every attempt, so that the receiver drops what it has: a message may always be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

import orjson
import urllib3

from include.config.platforms import PLATFORMS, Capabilities
from include.destinations.addresses import public_pools
from include.destinations.line import Line, Patience, Request
from include.destinations.protocol import Access, Batch, BatchResult, Policy, never_expires, never_settles
from include.destinations.sending import Sender
from include.destinations.webhook import body as bodies
from include.destinations.webhook import replies
from include.errors import AuthError, RateLimited, ServerFault
from include.ports import Bucket
from include.records import Pace, Profile, Receipt

PARALLEL = 4  # messages that a push may have under way

PACES: Mapping[str, Pace] = MappingProxyType({"": Pace(requests=600, seconds=60)})  # ours: the standard names none

_AUTH_ADVICE = (
    "the webhook's receiver refuses our messages (HTTP 401, 403, or 410 if it is gone for good): check that it knows"
    " the connection's secret and still wants them"
)


def open_webhook(access: Access, *, bucket: Bucket | None = None, policy: Policy | None = None) -> Webhook:
    """Return the receiver behind a connection: host (URL), password (secret) and, in the extra, what else is wanted.

    The extra may hold ``path`` (of the URL), ``allow_private`` (the address may stand in our own network) and
    ``former_secret`` (signed with as well while a secret is being replaced).

    Raises:
        AuthError: a secret is missing or none.
        Unreachable: the host is no address.
    """
    extras = access.extras
    secrets = [access.secret, *([str(extras["former_secret"])] if extras.get("former_secret") else [])]
    return Webhook(
        url=access.base_url,
        path=_path(extras.get("path")),
        secrets=secrets,
        allow_private=extras.get("allow_private") in (True, "true", "True", "1", 1),
        bucket=bucket,
        policy=policy or Policy(),
    )


class Webhook:
    """Be a receiver of signed webhooks behind the protocol of destinations.

    Args:
        url: where messages are posted to.
        path: what follows the address, from the slash on; it may hold a query, and is never shown.
        secrets: ``whsec_…``, the present one first.
        allow_private: the address may be a private, link-local or loopback one.
        bucket: hands out permission for each request; None sends as fast as the receiver answers.
        policy: what the push asks of the platform.
        patience: how long to wait for what.
        clock: tells the time of an attempt; the receiver compares it with its own.
    """

    capabilities: Capabilities = PLATFORMS["webhook"].capabilities
    expired = staticmethod(never_expires)
    settle = staticmethod(never_settles)

    def __init__(
        self,
        *,
        url: str,
        path: str = "",
        secrets: Sequence[str],
        allow_private: bool = False,
        bucket: Bucket | None = None,
        policy: Policy | None = None,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = [_key(secret) for secret in secrets]
        self._policy = policy or Policy()
        self._clock = clock
        self._path = path
        self._line = Line(
            title="The webhook's receiver",
            base_url=url,
            headers={"Content-Type": "application/json", "User-Agent": "Headwater"},
            bucket=bucket,
            patience=patience or Patience(read_timeout_seconds=30),
            connections=PARALLEL,
            pools=urllib3.PoolManager if allow_private else public_pools,
        )

    def __repr__(self) -> str:
        return f"Webhook(url={self._line.base_url!r}, secrets=***)"

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        """Return why this profile must not be sent (rejected or skipped), or None if it may."""
        return bodies.check(profile, self._policy)

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        """Yield batches of checked profiles, within the limits by count and by serialized bytes."""
        return bodies.build(profiles, self._policy, skip_hook=skip_hook, max_records=max_records)

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch and return one receipt for each of its records; see `Destination.send`."""
        begun = self._clock()
        sender = Sender(
            line=self._line,
            request=lambda part: self._signed(bodies.message_id(part.records), bodies.message(part, at=begun)),
            interpret=replies.interpret,
            lost=replies.lost,
            batch_of=lambda records, part: bodies.batch_of(records, self._policy, skip_hook=part.skip_hook),
            doubles=lambda part: False,
            auth_advice=_AUTH_ADVICE,
        )
        return sender.send(batch)

    def test(self) -> None:
        """Send a signed message without records: a receiver that knows our secret takes it."""
        now = self._clock()
        stamp = now.astimezone(UTC).isoformat(timespec="seconds")
        body = orjson.dumps({"type": "headwater.test", "timestamp": stamp, "data": {"records": []}})
        reply = self._line.ask(self._signed(f"msg_test_{int(now.timestamp())}", body))
        if reply.status in (401, 403, 410):
            raise AuthError(f"{replies.said(reply.status)}: {_AUTH_ADVICE}")
        if reply.status == 429:
            raise RateLimited("the webhook's receiver throttles us", retry_after_seconds=reply.retry_after_seconds)
        if reply.status >= 500:
            raise ServerFault(f"the webhook's receiver answered a test message with HTTP {reply.status}")
        if not 200 <= reply.status < 300:
            raise self._line.unreachable(f"a test message was answered with HTTP {reply.status}")

    def _signed(self, message_id: str, body: bytes) -> Request:
        timestamp = int(self._clock().timestamp())
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": bodies.signature(self._keys, message_id, timestamp, body),
        }
        return Request(method="POST", path=self._path, body=body, headers=headers)


def _key(secret: str) -> bytes:
    key = bodies.secret_of(secret)
    if key is None:
        raise AuthError(
            "the password of the webhook's connection must be a secret of the form whsec_… (base64 of 24 to 64 bytes)"
        )
    return key


def _path(text: object) -> str:
    path = str(text or "")
    return path if not path or path.startswith("/") else f"/{path}"
