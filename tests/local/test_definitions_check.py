"""The check of definitions works without anything running, and says then what it left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.local.definitions_check import check_definitions
from include.local.site import read_site


def test_files_are_checked_without_an_org(
    definitions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad file is one line and the exit code; the good ones are counted."""
    (definitions / "orgs" / "good.yaml").write_text("org: good\nconnection: elsewhere\n")
    (definitions / "orgs" / "bad.yaml").write_text("org: bad\n")
    variables = {"HEADWATER_HOME": str(tmp_path / "home"), "HEADWATER_DEFINITIONS": str(definitions), "PORT": "9"}
    site = read_site(variables)
    assert check_definitions(site) == 1
    said = capsys.readouterr().out
    assert "orgs/bad.yaml: connection: this key is missing" in said
    assert "only the files were checked" in said
    assert "1 error; readable: 1 org," in said
