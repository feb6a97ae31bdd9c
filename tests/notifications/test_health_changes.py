"""People hear once of what changed in the health of their records, and pages can show it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from include.warehouse.engine import transaction
from include.warehouse.health.assessments import issues_of
from include.warehouse.health.mutes import set_mute
from include.warehouse.health.report import health_report
from tests.notifications.health_org import NOON, HealthOrg, check


@pytest.fixture
def org(warehouse: Engine) -> HealthOrg:
    return HealthOrg(warehouse)


FIRST = "First health assessment of acme: grade 100.0%"
NEW = "New issue: Contacts without e-mail (Contact)"
MENDED = "Mended: Contacts without e-mail (Contact)"
DOWN = "The grade of acme went down: 100.0% before, 91.0% now"
DOWN_CONTACT = "The grade of Contact went down: 100.0% before, 91.0% now"


def issues_only(org: HealthOrg) -> list[str]:
    return [each for each in org.team.titles if "grade" not in each]


def test_an_issue_that_stays_bad_for_ten_runs_is_told_once_and_its_end_once(org: HealthOrg) -> None:
    """Alerts that repeat are not read."""
    org.go(0)
    for _ in range(10):
        org.go(90)
    for _ in range(10):
        org.go(0, hours=12)

    assert issues_only(org) == [NEW, MENDED]


def test_the_first_assessment_is_one_item_and_no_flood(org: HealthOrg) -> None:
    """Where one begins is no change; what is mended later is told all the same."""
    org.checks = {**org.checks, "no_phone": check("no_phone", title="No phone", bad_when="{row.Phone} IS NULL")}
    org.go(90)
    assert org.team.titles == ["First health assessment of acme: grade 0.0%"]
    org.go(0)
    org.go(0, hours=30)
    assert MENDED in org.team.titles


def test_several_changes_of_one_run_are_one_message(org: HealthOrg) -> None:
    """The issue and both grades."""
    org.go(0)
    org.go(90)

    first, second = org.team.taken
    assert [item["title"] for item in second.body["items"]] == [NEW, DOWN, DOWN_CONTACT]
    assert "90 of 1,000 records (9.0%). Nobody can write to them." in second.text
    assert "https://airflow.example/headwater/health/issue/no_email?org=acme" in second.text
    assert {item["event"] for item in second.body["items"]} == {"health_worse"}
    assert first.subject == f"[Headwater acme] {FIRST}"


def test_a_run_again_a_retry_and_unchanged_data_tell_nothing(org: HealthOrg) -> None:
    """The task that tells may run as often as it likes."""
    org.go(0)
    org.go(90)
    told = len(org.team.titles)
    org.tell()
    org.assess()
    org.tell()
    org.assess(hours=30)
    org.tell()
    assert len(org.team.titles) == told


def test_a_clock_that_was_set_back_delays_no_good_news(org: HealthOrg) -> None:
    """What lasted twenty hours before has lasted them still; the grade's news neither waits."""
    org.go(0)
    org.go(90)
    org.go(0)
    org.go(0, hours=20)
    assert issues_only(org) == [NEW]
    org.go(0, hours=-1000)
    assert issues_only(org) == [NEW]
    org.go(0, hours=5)
    assert issues_only(org) == [NEW, MENDED]
    assert len([each for each in org.team.titles if "went up" in each]) == 2
    stands = "SELECT count(*) FROM headwater.health_standing WHERE greatest(changed_at, bad_since, better_since) > "
    assert org.rows(f"{stands} '{org.now.isoformat()}'") == [(0,)]


def test_news_that_a_wrong_clock_put_into_the_time_to_come_are_not_told_for_ever(org: HealthOrg) -> None:
    """They are forgotten as all others are, a day later: when nobody remembers any more that they were told."""
    org.go(0)
    org.go(90, hours=5000)
    org.go(90, hours=-4999)
    assert _reported(org) == ["first", "new", "worse", "worse"]
    org.go(90, hours=30)
    assert _reported(org) == []


def _reported(org: HealthOrg) -> list[str]:
    with transaction(org.engine) as connection:
        report = health_report(connection, "acme")
    assert report is not None
    return [each.news.change.value for each in report.news]


def test_what_was_not_told_because_telling_failed_is_told_by_the_next_run(org: HealthOrg) -> None:
    """A killed task and a mail server that is down lose nothing."""
    org.go(0)
    org.contacts(90)
    org.assess()  # and nobody told of it
    org.team.down = True
    org.go(90)
    org.team.down = False
    org.go(90)
    org.go(90)
    assert issues_only(org) == [NEW]


def test_worse_says_what_it_was(org: HealthOrg) -> None:
    """The level that was told, and the level now."""
    org.go(0)
    org.go(90)
    org.go(150)
    assert "150 of 1,000 records (15.0%), 90 of 1,000 when it was told last." in org.team.taken[-1].text


def test_pages_show_at_once_what_people_hear_of_when_it_lasts(org: HealthOrg) -> None:
    """The change stands with the assessment."""
    shown = []
    for without in (0, 90, 92, 150, 60, 0, 0):
        org.contacts(without)
        shown += [issue.change for issue in issues_of(org.engine, org.assess().assessment_id)]
        org.tell()

    assert shown == ["unchanged", "new", "unchanged", "worse", "better", "mended", "unchanged"]
    assert issues_only(org) == [NEW, "Worse: Contacts without e-mail (Contact)"]


def test_checks_that_one_loss_took_away_are_one_item(org: HealthOrg) -> None:
    """A field that is gone takes all checks of it along, for one reason."""
    org.checks = {name: check(name, title=f"Title of {name}") for name in ("a", "b", "c")}
    org.go(0)
    org.run("UPDATE headwater.field SET gone_at = now() WHERE name = 'Email'")
    org.go(0)

    lost = [item for item in org.team.taken[-1].body["items"] if "not assessed" in item["title"]]
    assert [item["title"] for item in lost] == ["3 checks are not assessed any more"]
    assert lost[0]["message"].startswith("Title of a; Title of b; Title of c: ")
    org.go(0)
    assert len([each for each in org.team.titles if "not assessed" in each]) == 1


def test_a_reminder_comes_only_when_it_is_asked_for(org: HealthOrg) -> None:
    """Once a week here, and no more once the issue is over."""
    org.keys["health"] = {"remind_after_days": 7}
    org.go(0)
    for _ in range(16):
        org.go(90, hours=24)
    for _ in range(16):
        org.go(0, hours=24)

    assert issues_only(org) == [
        NEW,
        "Still so after 7 days: Contacts without e-mail (Contact)",
        "Still so after 14 days: Contacts without e-mail (Contact)",
        MENDED,
    ]


def test_a_muted_issue_is_told_when_its_mute_ends(org: HealthOrg) -> None:
    """Nothing before that day, then once that it is still there."""
    until: date = (NOON + timedelta(days=3)).date()
    org.checks = {"no_email": check(mute=until)}
    org.go(0)
    org.go(90)
    org.go(200, hours=12)
    assert issues_only(org) == []
    for _ in range(4):
        org.go(200, hours=24)
    assert issues_only(org) == ["No longer muted: Contacts without e-mail (Contact)"]


def test_an_issue_that_is_muted_for_good_is_never_told(org: HealthOrg) -> None:
    """The assessment knows it all the same."""
    org.checks = {"no_email": check(mute=True)}
    org.go(0)
    org.go(90)
    assert issues_only(org) == []
    assert org.rows("SELECT change FROM headwater.issue ORDER BY assessment_id") == [("unchanged",), ("new",)]


def test_an_issue_that_a_person_muted_on_its_page_is_told_when_it_is_told_of_again(org: HealthOrg) -> None:
    """With the day on which its mute ended early."""
    org.go(0)
    with transaction(org.engine) as connection:
        set_mute(connection, "acme", "no_email", None, who="ann")
    org.go(90)
    org.go(90, hours=48)
    assert issues_only(org) == []
    with transaction(org.engine) as connection:
        set_mute(connection, "acme", "no_email", org.now.date(), who="ann")
    org.go(90)
    org.go(90)
    assert issues_only(org) == ["No longer muted: Contacts without e-mail (Contact)"]


def test_the_team_of_an_issue_is_told_of_it_and_nobody_else(org: HealthOrg) -> None:
    """The grade goes to the org's channels as ever."""
    org.checks = {"no_email": check(owner="crm-team@example.com")}
    org.go(0)
    org.go(90)
    assert issues_only(org) == []
    assert org.inboxes["crm-team@example.com"].titles == [NEW]
    assert DOWN in org.team.titles


def test_a_channel_may_want_bad_news_only(org: HealthOrg) -> None:
    """By the events that it names."""
    org.keys["notify"] = [{"mail": ["team@example.com"], "events": ["health_worse"]}]
    org.go(0)
    org.go(90)
    org.go(0)
    org.go(0, hours=30)
    assert issues_only(org) == [NEW]


def test_an_assessment_that_fails_changes_nothing(org: HealthOrg) -> None:
    """What changed is written with what was found, or not at all."""
    org.go(0)
    org.contacts(90)
    before = org.rows("SELECT * FROM headwater.health_standing ORDER BY subject, layer")
    org.run("ALTER TABLE headwater.assessed_object ADD CONSTRAINT no CHECK (records_with_issue = 0)")
    with pytest.raises(Exception, match="SQLSTATE 23514"):
        org.assess()
    assert org.rows("SELECT * FROM headwater.health_standing ORDER BY subject, layer") == before
    org.run("ALTER TABLE headwater.assessed_object DROP CONSTRAINT no")
    org.go(90)
    assert issues_only(org) == [NEW]
