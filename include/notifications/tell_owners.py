"""Tell the owners of records of their own new findings: one mail each, and no second one for the same finding.

Who was told is written down after the mail was taken: killed between the two, that owner is told once more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from include.config.checks import CheckDefinition
from include.config.notify import ChannelDefinition
from include.config.orgs import OrgDefinition
from include.errors import FatalError, HeadwaterError
from include.notifications.health import mutes_of
from include.notifications.owners import OwnerMail, compose_owner_mail, mails_for
from include.ports import Messenger
from include.warehouse.engine import transaction
from include.warehouse.health.assessments import AssessmentRow, IssueResult, issues_of, latest_assessment
from include.warehouse.health.mutes import Mute, mutes
from include.warehouse.health.owner_findings import (
    BEGINNING,
    OwnedFindings,
    ToldUpTo,
    note_passed,
    note_told,
    objects_with_new_findings,
    owned_findings,
    told_up_to,
    users_above,
)
from include.warehouse.locks import object_lock
from include.warehouse.notifications import raise_notification
from include.warehouse.orgs import instance_url

EVENT = "owners_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersTold:
    """Count the mails, the owners who wait for a later one and those whom nobody can be told of."""

    mails: int = 0
    findings: int = 0
    waiting: int = 0
    unreachable: int = 0
    problems: tuple[HeadwaterError, ...] = ()


def tell_owners(
    engine: Engine,
    org: OrgDefinition,
    checks: Mapping[str, CheckDefinition],
    *,
    messenger: Callable[[ChannelDefinition], Messenger],
    now: datetime,
    airflow_url: str = "",
) -> OwnersTold:
    """Send each owner what is new since the owner was told last; two runs at once wait for each other.

    The first mail that an owner gets says how things stand; those after it only what is new.
    """
    latest = latest_assessment(engine, org.org)
    if latest is None:
        return OwnersTold()
    with object_lock(engine, org.org, "owners", wait=True):
        with transaction(engine) as connection:
            told = told_up_to(connection, org.org)
            if "" not in told:  # telling begins
                note_told(connection, org.org, [""], BEGINNING, now)
                told = told_up_to(connection, org.org)
            found = {each.check_id: each for each in issues_of(engine, latest.assessment_id)}
            issues = _told_of(org, checks, found, latest, mutes(connection, org.org))
            findings = list(_findings(connection, org, latest, issues, told))
            users = users_above(connection, org.schema_name, {each.owner_id for each in findings})
            base = instance_url(connection, org.org)
        early = _told_lately(org, told, now)
        first = {each.owner_id for each in findings if _never_told(told, each.owner_id)}
        due = [each for each in findings if each.owner_id not in early]
        mails, lost = mails_for(due, users, org.health.owners, first=first)
        chosen, left = mails[: org.health.owners.max_mails], mails[org.health.owners.max_mails :]
        waiting = {each.owner_id for each in findings} & early | {owner for mail in left for owner in mail.owners}
        problems = []
        for mail in chosen:
            try:
                _send(engine, org, mail, issues, latest, messenger, now=now, base=base, airflow_url=airflow_url)
            except HeadwaterError as error:
                problems.append(error)
                waiting |= set(mail.owners)
        sent = [mail for mail in chosen if not waiting & set(mail.owners)]
        with transaction(engine) as connection:
            note_passed(connection, org.org, latest.assessment_id, waiting)
            _write_down(connection, org, latest, sent)
    return OwnersTold(
        mails=len(sent),
        findings=sum(mail.new for mail in sent),
        waiting=len(waiting),
        unreachable=len(lost),
        problems=tuple(problems),
    )


def _told_of(
    org: OrgDefinition,
    checks: Mapping[str, CheckDefinition],
    issues: Mapping[str, IssueResult],
    latest: AssessmentRow,
    said: Sequence[Mute],
) -> dict[str, IssueResult]:
    """Return the issues that owners are told of: over their threshold, not muted, and no team's own."""
    muted = {each.check_id for each in (*mutes_of(checks), *said) if each.holds_on(latest.assessed_at.date())}
    teams = {name for name, check in checks.items() if check.owner}
    return {name: issue for name, issue in issues.items() if issue.verdict == "failed" and name not in muted | teams}


def _findings(
    connection: Connection,
    org: OrgDefinition,
    latest: AssessmentRow,
    issues: Mapping[str, IssueResult],
    told: Mapping[str, ToldUpTo],
) -> list[OwnedFindings]:
    after = min(each.assessment_id for each in told.values())
    objects = objects_with_new_findings(
        connection, org.org, after=after, assessment_id=latest.assessment_id, checks=list(issues)
    )
    found = _owned(connection, org, latest, objects)
    first = {each.owner_id for each in found if _never_told(told, each.owner_id)}
    if not first:
        return found
    everything: dict[str, list[str]] = {}
    for name, issue in issues.items():
        everything.setdefault(issue.object, []).append(name)
    standing = _owned(connection, org, latest, everything, never_told=first)
    return [each for each in found if each.owner_id not in first] + standing


def _never_told(told: Mapping[str, ToldUpTo], owner_id: str) -> bool:
    return owner_id not in told or told[owner_id].never


def _owned(
    connection: Connection,
    org: OrgDefinition,
    latest: AssessmentRow,
    objects: Mapping[str, Sequence[str]],
    *,
    never_told: Collection[str] | None = None,
) -> list[OwnedFindings]:
    settled_before = latest.assessed_at - timedelta(hours=org.health.settle_hours)
    return [
        each
        for object, names in objects.items()
        for each in owned_findings(
            connection,
            org.org,
            org.schema_name,
            object,
            checks=names,
            assessment_id=latest.assessment_id,
            settled_before=settled_before,
            never_told=never_told,
        )
    ]


def _told_lately(org: OrgDefinition, told: Mapping[str, ToldUpTo], now: datetime) -> set[str]:
    """Return who had a mail within the pause; a mail of a time to come was sent before the clock was set back."""
    pause = timedelta(hours=org.health.owners.every_hours)
    return {owner for owner, each in told.items() if owner and timedelta(0) <= now - each.at < pause}


def _send(
    engine: Engine,
    org: OrgDefinition,
    mail: OwnerMail,
    issues: Mapping[str, IssueResult],
    latest: AssessmentRow,
    messenger: Callable[[ChannelDefinition], Messenger],
    *,
    now: datetime,
    base: str,
    airflow_url: str,
) -> None:
    """Send one mail and write down that its owners were told; what one address refuses goes to the fallback."""
    owners = org.health.owners
    message = compose_owner_mail(
        org.org, mail, issues, max_records=owners.max_records, instance_url=base, airflow_url=airflow_url
    )
    with transaction(engine) as connection:
        note_told(connection, org.org, list(mail.owners), latest.assessment_id, now)
        try:
            messenger(_channel(org, mail.address)).send(message)
        except FatalError:
            if not owners.fallback or owners.fallback == mail.address:
                raise
            messenger(_channel(org, owners.fallback)).send(message)


def _channel(org: OrgDefinition, address: str) -> ChannelDefinition:
    recipients = dict.fromkeys((address, *org.health.owners.cc))
    return ChannelDefinition(mail=tuple(recipients), connection=org.health.connection)


def _write_down(connection: Connection, org: OrgDefinition, latest: AssessmentRow, sent: list[OwnerMail]) -> None:
    """Let the page of notifications show that owners were told; their addresses stand nowhere."""
    if sent:
        count = sum(mail.new for mail in sent)
        raise_notification(
            connection,
            org.org,
            key=f"{EVENT}:{latest.assessment_id}",
            event=EVENT,
            title=f"Owners were told of {_many(count, 'finding')} in {_many(len(sent), 'mail')}",
            message="",
            path=f"/headwater/health?org={org.org}",
            once=True,
            channels=[],
        )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
