"""Send batches over a line until their results are final: attempts, pauses, halves, and what is said when none helps.

A platform's file brings what is its own: the request of a batch, what an answer means, what a lost answer means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from include.destinations.line import Line, Request
from include.destinations.protocol import Batch, BatchResult, NextStep, Reply
from include.destinations.results import not_sent, throttled
from include.errors import AuthError, ConnectionLost, HeadwaterError, RateLimited, ServerFault, Unreachable
from include.records import Profile

_AGAIN = (NextStep.RETRY, NextStep.WAIT, NextStep.MISDIRECTED, NextStep.STOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Send the batches of one kind of request.

    Args:
        line: the way to the platform.
        request: makes the request of a batch.
        interpret: decides what an answer means.
        lost: decides what it means that no answer came.
        batch_of: makes a batch of some records of another one, whatever their size.
        doubles: says whether sending this batch twice could double something at the platform.
        auth_advice: what to tell a person when the platform refuses the credentials.
    """

    line: Line
    request: Callable[[Batch], Request]
    interpret: Callable[[Batch, Reply], BatchResult]
    lost: Callable[[Batch, str], BatchResult]
    batch_of: Callable[[tuple[Profile, ...], Batch], Batch]
    doubles: Callable[[Batch], bool]
    auth_advice: str

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch and return one receipt for each of its records, the refused ones first.

        Raises:
            AuthError, RateLimited, Unreachable: nothing of this batch was taken.
        """
        if not batch.records:
            return BatchResult(receipts=batch.refused)
        result = self._settle(batch, may_bisect=True)
        return replace(result, receipts=batch.refused + result.receipts)

    def _settle(self, batch: Batch, *, may_bisect: bool) -> BatchResult:
        result = self._try(batch)
        if result.next_step is NextStep.SPLIT:
            return self._halves(batch, result.requests, may_bisect=may_bisect)
        if result.next_step is NextStep.BISECT and may_bisect:
            return self._halves(batch, result.requests, may_bisect=False)
        return replace(result, next_step=NextStep.DONE)

    def _halves(self, batch: Batch, requests: int, *, may_bisect: bool) -> BatchResult:
        middle = len(batch.records) // 2
        first, second = (self.batch_of(half, batch) for half in (batch.records[:middle], batch.records[middle:]))
        one = self._settle(first, may_bisect=may_bisect)
        try:
            two = self._settle(second, may_bisect=may_bisect)
        except HeadwaterError as error:
            # The receipts of the first half must not get lost; the next batch will meet the same error.
            two = not_sent(second, str(error))
        return joined(one, two, requests=requests)

    def _try(self, batch: Batch) -> BatchResult:
        """Make the request until its result is final, as often and as long as we allow ourselves."""
        unsure: BatchResult | None = None  # what to report if a later attempt is not even taken
        attempt = 0
        while True:
            attempt += 1
            result = replace(self._attempt(batch), requests=attempt)
            if result.next_step not in _AGAIN:
                return result
            if result.next_step is NextStep.RETRY:
                unsure = result
            pause = self._pause(result, attempt)
            if pause is None:
                break
            self.line.patience.sleep(pause)
        if unsure is not None and (result is unsure or self.doubles(batch)):
            return replace(unsure, requests=attempt)
        raise self._error(result)

    def _pause(self, result: BatchResult, attempt: int) -> float | None:
        if result.next_step is NextStep.STOP or result.cause == "misdirected":
            return None
        return self.line.patience.pause(attempt, result.retry_after_seconds)

    def _attempt(self, batch: Batch) -> BatchResult:
        try:
            reply = self.line.ask(self.request(batch))
        except Unreachable as error:
            held = not_sent(batch, str(error))
            return replace(held, next_step=NextStep.MISDIRECTED, cause="unreachable", message="nobody listens")
        except RateLimited as error:  # of our own bucket: this attempt was not made, an earlier one may have been taken
            return throttled(batch, wait=error.retry_after_seconds)
        except ConnectionLost:
            return self.lost(batch, "no answer came: the connection broke off or timed out")
        return self.interpret(batch, reply)

    def _error(self, result: BatchResult) -> HeadwaterError:
        if result.next_step is NextStep.STOP:
            return AuthError(self.auth_advice)
        if result.next_step is NextStep.WAIT:
            return self.line.still_throttled(result.requests, result.retry_after_seconds)
        return self.line.unreachable(result.message)


def joined(one: BatchResult, two: BatchResult, *, requests: int = 0) -> BatchResult:
    """Return two results as one, with the requests that were made besides."""
    return replace(
        one,
        receipts=one.receipts + two.receipts,
        cause=one.cause or two.cause,
        message=one.message or two.message,
        requests=requests + one.requests + two.requests,
    )


def prove(
    line: Line,
    request: Request,
    *,
    refuses: Callable[[Reply], bool],
    is_ours: Callable[[Reply], bool],
    auth_advice: str,
) -> Reply:
    """Make one reading call and return its answer, which is the platform's own.

    Args:
        line: the way to the platform.
        request: the call.
        refuses: says whether an answer refuses our credentials.
        is_ours: says whether an answer with status 200 can come from the platform.
        auth_advice: what to tell a person when the platform refuses the credentials.

    Raises:
        AuthError: the platform refuses our credentials.
        Unreachable: nobody (or something else) listens there.
        RateLimited, ServerFault, ConnectionLost: ask again later.
    """
    reply = line.ask(request)
    if refuses(reply):
        raise AuthError(auth_advice)
    if reply.status == 429:
        message = f"{line.title} throttles this account"
        raise RateLimited(message, retry_after_seconds=reply.retry_after_seconds)
    if reply.status >= 500:
        raise ServerFault(f"{line.title} answered a test call with HTTP {reply.status}")
    if reply.status != 200 or not is_ours(reply):
        raise line.unreachable(f"something else answers (HTTP {reply.status})")
    return reply
