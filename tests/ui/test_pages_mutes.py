"""An issue is muted on its page by whoever may edit; who did so stands in the audit trail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.ui.test_pages_schema import SAME, words

ISSUE = "/headwater/health/issue/{check}"


@pytest.fixture
def issue(run, warehouse):
    """Fill a warehouse and return the address of the page of an issue."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        check = connection.exec_driver_sql(
            "SELECT check_id FROM headwater.issue WHERE assessment_id = (SELECT max(assessment_id) FROM"
            " headwater.assessment WHERE org = 'demo') AND verdict = 'failed' ORDER BY check_id LIMIT 1"
        ).scalar_one()
    return ISSUE.format(check=check)


def audit(warehouse):
    with warehouse.connect() as connection:
        found = connection.exec_driver_sql("SELECT who, what, before, after FROM headwater.audit ORDER BY audit_id")
        return [tuple(row) for row in found]


def test_an_admin_mutes_an_issue_and_tells_of_it_again(open_pages, warehouse, issue):
    """The page says who did it; the trail keeps each change."""
    pages = open_pages(lambda: warehouse, role="admin")
    until = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    assert "The channels of the org are told when it changes." in words(pages.get(f"{issue}?org=demo").text)
    answer = pages.post(f"{issue}/mute?org=demo", data={"until": until}, headers=SAME)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{issue}?org=demo#told")
    text = words(pages.get(f"{issue}?org=demo").text)
    assert f"Nobody is told of changes of this issue before {until}: muted by admin," in text
    assert pages.post(f"{issue}/mute?org=demo", data={"tell": "never"}, headers=SAME).status_code == 303
    assert pages.post(f"{issue}/mute?org=demo", data={"tell": "end"}, headers=SAME).status_code == 303
    assert "Mute until that day" in pages.get(f"{issue}?org=demo").text

    what = f"muted the issue {issue.rpartition('/')[2]}"
    today = datetime.now(UTC).date().isoformat()
    assert audit(warehouse) == [
        ("admin", what, "told", f"muted until {until}"),
        ("admin", what, f"muted until {until}", "muted for good"),
        ("admin", what, "muted for good", f"muted until {today}"),
    ]


@pytest.mark.parametrize(
    ("role", "headers", "data", "status"),
    [
        ("viewer", SAME, {"tell": "never"}, 403),
        ("user", SAME, {"tell": "never"}, 403),
        ("op", SAME, {"tell": "never"}, 403),
        ("admin", {"sec-fetch-site": "cross-site"}, {"tell": "never"}, 403),
        ("admin", SAME, {"until": "2020-01-01"}, 400),
        ("admin", SAME, {"until": "x'; DROP TABLE headwater.run"}, 400),
        ("admin", SAME, {"tell": ""}, 400),
    ],
)
def test_nobody_else_and_no_other_site_mutes_anything(open_pages, warehouse, issue, role, headers, data, status):
    """And a day that is over, or none, mutes nothing."""
    pages = open_pages(lambda: warehouse, role=role)
    assert pages.post(f"{issue}/mute?org=demo", data=data, headers=headers).status_code == status
    assert audit(warehouse) == []


def test_an_issue_that_is_not_there_cannot_be_muted(open_pages, warehouse, issue):
    """Nor one of an org that is not there."""
    pages = open_pages(lambda: warehouse, role="admin")
    for address in ("/headwater/health/issue/none/mute?org=demo", f"{issue}/mute?org=other"):
        assert pages.post(address, data={"tell": "never"}, headers=SAME).status_code == 404


def test_a_viewer_sees_who_is_told_and_no_button(open_pages, warehouse, issue):
    """What is offered is what the server would allow."""
    page = open_pages(lambda: warehouse, role="viewer").get(f"{issue}?org=demo").text
    assert "Who is told" in page
    assert "Mute for good" not in page
