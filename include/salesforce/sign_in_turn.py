"""Sign in when it is this task's turn: one sign-in for all, and a token that is good for one use is used once.

With rotation the org answers a refresh token with the next one, and ends everything when it meets an old one again.
Between the org's answer and our storing it lies a moment in which a process can die; the note that is made before the
token is sent tells the next one so.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from include.errors import AppUnknown, AuthError, HeadwaterError, RateLimited, RetryableError, Unreachable
from include.ports import SignInTurn
from include.salesforce.auth import Credentials, Session, read_session, sign_in, write_session
from include.salesforce.retirements import retirement
from include.salesforce.transport import Transport

APP_BECOMES_ACTIVE = timedelta(minutes=10)  # Salesforce help, "Create a Connected App"
STORING = timedelta(minutes=1)  # a living process that has the answer stores it within this time
_APP_PAUSE_SECONDS = 200.0  # three tries span the ten minutes

log = logging.getLogger(__name__)


def sign_in_alone(credentials: Credentials, transport: Transport, lost: Session | None, *, now: datetime) -> Session:
    """Return a new session that is shared with nobody, because there is nowhere to keep it."""
    session = _new_session(credentials, transport, lost, now)
    if session.refresh_token and session.refresh_token != (lost.refresh_token if lost else ""):
        log.warning(
            "%s rotates refresh tokens, and without a Fernet key (core.fernet_key) the new one cannot be kept: "
            "the next task will be refused. Set the key, or switch rotation off in the connected app",
            _host(session.instance_url),
        )
    return session


def take_turn(
    turn: SignInTurn, credentials: Credentials, transport: Transport, lost: Session | None, *, now: datetime
) -> tuple[Session, bool]:
    """Return the session that another task stored in the meantime, or a new one, stored, and True.

    Args:
        turn: held by nobody else.
        credentials: who signs in.
        transport: the HTTP below.
        lost: the session that the org no longer knows, or None.
        now: our clock.

    Raises:
        AppUnknown: the org does not know the connected app, and has not for less than ten minutes.
        RetryableError: a one-time token was sent moments ago and its answer may still be stored.
        AuthError: the org refused; the message names what to mend.
    """
    stored = read_session(turn.stored)
    if stored is not None and (lost is None or stored.access_token != lost.access_token):
        return stored, False
    if credentials.kind == "refresh_token":
        _announce(turn, credentials)
    try:
        session = _new_session(credentials, transport, stored or lost, now)
    except AuthError as error:
        turn.refused()
        raise _explained(error, turn, credentials, now) from error
    except (Unreachable, RateLimited):
        turn.unspent()
        raise
    turn.keep(write_session(session))
    return session, True


def _announce(turn: SignInTurn, credentials: Credentials) -> None:
    if turn.sent_ago is not None and turn.sent_ago < STORING:
        raise RetryableError(
            f"a refresh token went to {_host(credentials.login_url)} {turn.sent_ago.total_seconds():.0f} s ago and its"
            " answer is not stored yet; tried again shortly, because no token may be used twice"
        )
    turn.sending()


def _new_session(credentials: Credentials, transport: Transport, lost: Session | None, now: datetime) -> Session:
    ending = retirement(credentials.way_in)
    if ending:
        log.warning("%s: %s", _host(credentials.login_url), ending)
    return sign_in(credentials, transport, now=now, rotated=lost.refresh_token if lost else "")


def _explained(error: AuthError, turn: SignInTurn, credentials: Credentials, now: datetime) -> HeadwaterError:
    """Return the error with what this connection's past adds to it."""
    refused_ago = turn.refused_ago or timedelta()
    if error.code == "invalid_client_id" and not turn.stored_before and refused_ago < APP_BECOMES_ACTIVE:
        until = now + APP_BECOMES_ACTIVE - refused_ago
        return AppUnknown(
            f"could not sign in: {_host(credentials.login_url)} knows no connected app with this consumer_key"
            f" (invalid_client_id). A new app takes up to ten minutes to become active: tried again until {until:%H:%M}"
            " UTC. If it is not new, mend consumer_key",
            retry_after_seconds=min(_APP_PAUSE_SECONDS, max(1.0, (until - now).total_seconds())),
        )
    if credentials.kind == "refresh_token" and turn.sent_ago is not None:
        return AuthError(
            f"{error}. A process ended between sending the last refresh token and storing the one that came for it,"
            " so the org takes the kept one for stolen; only a new authorisation helps",
            code=error.code,
        )
    return error


def _host(url: str) -> str:
    return urlsplit(url).netloc or url
