"""What the docs show works as it stands."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import include.config
from include.config.loader import load_definitions
from include.config.model import DefinitionModel
from include.sandbox.insider_one import credentials as platform
from include.sandbox.org import credentials as org
from include.settings import PROJECT_ROOT

DOCS = PROJECT_ROOT / "docs"
README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")


def first_yaml(page: str) -> str:
    found = re.search(r"```yaml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.S)
    assert found, page
    return found.group(1)


def test_the_definitions_in_the_docs_load(definitions: Path) -> None:
    """A person may copy them."""
    (definitions / "orgs" / "acme.yaml").write_text(first_yaml("definitions.md"), encoding="utf-8")
    (definitions / "orgs" / "demo.yaml").write_text("org: demo\nconnection: c\n", encoding="utf-8")
    (definitions / "pushes" / "push.yaml").write_text(first_yaml("pushes.md"), encoding="utf-8")
    page = "destinations/intercom.md"
    (definitions / "pushes" / "intercom.yaml").write_text(first_yaml(page), encoding="utf-8")
    (definitions / "checks" / "checks.yaml").write_text(first_yaml("checks.md"), encoding="utf-8")

    loaded = load_definitions(definitions)

    assert loaded.errors == ()
    assert (len(loaded.orgs), len(loaded.pushes), len(loaded.checks)) == (2, 2, 1)


def test_every_key_of_a_definition_is_in_the_docs() -> None:
    """What a person may write, they can read about; arguments of expectations are Great Expectations' own."""
    docs = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    modules = [each.name for each in pkgutil.iter_modules(include.config.__path__) if "expectations" not in each.name]
    keys = {
        name
        for module in modules
        for model in vars(importlib.import_module(f"include.config.{module}")).values()
        if isinstance(model, type) and issubclass(model, DefinitionModel) and "expectations" not in model.__module__
        for name in model.model_fields
    }
    assert len(keys) > 100
    assert {each for each in keys if not re.search(rf"\b{each}\b", docs)} == set()


def test_the_readme_names_the_sandbox_sign_in() -> None:
    """It is fixed, so it may stand there; a change of it must not leave the old one behind."""
    for value in (org.CLIENT_ID, org.CLIENT_SECRET, org.REFRESH_TOKEN, org.USERNAME, org.PASSWORD, org.SECURITY_TOKEN):
        assert f"`{value}`" in README
    assert str(org.JWT_PRIVATE_KEY.relative_to(PROJECT_ROOT)) in README
    assert platform.TOKEN not in README


def test_the_readme_names_every_target() -> None:
    """What make can do is found without reading the Makefile."""
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.M)) - {"help", "format"}
    assert {each for each in targets if f"`make {each}" not in README} == set()


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(str(path.relative_to(PROJECT_ROOT)) for path in DOCS.rglob("*.md"))]
)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page is a file of the project."""
    text = (PROJECT_ROOT / page).read_text(encoding="utf-8")
    links = [each for each in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in each]
    missing = [each for each in links if not (PROJECT_ROOT / page).parent.joinpath(each).exists()]
    assert missing == []


def test_the_index_leads_to_every_page() -> None:
    """A page that nobody is led to is read by nobody."""
    led_to = set(re.findall(r"\]\(([^)#\s]+\.md)\)", (DOCS / "README.md").read_text(encoding="utf-8")))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert pages - led_to == {"README.md"}


def test_the_architecture_names_files_that_are_there() -> None:
    """Its way through the code is walked by newcomers."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:include|plugins|dags|tools|tests)/[\w./]*)`", text))
    assert len(named) > 15
    assert {each for each in named if not (PROJECT_ROOT / each).exists()} == set()


def test_the_tests_that_the_promises_name_exist() -> None:
    """A promise whose test was renamed or dropped would prove nothing."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (DOCS / "promises.md").read_text(encoding="utf-8"))
    assert len(named) > 10
    missing = [
        f"{path}::{name}"
        for path, name in named
        if f"\ndef {name}(" not in (PROJECT_ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []
