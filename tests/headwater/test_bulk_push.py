"""The bulk push to Intercom by hand: of the people found in both, what isn't equal is written, and nobody is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from headwater.operators import ExtractObjectOperator, PushProfilesOperator, SelectProfilesOperator
from include.errors import DefinitionError
from include.sandbox.intercom.credentials import TOKEN
from tests.headwater.connected import connect
from tests.sandbox.running import Running, running

PUSH = """\
push: people_to_intercom
org: demo
source: {object: Contact}
destination: {platform: intercom, connection: intercom_demo}
schedule: "*/5 * * * *"
identifiers: {email: Email}
attributes: {name: Name}
custom_attributes: {title: Title}
nulls: clear
"""
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Intercom-Version": "2.16", "Content-Type": "application/json"}


def found_in_both(warehouse: Engine, intercom: Running) -> dict[str, tuple[str, str | None]]:
    """Make every third contact of the org in Intercom too, with another name; return name and title by address."""
    statement = (
        'SELECT lower("Email"), min("Name"), min("Title") FROM salesforce_demo."Contact"'
        " WHERE \"Email\" LIKE '%_@_%._%'"
        ' AND NOT "IsDeleted" GROUP BY 1 HAVING count(*) = 1 ORDER BY 1'
    )
    with warehouse.connect() as connection:
        people = connection.execute(text(statement)).all()[::3]
    made = {}
    for email, name, title in people:
        if intercom.call("POST", "/contacts", {"email": email, "name": "somebody else"})[0] == 200:
            made[email] = (name, title)
    intercom.call("POST", "/contacts", {"email": "stranger@example.com", "name": "Stranger"})
    return made


def test_what_is_not_equal_is_written_and_nobody_is_made(
    site: dict[str, str],
    warehouse: Engine,
    definitions: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second time everything is equal, and nothing is written."""
    (definitions / "orgs" / "demo.yaml").write_text("org: demo\nconnection: salesforce_demo\nobjects: [Contact]\n")
    (definitions / "pushes" / "people_to_intercom.yaml").write_text(PUSH)
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    with running("intercom", tmp_path / "intercom", "--requests", "100000", headers=HEADERS) as intercom:
        connect(monkeypatch, "intercom_demo", conn_type="intercom", host=intercom.url, password=TOKEN)
        ExtractObjectOperator(task_id="e", org="demo", sobject="Contact").execute({})
        made = found_in_both(warehouse, intercom)

        def push() -> dict[str, int]:
            params = {"params": {"mode": "all", "compare": True}}
            selection = SelectProfilesOperator(task_id="s", push="people_to_intercom").execute(params)
            return PushProfilesOperator(task_id="d", push="people_to_intercom", selection=selection).execute(params)

        first = push()
        held = {one["email"]: (one["name"], one["custom_attributes"].get("title")) for one in intercom.all("contacts")}
        assert held.pop("stranger@example.com") == ("Stranger", None)
        assert held == made
        assert first["delivered"] == len(made) > 20
        assert first["delivered"] + first["skipped"] == first["selected"]

        written = _writings(intercom)
        again = push()
        assert again["delivered"] == first["delivered"]
        assert _writings(intercom) == written, "nothing differed, and something was written"

        with pytest.raises(DefinitionError, match="skip_hook"):
            PushProfilesOperator(task_id="d", push="people_to_intercom", skip_hook=True).execute({})


def _writings(intercom: Running) -> int:
    requests = intercom.all("requests")
    return sum(one["method"] == "PUT" or one["path"] == "/contacts" for one in requests)
