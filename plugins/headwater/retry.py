"""Map our errors to what Airflow does next: retry soon, retry later, or fail at once."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryDecision

from include.errors import AppUnknown, DefinitionError, FatalError, RateLimited, RetryableError

if TYPE_CHECKING:
    from airflow.sdk import Context

_FIRST_PAUSE_SECONDS = 15.0
_LONGEST_PAUSE_SECONDS = 600.0
_LONGEST_ASKED_SECONDS = 3_600.0  # whoever asks for more is asked again then: a wrong header may say years


class HeadwaterRetryPolicy(RetryPolicy):
    """Retry what may work later, with growing, jittered pauses; fail at once what a person must mend.

    Anything that is not ours (a killed worker, a bug) follows Airflow's own `retries`.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide about one failure; runs in the task's process."""
        if isinstance(exception, DefinitionError | FatalError):
            return RetryDecision.fail(reason=f"{type(exception).__name__}: trying again would not help")
        if isinstance(exception, RateLimited | AppUnknown) and exception.retry_after_seconds is not None:
            asked = min(exception.retry_after_seconds, _LONGEST_ASKED_SECONDS)
            return RetryDecision.retry(timedelta(seconds=asked), reason="asked to wait")
        if isinstance(exception, RetryableError):
            return RetryDecision.retry(_pause(try_number), reason=f"{type(exception).__name__}: may work later")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return nothing: the policy has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> HeadwaterRetryPolicy:
        """Return the policy; there is only one."""
        return cls()


def _pause(try_number: int) -> timedelta:
    seconds = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** max(0, try_number - 1))
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # spreads the retries of many tasks
