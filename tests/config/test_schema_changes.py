"""What a person may write about schema changes, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from include.config.orgs import OrgDefinition
from include.config.schema_changes import ChangeClass, Policy


def org(**schema_changes: object) -> OrgDefinition:
    return OrgDefinition.model_validate({"org": "a", "connection": "c", "schema_changes": schema_changes})


def test_without_a_word_everything_is_followed_but_another_type() -> None:
    """A value is never cast silently."""
    policies = org().schema_changes
    assert {each: policies.policy_of("Lead", each) for each in ChangeClass if each is not ChangeClass.TYPE} == {
        each: Policy.EVOLVE for each in ChangeClass if each is not ChangeClass.TYPE
    }
    assert policies.policy_of("Lead", ChangeClass.TYPE) is Policy.FAIL


def test_an_object_differs_only_where_it_says_so() -> None:
    """Every other class is the org's."""
    policies = org(added="freeze", label="fail", objects={"Contact": {"added": "evolve"}}).schema_changes
    assert policies.policy_of("Contact", ChangeClass.ADDED) is Policy.EVOLVE
    assert policies.policy_of("Contact", ChangeClass.LABEL) is Policy.FAIL
    assert policies.policy_of("Lead", ChangeClass.ADDED) is Policy.FREEZE


@pytest.mark.parametrize(
    "wrong",
    [
        {"aded": "evolve"},
        {"added": "ignore"},
        {"objects": {"Contct": {"added": "evolve"}}},
        {"objects": {"Lead": "fail"}},
    ],
)
def test_a_slip_is_refused(wrong: dict[str, object]) -> None:
    """A policy that would never be used is one."""
    with pytest.raises(ValidationError):
        org(**wrong)
