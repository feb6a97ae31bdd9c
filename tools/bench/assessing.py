"""One assessment in a process of its own, as we do it, by hand or by plain Great Expectations; answers in JSON.

`python -m tools.bench.assessing ours|hand|gx --warehouse URL`. All three judge the checks of `by_hand.sql`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from include.config.checks import CheckDefinition
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition
from include.records import AirflowRun
from include.warehouse.engine import open_warehouse, quoted
from tools.bench.generated import NOW, OBJECTS
from tools.bench.memory import peak_mib

ORG = "demo"
BY_HAND = Path(__file__).with_name("by_hand.sql")


def main() -> int:
    """Do the work and say what it took."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.assessing", description=__doc__)
    parser.add_argument("way", choices=("ours", "hand", "gx"))
    parser.add_argument("--warehouse", required=True)
    options = parser.parse_args()
    way = {"ours": by_us, "hand": by_hand, "gx": by_great_expectations}[options.way]
    began, cpu = time.perf_counter(), time.process_time()
    counts = way(options.warehouse)
    told = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "counts": counts}
    print(json.dumps({**told, "peak_mib": peak_mib()}))
    return 0


def suite() -> dict[str, CheckDefinition]:
    """Return the checks that are measured: those of the catalogue that somebody wrote by hand, too."""
    written = set(re.findall(r"'([a-z]+_[a-z_]+)'", BY_HAND.read_text(encoding="utf-8")))
    return {name: each for name, each in load_definitions().checks.items() if name in written}


def by_us(warehouse: str) -> dict[str, int]:
    """Assess the org as its DAG does."""
    from include.quality.assess import assess_org

    org = OrgDefinition(org=ORG, connection="bench", objects=OBJECTS)
    engine = open_warehouse(warehouse)
    found = assess_org(engine, org, suite(), now=NOW, run=AirflowRun(dag_id="bench"))
    return {issue.check_id: issue.failing for issue in found.issues if issue.verdict != "not_assessed"}


def by_hand(warehouse: str) -> dict[str, int]:
    """Run what somebody would write who knows PostgreSQL and wants the same rows."""
    import psycopg

    from include.quality.reference_lists import reference_list

    def entries(named: re.Match[str]) -> str:
        return "(" + ", ".join("'" + each.replace("'", "''") + "'" for each in reference_list(named[1])) + ")"

    script = re.sub(r"\{list\.([a-z_]+)\}", entries, BY_HAND.read_text(encoding="utf-8"))
    with psycopg.connect(warehouse, options=f"-c timezone=UTC -c search_path=salesforce_{ORG},public") as connection:
        for statement in script.split(";\n"):
            connection.execute(statement.encode())
        rows = connection.execute("SELECT check_id, records FROM by_hand_counts").fetchall()
    return {str(name): int(records) for name, records in rows}


def by_great_expectations(warehouse: str) -> dict[str, int]:
    """Let plain Great Expectations validate the same suite, with complete results."""
    import logging

    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from include.quality.predicate import failing_query
    from include.quality.suite import counted, expectation_class

    logging.disable(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    url = warehouse.replace("postgresql://", "postgresql+psycopg://")
    source = context.data_sources.add_postgres("warehouse", connection_string=url)
    counts: dict[str, int] = {}
    checks = suite().values()
    for object in sorted({check.object for check in checks}):
        own = [check for check in checks if check.object == object]
        expectations: list[Any] = []
        for check in own:
            named = {"check": check.check}
            if check.expect is None:
                query = failing_query(check.predicate, schema=f"salesforce_{ORG}", now=NOW)
                expectations.append(gxe.UnexpectedRowsExpectation(unexpected_rows_query=query, meta=named))
            else:
                expectations.append(expectation_class(check.expect.type)(**check.expect.arguments, meta=named))
        live = f"SELECT * FROM {quoted(f'salesforce_{ORG}', object)} WHERE _deleted_at IS NULL"
        batch = source.add_query_asset(object, query=live).add_batch_definition_whole_table("live")
        asked = context.suites.add(gx.ExpectationSuite(object, expectations=expectations))
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=object, data=batch, suite=asked))
        complete = {"result_format": "COMPLETE", "unexpected_index_column_names": ["Id"]}
        found = definition.run(result_format=complete).to_json_dict()
        for result in found["results"]:  # in an order of its own
            counts[result["expectation_config"]["meta"]["check"]] = counted(result["result"]) or 0
    return counts


if __name__ == "__main__":
    sys.exit(main())
