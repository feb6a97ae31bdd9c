"""What only an org can prove wrong is found before the first run, with the name that was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater import hooks
from headwater.check_definitions import main

PUSH = """\
push: people
org: demo
source: {object: Contact}
destination: {platform: insider_one, connection: insider_one_demo}
schedule: "0 * * * *"
identifiers: {email: Emial}
attributes: {name: FirstName}
custom_attributes: {company: Account.Nmae}
"""


def check(monkeypatch: pytest.MonkeyPatch, definitions: Path, **files: str) -> int:
    for name, text in files.items():
        kind, _, stem = name.partition("__")
        (definitions / kind / f"{stem}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    hooks.definitions.cache_clear()
    return main()


def test_the_shipped_definitions_fit_the_sandbox_org(site: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Objects and fields of every push and check are there."""
    assert main() == 0
    assert capsys.readouterr().out.startswith("all good: 1 orgs, 1 pushes, ")


def test_unknown_objects_and_fields_are_named_with_the_nearest(
    site: dict[str, str], monkeypatch: pytest.MonkeyPatch, definitions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person sees what to write instead."""
    code = check(
        monkeypatch,
        definitions,
        orgs__demo="org: demo\nconnection: salesforce_demo\nobjects: [Account, Contact, Opportunty]\n",
        pushes__people=PUSH,
    )

    said = capsys.readouterr().out
    assert code == 1
    assert "orgs/demo.yaml: objects: the org has no object Opportunty" in said
    assert "did you mean Opportunity?" in said
    assert "pushes/people.yaml: identifiers.email: Contact has no field Emial (did you mean Email?)" in said
    assert "Account has no field Nmae (did you mean Name?)" in said


def test_an_org_that_cannot_be_asked_is_a_note(
    site: dict[str, str], monkeypatch: pytest.MonkeyPatch, definitions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files are checked all the same."""
    code = check(monkeypatch, definitions, orgs__far="org: far\nconnection: nowhere\n")

    assert code == 0
    assert "(org far: only the files were checked: the Airflow connection 'nowhere' does not exist" in (
        capsys.readouterr().out
    )
