"""Read what a push selected, as it is now, and compile what maps it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine

from include.activation.fingerprint import mapping_seed
from include.activation.mapping import Mapper, compile_mapping, needs_salt
from include.activation.prepare import Row
from include.activation.source import compose_model, compose_source, insist_on_load
from include.config.pushes import PushDefinition
from include.records import ProfileAction
from include.warehouse.personal.salts import salt_of
from include.warehouse.pushes.gone import GONE_HASHES
from include.warehouse.pushes.models import ROWS, drop_model_rows, explain_model, read_model_rows, tables_of_model
from include.warehouse.pushes.samples import sample_rows
from include.warehouse.pushes.selections import selection_page
from include.warehouse.pushes.sources import SourceObject, SourceQuery, columns_of_session, read_source_object


def source_of(connection: Connection, push: PushDefinition, *, lasting: bool = False) -> SourceQuery:
    """Return the query over a push's source, checked against what the warehouse holds now.

    The rows of a model are read for it into a table of the session, which lasts as long as the transaction or,
    `lasting`, as the session.

    Raises:
        NotReady: something that the source reads has not been loaded completely yet.
        DefinitionError: a mapped field does not exist or has vanished, or the model cannot be run.
    """
    schema = f"salesforce_{push.org}"

    @cache
    def known(object: str) -> SourceObject:
        return read_source_object(connection, org=push.org, schema=schema, object=object)

    model = push.source.model
    if model is None:
        return compose_source(push, schema=schema, known=known)
    for name in tables_of_model(connection, model=model, sql=push.source.sql, schema=schema):
        insist_on_load(push, known(name), key="source.model")
    read_model_rows(connection, model=model, sql=push.source.sql, key=push.source.key, schema=schema, lasting=lasting)
    return compose_model(push, columns_of_session(connection, ROWS))


def check_source(connection: Connection, push: PushDefinition) -> None:
    """Check a push against what the warehouse holds, without reading a row.

    Raises:
        NotReady: something that the source reads has not been loaded completely yet.
        DefinitionError: a mapped field does not exist or has vanished, or the model cannot be run.
    """
    model = push.source.model
    if model is None:
        source_of(connection, push)
        return
    schema = f"salesforce_{push.org}"
    for name in tables_of_model(connection, model=model, sql=push.source.sql, schema=schema):
        known = read_source_object(connection, org=push.org, schema=schema, object=name)
        insist_on_load(push, known, key="source.model")
    explain_model(connection, model=model, sql=push.source.sql, key=push.source.key, schema=schema)
    compose_model(push, columns_of_session(connection, ROWS))


def mapper_of(connection: Connection, push: PushDefinition) -> Mapper:
    """Return what maps the rows of a push, with the org's salt where something is hashed."""
    return compile_mapping(push, salt=salt_of(connection, push.org) if needs_salt(push) else b"")


def selected_rows(engine: Engine, push: PushDefinition, *, run_id: int) -> Iterator[Row]:
    """Yield the selected records that have no outcome yet, in order, as the warehouse has them now.

    Each some thousand are a transaction of their own: a delivery takes hours, and whoever changes a table meanwhile
    must not wait for it.
    """
    seed, after = mapping_seed(push), -1
    with closing(engine.connect()) as session:
        try:
            with session.begin():
                query = source_of(session, push, lasting=True)
            paths = tuple(query.values)
            while True:
                with session.begin():
                    lines = selection_page(session, query, run_id=run_id, push=push.push, seed=seed, after=after)
                if not lines:
                    break
                after = lines[-1][1]
                yield from (_row(push, paths, line) for has_outcome, *line in lines if not has_outcome)
        finally:
            if push.source.model is not None and not session.invalidated:
                with session.begin():
                    drop_model_rows(session)


def sampled_rows(
    connection: Connection, push: PushDefinition, *, record_ids: tuple[str, ...], limit: int
) -> Iterator[Row]:
    """Yield records of the source as the warehouse has them now: those named, or the ones that changed last."""
    query = source_of(connection, push)
    paths = tuple(query.values)
    seed = mapping_seed(push)
    for line in sample_rows(connection, query, push=push.push, seed=seed, record_ids=record_ids, limit=limit):
        yield _row(push, paths, line)


def _row(push: PushDefinition, paths: tuple[str, ...], line: Sequence[Any]) -> Row:
    ordinal, record_id, alive, stamp, row_hash, print_, identifiers, platform_id, action, there, *values = line
    # What a definition asks no more of who is gone is not done: somebody thought better of it after the selection.
    gone = action != "upsert" and not alive and action in ("keep", push.gone)
    return Row(
        ordinal=ordinal,
        record_id=record_id,
        exists=bool(alive) or gone,
        stamp=stamp,
        row_hash=GONE_HASHES.get(action, GONE_HASHES.get(push.gone, 1)) if gone else row_hash,
        sent_fingerprint=None if print_ is None else bytes(print_),
        values=dict(zip(paths, values, strict=True)) if there else {},
        sent_identifiers=identifiers or {},
        platform_id=platform_id,
        action=(None if action == "keep" else ProfileAction(action)) if gone else ProfileAction.UPSERT,
    )
