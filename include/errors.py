"""Every error Headwater raises, sorted by what happens next.

::

    HeadwaterError
    ├── DefinitionError        a person must edit a file           never retried
    ├── FatalError             this run cannot succeed             never retried
    │   ├── AuthError          the org or platform refused our credentials
    │   │   └── CircuitOpen    it did before, so nothing was asked of it now
    │   ├── Unreachable        nobody listens where the connection points
    │   ├── ApiDisabled        the org or user may not use the API
    │   ├── QueryRefused       the org cannot run our SOQL
    │   ├── OrgChanged         the connection leads to another org than before
    │   ├── SchemaFrozen       a field changed in a way the policy forbids
    │   ├── MassDisappearance  too many records vanished at once
    │   ├── NotReady           what this step needs has not been made yet
    │   ├── GateClosed         the health gate stops this push
    │   ├── FastFailed         a batch failed and fast fail was asked for
    │   ├── PushStopped        somebody stopped a push, or its definition changed while it ran
    │   ├── PushFailed         too many records of a push failed
    │   ├── DiskShort          a load would fill the warehouse's disk
    │   ├── InvalidIdentifier  a record has none that is valid, and the push wants to stop then
    │   ├── SandboxRefused     a push for production met the records of a sandbox org
    │   ├── Unbalanced         outcomes do not add up to the input: a bug of ours
    │   └── SetupFailed        a local service could not be started
    └── RetryableError         the same call may work later        retried by RetryPolicy
        ├── QueryTooSlow       the org gave up on a query; Bulk takes longer ones
        ├── RateLimited        wait `retry_after_seconds`
        ├── AppUnknown         a connected app so new that the org may not know it yet: wait `retry_after_seconds`
        ├── BudgetPaused       wait until `until`; spends no try
        ├── ServerFault        the other side answered with an error of its own
        ├── ConnectionLost     the answer broke off or never came
        ├── JobFailed          a Bulk job ended without a result
        └── WarehouseDown      the warehouse does not answer

A bad *record* is never an exception: it is an outcome (`include.records.Outcome`).
A message says what was being done, to what, and what to do next; never a secret, never a person's data.
"""

from __future__ import annotations

from datetime import datetime


class HeadwaterError(Exception):
    """Be the base of everything Headwater raises on purpose."""


class DefinitionError(HeadwaterError):
    """Say that a definition is wrong: a person must edit a file. Never retried.

    Args:
        message: what is wrong and what to write instead.
        file: path of the file as the person knows it, or "" when it has none.
        key: dotted path of the key inside the file, or "".
    """

    def __init__(self, message: str, *, file: str = "", key: str = "") -> None:
        self.message = message
        self.file = file
        self.key = key
        super().__init__(": ".join(part for part in (file, key, message) if part))


class FatalError(HeadwaterError):
    """Say that this run cannot succeed, however often it is tried. Never retried; a person must act."""


class AuthError(FatalError):
    """Say that the org or platform refused our credentials; someone must mend the connection.

    Args:
        message: who refused, and which key of the connection to mend.
        code: the other side's own word for it, e.g. ``invalid_client_id``; "" when it gave none.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        self.code = code
        super().__init__(message)


class CircuitOpen(AuthError):
    """Say that a connection's credentials were refused before, so that no request was made now."""


class Unreachable(FatalError):
    """Say that nobody listens where the connection points; someone must mend host, port or network."""


class ApiDisabled(FatalError):
    """Say that the org or its user may not use the API; an administrator of the org must allow it."""


class QueryRefused(FatalError):
    """Say that the org cannot run our SOQL; the definition or the user's field rights must change.

    Args:
        message: what was asked and what to do.
        code: Salesforce's errorCode, e.g. ``MALFORMED_QUERY`` or ``INVALID_FIELD``.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        self.code = code
        super().__init__(message)


class OrgChanged(FatalError):
    """Say that the connection leads to another org than the one pinned at first contact."""


class SchemaFrozen(FatalError):
    """Say that a field changed in a way that the object's policy forbids."""


class MassDisappearance(FatalError):
    """Say that more than the allowed share of an object vanished at once; a person must approve."""


class NotReady(FatalError):
    """Say that something this step needs has not been made yet, e.g. an object's first load."""


class GateClosed(FatalError):
    """Say that the health gate stops this push; mend the findings or override the gate."""


class FastFailed(FatalError):
    """Say that a batch failed and fast fail was asked for; what came after it is held."""


class PushStopped(FatalError):
    """Say that a push was stopped while it ran: by a person, or because its definition changed; the rest is held."""


class PushFailed(FatalError):
    """Say that too many records of a push failed, or all of them."""


class DiskShort(FatalError):
    """Say that a load would fill the warehouse's disk; someone must make room before it can begin."""


class InvalidIdentifier(FatalError):
    """Say that a value is no valid identifier and that the push wants its run to fail then."""


class SandboxRefused(FatalError):
    """Say that a push marked for production would carry the records of a sandbox org."""


class Unbalanced(FatalError):
    """Say that the outcomes of a run do not add up to its input: a bug of ours, never to be ignored."""


class SetupFailed(FatalError):
    """Say that a local service could not be started; the message names the log to read."""


class RetryableError(HeadwaterError):
    """Say that the same call may work later. Retried by our RetryPolicy."""


class RateLimited(RetryableError):
    """Say that the other side asked us to slow down.

    Args:
        message: who limited what.
        retry_after_seconds: how long they asked us to wait, or None when they did not say.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class AppUnknown(RetryableError):
    """Say that an org knows no such connected app yet; a new one becomes active within ten minutes.

    Args:
        message: who does not know it, and how long that is waited for.
        retry_after_seconds: when to ask again.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class QueryTooSlow(RetryableError):
    """Say that the org gave up on a query after its two minutes; a Bulk job may take longer."""


class TableBusy(RetryableError):
    """Say that a table could not be changed because somebody reads it; waiting longer would hold up everybody else."""


class BudgetPaused(RetryableError):
    """Say that the API budget is used up until a known time. Waiting for it spends no try."""

    def __init__(self, message: str, *, until: datetime) -> None:
        self.until = until
        super().__init__(message)


class ServerFault(RetryableError):
    """Say that the other side answered with an error of its own (5xx, a page instead of JSON)."""


class RowsRepeated(ServerFault):
    """Say that an answer holds a record twice and no stamp tells which is newer, so that others may be missing."""


class ConnectionLost(RetryableError):
    """Say that an answer broke off or never came."""


class JobFailed(RetryableError):
    """Say that a Bulk job ended Failed or Aborted, or that its result has expired.

    Args:
        message: which job, for what, and what follows.
        code: the org's own word for the cause, e.g. ``QUERY_TIMEOUT``; "" when it gave none.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        self.code = code
        super().__init__(message)


class WarehouseDown(RetryableError):
    """Say that the warehouse does not answer."""
