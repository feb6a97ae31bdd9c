"""Run a program of ours in Airflow's environment, where connections and their secrets can be read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from include.errors import SetupFailed
from include.local.plan import airflow_environment
from include.local.site import Site
from include.local.supervision import responds
from include.settings import PROJECT_ROOT


def run_in_airflow(site: Site, module: str, arguments: Sequence[str] = ()) -> int:
    """Run a module and return its exit code; it speaks for itself.

    Raises:
        SetupFailed: Airflow does not run.
    """
    if not responds(f"{site.url}/api/v2/monitor/health"):
        raise SetupFailed(f"Airflow does not answer at {site.url}; start it with `make up`")
    environment = {**os.environ, **airflow_environment(site)}
    environment["_AIRFLOW_PROCESS_CONTEXT"] = "server"  # or Airflow looks for connections in the environment only
    environment["PYTHONPATH"] = f"{PROJECT_ROOT}{os.pathsep}{PROJECT_ROOT / 'plugins'}"
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False).returncode
