"""Select the records of a push: what there is, what has changed since it was last sent, and whether a person must agree."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from include.activation.options import PushMode, PushRunOptions
from include.config.pushes import PushDefinition
from include.records import AirflowRun, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Say what a push run found; `selected` = `unchanged` + `to_send`. Safe for XCom: counts and a sentence only."""

    run_id: int
    selected: int
    unchanged: int
    to_send: int
    guard: str | None  # why a person must approve before anything is sent; None: nobody needs to


def select_push(
    engine: Engine,
    push: PushDefinition,
    *,
    mode: PushMode,
    interval: Window | None = None,
    resend: bool = False,
    record_ids: tuple[str, ...] = (),
    run: AirflowRun,
    options: PushRunOptions,
) -> Selection:
    """Write down which records this run has to send, and return how many.

    Opens one of our runs (kind ``push``), compares in SQL, and stores record Ids under the run's id; no row is read into
    this process. Asked again it opens another run, which is harmless.

    Args:
        engine: the warehouse.
        push: the definition.
        mode: which records, see `PushMode`.
        interval: for `PushMode.INTERVAL`: half-open, by the object's cursor field.
        resend: send unchanged records and already sent events again.
        record_ids: only these records; those that were refused before are tried again.
        run: the Airflow attempt this belongs to.
        options: what this run does; kept with the run.

    Raises:
        NotReady: the first load of the object (or of one it refers to) is not complete.
        DefinitionError: a mapped field does not exist or has vanished from the org.
        WarehouseDown: the warehouse does not answer.
    """
    raise NotImplementedError
