"""Let Great Expectations validate suites against the warehouse by itself, on the snapshot of the assessment.

GX opens connections of its own. Each sees the live records of an object as a temporary view, and each of its
transactions joins the assessment's snapshot; so GX counts the same rows as the sweep, whatever is loaded meanwhile.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event

from include.config.checks import CheckDefinition
from include.errors import FatalError
from include.quality.documents import Documents
from include.quality.light_import import import_great_expectations
from include.quality.suite import build_suite, without_values
from include.warehouse.engine import quoted
from include.warehouse.health.journals import LIVE

_OPTIONS = "-c timezone=UTC -c work_mem=64MB -c jit=off"


def export_snapshot(connection: Connection) -> str:
    """Begin a repeatable-read transaction and return the name by which others can see what it sees.

    To be called before anything is read in the transaction: PostgreSQL exports none once a savepoint was set.
    """
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    return str(connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one())


def judge_by_gx(
    engine: Engine, snapshot: str, checks: Sequence[CheckDefinition], *, schema: str, now: datetime
) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """Let Great Expectations judge checks that no predicate can say; return its results, and why it could not others.

    Each check is a suite of its own, so that one with impossible arguments does not stop the rest.
    """
    judged: dict[str, Mapping[str, Any]] = {}
    refused: dict[str, str] = {}
    for check in checks:
        assert check.expect is not None
        try:
            documents = validate_suites(engine, snapshot, {check.object: (check,)}, schema=schema, now=now)
        except (KeyError, TypeError, ValueError) as error:
            refused[check.check] = f"Great Expectations knows no {check.expect.type} with these arguments" + (
                "" if isinstance(error, KeyError) else f" ({type(error).__name__})"
            )
            continue
        (result,) = documents[check.object].validation["results"]
        if result["exception_info"]["raised_exception"]:
            refused[check.check] = "Great Expectations could not evaluate it on this org's data"
        else:
            judged[check.check] = result
    return judged, refused


def validate_suites(
    engine: Engine,
    snapshot: str,
    checks: Mapping[str, tuple[CheckDefinition, ...]],
    *,
    schema: str,
    now: datetime,
) -> dict[str, Documents]:
    """Return what GX says about each object's checks.

    Args:
        engine: the warehouse.
        snapshot: what `export_snapshot` returned, in a transaction that is still open.
        checks: the checks by the object that they judge.
        schema: where the org's tables are.
        now: the moment of the assessment.
    """
    views = {object: f"live_{number}" for number, object in enumerate(sorted(checks))}
    with _quiet():
        context, source = _open_source(engine, views, schema=schema, snapshot=snapshot)
        try:
            return {
                object: _validate(context, source, object, views[object], checks[object], schema=schema, now=now)
                for object in views
            }
        finally:
            source.get_engine().dispose()
            source.get_execution_engine().engine.dispose()


def _validate(
    context: Any,
    source: Any,
    object: str,
    view: str,
    checks: tuple[CheckDefinition, ...],
    *,
    schema: str,
    now: datetime,
) -> Documents:
    import_great_expectations()
    from great_expectations import ValidationDefinition

    batch = source.add_table_asset(object, table_name=view).add_batch_definition_whole_table("live")
    suite = context.suites.add(build_suite(object, checks, schema=schema, now=now))
    definition = context.validation_definitions.add(ValidationDefinition(name=object, data=batch, suite=suite))
    result = definition.run(result_format={"result_format": "BASIC", "partial_unexpected_count": 0})
    return Documents(suite=suite.to_json_dict(), validation=without_values(result.to_json_dict()))


def _open_source(engine: Engine, views: Mapping[str, str], *, schema: str, snapshot: str) -> tuple[Any, Any]:
    import_great_expectations()
    from great_expectations import get_context
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.exceptions import GreatExpectationsError

    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    statements = [
        f"CREATE TEMPORARY VIEW {view} AS SELECT * FROM {quoted(schema, object)} WHERE {LIVE}"
        for object, view in views.items()
    ]

    def connect() -> psycopg.Connection[Any]:
        connection = psycopg.connect(url, options=_OPTIONS, application_name="headwater quality", connect_timeout=10)
        for statement in statements:
            connection.execute(statement.encode())
        connection.commit()
        return connection

    def join_snapshot(connection: Connection) -> None:
        connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = get_context(mode="ephemeral", project_config=config)
    try:
        source = context.data_sources.add_postgres(
            "warehouse",
            connection_string="postgresql+psycopg://headwater@warehouse/by_creator",  # a name only: no secret enters GX
            kwargs={"creator": connect, "isolation_level": "REPEATABLE READ"},
        )
    except GreatExpectationsError as error:
        raise FatalError("Great Expectations could not open the warehouse for the health assessment") from error
    event.listen(source.get_execution_engine().engine, "begin", join_snapshot)
    return context, source


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep GX's hundred log lines and its warnings out of the task's log.

    What goes wrong inside a validation comes back in its result. Some loggers of GX set a level of their own, so the
    way up is cut instead.
    """
    logger = logging.getLogger("great_expectations")
    silence = logging.NullHandler()
    before, logger.propagate = logger.propagate, False
    logger.addHandler(silence)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeHandler(silence)
        logger.propagate = before
