"""Judge a connection from what the org answered and what our ledgers remember; pure.

The six symptoms are those that people meet: the sign-in fails, no fields, nothing is synced, profiles are missing, a
query is refused, journeys start that nobody wanted. Each finding names its cause and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from include.records import ConnectionPast as Past


class State(StrEnum):
    """Say what was found about a right or a symptom."""

    FINE = "fine"
    FOUND = "found"  # the symptom is there, or the right is missing
    UNKNOWN = "unknown"  # it could not be looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAnswer:
    """Hold what the org said about one object; a problem is the refusal in our words, "" when it answered."""

    object: str
    fields: int = 0
    stamped: bool = True  # it has a field that tells when a record changed
    describe_problem: str = ""
    read_problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Hold what the org said; None: it did not tell."""

    org_id: str
    instance_url: str
    versions: tuple[str, ...] = ()
    name: str = ""
    instance: str = ""
    edition: str = ""
    is_sandbox: bool | None = None
    trial_ends_at: str = ""
    calls_left: int | None = None
    calls_allowed: int | None = None
    objects: tuple[ObjectAnswer, ...] = ()
    bulk_problem: str = ""
    audit_problem: str = ""
    sees_everything: bool | None = None  # the permission View All Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Say how it stands with one right or symptom."""

    subject: str
    state: State
    cause: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReport:
    """Hold all that a check found; holds no secret."""

    org: str
    signs_in_by: str
    api_version: str
    answers: Answers | None  # None: there was no sign-in
    rights: tuple[Finding, ...] = ()
    symptoms: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Return whether no symptom was found."""
        return not any(each.state is State.FOUND for each in self.symptoms)

    @property
    def newest_version(self) -> str:
        """Return the newest API version of the org, or "" when it did not tell."""
        return self.answers.versions[-1] if self.answers and self.answers.versions else ""


def judge_rights(answers: Answers) -> tuple[Finding, ...]:
    """Return one finding per capability, for a person who gives rights."""
    read = [
        _right(f"read {each.object}", each.describe_problem or each.read_problem, _READ_REMEDY)
        for each in answers.objects
    ]
    describe = next((each.describe_problem for each in answers.objects if each.describe_problem), "")
    deleted = next((each.read_problem for each in answers.objects if each.read_problem), "")
    return (
        *read,
        _right("describe objects and fields", describe, "give the user access to the object and its fields"),
        _right("read deleted records (queryAll)", deleted, _READ_REMEDY),
        _right(
            "Bulk API 2.0", answers.bulk_problem, "give the user's profile “API Enabled”; the edition must have the API"
        ),
        _sees_everything(answers.sees_everything),
        _right(
            "setup audit trail",
            answers.audit_problem,
            "give the user “View Setup and Configuration”; without it nobody is named for a change of metadata",
        ),
    )


def judge_symptoms(answers: Answers, past: Past, *, definition_errors: Sequence[str]) -> tuple[Finding, ...]:
    """Return the six symptoms of a connection that could sign in.

    Args:
        answers: what the org said.
        past: what our ledgers remember.
        definition_errors: unknown objects and fields that definitions of this org name.
    """
    return (
        _sign_in_leads_here(answers, past),
        _no_fields(answers),
        _nothing_synced(answers, past),
        _missing_profiles(past),
        _query_refused(answers, past, definition_errors),
        _unwanted_journeys(past),
    )


def judge_no_sign_in(problem: str, past: Past) -> tuple[Finding, ...]:
    """Return the six symptoms of a connection that could not sign in: the rest cannot be looked at in the org."""
    told = problem.removeprefix("could not sign in: ")
    cause, _, remedy = told.partition(": " if ": " in told else "; ")
    first = Finding(subject=SIGN_IN, state=State.FOUND, cause=cause, remedy=remedy or "see the log of the last run")
    waiting = "there is no sign-in"
    return (
        first,
        Finding(subject=NO_FIELDS, state=State.UNKNOWN, cause=waiting),
        Finding(subject=NOTHING_SYNCED, state=State.FOUND, cause=waiting, remedy="mend the sign-in first"),
        _missing_profiles(past),
        Finding(subject=QUERY_REFUSED, state=State.UNKNOWN, cause=waiting),
        _unwanted_journeys(past),
    )


SIGN_IN = "Sign-in fails"
NO_FIELDS = "No fields"
NOTHING_SYNCED = "Nothing is synced"
MISSING_PROFILES = "Profiles are missing at the platform"
QUERY_REFUSED = "A query is refused"
UNWANTED_JOURNEYS = "Unwanted journeys"
_READ_REMEDY = "give the connection's user Read on the object (permission set or profile), or mend its API name"


def _right(subject: str, problem: str, remedy: str) -> Finding:
    if not problem:
        return Finding(subject=subject, state=State.FINE)
    return Finding(subject=subject, state=State.FOUND, cause=problem, remedy=remedy)


def _sees_everything(told: bool | None) -> Finding:
    subject = "see every record (View All Data)"
    if told is None:
        return Finding(subject=subject, state=State.UNKNOWN, cause="the org does not tell")
    if told:
        return Finding(subject=subject, state=State.FINE)
    return Finding(
        subject=subject,
        state=State.FOUND,
        cause="the user sees only what is shared with it; a record that is not shared looks like one that is gone",
        remedy="give the user “View All Data”, or make sure that sharing covers all that is to be read",
    )


def _sign_in_leads_here(answers: Answers, past: Past) -> Finding:
    if past.pinned_org_id and past.pinned_org_id[:15] != answers.org_id[:15]:
        return Finding(
            subject=SIGN_IN,
            state=State.FOUND,
            cause=f"it leads to org {answers.org_id}, and the warehouse holds {past.pinned_org_id}",
            remedy="point the connection back, or define the other org under a name of its own",
        )
    return Finding(subject=SIGN_IN, state=State.FINE)


def _no_fields(answers: Answers) -> Finding:
    without = [each for each in answers.objects if each.describe_problem or not each.fields]
    if not without:
        return Finding(subject=NO_FIELDS, state=State.FINE)
    names = ", ".join(each.object for each in without)
    problem = next((each.describe_problem for each in without if each.describe_problem), "")
    return Finding(
        subject=NO_FIELDS,
        state=State.FOUND,
        cause=f"{names}: {problem or 'the user sees none of the fields'}",
        remedy="give the user Read on the object and on its fields; write API names (Industry__c), not labels",
    )


def _nothing_synced(answers: Answers, past: Past) -> Finding:
    def found(cause: str, remedy: str) -> Finding:
        return Finding(subject=NOTHING_SYNCED, state=State.FOUND, cause=cause, remedy=remedy)

    if answers.calls_left == 0:
        return found("the org has no API calls left", "wait for the org's count to roll, or see the API usage page")
    failed = [each for each in past.objects if each.state == "failed"]
    if failed:
        return found(f"the last run of {failed[0].object} failed: {failed[0].message}", "mend that and clear the task")
    if past.budget_pause:
        return found(past.budget_pause, "wait, or raise `budget` in the org's definition")
    never = [each.object for each in past.objects if each.first_loaded_at is None]
    if never:
        return found(
            f"the first load of {', '.join(never)} is not complete", "unpause the org's extract DAG and let it run"
        )
    return Finding(
        subject=NOTHING_SYNCED,
        state=State.FINE,
        cause="no rows in a run mean that no record changed: that is a success",
    )


def _missing_profiles(past: Past) -> Finding:
    missing = [each for each in past.pushes if each.causes]
    if not past.pushes or not any(each.ever_ran for each in past.pushes):
        return Finding(subject=MISSING_PROFILES, state=State.UNKNOWN, cause="no push of this org has run")
    if not missing:
        return Finding(subject=MISSING_PROFILES, state=State.FINE)
    causes = "; ".join(
        f"{each.push}: " + ", ".join(f"{count:,} {cause}" for cause, count in each.causes.items()) for each in missing
    )
    return Finding(
        subject=MISSING_PROFILES,
        state=State.FOUND,
        cause=causes,
        remedy="records without a valid identifier are skipped: mend them in Salesforce or map another identifier; "
        "not_at_platform is by `match: update_only`; what was rejected stands with its cause in headwater.sync_error",
    )


def _query_refused(answers: Answers, past: Past, definition_errors: Sequence[str]) -> Finding:
    refused = [each.read_problem for each in answers.objects if each.read_problem and not each.describe_problem]
    causes = [*refused, *definition_errors]
    if not causes:
        return Finding(subject=QUERY_REFUSED, state=State.FINE)
    more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
    return Finding(
        subject=QUERY_REFUSED,
        state=State.FOUND,
        cause=causes[0] + more,
        remedy="correct the definition: SOQL knows API names, not labels; `make check-definitions` lists them all",
    )


def _unwanted_journeys(past: Past) -> Finding:
    starting = [each.push for each in past.pushes if not each.skip_hook and not each.ever_ran]
    if starting:
        return Finding(
            subject=UNWANTED_JOURNEYS,
            state=State.FOUND,
            cause=f"the first run of {', '.join(starting)} sends every record and starts journeys for them",
            remedy="trigger its first run with *Skip hook*, or set `skip_hook: true` for it",
        )
    hooked = [each.push for each in past.pushes if not each.skip_hook]
    start = "starts" if len(hooked) == 1 else "start"
    told = f"{', '.join(hooked)} {start} journeys for changed records, as defined" if hooked else ""
    return Finding(subject=UNWANTED_JOURNEYS, state=State.FINE, cause=told)
