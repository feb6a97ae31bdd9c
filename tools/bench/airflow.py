"""Figures of what Airflow costs: how long our DAG files take to parse once Airflow itself is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from tools.bench.bench import ROOT, Bench, environment
from tools.bench.figures import Figure, Goal, against

_PARSE_SECONDS = 0.5
# What a DAG processor has imported before it opens a file of ours, and then each file as it would be opened.
_PARSE = """
import json, runpy, sys, time
from pathlib import Path
began = time.perf_counter()
import airflow.sdk
import airflow.dag_processing.dagbag
imported = time.perf_counter()
seconds = {}
for file in sorted(Path("dags").glob("*.py")):
    start = time.perf_counter()
    runpy.run_path(str(file))
    seconds[file.stem] = time.perf_counter() - start
print(json.dumps({"airflow": imported - began, "files": seconds}))
"""


def measure_airflow(bench: Bench) -> Iterator[Figure]:
    """Yield the figures."""
    bench.say("parse the DAG files")
    home = bench.home / "airflow"
    home.mkdir(exist_ok=True)
    variables = environment(AIRFLOW_HOME=str(home), AIRFLOW__CORE__LOAD_EXAMPLES="false")
    told = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", _PARSE], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
        )
        told.append(json.loads(done.stdout.splitlines()[-1]))
    first = median(sum(each["files"].values()) for each in told)
    own = median(each["airflow"] for each in told)
    slowest = max(told[0]["files"], key=lambda name: float(told[0]["files"][name]))
    yield against(
        "extract.dag_parse", first, "s", _PARSE_SECONDS, Goal(at_most=1),
        note=f"all {len(told[0]['files'])} files, one after the other, the slowest is {slowest}.py;"
        f" Airflow's own import before it: {own:.1f} s",
    )  # fmt: skip
