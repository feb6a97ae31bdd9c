"""Make one DAG for each org that has people compared by probability."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable

from headwater.defaults import task_defaults
from headwater.operators import FindProbableDuplicatesOperator
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition

DOC = """\
### What it does
Lets Splink compare the people of the org `{org}` ({objects}) in the warehouse. Pairs that are one with at least the probability that the org's definition asks for go beside those that rules found, and make clusters with them. The next health assessment counts them. See docs/duplicates-measured.md.

### When it fails
- **DefinitionError**: an object is named of which no field of a person is known; the message names file and key.
- **FatalError**: the engine may not take as much memory as it needs; raise `memory_mb`. Nothing of the run is kept.
- **WarehouseDown**: the warehouse does not answer.

### How to re-run
Clear the task or trigger the DAG at any time: it compares everything and replaces its own pairs, never those of the rules.
"""


def probable_duplicates_dag(org: OrgDefinition) -> DAG:
    """Return the DAG that compares one org's people."""
    asked = org.probable_duplicates
    with DAG(
        f"{org.org}_probable_duplicates",
        description=f"People of Salesforce org {org.org} that are probably one",
        doc_md=DOC.format(org=org.org, objects=", ".join(asked.objects)),
        schedule=CronTriggerTimetable(asked.schedule, timezone="UTC"),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(org.owner),
        tags=["headwater", "health", f"org:{org.org}"],
    ) as dag:
        FindProbableDuplicatesOperator(task_id="compare", org=org.org)
    return dag


for definition in load_definitions().orgs.values():
    if definition.probable_duplicates.objects:
        probable_duplicates_dag(definition)
