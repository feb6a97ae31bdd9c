"""Great Expectations is imported without what only histograms need, which is there when something asks for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_CODE = """
import json, sys
from include.quality.light_import import import_great_expectations
import_great_expectations()
import great_expectations.expectations as gxe
asleep = [name for name in ("scipy.stats._stats_py", "altair.vegalite") if name in sys.modules]
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as histograms
print(json.dumps({
    "asleep": asleep,
    "finders": [each for each in sys.meta_path if type(each).__name__ == "_Later"],
    "expectation": gxe.ExpectColumnKLDivergenceToBeLessThan.__name__,
    "entropy": histograms.stats.entropy([0.5, 0.5], [0.5, 0.5]),
    "chart": histograms.alt.Chart.__name__,
    "awake": all(name in sys.modules for name in ("scipy.stats._stats_py", "altair.vegalite")),
}))
"""


def test_statistics_and_charts_are_imported_by_their_first_use_only():
    """Until then nothing of them is read; after it they answer as they always do, and no finder of ours stays."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _CODE], cwd=root, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {
        "asleep": [],
        "finders": [],
        "expectation": "ExpectColumnKLDivergenceToBeLessThan",
        "entropy": 0.0,
        "chart": "Chart",
        "awake": True,
    }
