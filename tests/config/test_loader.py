"""Definitions: every good one loads, every bad one is one clear error that names file and key."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from include.config.loader import load_definitions
from include.errors import DefinitionError
from include.settings import PROJECT_ROOT

ORG = "org: acme\nconnection: sf_acme\n"
PUSH = dedent("""\
    push: people
    org: acme
    source: {object: Contact}
    destination: {platform: insider_one, connection: insider}
    schedule: "15 * * * *"
    identifiers: {email: Email}
    attributes: {name: FirstName}
    """)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def messages(folder: Path) -> list[str]:
    return [str(error) for error in load_definitions(folder).errors]


def test_the_shipped_definitions_are_valid() -> None:
    """What the project ships loads without an error."""
    loaded = load_definitions(PROJECT_ROOT / "include" / "definitions")

    assert loaded.errors == ()
    assert "demo" in loaded.orgs


def test_an_org_reads_the_four_standard_objects_unless_it_says_otherwise(definitions: Path) -> None:
    """Account, Contact, Lead and Opportunity need no configuration."""
    write(definitions, "orgs/acme.yaml", ORG)

    org = load_definitions(definitions).org("acme")

    assert org.all_objects == ("Account", "Contact", "Lead", "Opportunity")
    assert (org.lookback_minutes, org.lag_seconds, org.schedule) == (10, 0, "0 * * * *")


def test_a_group_takes_its_objects_out_of_the_default_schedule(definitions: Path) -> None:
    """Each object is read on one schedule only."""
    write(
        definitions,
        "orgs/acme.yaml",
        ORG + "groups: [{name: people, schedule: '*/5 * * * *', objects: [Lead, Contact]}]\n",
    )

    groups = load_definitions(definitions).org("acme").all_groups

    assert [(group.name, group.objects) for group in groups] == [
        ("", ("Account", "Opportunity")),
        ("people", ("Lead", "Contact")),
    ]


def test_a_bad_file_does_not_hide_the_good_ones(definitions: Path) -> None:
    """One broken definition among three is one error; the other two load."""
    write(definitions, "orgs/acme.yaml", ORG)
    write(definitions, "orgs/broken.yaml", "org: broken\nconnection: [unclosed\n")
    write(definitions, "orgs/other.yaml", "org: other\nconnection: sf_other\n")

    loaded = load_definitions(definitions)

    assert sorted(loaded.orgs) == ["acme", "other"]
    assert len(loaded.errors) == 1
    assert str(loaded.errors[0]).startswith("orgs/broken.yaml: this is not YAML in line")


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "orgs/a.yaml",
            ORG + "objcts: [Lead]\n",
            "orgs/a.yaml: objcts: no such key here; did you mean objects?",
        ),
        (
            "orgs/a.yaml",
            ORG + "colour: blue\n",
            "orgs/a.yaml: colour: no such key here; check its spelling and its place",
        ),
        (
            "checks/a.yaml",
            "checks: [{check: a, title: Any, why: because, category: Invalid, severity: info, object: Contact,"
            " expect: {type: expect_column_values_to_not_be_null, column: Email, colum: Email}}]\n",
            "checks/a.yaml: checks.0.expect.Filled.colum: no such key here; did you mean column?",
        ),
        ("orgs/a.yaml", "org: acme\n", "orgs/a.yaml: connection: this key is missing"),
        (
            "orgs/a.yaml",
            ORG + "schedule: hourly\n",
            "orgs/a.yaml: schedule: 'hourly' is not a cron expression of five fields",
        ),
        ("orgs/a.yaml", ORG + "lookback_minutes: -1\n", "orgs/a.yaml: lookback_minutes: Input should be greater"),
        ("orgs/a.yaml", "org: Acme Corp\nconnection: x\n", "orgs/a.yaml: org: String should match pattern"),
        (
            "orgs/a.yaml",
            ORG + "objects: ['Contact; DROP TABLE']\n",
            "orgs/a.yaml: objects.0: String should match pattern",
        ),
        ("orgs/a.yaml", "", "orgs/a.yaml: the file must hold keys and values; it is empty or a list"),
        ("orgs/a.yaml", ORG + "owner: 2026-02-30\n", "orgs/a.yaml: a value cannot be read: "),
        ("orgs/a.yaml", ORG + "owner: !!bool x\n", "orgs/a.yaml: a value cannot be read: "),
        ("orgs/a.yaml", ORG + "owner: " + "[" * 3000 + "\n", "orgs/a.yaml: "),
        ("orgs/a.yaml", ORG + "lookback_minutes: " + "9" * 5000 + "\n", "orgs/a.yaml: a value cannot be read: "),
        (
            "orgs/a.yaml",
            ORG + "owner: a\nowner: b\n",
            "orgs/a.yaml: this is not YAML in line 4, column 1: the key 'owner'",
        ),
        ("orgs/a.yaml", ORG + "schedule: 0 0 30 2 *\n", "orgs/a.yaml: schedule: '0 0 30 2 *' names a date that never"),
        ("orgs/a.yaml", ORG + "objects: [Lead, lead]\n", "orgs/a.yaml: Lead, lead stands twice among the objects"),
        ("orgs/a.yaml", "- org: acme\n", "orgs/a.yaml: the file must hold keys and values; it is empty or a list"),
    ],
)
def test_a_bad_org_names_file_and_key(definitions: Path, file: str, text: str, expected: str) -> None:
    """A tired person sees at once what to edit."""
    write(definitions, file, text)

    found = messages(definitions)

    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("org: acme", "org: acne"), "pushes/p.yaml: org: no org is called 'acne'; defined: acme"),
        (
            ("Contact", "Case"),
            "pushes/p.yaml: source.object: org 'acme' does not read Case; add it to `objects` in orgs/a.yaml",
        ),
        (
            ("{email: Email}", "{}"),
            "pushes/p.yaml: identifiers: name at least one of email, phone_number, uuid or custom",
        ),
        (("insider_one,", "outsider,"), "pushes/p.yaml: destination.platform: Input should be"),
    ],
)
def test_a_bad_push_names_file_and_key(definitions: Path, change: tuple[str, str], expected: str) -> None:
    """What the files alone prove wrong is found without an org."""
    write(definitions, "orgs/a.yaml", ORG)
    write(definitions, "pushes/p.yaml", PUSH.replace(*change))

    found = messages(definitions)

    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_missing_folder_is_an_error(definitions: Path) -> None:
    """Without a word, a mistyped setting would leave no DAG, and a lost folder no check."""
    (definitions / "checks").rmdir()

    assert messages(definitions) == [f"checks/: there is no such folder in {definitions}; make it, empty if need be"]
    assert "does not exist; make it, or mend HEADWATER_DEFINITIONS" in messages(definitions / "nowhere")[0]


def test_two_definitions_of_one_name_are_one_error(definitions: Path) -> None:
    """The first one stays, the second one is named with the file of the first."""
    write(definitions, "orgs/a.yaml", ORG)
    write(definitions, "orgs/b.yaml", ORG)

    assert messages(definitions) == ["orgs/b.yaml: org: 'acme' is defined already in orgs/a.yaml; rename one"]


def test_an_unknown_name_says_which_there_are(definitions: Path) -> None:
    """Asking for what is not defined lists what is."""
    write(definitions, "orgs/a.yaml", ORG)

    with pytest.raises(DefinitionError, match="no org is called 'nobody'; defined: acme"):
        load_definitions(definitions).org("nobody")
