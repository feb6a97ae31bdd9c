"""Read Contact with dlt and its verified source into PostgreSQL: `python dlt_rows.py SETTINGS.json`."""

import json
import os
import sys
from pathlib import Path

SETTINGS = json.loads(Path(sys.argv[1]).read_text())
os.environ.update(
    {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DLT_DATA_DIR": SETTINGS["state"]}
)
sys.path.insert(0, SETTINGS["source"])

import dlt  # noqa: E402
import salesforce.settings  # noqa: E402

salesforce.settings.IS_PRODUCTION = True  # the source's own switch: without it, it stops after 100 records
from salesforce import salesforce_source  # noqa: E402
from salesforce.helpers.client import SecurityTokenAuth  # noqa: E402

access = SecurityTokenAuth()
access.user_name = SETTINGS["username"]
access.password = SETTINGS["password"]
access.security_token = SETTINGS["security_token"]
pipeline = dlt.pipeline(
    pipeline_name="bench", destination=dlt.destinations.postgres(SETTINGS["warehouse"]), dataset_name="peer"
)
pipeline.run(salesforce_source(credentials=access).with_resources("contact"))
