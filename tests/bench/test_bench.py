"""The bench runs, and says what it found in the form that programs read; how fast anything is, no test asserts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.bench.figures import Figure, Goal, against, as_line, as_table, skipped
from tools.bench.shelf import Shelf, csv_pages

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"name", "value", "unit", "limit", "ratio"}


def test_a_figure_says_whether_its_ratio_is_as_it_has_to_be() -> None:
    """A ratio is the value by the limit, and a goal bounds it from below or above."""
    assert against("a.b", 6, "s", 5, Goal(at_most=1.2)).verdict == "yes"
    assert against("a.b", 7, "s", 5, Goal(at_most=1.2)).verdict == "NO"
    assert against("a.b", 3, "rows/s", 5, Goal(at_least=0.7)).verdict == "NO"
    assert against("a.b", 3, "rows/s", 5).verdict == ""


def test_what_could_not_be_measured_is_shown_as_skipped() -> None:
    """Neither a line nor the table takes it for a success."""
    figure = skipped("extract.peer_x", "it is not installed")
    told = json.loads(as_line(figure))
    assert (told["value"], told["met"], told["note"]) == (None, None, "it is not installed")
    assert "| skipped |" in as_table([figure])


def test_a_line_of_json_holds_the_named_keys() -> None:
    """Programs find name, value, unit, limit and ratio in each."""
    told = json.loads(as_line(Figure(name="a.b", value=1.5, unit="s")))
    assert told.keys() >= KEYS
    assert (told["value"], told["limit"], told["ratio"]) == (1.5, None, None)


def test_a_shelf_names_its_pages_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    """Only results of Bulk jobs are pages."""
    for number, path in enumerate(("/jobs/query/7/results", "/jobs/query/7/results?locator=x", "/jobs/query/7")):
        place = tmp_path / f"{9 - number}"
        place.write_bytes(b"Id\n")
        os.utime(place, ns=(number, number))
        place.with_suffix(".json").write_text(json.dumps({"status": 200, "path": path}))
    Shelf(tmp_path, "http://127.0.0.1:1")
    assert [page.name for page in csv_pages(tmp_path)] == ["9", "8"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_bench_prints_a_line_for_each_figure(postgres_url: str, tmp_path: Path) -> None:
    """Two thousand rows are enough to see that every figure of the extract is there."""
    command = [sys.executable, "-m", "tools.bench", "--home", str(tmp_path), "--rows", "2000", "--only", "extract"]
    command += ["--peers=-", "--repeats", "1", "--postgres", postgres_url, "--json"]
    path = f"{ROOT}:{ROOT / 'plugins'}"
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(each.keys() >= KEYS for each in figures)
    assert all(each["value"] is not None for each in figures)
    names = {each["name"].removeprefix("extract.") for each in figures}
    assert names >= {"first_load", "peak_memory", "reread_merge", "increment", "idle_5_objects", "dag_parse"}
    calls = {each["name"]: each["value"] for each in figures if each["unit"] == "calls"}
    assert (calls["extract.idle_5_objects"], calls["extract.idle_12_objects"]) == (1, 3)
