"""What the tool that leads other clients through the org says at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.peers.__main__ import main
from tools.peers.report import exit_status
from tools.peers.scripted import Jsforce
from tools.peers.story import Visit


def test_nothing_compared_is_no_success() -> None:
    """Nor is a client that differs; one that ran and saw the same is enough."""
    skipped, ran = Visit(peer=Jsforce(), skipped="no network"), Visit(peer=Jsforce())
    wrong = Visit(peer=Jsforce(), wrong=["REST, Contact: 3 missing"])
    assert [exit_status(each) for each in ([], [skipped], [skipped, ran], [ran, wrong])] == [1, 1, 0, 1]


def test_a_client_that_nobody_knows_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before an org is made for nobody."""
    assert main(["--home", str(tmp_path), "--peers", "jsfroce"]) == 2
    assert capsys.readouterr().err.startswith("No client is called jsfroce; there are simple-salesforce, jsforce,")
    assert not list(tmp_path.iterdir())
