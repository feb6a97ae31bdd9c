"""When a running push is to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.stopping import StopWatch
from include.config.loader import load_definitions

PUSH = """
push: people
org: main
source: {object: Contact}
destination: {platform: insider_one, connection: c}
schedule: "0 * * * *"
identifiers: {email: Email}
attributes: {name: FirstName}
"""


class Seconds:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("orgs", "pushes", "checks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "orgs" / "main.yaml").write_text("org: main\nconnection: c\n", encoding="utf-8")
    push = tmp_path / "pushes" / "people.yaml"
    push.write_text(PUSH, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(tmp_path))
    return push


def watch(clock: Seconds) -> StopWatch:
    return StopWatch(load_definitions().push("people"), monotonic=clock)


def test_an_untouched_definition_lets_it_go_on(file: Path) -> None:
    """However long it takes."""
    clock = Seconds()
    watching = watch(clock)
    clock.now += 3600
    assert watching() == ""


def test_a_changed_definition_stops_it_and_says_what_changed(file: Path) -> None:
    """By the keys, within seconds; the definitions are not read for each batch."""
    clock = Seconds()
    watching = watch(clock)
    file.write_text(PUSH.replace("FirstName", "LastName"), encoding="utf-8")
    assert watching() == ""
    clock.now += 6
    assert watching() == "its definition was changed (attributes)"


@pytest.mark.parametrize("content", ["push: people\n", None])
def test_a_definition_that_is_gone_or_broken_stops_it(file: Path, content: str | None) -> None:
    """Nobody can know what it is to do now."""
    clock = Seconds()
    watching = watch(clock)
    file.write_text(content, encoding="utf-8") if content else file.unlink()
    clock.now += 6
    assert watching() == "its definition is gone or cannot be read"


def test_whoever_ends_the_task_stops_it_at_once(file: Path) -> None:
    """What the signal handler says is the next answer."""
    watching = watch(Seconds())
    watching.stop("its task was ended in Airflow")
    assert watching() == "its task was ended in Airflow"
