"""The warehouse holds what simple-salesforce reads, while people work in the org and after they stopped."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.salesforce.auth import Credentials
from tools.parity.ours import Ours
from tools.parity.report import exit_status, report
from tools.parity.story import OBJECTS, Story
from tools.peers.org import running_org
from tools.peers.scripted import SimpleSalesforce


class Installed(SimpleSalesforce):
    """simple-salesforce as it is installed here: Airflow's provider brings it."""

    def install(self, folder: Path) -> str:
        self._python = Path(sys.executable)
        return version("simple-salesforce")


@pytest.mark.slow
def test_every_value_is_what_another_client_reads(warehouse: Engine, tmp_path: Path) -> None:
    """Deleted records too; `make parity` does the same with two more clients."""
    with running_org(tmp_path / "org", contacts=400, seed=3) as org:
        settings = org.settings()
        credentials = Credentials(
            kind="client_credentials",
            login_url=org.url,
            client_id=settings["client_id"],
            client_secret=settings["client_secret"],
        )
        story = Story(org, Ours(warehouse, credentials, OBJECTS), tmp_path, [Installed()], say=lambda text: None)
        story.install()
        story.live(1, changes_per_minute=600, seed=3)
        story.still()
    assert exit_status(story.told) == 0, report(story.told)
    assert story.told.changes > 20
    assert {each.way for each in story.told.compared} == {"REST", "Bulk 2.0", "queryAll"}
    assert story.told.compared[-1].agreement.deleted > 0
    assert "Account" in story.told.mended  # roll-ups, which moved no stamp
