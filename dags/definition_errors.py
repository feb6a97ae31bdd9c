"""Show every bad definition as one message under *Dag Import Errors* of the Airflow UI; holds no DAG, so it hides none.

Airflow parses a file only if the words "airflow" and "dag" stand in it: here they do.
"""

from __future__ import annotations

from include.config.loader import load_definitions
from include.errors import DefinitionError

errors = load_definitions().errors
if errors:
    count = "1 definition is" if len(errors) == 1 else f"{len(errors)} definitions are"
    raise DefinitionError(f"{count} wrong:\n" + "\n".join(f"  - {error}" for error in errors))
