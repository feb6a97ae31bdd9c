"""Decide who is told of which owner's findings, and write it: Ids, counts and links, no person's data; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from include.config.health import OwnersDefinition
from include.notifications.health import page_of
from include.records import Message
from include.warehouse.health.assessments import IssueResult
from include.warehouse.health.owner_findings import OwnedFindings, SalesforceUser

_SEVERITIES = ("critical", "error", "warning", "info")
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
_SHORT_ID = 15  # Ids of 15 and of 18 letters are one


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Say to whom an owner's findings go, and why not to the owner; no address: nobody can be told."""

    address: str
    instead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMail:
    """Hold all that one recipient is told in one mail: of the owners that lead there, with the reason of each.

    `first` are those of them who were never told: of theirs it says how things stand.
    """

    address: str
    owners: Mapping[str, str]
    findings: tuple[OwnedFindings, ...]
    first: frozenset[str] = frozenset()

    @property
    def new(self) -> int:
        """Return how many new findings it tells of."""
        return sum(each.new for each in self.findings)


def route(owner_id: str, users: Mapping[str, SalesforceUser], definition: OwnersDefinition) -> Route:
    """Return where an owner's findings go: the address of the map, the user, a manager above, or the fallback."""
    mapped = {each[:_SHORT_ID]: address for each, address in definition.map.items()}
    fallback = definition.fallback or ""
    if owner_id[:_SHORT_ID] in mapped:
        return Route(address=mapped[owner_id[:_SHORT_ID]])
    if owner_id.startswith("00G"):
        return Route(address=fallback, instead="a queue")
    user = users.get(owner_id)
    if user is None:
        return Route(address=fallback, instead="a user whom the warehouse does not hold")
    if _reachable(user):
        return Route(address=user.email)
    why = (
        "an inactive user" if not user.active else "a user who is no person" if not user.standard else "without e-mail"
    )
    manager = _manager(user, users) if definition.managers else None
    return Route(address=manager.email if manager else fallback, instead=why)


def mails_for(
    findings: Iterable[OwnedFindings],
    users: Mapping[str, SalesforceUser],
    definition: OwnersDefinition,
    *,
    first: Collection[str] = (),
) -> tuple[list[OwnerMail], list[str]]:
    """Return a mail for each recipient, the one with most news first, and the owners whom nobody can be told of."""
    by_owner: dict[str, list[OwnedFindings]] = {}
    for each in findings:
        by_owner.setdefault(each.owner_id, []).append(each)
    routes = {owner: route(owner, users, definition) for owner in by_owner}
    by_address: dict[str, list[str]] = {}
    for owner, found in routes.items():
        if found.address:
            by_address.setdefault(found.address.strip().lower(), []).append(owner)
    mails = [
        OwnerMail(
            address=routes[owners[0]].address,
            owners={owner: routes[owner].instead for owner in owners},
            findings=tuple(each for owner in owners for each in by_owner[owner]),
            first=frozenset(owners) & frozenset(first),
        )
        for owners in by_address.values()
    ]
    lost = sorted(owner for owner, found in routes.items() if not found.address)
    return sorted(mails, key=lambda each: (-each.new, each.address)), lost


def compose_owner_mail(
    org: str,
    mail: OwnerMail,
    issues: Mapping[str, IssueResult],
    *,
    max_records: int,
    instance_url: str,
    airflow_url: str,
) -> Message:
    """Return the mail; at most `max_records` records are listed, the others counted."""
    standing = mail.first == frozenset(mail.owners)
    many = f"{mail.new:,} {'' if standing else 'new '}finding{'s' if mail.new != 1 else ''}"
    subject = f"[Headwater {org}] {many} in your records"
    lists = _lists(mail, issues, max_records, instance_url, airflow_url, org, standing=standing)
    others = [f"{owner} ({instead})" for owner, instead in mail.owners.items() if instead]
    opening = f"There {'are' if mail.new != 1 else 'is'} {many} in Salesforce records"
    opening += " that you own." if not others else f" that come to you for: {', '.join(others)}."
    if others and len(others) < len(mail.owners):
        opening = opening.removesuffix(".") + ", and in your own."
    if standing:
        opening += " This is how things stand; the mails after this one tell only what is new."
    elif mail.first:
        opening += f" Of {', '.join(sorted(mail.first))} nobody was told before: what stands there counts as new."
    text = "\n\n".join([opening, *lists])
    foot = f"Headwater, org {org}. Owners are told because of health.owners in its definition; what stays as it is"
    return Message(
        subject=subject,
        text=f"{text}\n\n-- \n{foot} is not told again.\n",
        body={"text": text, "source": "headwater", "org": org, "items": []},
    )


def _lists(
    mail: OwnerMail,
    issues: Mapping[str, IssueResult],
    room: int,
    instance_url: str,
    airflow_url: str,
    org: str,
    *,
    standing: bool,
) -> Iterable[str]:
    base = instance_url.rstrip("/") if urlsplit(instance_url).scheme in ("http", "https") else ""
    for check_id, group in _by_issue(mail.findings, issues):
        issue = issues[check_id]
        new, open_ = sum(each.new for each in group), sum(each.open for each in group)
        level = f"{open_:,}" if standing else f"{new:,} new, {open_:,} in all"
        lines = [f"{issue.title} ({issue.object}): {level}", issue.why]
        if airflow_url:
            lines.append(f"All of them: {airflow_url.rstrip('/')}{page_of(org, check_id)}")
        if base:
            lines.append(f"In Salesforce: {base}/lightning/o/{quote(issue.object, safe='')}/list")
        listed = [record for each in group for record in each.record_ids][:room]
        room -= len(listed)
        lines += [f"  {_record(base, issue.object, record)}" for record in listed]
        if listed and new > len(listed):
            lines.append(f"  and {new - len(listed):,} more")
        yield "\n".join(lines)


def _record(base: str, object: str, record_id: str) -> str:
    return f"{base}/lightning/r/{quote(object, safe='')}/{record_id}/view" if base else record_id


def _by_issue(
    findings: Sequence[OwnedFindings], issues: Mapping[str, IssueResult]
) -> list[tuple[str, list[OwnedFindings]]]:
    groups: dict[str, list[OwnedFindings]] = {}
    for each in findings:
        groups.setdefault(each.check_id, []).append(each)

    def worst_first(name: str) -> tuple[int, int, str]:
        return _SEVERITIES.index(issues[name].severity), -sum(each.new for each in groups[name]), name

    return [(name, groups[name]) for name in sorted(groups, key=worst_first)]


def _manager(user: SalesforceUser, users: Mapping[str, SalesforceUser]) -> SalesforceUser | None:
    seen = {user.user_id}
    above = users.get(user.manager_id)
    while above is not None and above.user_id not in seen:
        if _reachable(above):
            return above
        seen.add(above.user_id)
        above = users.get(above.manager_id)
    return None


def _reachable(user: SalesforceUser) -> bool:
    """Return whether a mail can reach the user; in a sandbox Salesforce makes every address end in .invalid."""
    usable = _ADDRESS.fullmatch(user.email) is not None and not user.email.endswith(".invalid")
    return user.active and user.standard and usable
