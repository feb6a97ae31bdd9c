"""What only an org can prove wrong is found before the first run, with the name that was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from headwater import hooks
from headwater.check_definitions import main
from include.warehouse.engine import transaction

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
    assert capsys.readouterr().out.startswith("all good: 1 org, 1 push, ")


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


def test_a_slip_in_an_orgs_file_does_not_tell_how_to_drop_its_rows(
    site: dict[str, str],
    warehouse: Engine,
    monkeypatch: pytest.MonkeyPatch,
    definitions: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Such an org is defined, only badly; one that nobody defines is named with the command."""
    with transaction(warehouse) as connection:
        connection.exec_driver_sql(
            "INSERT INTO headwater.org (org, org_id, instance_url, name, is_sandbox)"
            " VALUES ('demo', '00D5g000000AbCdEAF', 'https://demo.example.com', '', true)"
        )
    assert check(monkeypatch, definitions, orgs__demo="org: demo\nconnection: x\nschedul: '0 * * * *'\n") == 1
    assert "make forget" not in capsys.readouterr().out

    assert check(monkeypatch, definitions, orgs__demo="org: another\nconnection: nowhere\n") == 0
    assert "make forget ORG=demo" in capsys.readouterr().out


def test_a_model_is_planned_by_the_warehouse(
    site: dict[str, str],
    warehouse: Engine,
    monkeypatch: pytest.MonkeyPatch,
    definitions: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where what it reads is loaded, a slip in its SQL is named; nothing is read."""
    with transaction(warehouse) as connection:
        connection.exec_driver_sql('CREATE SCHEMA salesforce_demo; CREATE TABLE salesforce_demo."Contact" ("Id" text)')
        connection.exec_driver_sql(
            "INSERT INTO headwater.object (org, object, first_loaded_at) VALUES ('demo', 'Contact', now())"
        )
    (definitions / "models").mkdir()
    (definitions / "models" / "people.sql").write_text('SELECT "Id", 1 / 0 AS nonsense, surname FROM "Contact"')
    model = PUSH.replace("{object: Contact}", "{model: people}").replace("Emial", "Id").replace("FirstName", "surname")

    code = check(monkeypatch, definitions, orgs__demo="org: demo\nconnection: salesforce_demo\n", pushes__people=model)

    said = capsys.readouterr().out
    assert code == 1
    assert 'models/people.sql: the warehouse cannot run it: column "surname" does not exist' in said
