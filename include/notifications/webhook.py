"""Send a message as JSON to an address that takes it by POST."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson
import urllib3

from include.errors import AuthError, ConnectionLost, FatalError, RateLimited, ServerFault
from include.records import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Hold where a webhook is; its path and headers may be secrets."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float = 20

    @property
    def host(self) -> str:
        """Return what may be named in a message."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def authorization(login: str, password: str) -> dict[str, str]:
    """Return the header for a login and password, or for a bare token; nothing without a password."""
    if not password:
        return {}
    if not login:
        return {"Authorization": f"Bearer {password}"}
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


class WebhookMessenger:
    """Send JSON to one address (`include.ports.Messenger`)."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            AuthError: the address refused us.
            FatalError: it does not take such messages.
            RateLimited, ServerFault, ConnectionLost: it may take it later.
        """
        hook = self._webhook
        try:
            with urllib3.PoolManager() as pool:
                answer = pool.request(
                    "POST",
                    hook.url,
                    body=orjson.dumps(message.body),
                    headers={**hook.headers, "Content-Type": "application/json"},
                    timeout=hook.timeout_seconds,
                    retries=False,
                    redirect=False,  # what we send is meant for this address and no other
                )
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionLost(f"the webhook at {hook.host} does not answer; the message waits") from error
        _judge(answer.status, answer.headers.get("retry-after"), hook.host)


def _judge(status: int, retry_after: str | None, host: str) -> None:
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise AuthError(f"the webhook at {host} refused us ({status}); mend its Airflow connection")
    if status == 429:
        seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
        raise RateLimited(f"the webhook at {host} asked us to wait", retry_after_seconds=seconds)
    if status >= 500:
        raise ServerFault(f"the webhook at {host} answered {status}; the message waits")
    raise FatalError(f"the webhook at {host} answered {status} and takes no such message; check its address")
