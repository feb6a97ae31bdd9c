"""What a user granted to an app: refresh tokens, reusable or rotated, and the codes that lead to them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from include.sandbox.org.clock import Clock
from include.sandbox.org.credentials import CLIENT_ID, REFRESH_TOKEN, USER_ID
from include.sandbox.org.sessions import Sessions
from include.sandbox.org.token_store import TokenStore, token_hash

SCOPE = "api refresh_token id web"
CODE_SECONDS = 15 * 60.0
_STANDING = 1  # the grant behind the fixed refresh token: always there, so that nobody has to click first
_MOST_LIVE = 5  # approvals of one app by one user; the sixth revokes the oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Hold what a user granted: to which app, for what."""

    id: int
    client_id: str
    user_id: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Hold what a user said yes to, until the app redeems its code."""

    client_id: str
    user_id: str
    scope: str
    redirect_uri: str
    challenge: str = ""
    method: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Hold a code as the store knows it; `dead` says that it was spent or is too old."""

    approval: Approval
    dead: bool


class Grants:
    """Open, redeem and revoke grants."""

    def __init__(self, clock: Clock, store: TokenStore, sessions: Sessions, *, rotate: bool = False) -> None:
        self.rotate = rotate
        self._clock = clock
        self._store = store
        self._sessions = sessions
        if not store.rows("SELECT 1 FROM grants WHERE id = ?", (_STANDING,)):
            self._stand()

    # -- refresh tokens

    def open(self, client_id: str, user_id: str, scope: str) -> tuple[Grant, str]:
        """Open a grant and return it with its first refresh token."""
        with self._store.together():
            live = self._store.rows(
                "SELECT id FROM grants WHERE client_id = ? AND user_id = ? AND NOT revoked AND id <> ?"
                " ORDER BY id DESC",
                (client_id, user_id, _STANDING),
            )
            for (oldest,) in live[_MOST_LIVE - 1 :]:
                self._end(oldest)
            number = self._store.insert(
                "grants", client_id=client_id, user_id=user_id, scope=scope, opened=self._clock.epoch(), revoked=0
            )
            token = self._issue(number)
        return Grant(id=number, client_id=client_id, user_id=user_id, scope=scope), token

    def redeem(self, token: str, client_id: str) -> tuple[Grant, str | None] | None:
        """Return the grant of a refresh token, with a new token if they rotate, or None if it can't be redeemed.

        A token that was rotated away comes back only if two hold it, so its whole grant ends.
        """
        with self._store.together():
            found = self._found(token)
            if found is None or found[0].client_id != client_id:
                return None
            grant, spent = found
            if spent:
                self._end(grant.id)
                return None
            if not self.rotate:
                return grant, None
            self._store.change("UPDATE refresh_tokens SET spent = 1 WHERE hash = ?", (token_hash(token),))
            return grant, self._issue(grant.id)

    def find(self, token: str) -> Grant | None:
        """Return the grant of a live refresh token, or None."""
        found = self._found(token)
        return found[0] if found is not None and not found[1] else None

    def covers(self, client_id: str, user_id: str, scope: str) -> bool:
        """Say whether the user has granted all of this to the app before, so that nobody has to be asked again."""
        rows = self._store.rows(
            "SELECT scope FROM grants WHERE client_id = ? AND user_id = ? AND NOT revoked AND id <> ?",
            (client_id, user_id, _STANDING),
        )
        return any(set(scope.split()) <= set(granted.split()) for (granted,) in rows)

    def revoke(self, token: str) -> bool:
        """End the grant of a refresh token with all its sessions; say whether there was one."""
        with self._store.together():
            found = self._found(token)
            if found is None:
                return False
            self._end(found[0].id)
            return True

    def forgive(self) -> None:
        """Make revoked refresh tokens good again, for the next test; the fixed one even if it was rotated away."""
        with self._store.together():
            self._store.change("UPDATE grants SET revoked = 0")
            self._store.change("UPDATE refresh_tokens SET spent = 0 WHERE hash = ?", (token_hash(REFRESH_TOKEN),))

    def count(self) -> int:
        """Return how many grants are alive."""
        return int(self._store.rows("SELECT count(*) FROM grants WHERE NOT revoked")[0][0])

    def _found(self, token: str) -> tuple[Grant, bool] | None:
        rows = self._store.rows(
            "SELECT g.id, g.client_id, g.user_id, g.scope, r.spent FROM refresh_tokens r"
            " JOIN grants g ON g.id = r.grant_id WHERE r.hash = ? AND NOT g.revoked",
            (token_hash(token),),
        )
        if not rows:
            return None
        number, client_id, user_id, scope, spent = rows[0]
        return Grant(id=number, client_id=client_id, user_id=user_id, scope=scope), bool(spent)

    def _issue(self, grant_id: int) -> str:
        token = "5Aep861" + secrets.token_urlsafe(60).replace("-", ".")
        self._store.insert("refresh_tokens", hash=token_hash(token), grant_id=grant_id, spent=0)
        return token

    def _end(self, grant_id: int) -> None:
        self._store.change("UPDATE grants SET revoked = 1 WHERE id = ?", (grant_id,))
        self._sessions.end_of_grant(grant_id)

    def _stand(self) -> None:
        with self._store.together():
            self._store.insert(
                "grants", id=_STANDING, client_id=CLIENT_ID, user_id=USER_ID, scope=SCOPE, opened=self._clock.epoch(),
                revoked=0,
            )  # fmt: skip
            self._store.insert("refresh_tokens", hash=token_hash(REFRESH_TOKEN), grant_id=_STANDING, spent=0)

    # -- codes

    def issue_code(self, approval: Approval) -> str:
        """Return a code for what a user said yes to; it holds signs that clients have to decode, as Salesforce's do."""
        code = "aPrx" + base64.b64encode(secrets.token_bytes(52)).decode()
        self._store.insert(
            "codes", hash=token_hash(code), client_id=approval.client_id, user_id=approval.user_id,
            scope=approval.scope, redirect_uri=approval.redirect_uri, challenge=approval.challenge,
            method=approval.method, nonce=approval.nonce, issued=self._clock.epoch(), spent=0,
        )  # fmt: skip
        return code

    def spend_code(self, code: str) -> Code | None:
        """Return what a code stands for and use it up, or None if there never was such a code."""
        known = token_hash(code)
        with self._store.together():
            rows = self._store.rows(
                "SELECT client_id, user_id, scope, redirect_uri, challenge, method, nonce, issued, spent FROM codes"
                " WHERE hash = ?",
                (known,),
            )
            self._store.change("UPDATE codes SET spent = 1 WHERE hash = ?", (known,))
        if not rows:
            return None
        client_id, user_id, scope, redirect_uri, challenge, method, nonce, issued, spent = rows[0]
        approval = Approval(
            client_id=client_id, user_id=user_id, scope=scope, redirect_uri=redirect_uri, challenge=challenge,
            method=method, nonce=nonce,
        )  # fmt: skip
        return Code(approval=approval, dead=bool(spent) or self._clock.epoch() - issued > CODE_SECONDS)

    # -- callbacks beside the registered ones

    def know_callback(self, uri: str) -> None:
        """Let codes be sent to another address too."""
        self._store.change("INSERT OR IGNORE INTO callbacks VALUES (?)", (uri,))

    def known_callbacks(self) -> list[str]:
        """Return the addresses that were added."""
        return [uri for (uri,) in self._store.rows("SELECT uri FROM callbacks ORDER BY uri")]
