"""Read Contact with simple-salesforce into PostgreSQL: `python simple_salesforce_rows.py SETTINGS.json`.

As its users write it: read everything, then executemany.
"""

import csv
import io
import json
import sys
from pathlib import Path

import psycopg
from simple_salesforce import Salesforce

SETTINGS = json.loads(Path(sys.argv[1]).read_text())
FIELDS = SETTINGS["fields"]
SOQL = f"SELECT {', '.join(FIELDS)} FROM Contact"


def rows(sf):
    if SETTINGS["way"] == "bulk2":
        for page in sf.bulk2.Contact.query_all(SOQL, max_records=50_000):
            for row in csv.DictReader(io.StringIO(page, newline="")):
                yield [row[name] or None for name in FIELDS]
    else:
        for row in sf.query_all(SOQL, include_deleted=True)["records"]:
            yield [row[name] for name in FIELDS]


sf = Salesforce(username=SETTINGS["username"], password=SETTINGS["password"], security_token=SETTINGS["security_token"])
names = ", ".join(f'"{name}"' for name in FIELDS)
marks = ", ".join(f"%s::text::{kind}" for kind in SETTINGS["types"])
with psycopg.connect(SETTINGS["warehouse"]) as connection, connection.cursor() as cursor:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(FIELDS, SETTINGS["types"], strict=True))
    cursor.execute(f'CREATE TABLE contact ({columns}, PRIMARY KEY ("Id"))')
    cursor.executemany(f"INSERT INTO contact ({names}) VALUES ({marks})", rows(sf))
