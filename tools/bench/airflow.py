"""Figures of what Airflow costs: how long our DAG files take to parse once Airflow is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from tools.bench.bench import ROOT, Bench, environment
from tools.bench.figures import Figure, Goal, against

_PARSE_SECONDS = 0.5
# A DAG processor imports Airflow once and opens each file in a fork of itself. Processor time: what else runs on the
# machine does not count.
_PARSE = """
import json, os, runpy, sys, time
from pathlib import Path
began = time.process_time()
import airflow.sdk
import airflow.dag_processing.dagbag
imported = time.process_time() - began
seconds = {}
for file in sorted(Path("dags").glob("*.py")):
    reading, writing = os.pipe()
    if os.fork() == 0:
        start = time.process_time()
        runpy.run_path(str(file))
        os.write(writing, str(time.process_time() - start).encode())
        os._exit(0)
    os.wait()
    seconds[file.stem] = float(os.read(reading, 100))
print(json.dumps({"airflow": imported, "files": seconds}))
"""


def measure_airflow(bench: Bench) -> Iterator[Figure]:
    """Yield the figures."""
    bench.say("parse the DAG files")
    home = bench.home / "airflow"
    home.mkdir(exist_ok=True)
    variables = environment(AIRFLOW_HOME=str(home), AIRFLOW__CORE__LOAD_EXAMPLES="false")
    told = []
    for _ in range(bench.repeats):
        done = subprocess.run(
            [sys.executable, "-c", _PARSE], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
        )
        told.append(json.loads(done.stdout.splitlines()[-1]))
    names = told[0]["files"]
    seconds = {name: median(each["files"][name] for each in told) for name in names}
    slowest = max(seconds, key=lambda name: seconds[name])
    own = median(each["airflow"] for each in told)
    yield against(
        "extract.dag_parse", seconds[slowest], "s", _PARSE_SECONDS, Goal(at_most=1),
        note=f"{slowest}.py, the slowest of {len(names)} files, with all that it imports; processor time;"
        f" Airflow's own import, before it: {own:.1f} s",
    )  # fmt: skip
