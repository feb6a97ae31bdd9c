"""COPY the records that Airbyte's source writes as lines of JSON into PostgreSQL: `… | python copy_lines.py URL`.

Its own destination runs in a container; this one is as fast as a loader of JSON in Python gets.
"""

import json
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

import orjson
import psycopg
from psycopg import sql


def records() -> Iterator[dict[str, Any]]:
    for line in sys.stdin.buffer:
        if b'"RECORD"' in line[:40]:
            yield orjson.loads(line)["record"]["data"]


found = records()
first = next(found)
names = list(first)
columns = sql.SQL(", ").join(map(sql.Identifier, names))
with psycopg.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
    described = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names)
    cursor.execute(sql.SQL("CREATE TABLE contact ({})").format(described))
    with cursor.copy(sql.SQL("COPY contact ({}) FROM STDIN").format(columns)) as copy:
        for record in chain([first], found):
            values = (record.get(name) for name in names)
            copy.write_row([json.dumps(each) if isinstance(each, dict) else each for each in values])
