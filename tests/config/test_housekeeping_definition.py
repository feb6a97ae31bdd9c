"""The file on housekeeping: defaults without it, nothing removed while it is wrong."""

from __future__ import annotations

from pathlib import Path

import yaml

from include.config.housekeeping import HousekeepingDefinition
from include.config.loader import load_definitions
from include.settings import PROJECT_ROOT


def test_without_a_file_the_defaults_rule(definitions: Path) -> None:
    """They keep a year and more of what people look back on."""
    loaded = load_definitions(definitions)
    assert loaded.errors == ()
    assert loaded.housekeeping == HousekeepingDefinition()


def test_a_file_changes_what_it_names(definitions: Path) -> None:
    """And nothing else."""
    (definitions / "housekeeping.yaml").write_text("retention: {runs: 30, outbox: null}\n", encoding="utf-8")
    retention = load_definitions(definitions).housekeeping.retention
    assert (retention.runs, retention.outbox, retention.probes) == (30, None, 14)


def test_the_docs_show_the_defaults() -> None:
    """Every key of the page is one, with the value that rules without a file."""
    page = (PROJECT_ROOT / "docs" / "housekeeping.md").read_text(encoding="utf-8")
    shown = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    assert HousekeepingDefinition.model_validate(shown) == HousekeepingDefinition()
    assert set(shown["retention"]) == set(HousekeepingDefinition().retention.model_dump())


def test_a_wrong_file_removes_nothing(definitions: Path) -> None:
    """It may have said that something is kept for ever."""
    (definitions / "housekeeping.yaml").write_text("retention: {runs: null, rums: 3}\n", encoding="utf-8")
    loaded = load_definitions(definitions)
    assert [str(each) for each in loaded.errors] == [
        "housekeeping.yaml: retention.rums: no such key here; did you mean runs?"
    ]
    assert set(loaded.housekeeping.retention.model_dump().values()) == {None}
