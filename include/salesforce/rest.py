"""Make metered, signed-in calls to one org; everything above says only what to ask.

A session is made once, kept in the token store and shared; when the org no longer knows it, the one that another task
stored since then is taken, else one fresh sign-in follows, and the call is made again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from include.errors import AuthError, ConnectionLost, OrgChanged, ServerFault, Unreachable
from include.ports import Clock, Meter, TokenStore
from include.salesforce.auth import Credentials, Session, read_session, session_key
from include.salesforce.limits import read_limit_info
from include.salesforce.refusals import Attempt, refusal
from include.salesforce.sign_in_turn import sign_in_alone, take_turn
from include.salesforce.transport import READ_SECONDS, OpenReply, Reply, Request, Transport, is_loopback


def utc_now() -> datetime:
    """Return now, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Hold one call: what to ask, what for, and what to know about it when it fails."""

    path: str
    doing: str  # "query Contact", for messages
    purpose: str
    method: str = "GET"
    object: str = ""
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    is_job: bool = False
    read_seconds: float = READ_SECONDS
    also_fine: frozenset[int] = frozenset()  # statuses that are an answer too, e.g. 304
    exact: bool = False  # numbers of records: as they were written, not as the nearest binary fraction


class Rest:
    """Make calls to one org as one user."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        transport: Transport,
        api_version: str,
        meter: Meter,
        tokens: TokenStore | None,
        compress: bool | None,
        clock: Clock,
    ) -> None:
        self.api_version = api_version
        self.clock = clock
        self._credentials = credentials
        self.transport = transport
        self._meter = meter
        self._tokens = tokens
        self._compress = compress
        self._key = session_key(credentials) if tokens is not None else ""
        self._session: Session | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections and settle the meter."""
        self.transport.close()
        self._meter.close()

    @property
    def way_in(self) -> str:
        """Return how the connection signs in (`Credentials.way_in`)."""
        return self._credentials.way_in

    def versioned(self, tail: str) -> str:
        """Return the path of a resource in our API version."""
        return f"/services/data/v{self.api_version}/{tail}"

    def session(self) -> Session:
        """Return the session: the one at hand, the stored one, or a new one."""
        with self._lock:
            if self._session is None:
                stored = read_session(self._tokens.get(self._key)) if self._tokens is not None else None
                self._session = stored or self._sign_in(None)[0]
            return self._session

    def org_now(self) -> datetime:
        """Return the org's clock, from the Date header of a page that needs no session and costs no call."""
        url = self.session().instance_url + "/services/data"
        request = Request(method="GET", url=url, doing="read the org's clock")
        with self._was_reached(request.doing):
            reply = self.transport.send(request)
        if reply.status != 200:
            attempt = Attempt(doing=request.doing, host=request.host)
            raise refusal(reply.status, reply.headers, reply.body, attempt, self.clock())
        try:
            return parsedate_to_datetime(reply.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError) as error:
            raise ServerFault(
                f"could not read the org's clock: {request.host} sent no Date header; a proxy may have removed it"
            ) from error

    def call(self, call: Call) -> Reply:
        """Return the answer to a call.

        Raises:
            HeadwaterError: as `refusals.refusal` says, or as `Transport.send` does.
        """
        session = self.session()
        with self._was_reached(call.doing):
            reply = self.transport.send(self._request(call, session), before=lambda: self._spend(call))
            fresh = False
            while _session_lost(reply) and not fresh:
                session, fresh = self._renewed(session)
                reply = self.transport.send(self._request(call, session), before=lambda: self._spend(call))
        self._settle(call, reply, session)
        return reply

    def read(self, call: Call) -> Any:
        """Return the JSON that answers a call."""
        return self.parsed(call, self.call(call))

    def parsed(self, call: Call, reply: Reply) -> Any:
        """Return the JSON of an answer.

        Raises:
            ServerFault: it is a page, or broken.
        """
        try:
            return json.loads(reply.body, parse_float=Decimal) if call.exact else orjson.loads(reply.body)
        except ValueError as error:
            attempt = self.attempt(call)
            raise refusal(reply.status, reply.headers, reply.body, attempt, self.clock()) from error

    def read_object(self, tail: str, *, doing: str, purpose: str) -> dict[str, Any]:
        """Return the JSON object at a path below our API version."""
        found: dict[str, Any] = self.read(Call(path=self.versioned(tail), doing=doing, purpose=purpose))
        return found

    @contextmanager
    def open(self, call: Call) -> Iterator[OpenReply]:
        """Yield an answer while its body streams; errors as `call`, before anything is yielded."""
        session = self.session()
        fresh = False
        while True:
            with (
                self._was_reached(call.doing),
                self.transport.open(self._request(call, session), before=lambda: self._spend(call)) as reply,
            ):
                if fresh or not _session_lost(reply):
                    self._settle(call, reply, session)
                    yield reply
                    return
            session, fresh = self._renewed(session)

    @contextmanager
    def _was_reached(self, doing: str) -> Iterator[None]:
        """Take an org that cannot be reached for one that went away: it gave us a session, so the connection is right.

        A session that a person wrote into the connection proves nothing.
        """
        try:
            yield
        except Unreachable as error:
            if self._credentials.kind == "session":
                raise
            host = urlsplit(self.session().instance_url).netloc
            raise ConnectionLost(
                f"could not {doing}: {host} cannot be reached now, though it signed us in; it can be tried again"
            ) from error

    def attempt(self, call: Call) -> Attempt:
        """Return what messages about a call begin with."""
        host = urlsplit(self.session().instance_url).netloc
        return Attempt(doing=call.doing, host=host, object=call.object, is_job=call.is_job)

    def _spend(self, call: Call) -> None:
        self._meter.spend(1, purpose=call.purpose, object=call.object)

    def _request(self, call: Call, session: Session) -> Request:
        compress = self._compress if self._compress is not None else not is_loopback(session.instance_url)
        headers = {
            "Authorization": f"Bearer {session.access_token}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip" if compress else "identity",
            "User-Agent": "headwater",
            **call.headers,
        }
        if call.body is not None:
            headers["Content-Type"] = "application/json; charset=UTF-8"
        return Request(
            method=call.method,
            url=session.instance_url + call.path,
            headers=headers,
            body=None if call.body is None else orjson.dumps(call.body),
            repeatable=call.repeatable,
            doing=call.doing,
            read_seconds=call.read_seconds,
        )

    def _settle(self, call: Call, reply: Reply | OpenReply, session: Session) -> None:
        usage = read_limit_info(reply.headers.get("sforce-limit-info"))
        if usage is not None:
            self._meter.observe(usage.used, usage.limit)
        if reply.status >= 300 and reply.status not in call.also_fine:
            raise refusal(reply.status, reply.headers, reply.body, self.attempt(call), self.clock())

    def _renewed(self, lost: Session) -> tuple[Session, bool]:
        """Return the session that follows a lost one, and whether it is so fresh that asking for another is vain."""
        with self._lock:
            if self._session is not None and self._session.access_token != lost.access_token:
                return self._session, False  # another thread was faster
            self._session, fresh = self._sign_in(lost)
            return self._session, fresh

    def _sign_in(self, lost: Session | None) -> tuple[Session, bool]:
        if lost is not None and self._credentials.kind == "session":
            raise AuthError(
                f"{urlsplit(lost.instance_url).netloc} no longer accepts the access_token of the connection; "
                "put in a new one, or consumer_key and consumer_secret, so that it can sign in by itself"
            )
        if self._tokens is None:
            session, fresh = sign_in_alone(self._credentials, self.transport, lost, now=self.clock()), True
        else:
            with self._tokens.turn(self._key) as turn:
                # Also another org's is kept: only so the next run meets it at once, when it pins.
                session, fresh = take_turn(turn, self._credentials, self.transport, lost, now=self.clock())
        return (_of_same_org(session, lost) if lost is not None else session), fresh


def _of_same_org(session: Session, lost: Session) -> Session:
    """Return the session that takes the place of a lost one.

    Whoever checked which org this is checked the lost session: what follows must not come from another one.

    Raises:
        OrgChanged: it belongs to another org.
    """
    # 15 characters tell orgs apart; the last three are a checksum that some answers leave out.
    if session.org_id[:15] != lost.org_id[:15]:
        raise OrgChanged(
            f"{urlsplit(lost.instance_url).netloc} ended the session of org {lost.org_id}, and the new sign-in led"
            f" to org {session.org_id or 'without an id'} at {urlsplit(session.instance_url).netloc}. Nothing was"
            " read from it. Point the connection back, or define the other org under a name of its own"
        )
    return session


def _session_lost(reply: Reply | OpenReply) -> bool:
    return reply.status == 401
