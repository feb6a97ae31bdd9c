"""Check the definitions, with the orgs that they lead to when Airflow's connections can be read."""

from __future__ import annotations

import os
import subprocess
import sys

from include.config.loader import load_definitions
from include.config.summary import summarise
from include.local.plan import airflow_environment
from include.local.site import Site
from include.local.supervision import responds
from include.settings import PROJECT_ROOT


def check_definitions(site: Site) -> int:
    """Print what is wrong with the definitions; return 1 when something is.

    The sign-in of an org lies in an Airflow connection, so the check itself runs in Airflow's environment.
    """
    if responds(f"{site.url}/api/v2/monitor/health"):
        command = [sys.executable, "-m", "headwater.check_definitions"]
        environment = {**os.environ, **airflow_environment(site)}
        environment["_AIRFLOW_PROCESS_CONTEXT"] = "server"  # or Airflow looks for connections in the environment only
        environment["PYTHONPATH"] = f"{PROJECT_ROOT}{os.pathsep}{PROJECT_ROOT / 'plugins'}"
        return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False).returncode
    definitions = load_definitions(site.settings.definitions)
    note = "only the files were checked: after `make up` the objects and fields are looked up in the orgs too"
    print("\n".join(summarise(definitions, definitions.errors, [note])))
    return 1 if definitions.errors else 0
