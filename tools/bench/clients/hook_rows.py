"""Read Contact with the provider's SalesforceHook into PostgreSQL by pandas: `python hook_rows.py SETTINGS.json`."""

import json
import sys
from pathlib import Path

import sqlalchemy
from airflow.providers.salesforce.hooks.salesforce import SalesforceHook

SETTINGS = json.loads(Path(sys.argv[1]).read_text())
hook = SalesforceHook(salesforce_conn_id="bench")
found = hook.make_query(f"SELECT {', '.join(SETTINGS['fields'])} FROM Contact", include_deleted=True)
frame = hook.object_to_df(found["records"])
engine = sqlalchemy.create_engine(SETTINGS["warehouse"].replace("postgresql://", "postgresql+psycopg://"))
frame.to_sql("contact", engine, index=False)
