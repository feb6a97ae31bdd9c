"""Check a connection: ask the org and the ledgers, and have the answers judged."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from include.config.inspect import inspect_definitions
from include.config.loader import Definitions
from include.config.orgs import OrgDefinition
from include.errors import ApiDisabled, AppUnknown, AuthError, NotReady, Unreachable
from include.records import ConnectionPast, Describe
from include.salesforce.client import SalesforceClient
from include.salesforce.connection import Answers, ConnectionReport, judge_no_sign_in, judge_rights, judge_symptoms
from include.salesforce.retirements import retirement
from include.warehouse.calls.connection_past import read_past

WAYS = {
    "client_credentials": "client credentials",
    "jwt_bearer": "JWT bearer",
    "refresh_token": "refresh token",
    "password": "password (OAuth)",
    "soap": "password (SOAP login)",
    "session": "fixed access token",
}


def check_connection(
    engine: Engine, open_client: Callable[[], SalesforceClient], org: OrgDefinition, definitions: Definitions
) -> ConnectionReport:
    """Return what a check of the org's connection found; it writes nothing and its text holds no secret.

    Costs three calls, one more for each five objects, and one for each object that a push reads. A sign-in that fails
    is a finding, not an exception.

    Raises:
        WarehouseDown: the warehouse does not answer.
        BudgetPaused: the org has no calls left that we may make.
    """
    pushes = {name: push.options.skip_hook for name, push in definitions.pushes.items() if push.org == org.org}
    past = read_past(engine, org.org, org.all_objects, pushes)
    way_in = ""
    try:
        with open_client() as client:
            way_in = client.way_in
            client.identity()
            return _signed_in(client, org, definitions, past)
    except (AuthError, NotReady, Unreachable, AppUnknown, ApiDisabled) as error:
        return ConnectionReport(
            org=org.org,
            signs_in_by=WAYS.get(way_in, ""),
            api_version=org.api_version,
            answers=None,
            symptoms=judge_no_sign_in(str(error), past),
            warnings=_ending(way_in),
        )


def _signed_in(
    client: SalesforceClient, org: OrgDefinition, definitions: Definitions, past: ConnectionPast
) -> ConnectionReport:
    answers = client.connection_answers(org.all_objects)
    errors = _definition_errors(client, org, definitions, answers)
    return ConnectionReport(
        org=org.org,
        signs_in_by=WAYS[client.way_in],
        api_version=org.api_version,
        answers=answers,
        rights=judge_rights(answers),
        symptoms=judge_symptoms(answers, past, definition_errors=errors),
        warnings=(*_ending(client.way_in), *_warnings(answers, org)),
    )


def _ending(way_in: str) -> tuple[str, ...]:
    ending = retirement(way_in)
    return (ending[0].upper() + ending[1:],) if ending else ()


def _definition_errors(
    client: SalesforceClient, org: OrgDefinition, definitions: Definitions, answers: Answers
) -> list[str]:
    """Return which objects and fields the org's pushes name that it does not have."""
    pushes = {name: each for name, each in definitions.pushes.items() if each.org == org.org}
    readable = {each.object for each in answers.objects if not each.describe_problem}
    described: dict[str, Describe] = {}
    for name in sorted({name for each in pushes.values() for name in each.source.objects_read} & readable):
        found = client.describe(name)
        if found is not None:
            described[name] = found
    ours = Definitions(orgs={}, pushes=pushes, checks={}, errors=())
    return [str(each) for each in inspect_definitions(ours, {org.org: described})]


def _warnings(answers: Answers, org: OrgDefinition) -> list[str]:
    found = []
    if answers.versions and org.api_version not in answers.versions:
        found.append(
            f"The org does not speak API version {org.api_version}; it speaks {answers.versions[0]} to "
            f"{answers.versions[-1]}: mend api_version in the org's definition"
        )
    if answers.trial_ends_at:
        found.append(f"The org is a trial that ends on {answers.trial_ends_at}")
    unstamped = [each.object for each in answers.objects if not each.describe_problem and not each.stamped]
    if unstamped:
        found.append(
            f"No field tells when these changed, so they are read as a whole each time: {', '.join(unstamped)}"
        )
    return found
