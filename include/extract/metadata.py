"""Ask an org, between extracts, whether its fields changed: one call for each 25 objects, and no rows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from include.config.orgs import OrgDefinition
from include.errors import HeadwaterError, SchemaFrozen
from include.extract.ask import OF_ONE_OBJECT, batches
from include.extract.follow import describe_stamp, follow_answer
from include.extract.probe import pin
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import MOST_REQUESTS, SubResponse
from include.warehouse.describes import stored_describe
from include.warehouse.engine import transaction
from include.warehouse.locks import object_lock


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataNews:
    """Say how many fields of an object changed, or why its describe could not be followed.

    `busy`: a run reads the object now, and the next one follows; a load in progress keeps the columns it began with.
    """

    object: str
    changes: int = 0
    problem: HeadwaterError | None = None
    busy: bool = False


def read_metadata(engine: Engine, client: SalesforceClient, org: OrgDefinition) -> tuple[MetadataNews, ...]:
    """Describe the org's objects if they changed, and let the warehouse follow as the policy says.

    An object that was never read is left to its first extract. What is wrong with one object keeps no other back.

    Raises:
        OrgChanged: the connection leads to another org than before.
        FatalError, RetryableError: from the client.
    """
    pin(engine, client, org)
    with transaction(engine) as connection:
        known = [name for name in org.all_objects if stored_describe(connection, org.org, name)]
        stamps = {name: describe_stamp(connection, org, name) for name in known}
    news: list[MetadataNews] = []
    for batch in batches(known, MOST_REQUESTS):
        requests = [client.describe_request(name, stamps[name], f"describe{n}") for n, name in enumerate(batch)]
        responses = client.composite(requests, purpose="describe")
        news += [_news(engine, org, name, each) for name, each in zip(batch, responses, strict=True)]
    return tuple(news)


def refuse_problems(news: tuple[MetadataNews, ...]) -> None:
    """Raise what could not be followed, all of it in one message.

    Raises:
        SchemaFrozen: the policy does not allow a change, or an object is no more what the definition says.
    """
    problems = [each.problem for each in news if each.problem]
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SchemaFrozen(" — ".join(str(each) for each in problems))


def _news(engine: Engine, org: OrgDefinition, name: str, response: SubResponse) -> MetadataNews:
    with object_lock(engine, org.org, name, wait=False) as held:
        if not held:
            return MetadataNews(object=name, busy=True)
        try:
            return MetadataNews(object=name, changes=follow_answer(engine, org, name, response) or 0)
        except OF_ONE_OBJECT as error:
            return MetadataNews(object=name, problem=error)
