"""Write down, before the first load of objects begins, what it will take."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from include.config.orgs import OrgDefinition
from include.errors import DefinitionError, QueryRefused, SchemaFrozen
from include.extract.ask import batches
from include.extract.forecast import Forecast, forecast_load
from include.extract.probe import pin
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import MOST_REQUESTS, describe_in
from include.warehouse.engine import transaction
from include.warehouse.extracts.onboardings import (
    forget_others,
    keep_forecast,
    known_sizes,
    measured_rates,
    without_forecast,
)
from include.warehouse.tables import table_of


def forecast_onboarding(
    engine: Engine, client: SalesforceClient, org: OrgDefinition, objects: Sequence[str]
) -> list[Forecast]:
    """Return and keep the forecasts of those objects that were never loaded and have none yet.

    Costs nothing when there are none, else one call for the counts and one for each 25 objects' fields. An object that
    the org doesn't describe is forecast with no fields: its own task says what is wrong with it.
    """
    with transaction(engine) as connection:
        forget_others(connection, org.org, org.all_objects)
        new = without_forecast(connection, org.org, [name for name in objects if name in org.all_objects])
        measured = measured_rates(connection) if new else {}
    if not new:
        return []
    pin(engine, client, org)
    counts = _counts(client, new)
    fields = _fields(client, org, new)
    forecasts = [
        forecast_load(
            name,
            counts.get(name),
            fields.get(name, 0),
            bulk_above_rows=org.bulk_above_rows,
            slice_rows=org.slice_rows,
            measured=measured,
        )
        for name in new
    ]
    with transaction(engine) as connection:
        for each in forecasts:
            keep_forecast(
                connection,
                org.org,
                each.object,
                rows=each.rows,
                fields=each.fields,
                plan=each.plan,
                calls=each.calls,
                seconds=each.seconds,
                measured=each.measured,
            )
    return forecasts


def forecast_refresh(engine: Engine, org: OrgDefinition, objects: Sequence[str]) -> list[Forecast]:
    """Return what it takes to read objects from the beginning again, as far as they are known here; asks no org."""
    with transaction(engine) as connection:
        sizes = known_sizes(connection, org.org, objects)
        measured = measured_rates(connection)
    return [
        forecast_load(
            name,
            size.rows,
            size.fields,
            bulk_above_rows=org.bulk_above_rows,
            slice_rows=org.slice_rows,
            measured=measured,
        )
        for name, size in sizes.items()
    ]


def _counts(client: SalesforceClient, objects: Sequence[str]) -> dict[str, int]:
    try:
        return client.record_counts(objects)
    except QueryRefused:  # an old API version, or a user who may not ask: the load goes on without a forecast of rows
        return {}


def _fields(client: SalesforceClient, org: OrgDefinition, objects: Sequence[str]) -> dict[str, int]:
    """Return how many columns each object will have."""
    found = {}
    for batch in batches(objects, MOST_REQUESTS):
        requests = [client.describe_request(name, None, f"describe{n}") for n, name in enumerate(batch)]
        for name, response in zip(batch, client.composite(requests, purpose="describe"), strict=True):
            try:
                describe = describe_in(response)
                if describe is not None:
                    found[name] = len(table_of(org.org, org.schema_name, describe).columns)
            except (DefinitionError, QueryRefused, SchemaFrozen):
                continue
    return found
