"""What the file of a push alone proves wrong: each mistake is one message that says what to write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from include.config.loader import Definitions, load_definitions
from include.config.platforms import PLATFORMS, Match, Platform
from include.config.pushes import PlatformName
from include.records import ProfileAction
from include.settings import PROJECT_ROOT

ORG = {
    "org": "acme",
    "connection": "salesforce_acme",
    "objects": ["Account", "Contact"],
    "queries": [
        {
            "name": "big_deals",
            "mode": "full",
            "key": "Name",
            "soql": "SELECT Name, Amount FROM Opportunity WHERE Amount > 9",
        }
    ],
}
PUSH: dict[str, Any] = {
    "push": "p",
    "org": "acme",
    "source": {"object": "Contact"},
    "destination": {"platform": "insider_one", "connection": "there"},
    "schedule": "0 * * * *",
    "identifiers": {"email": "Email"},
    "attributes": {"name": "FirstName"},
}
MODEL = {"model": "open_deals", "key": "Id", "stamp": "changed"}


def load(folder: Path, **changes: Any) -> Definitions:
    for kind in ("orgs", "pushes", "checks", "models"):
        (folder / kind).mkdir(exist_ok=True)
    (folder / "orgs" / "a.yaml").write_text(yaml.safe_dump(ORG))
    (folder / "models" / "open_deals.sql").write_text('SELECT "Id", big.x FROM "Contact", big_deals AS big;\n')
    (folder / "pushes" / "p.yaml").write_text(yaml.safe_dump(PUSH | changes))
    return load_definitions(folder)


def on(platform: str) -> dict[str, str]:
    return {"platform": platform, "connection": "there"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": {}}, "source: name one source: object, query or model"),
        ({"source": {"object": "Contact", "query": "big_deals"}}, "source: name one source"),
        ({"source": {"object": "Case"}}, "source.object: org 'acme' does not read Case; add it to `objects` in orgs/a"),
        ({"source": {"query": "deals"}}, "source.query: org 'acme' has no query 'deals' in orgs/a.yaml; it has: "),
        ({"source": {"model": "deals"}}, "source.model: there is no usable file models/deals.sql; there are"),
        ({"source": {"object": "Contact", "key": "Email"}}, "source: a record of an object is known by its Id"),
        ({"source": {"query": "big_deals", "filter": [{"field": "Name", "value": "x"}]}}, "source: a filter belongs"),
        ({"source": {"model": "open_deals", "sql": "SELECT 1"}}, "source.sql: not to be written here"),
        ({"source": {"object": "Contact", "filter": [{"field": "Name", "operator": "in", "value": 1}]}},
         "source.filter.0.comparison: 'in' needs a list of values"),
        ({"source": {"model": "open_deals"}, "event": {"name": "won"}},
         "event: an event for each change needs `source.stamp`"),
        ({"destination": on("outsider")}, "destination.platform: Input should be 'insider_one', 'intercom'"),
        ({"identifiers": {}}, "identifiers: name at least one of email, phone_number, uuid or custom"),
        ({"identifiers": {"email": "Email", "invalid": "guess"}}, "identifiers.invalid: Input should be 'skip_record'"),
        ({"identifiers": {"email": []}}, "identifiers.email: Value should have at least 1 item"),
        ({"attributes": {}}, "map at least one attribute or an event"),
        ({"attributes": {"name": {"field": "FirstName", "transform": ["reverse"]}}},
         "attributes.name.transform.0: Input should be 'lower', 'upper', 'trim', 'date'"),
        ({"attributes": {"name": {"field": "FirstName", "transform": ["hash", "lower"]}}},
         "attributes.name: `hash` stands last"),
        ({"attributes": {"name": {"field": "FirstName", "direction": "to_salesforce"}}},
         "attributes.name.direction: a push carries records from Salesforce to the platform; the way back"),
        ({"direction": "to_salesforce"}, "direction: a push carries records from Salesforce to the platform; the way"),
        ({"attributes": {"Name": "FirstName"}}, "attributes: Insider One takes only lower-case letters"),
        ({"custom_attributes": {"c_x": "FirstName"}}, "custom_attributes: Insider One takes only lower-case letters"),
        ({"event": {"name": "Closed Won"}}, "event: Insider One takes only lower-case letters"),
        ({"event": {"name": "won", "name_field": "Stage"}}, "event: give either name (fixed) or name_field"),
        ({"match": "create_only"}, "match: Insider One cannot keep to 'create_only'; it can: upsert"),
        ({"gone": "archive"}, "gone: Insider One has no way to archive a profile; it can: ignore, clear, delete"),
        ({"destination": on("braze"), "gone": "archive"}, "gone: Braze has no way to archive a profile; it can"),
        ({"destination": on("intercom"), "options": {"skip_hook": True}},
         "options: Intercom has no way to take data without starting journeys: take skip_hook out"),
        ({"destination": on("braze"), "options": {"batch_size": 76}}, "options: Braze takes at most 75 records"),
        ({"options": {"unusual_factor": 1}}, "options.unusual_factor: Input should be greater than 1"),
        ({"options": {"max_gone_share": 1.5}}, "options.max_gone_share: Input should be less than or equal to 1"),
        ({"phone": {"default_country": "us"}}, "phone.default_country: String should match pattern"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_message_that_names_its_key(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """File and key first, then what to write instead."""
    loaded = load(tmp_path, **changes)

    assert [str(each).partition("pushes/p.yaml: ")[2][: len(said)] for each in loaded.errors] == [said]
    assert not loaded.pushes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DELETE FROM x", "a model is one SELECT over the warehouse"),
        ("-- nothing\n", "a model is one SELECT over the warehouse"),
        ("SELECT 1; DROP TABLE x", "a model is one statement"),
        ("SELECT 1; ;", "a model is one statement"),
    ],
)
def test_a_model_is_one_select(tmp_path: Path, text: str, said: str) -> None:
    """Anything else is named with its file."""
    load(tmp_path)
    (tmp_path / "models" / "bad.sql").write_text(text)

    assert next(str(each) for each in load_definitions(tmp_path).errors).startswith(f"models/bad.sql: {said}")


@pytest.mark.parametrize("text", ["SELECT ';' -- ;\n;", "WITH a AS (SELECT 1) SELECT $$;$$ /* ; */ FROM a"])
def test_a_semicolon_that_ends_nothing_is_left_alone(tmp_path: Path, text: str) -> None:
    """In texts and comments it is none."""
    load(tmp_path)
    (tmp_path / "models" / "good.sql").write_text(text)

    assert load_definitions(tmp_path).errors == ()


def test_a_source_knows_the_objects_behind_it(tmp_path: Path) -> None:
    """The gate and the list of who uses a field ask for them."""
    assert load(tmp_path).pushes["p"].source.objects_read == ("Contact",)
    query = load(tmp_path, source={"query": "big_deals"}).pushes["p"].source
    assert (query.objects_read, query.key, query.name) == (("Opportunity",), "Name", "big_deals")
    model = load(tmp_path, source=MODEL).pushes["p"].source
    assert (model.objects_read, model.key) == (("Contact", "Opportunity"), "Id")
    assert model.sql == 'SELECT "Id", big.x FROM "Contact", big_deals AS big'


def test_every_platform_can_be_named() -> None:
    """And no other."""
    assert set(get_args(PlatformName)) == set(PLATFORMS)


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_every_platform_keeps_to_its_own_default(platform: str) -> None:
    """What a push does that says nothing is something that the platform can do."""
    known = PLATFORMS[platform]

    assert known.default_match in known.capabilities.matches


@pytest.mark.parametrize(("platform", "match"), [("intercom", Match.UPDATE_ONLY), ("insider_one", Match.UPSERT)])
def test_whom_a_push_touches_by_default(tmp_path: Path, platform: str, match: Match) -> None:
    """Intercom's own connector creates nobody; the others update or create."""
    assert load(tmp_path, destination=on(platform)).pushes["p"].match_policy is match


def test_the_batch_is_the_platform_s_unless_a_smaller_one_is_asked_for(tmp_path: Path) -> None:
    """What fits into a request is known of each platform."""
    assert load(tmp_path, destination=on("braze")).pushes["p"].batch_size == 75
    assert load(tmp_path, options={"batch_size": 7}).pushes["p"].batch_size == 7


PAGE = (PROJECT_ROOT / "docs" / "pushes.md").read_text(encoding="utf-8")


def test_every_example_in_the_docs_loads(tmp_path: Path) -> None:
    """One for each kind of source, the model with its SQL."""
    load(tmp_path)
    examples = [each for each in re.findall(r"```yaml\n(push:.*?)```", PAGE, re.S) if "org: acme" in each]
    for number, example in enumerate(examples):
        (tmp_path / "pushes" / f"{number}.yaml").write_text(example)
    (tmp_path / "models" / "open_pipeline.sql").write_text(re.findall(r"```sql\n(.*?)```", PAGE, re.S)[0])

    loaded = load_definitions(tmp_path)

    assert loaded.errors == ()
    assert sorted(each.source.kind for each in loaded.pushes.values()) == ["model", "object", "object", "query"]


@pytest.mark.parametrize("platform", list(PLATFORMS.values()), ids=lambda each: each.name)
def test_the_docs_say_what_each_platform_can_do(platform: Platform) -> None:
    """Line by line as it is judged."""
    can = platform.capabilities
    matches = [platform.default_match, *sorted(can.matches - {platform.default_match})]
    gone = [each for each in (ProfileAction.CLEAR, ProfileAction.ARCHIVE, ProfileAction.DELETE) if each in can.gone]
    cells = (
        f"`{platform.name}`",
        ", ".join(matches),
        "yes" if can.clears_nulls else "no",
        ", ".join(gone) or "nothing",
        "yes" if can.skip_hook else "no",
        f"{platform.max_batch:,}",
    )

    assert f"| {' | '.join(cells)} |" in PAGE
