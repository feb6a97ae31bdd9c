"""Every DAG follows the house's policy, and a bad definition hides none of the others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from include.settings import PROJECT_ROOT

DAGS = PROJECT_ROOT / "dags"
HEAVY = ("pandas", "great_expectations", "simple_salesforce", "pyarrow", "numpy", "duckdb", "sqlalchemy.dialects")


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(DAGS))


@pytest.fixture
def bag_of(monkeypatch: pytest.MonkeyPatch, definitions: Path) -> Iterator[Any]:
    """Yield a function that writes definitions and parses the DAGs with them."""

    def parse(**files: str) -> DagBag:
        for name, text in files.items():
            kind, _, stem = name.partition("__")
            (definitions / kind / f"{stem}.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
        return DagBag(dag_folder=str(DAGS))

    return parse


def test_every_dag_imports(bag: DagBag) -> None:
    """What is shipped parses without an error."""
    assert bag.import_errors == {}
    assert {"demo_extract", "demo_health", "demo_metadata", "demo_reconcile", "push_contacts_to_insider_one"} <= set(
        bag.dags
    )


def test_every_dag_says_what_it_does_when_it_fails_and_how_to_run_it_again(bag: DagBag) -> None:
    """The page of a DAG is enough for a person who has never seen it."""
    for dag in bag.dags.values():
        assert re.findall(r"^### (.+)$", dag.doc_md or "", re.M) == ["What it does", "When it fails", "How to re-run"]
        assert dag.description


def test_every_dag_has_an_owner_tags_and_our_retries(bag: DagBag) -> None:
    """Someone can be reached, the list can be filtered, and errors are sorted by our policy."""
    for dag in bag.dags.values():
        assert "headwater" in dag.tags
        assert dag.max_active_runs == 1
        assert not dag.catchup
        for task in dag.tasks:
            assert task.owner not in ("", "airflow")
            assert task.retries == 3
            assert type(task.retry_policy).__name__ == "HeadwaterRetryPolicy"


def test_every_parameter_of_a_form_is_explained(bag: DagBag) -> None:
    """Each field of the trigger form has a title; those outside of *More* have a description too."""
    for dag in bag.dags.values():
        for name in dag.params:
            param = dag.params.get_param(name)
            assert param.schema.get("title"), f"{dag.dag_id}.{name}"
            assert param.description or param.schema.get("section"), f"{dag.dag_id}.{name}"


def test_every_pool_of_a_task_is_one_that_setting_up_creates(bag: DagBag) -> None:
    """A task in a pool that doesn't exist would wait for ever."""
    pools = json.loads((PROJECT_ROOT / "include" / "local" / "pools.json").read_text(encoding="utf-8"))
    for dag in bag.dags.values():
        for task in dag.tasks:
            assert task.pool in {"default_pool", *pools}


def test_extract_intervals_have_a_width(bag: DagBag) -> None:
    """A backfill reads its data interval, which a plain cron string would leave without width."""
    for name in ("demo_extract", "push_contacts_to_insider_one"):
        assert type(bag.dags[name].timetable).__name__ == "CronDataIntervalTimetable"


def test_one_broken_definition_among_three_hides_no_other(bag_of: Any) -> None:
    """Its message stands among the import errors, under a file of its own; the others have their DAGs."""
    parsed = bag_of(
        orgs__one="org: one\nconnection: c1\n",
        orgs__two="org: two\nconnection: c2\nobjcts: [Lead]\n",
        orgs__three="org: three\nconnection: c3\n",
    )

    assert sorted(set(parsed.dags) - {"headwater_housekeeping"}) == [
        f"{org}_{what}" for org in ("one", "three") for what in ("extract", "health", "metadata", "reconcile")
    ]
    (file, message), *others = parsed.import_errors.items()
    assert not others
    assert Path(file).name == "definition_errors.py"
    assert "orgs/two.yaml: objcts: no such key here; did you mean objects?" in message


def test_more_than_five_objects_are_probed_by_several_calls(bag_of: Any) -> None:
    """A composite call holds five queries."""
    parsed = bag_of(orgs__wide="org: wide\nconnection: c\nobjects: [A1, A2, A3, A4, A5, A6]\n")

    dag = parsed.dags["wide_extract"]
    assert dag.get_task("extract_A1").upstream_task_ids == {"probe_1"}
    assert dag.get_task("extract_A6").upstream_task_ids == {"probe_2"}


def test_a_group_of_objects_has_a_dag_of_its_own(bag_of: Any) -> None:
    """Two schedules are two DAGs, and each object is in one of them."""
    parsed = bag_of(
        orgs__a="org: a\nconnection: c\ngroups: [{name: people, schedule: '*/5 * * * *', objects: [Lead, Contact]}]\n"
    )

    names = ["a_extract", "a_extract_people", "a_health", "a_metadata", "a_reconcile"]
    assert sorted(set(parsed.dags) - {"headwater_housekeeping"}) == names
    assert {"extract_Lead", "extract_Contact"} < set(parsed.dags["a_extract_people"].task_ids)
    assert {"extract_Account", "extract_Opportunity"} < set(parsed.dags["a_extract"].task_ids)


def test_the_example_in_the_docs_is_a_dag(tmp_path: Path) -> None:
    """The DAG that docs/operators.md shows parses as it stands."""
    text = (PROJECT_ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    (tmp_path / "contacts_every_morning.py").write_text(
        re.search(r"```python\n(.*?)```", text, re.S).group(1), encoding="utf-8"
    )

    parsed = DagBag(dag_folder=str(tmp_path))

    assert parsed.import_errors == {}
    assert parsed.dags["contacts_every_morning"].task_ids == ["extract", "assess", "gate", "push"]


def test_parsing_loads_no_heavy_library() -> None:
    """A DAG file must parse in well under a second; what takes longer is imported when a task runs."""
    code = (
        "import sys\n"
        "import airflow.sdk, airflow.providers.standard.operators.empty, airflow.providers.standard.operators.hitl\n"
        "before = set(sys.modules)\n"
        "import runpy\n"
        "[runpy.run_path(path) for path in sys.argv[1:]]\n"
        f"print(sorted(name for name in set(sys.modules) - before if name.startswith({HEAVY!r})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, sorted(DAGS.glob("*.py")))],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{PROJECT_ROOT}:{PROJECT_ROOT / 'plugins'}"},
    )

    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_people_are_told_behind_everything_else_and_do_not_decide_a_runs_state(bag_of: Any) -> None:
    """An org that notifies has a last task for it in every DAG, beside the verdict; one that doesn't has none."""
    push = "push: p\norg: a\nschedule: '0 * * * *'\nsource: {object: Contact}\n"
    push += "destination: {platform: insider_one, connection: c}\n"
    parsed = bag_of(
        orgs__a="org: a\nconnection: c\nnotify: [{mail: [team@example.com]}]\n",
        orgs__b="org: b\nconnection: c\n",
        pushes__p=push + "identifiers: {email: Email}\nattributes: {name: FirstName}\n",
    )

    assert parsed.import_errors == {}
    for name in ("a_extract", "a_metadata", "a_reconcile", "a_health", "push_p"):
        dag = parsed.dags[name]
        assert {task.task_id for task in dag.tasks if not task.downstream_task_ids} == {"notify", "verdict"}
        assert dag.get_task("notify").trigger_rule == "all_done"
    assert not parsed.dags["b_extract"].has_task("notify")
    assert not parsed.dags["b_health"].has_task("verdict")


def test_a_week_is_summed_up_where_somebody_is_named_and_owners_are_told_where_it_is_said(bag_of: Any) -> None:
    """Both are off by default; the digest runs in the zone of its readers."""
    health = "health:\n  digest: {mail: [lead@example.com], time_zone: Europe/Berlin}\n  owners: {tell: true}\n"
    parsed = bag_of(
        orgs__a=f"org: a\nconnection: c\nnotify: [{{mail: [team@example.com]}}]\n{health}",
        orgs__b="org: b\nconnection: c\n",
    )

    assert parsed.import_errors == {}
    timetable: Any = parsed.dags["a_health_digest"].timetable
    assert (timetable.expression, str(timetable.timezone)) == ("0 7 * * 1", "Europe/Berlin")
    assert parsed.dags["a_health"].get_task("notify").upstream_task_ids == {"tell_owners"}
    assert "b_health_digest" not in parsed.dags
    assert parsed.dags["b_health"].task_ids == ["assess"]
