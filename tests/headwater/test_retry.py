"""What Airflow does next follows from the kind of error alone."""

from __future__ import annotations

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from headwater.retry import HeadwaterRetryPolicy
from include import errors
from include.errors import (
    BudgetPaused,
    DefinitionError,
    FatalError,
    HeadwaterError,
    RateLimited,
    RetryableError,
)

POLICY = HeadwaterRetryPolicy()
CONCRETE = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, HeadwaterError) and each is not BudgetPaused
]


def decide(error: BaseException, try_number: int = 1) -> tuple[RetryAction, float | None]:
    decision = POLICY.evaluate(error, try_number, 4)
    return decision.action, decision.retry_delay.total_seconds() if decision.retry_delay else None


@pytest.mark.parametrize("kind", [each for each in CONCRETE if issubclass(each, DefinitionError | FatalError)])
def test_what_a_person_must_mend_fails_at_once(kind: type[HeadwaterError]) -> None:
    """Trying again would only hide it for longer."""
    assert decide(kind("message")) == (RetryAction.FAIL, None)


@pytest.mark.parametrize("kind", [each for each in CONCRETE if issubclass(each, RetryableError)])
def test_what_may_work_later_is_retried(kind: type[HeadwaterError]) -> None:
    """The first pause is short."""
    action, seconds = decide(kind("message"))

    assert action is RetryAction.RETRY
    assert 12 <= seconds <= 18


def test_pauses_grow_and_have_an_end() -> None:
    """A fault that lasts is not hammered, and not forgotten either."""
    pauses = [decide(RetryableError("message"), try_number)[1] for try_number in (1, 3, 5, 20)]

    assert pauses[0] < pauses[1] < pauses[2] <= 720
    assert pauses[3] <= 720


def test_a_named_wait_is_kept() -> None:
    """The other side knows best when it is ready again."""
    assert decide(RateLimited("message", retry_after_seconds=90)) == (RetryAction.RETRY, 90.0)
    assert decide(RateLimited("message", retry_after_seconds=3e7)) == (RetryAction.RETRY, 3600.0)


def test_what_is_not_ours_follows_airflow() -> None:
    """A bug or a killed worker is retried as the DAG says."""
    assert decide(KeyError("x")) == (RetryAction.DEFAULT, None)
