"""Refuse a load that would fill the warehouse's disk before it begins: a full disk stops every writer, not only us."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from include.config.housekeeping import DiskRoom
from include.errors import DiskShort
from include.warehouse.engine import transaction
from include.warehouse.tables import Table

SMALL_LOAD_ROWS = 50_000  # not worth a question
_COPIES = 2.0  # the rows beside those that they replace, or their indexes; what is staged is gone afterwards
_ROW_OVERHEAD = 60  # header, line pointer, and our own columns
_TEXT_BYTES = 16  # what a text column holds on average, empty ones counted, as far as nobody knows better
_OTHER_BYTES = 8

# A server on this machine: reached by a socket, by loopback, or by the machine's own address.
_PLACE = """
SELECT pg_database_size(current_database()) AS size,
       (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS folder,
       inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr() AS is_local
"""
_STORED = """
SELECT c.reltuples AS rows, pg_table_size(c.oid) AS size
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = :schema AND c.relname = :name
"""


def refuse_full_disk(engine: Engine, table: Table, rows: int, room: DiskRoom) -> None:
    """Return when a load of so many rows fits, or when nobody can tell.

    Raises:
        DiskShort: it would leave less free than `room` says.
    """
    if rows <= SMALL_LOAD_ROWS:
        return
    with transaction(engine) as connection:
        needed = int(rows * _row_bytes(connection, table) * _COPIES)
        place = connection.execute(text(_PLACE)).one()
    free, keep, where = _left(place.size, place.folder if place.is_local else None, room)
    if free is not None and free - needed < keep:
        raise DiskShort(
            f"{table.object}: {rows:,} rows need about {_gb(needed)}, and {where} has {_gb(free)} free, of which"
            f" {_gb(keep)} are to stay free. Nothing was loaded. Make room, or change `disk` in housekeeping.yaml"
        )


def _left(size: int, folder: str | None, room: DiskRoom) -> tuple[int | None, int, str]:
    """Return how many bytes are free (None: nobody can tell), how many are to stay free, and where that is."""
    disk = _disk(folder) if folder else None
    if disk is not None:
        total, free = disk
        return free, int(total * room.keep_free_percent / 100), "the warehouse's disk"
    if room.database_limit_gb is not None:
        limit = int(room.database_limit_gb * 1e9)
        return max(0, limit - size), 0, "the database below its limit"
    return None, 0, ""


def _disk(folder: str) -> tuple[int, int] | None:
    """Return size and free bytes of the disk that holds a folder; None when there is no such folder here."""
    place = Path(folder)
    for each in (place, *place.parents):
        try:
            found = shutil.disk_usage(each)
        except PermissionError:
            continue  # the server's folder is its own; what lies above it is on the same disk, most often
        except OSError:
            return None
        return found.total, found.free
    return None


def _row_bytes(connection: Connection, table: Table) -> float:
    """Return how large a row is: as measured where there are many, else as its fields' types let expect."""
    stored = connection.execute(text(_STORED), {"schema": table.schema, "name": table.object}).one_or_none()
    if stored is not None and stored.rows >= 1000:
        return float(stored.size) / float(stored.rows)
    return float(
        _ROW_OVERHEAD + sum(_TEXT_BYTES if kind == "text" else _OTHER_BYTES for kind in table.columns.values())
    )


def _gb(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
