"""Do one stage with dlt and its verified source: `python with_dlt.py STAGE SETTINGS.json`; answers in JSON.

The rows land in files, as in a lake: what dlt wrote there is what it read.
"""

import gzip
import json
import os
import shutil
import sys
from pathlib import Path

SETTINGS = json.loads(Path(sys.argv[2]).read_text())
os.environ.update(
    {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DLT_DATA_DIR": SETTINGS["state"],
        "DATA_WRITER__DISABLE_COMPRESSION": "true",
        "SCHEMA__NAMING": "direct",
    }
)
sys.path.insert(0, SETTINGS["source"])

import dlt  # noqa: E402
import salesforce.settings  # noqa: E402

salesforce.settings.IS_PRODUCTION = True  # the source's own switch: without it, it stops after 100 records
import salesforce.helpers.records  # noqa: E402
from salesforce import salesforce_source  # noqa: E402
from salesforce.helpers.client import SecurityTokenAuth  # noqa: E402

assert salesforce.helpers.records.IS_PRODUCTION
RESOURCES = {
    "Account": "account", "Contact": "contact", "Lead": "lead", "Opportunity": "opportunity", "Task": "task",
    "User": "sf_user", "Campaign": "campaign", "CampaignMember": "campaign_member", "Event": "event",
    "OpportunityContactRole": "opportunity_contact_role",
}  # fmt: skip


def source(password=None):
    access = SecurityTokenAuth()
    access.user_name = SETTINGS["username"]
    access.password = password or SETTINGS["password"]
    access.security_token = SETTINGS["security_token"]
    return salesforce_source(credentials=access)


def read(way):
    """Run the pipeline, and copy what it wrote."""
    lake = Path(SETTINGS["state"]) / "lake"
    before = set(lake.rglob("*.jsonl*"))
    pipeline = dlt.pipeline(
        pipeline_name="peers",
        destination=dlt.destinations.filesystem(lake.as_uri()),
        dataset_name="org",
    )
    wanted = [RESOURCES[name] for name in SETTINGS["objects"] if name in RESOURCES]
    pipeline.run(source().with_resources(*wanted), loader_file_format="jsonl")
    folder = Path(SETTINGS["out"]) / way
    folder.mkdir(parents=True, exist_ok=True)
    for name in SETTINGS["objects"]:
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            for each in sorted(set((lake / "org" / RESOURCES[name]).glob("*.jsonl*")) - before):
                opened = gzip.open if each.suffix == ".gz" else open
                with opened(each, "rt", encoding="utf-8") as content:
                    shutil.copyfileobj(content, file)


def describe():
    return {"objects": len(source().resources), "fields": None}


def full():
    read(SETTINGS["way"])
    return {}


def error():
    try:
        dlt.pipeline(pipeline_name="peers_error", destination="filesystem").extract(
            source(password="wrong").with_resources("contact")
        )
    except Exception as refusal:  # whatever it is, its text is asked for
        while refusal.__cause__ is not None:
            refusal = refusal.__cause__
        return {"errors": [f"{type(refusal).__name__}: {refusal}".splitlines()[0]]}
    return {"errors": []}


if __name__ == "__main__":
    stages = {"describe": describe, "full": full, "increment": full, "error": error}
    sys.stdout.write(json.dumps(stages[sys.argv[1]]()) + "\n")
