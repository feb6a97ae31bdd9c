"""The check of definitions finds what only the org can prove, and offers the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.config.loader import load_definitions
from include.local.definitions_check import check_definitions, nearest, unknown_names, unknown_part
from include.local.site import read_site
from include.records import Describe, Field

DESCRIBES = {
    "Contact": Describe(
        object="Contact",
        label="Contact",
        key_prefix="003",
        fields=(
            Field(name="Email", label="Email", type="email"),
            Field(name="AccountId", label="Account", type="reference", reference_to=("Account",)),
            Field(name="Home__c", label="Home", type="reference", reference_to=("Home__c",)),
        ),
    ),
    "Account": Describe(
        object="Account", label="Account", key_prefix="001", fields=(Field(name="Name", label="Name", type="string"),)
    ),
    "Home__c": Describe(
        object="Home__c", label="Home", key_prefix="a00", fields=(Field(name="City__c", label="City", type="string"),)
    ),
}


@pytest.mark.parametrize("path", ["Email", "Account.Name", "Home__r.City__c"])
def test_fields_that_exist_are_fine(path: str) -> None:
    """Also across standard and custom relationships."""
    assert unknown_part("Contact", path, DESCRIBES.__getitem__) == ""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Emial", "Contact has no field Emial; the nearest is Email"),
        ("Account.Nmae", "Account has no field Nmae; the nearest is Name"),
        ("Acount.Name", "Contact has no relationship Acount; the nearest is Account"),
        ("Zzz", "Contact has no field Zzz"),
    ],
)
def test_fields_that_do_not_exist_are_named_with_the_nearest(path: str, words: str) -> None:
    """The message can be acted on without opening the org."""
    assert unknown_part("Contact", path, DESCRIBES.__getitem__) == words


def test_the_nearest_name_does_not_care_about_case() -> None:
    """API names are often typed in the wrong case."""
    assert nearest("contact", ["Account", "Contact"]) == "; the nearest is Contact"


def test_unknown_objects_and_fields_carry_file_and_key(definitions: Path) -> None:
    """As every other definition error."""
    (definitions / "orgs" / "acme.yaml").write_text("org: acme\nconnection: acme\nobjects: [Contact, Acount]\n")
    (definitions / "pushes" / "p.yaml").write_text(
        "push: p\norg: acme\nsource: {object: Contact}\n"
        "destination: {platform: insider_one, connection: x}\nschedule: '0 * * * *'\n"
        "identifiers: {email: Emial}\nattributes: {company: Account.Name}\n"
    )
    found = unknown_names(load_definitions(definitions), "acme", DESCRIBES, DESCRIBES.__getitem__)
    assert [str(each) for each in found] == [
        "orgs/acme: objects: the org has no object Acount; the nearest is Account",
        "pushes/p: identifiers.email: Contact has no field Emial; the nearest is Email",
    ]


def test_files_are_checked_without_an_org(
    definitions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad file is one line and the exit code; the good ones are counted."""
    (definitions / "orgs" / "good.yaml").write_text("org: good\nconnection: elsewhere\n")
    (definitions / "orgs" / "bad.yaml").write_text("org: bad\n")
    site = read_site({"HEADWATER_HOME": str(tmp_path / "home"), "HEADWATER_DEFINITIONS": str(definitions)})
    assert check_definitions(site) == 1
    said = capsys.readouterr().out
    assert "orgs/bad.yaml: connection: this key is missing" in said
    assert "org good: only the files were checked" in said
    assert "1 errors; good: 1 orgs" in said
