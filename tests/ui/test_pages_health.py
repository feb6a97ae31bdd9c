"""The health page and the page of an issue."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest


def words(html: str) -> str:
    """Return what a person reads, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u202f", " ").split())


def link(html: str, rel: str) -> str:
    """Return where a step of the pager leads."""
    return unescape(re.search(rf'rel="{rel}" href="([^"#]+)', html)[1])


def test_the_landing_leads_to_the_overview(pages):
    """The entry in the navigation has no page of its own."""
    answer = pages.get("/headwater/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/headwater/overview")


def test_an_empty_warehouse_says_how_to_begin(pages):
    """Before the first extract a person learns what to unpause."""
    answer = pages.get("/headwater/health")
    assert answer.status_code == 200
    assert "Nothing extracted yet" in answer.text
    assert "demo_extract" in answer.text


def test_an_unknown_org_is_not_found(pages, run):
    """A link to an org that is gone names those that are there."""
    run("a_working_org.sql")
    answer = pages.get("/headwater/health?org=<b>gone</b>")
    assert answer.status_code == 404
    assert "<b>gone" not in answer.text
    assert 'href="/headwater/health?org=demo"' in answer.text


def test_the_grade_is_shown_with_its_records_and_its_change(pages, run):
    """Big: the share of records without any issue; beside it, against the run before."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/health?org=demo").text)
    assert "85.0 % of 20,002 records have no issue" in text
    assert "▲ +5.0 pp better than 80.0 % on 2026-03-01 09:10:00 UTC" in text
    assert "3,000 records have at least one issue, each counted once" in text


def test_issues_stand_in_categories_with_count_share_and_trend(pages, run):
    """Worse and better are words and numbers, not only colours."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/health").text)
    assert "Incomplete 1 issue with failing records · 60 findings" in text
    assert "Contacts without e-mail They get no mail Contact error 60 0.3 % over the 0.0 % allowed ▲ +5 worse" in text
    assert "8 new, 3 mended" in text
    assert (
        "Phones that are none Nobody can be called Contact warning 9 < 0.1 % allowed: 10.0 % ▼ −3 better"
        in text.replace("&lt;", "<")
    )


def test_what_was_not_assessed_says_why(pages, run):
    """It is neither passed nor failed."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/health").text)
    assert "1 issue not assessed they do not count in the grade" in text
    assert "Cases without contact Case critical Case is not extracted: add it to demo.yaml" in text


def test_markup_in_a_title_is_text(pages, run):
    """What a definition says is shown, never run."""
    run("a_working_org.sql")
    text = pages.get("/headwater/health").text
    assert '<script>alert("issue")' not in text
    assert "&lt;script&gt;alert(&#34;issue&#34;)&lt;/script&gt;" in text


def test_an_older_assessment_can_be_picked(pages, run):
    """And the page says that it is not the newest."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/health?org=demo&assessment=1").text)
    assert "80.0 % of 20,001 records have no issue" in text
    assert "first assessment" in text
    assert "This is an older assessment" in text


@pytest.mark.parametrize(
    "asked", ["99", "999999999999999999", "99999999999999999999999", "x", "-1", "1;DROP TABLE", "%00"]
)
def test_nonsense_for_an_assessment_is_no_fault(pages, run, asked):
    """Unknown numbers are not found; what is no number is as if it were not there."""
    run("a_working_org.sql")
    assert pages.get(f"/headwater/health?assessment={asked}").status_code == (
        404 if asked.strip("9") == "" and len(asked) <= 18 else 200
    )


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=PHONES", {"phone_bad"}),
        ("severity=error", {"email_missing"}),
        ("show=worse", {"email_missing"}),
        ("show=clean", {"test_record"}),
        ("show=failing", {"email_missing", "phone_bad"}),
        ("object=Case", {"case_orphan"}),
        ("q=%27%20OR%20TRUE%20--", set()),
        ("sort=nonsense&order=sideways", {"email_missing", "phone_bad", "test_record", "case_orphan"}),
    ],
)
def test_issues_can_be_searched_and_filtered(pages, run, query, shown):
    """By text, severity, object and what became of them."""
    run("a_working_org.sql")
    text = pages.get(f"/headwater/health?org=demo&{query}").text
    assert set(re.findall(r"/health/issue/(\w+)\?", text)) == shown


def test_issues_can_be_sorted_both_ways(pages, run):
    """The column says which way it is sorted."""
    run("a_working_org.sql")
    text = pages.get("/headwater/health?sort=records&order=asc").text
    assert re.search(r'aria-sort="ascending"[^>]*><a href="[^"]*sort=records&amp;order=desc', text)


def test_an_issue_lists_its_records_with_links_to_salesforce(pages, run):
    """Fifty on a page; the mended ones are gone, the new ones are marked when they come."""
    run("a_working_org.sql")
    text = pages.get("/headwater/health/issue/email_missing?org=demo").text
    links = re.findall(r'href="(https://demo[^"]+)" data-out target="_blank"', text)
    assert len(links) == 50
    assert links[0] == "https://demo.my.salesforce.test/lightning/r/Contact/003000000000004AAA/view"
    assert "60 records, in order of Id" in words(text)


def test_the_second_page_holds_the_rest_and_leads_back(pages, run):
    """Nothing is shown twice or left out, forwards or backwards."""
    run("a_working_org.sql")
    first = pages.get("/headwater/health/issue/email_missing").text
    second = pages.get(link(first, "next")).text
    again = pages.get(link(second, "prev")).text
    ids = [re.findall(r"<code>(003\w{15})</code>", each) for each in (first, second, again)]
    assert [len(each) for each in ids] == [50, 10, 50]
    assert ids[0] + ids[1] == [f"003{n:012}AAA" for n in range(4, 64)]
    assert ids[2] == ids[0]
    assert 'rel="next"' not in second
    assert 'rel="prev"' not in first


def test_an_older_assessment_still_knows_its_records(pages, run):
    """Also those that were mended since."""
    run("a_working_org.sql")
    text = pages.get("/headwater/health/issue/email_missing?assessment=1").text
    assert "55 records, in order of Id" in words(text)
    assert "003000000000001AAA" in text


def test_the_newest_findings_can_be_shown_alone(pages, run):
    """First seen is a time with its zone."""
    run("a_working_org.sql")
    html = pages.get("/headwater/health/issue/email_missing?show=new").text
    assert re.findall(r"<code>(003\w{15})</code>", html) == [f"003{n:012}AAA" for n in range(56, 64)]
    assert "003000000000056AAA ↗ Contact 2026-03-01 10:10:00 UTC new" in words(html)
    assert "8 new records" in words(html)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("003000000000063AAA", 1),
        ("003000000000063", 1),
        ("00300000000006", 4),
        ("0030", 60),
        ("63", 0),
        ("%25", 0),
        ("_", 0),
        ("' OR 1=1 --", 0),
        ("x'; DROP TABLE headwater.finding; --", 0),
    ],
)
def test_records_are_found_by_id(pages, run, search, found):
    """An Id of 15 or 18 characters, or the beginning of one; SQL and its wildcards are nothing but text."""
    run("a_working_org.sql")
    text = pages.get("/headwater/health/issue/email_missing", params={"q": search}).text
    assert len(re.findall(r"<code>003", text)) == min(found, 50)
    assert "60 records" in words(pages.get("/headwater/health/issue/email_missing").text)


def test_categories_count_records_and_say_what_lifts_the_grade(pages, run, warehouse):
    """Counted by the assessment: the page itself counts nothing."""
    from sqlalchemy import text as sql

    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.execute(sql("INSERT INTO headwater.assessed_category VALUES (2, 'Contact', 'Incomplete', 60)"))
        connection.execute(sql("INSERT INTO headwater.assessed_alone VALUES (2, 'Contact', 'email_missing', 51)"))
    text = words(pages.get("/headwater/health").text)
    assert "Incomplete 60 0.3 % 1 of 1 1 0" in text
    assert "+0.3 pp Contacts without e-mail 51 Contact records" in text
    assert "Only this issue 51 records" in words(pages.get("/headwater/health/issue/email_missing").text)


def test_what_has_no_failing_record_is_folded(pages, run):
    """Closed until somebody asks for it, with its number."""
    run("a_working_org.sql")
    html = pages.get("/headwater/health").text
    assert '<details class="fold" id="clean">' in html
    assert '<details class="fold" id="not-assessed">' in html
    assert "1 issue without a failing record" in words(html)
    assert '<details class="fold" id="clean" open>' in pages.get("/headwater/health?show=clean").text


def test_what_is_within_its_allowed_share_stands_behind_what_is_over_it(pages, run, warehouse):
    """Folded, so that the page begins with what asks for something; a search looks through all and folds nothing."""
    from sqlalchemy import text as sql

    run("a_working_org.sql")
    html = pages.get("/headwater/health").text
    assert "Issues 1 over its allowed share; the others are folded below" in words(html)
    before, after = html.split('<details class="fold" id="within">')
    assert ("/health/issue/email_missing?" in before, "/health/issue/phone_bad?" in before) == (True, False)
    assert "1 more issue within its allowed share" in words(after)
    assert "/health/issue/phone_bad?" in after
    for asked in ("q=Contact", "show=failing", "object=Contact"):
        found = pages.get(f"/headwater/health?{asked}").text
        assert 'id="within"' not in found
        assert {"email_missing", "phone_bad"} <= set(re.findall(r"/health/issue/(\w+)\?", found))
    with warehouse.begin() as connection:
        connection.execute(sql("UPDATE headwater.issue SET verdict = 'passed' WHERE verdict = 'failed'"))
    assert 'id="within"' not in pages.get("/headwater/health").text


@pytest.mark.parametrize(("day", "grade"), [("2026-03-01", "85.0 %"), ("2025-01-01", "80.0 %"), ("nonsense", "85.0 %")])
def test_an_assessment_is_found_by_its_day(pages, run, day, grade):
    """The last of the day or before it; before the first there is only the first."""
    run("a_working_org.sql")
    assert f"{grade} of 20,00" in words(pages.get(f"/headwater/health?org=demo&on={day}").text)


def test_expectations_are_shown_and_taken_along(pages, run, warehouse):
    """By our own page, and as Great Expectations' JSON."""
    from sqlalchemy import text as sql

    run("a_working_org.sql")
    result = {
        "success": False,
        "expectation_config": {
            "type": "expect_column_values_to_not_be_null",
            "kwargs": {"column": "Email"},
            "meta": {"check": "email_missing"},
            "description": "No e-mail <b>",
        },
        "result": {"element_count": 20002, "unexpected_count": 60},
    }
    with warehouse.begin() as connection:
        connection.execute(
            sql("UPDATE headwater.assessed_object SET validation = CAST(:v AS jsonb) WHERE assessment_id = 2"),
            {"v": json.dumps({"results": [result], "meta": {"great_expectations_version": "1.2.3"}})},
        )
    path = "/headwater/health/expectations/Contact"
    html = pages.get(path).text
    assert "expect_column_values_to_not_be_null Email" in words(html)
    assert "Great Expectations 1.2.3" in words(html)
    assert "20,002 60" in words(html)
    assert "No e-mail <b>" not in html
    taken = pages.get(f"{path}/validation?org=demo&assessment=2")
    assert taken.json()["results"] == [result]
    assert taken.headers["content-disposition"] == 'attachment; filename="demo-Contact-validation-2026-03-01.json"'
    assert pages.get("/headwater/health/expectations/Nothing").status_code == 404
    assert pages.get(f"{path}/secrets").status_code in (404, 422)


def test_what_is_within_its_allowed_share_is_not_called_unmet(pages, run, warehouse):
    """Great Expectations knows no allowed share: the page says what the assessment made of each."""
    from sqlalchemy import text as sql

    run("a_working_org.sql")
    results = [
        {
            "success": success,
            "expectation_config": {"type": f"expect_{check}", "kwargs": {}, "meta": {"check": check}},
            "result": {},
        }
        for check, success in (("phone_bad", False), ("nobody_knows", False), ("email_missing", False), ("fine", True))
    ]
    with warehouse.begin() as connection:
        connection.execute(
            sql("UPDATE headwater.assessed_object SET validation = CAST(:v AS jsonb) WHERE assessment_id = 2"),
            {"v": json.dumps({"results": results, "meta": {}})},
        )
        connection.execute(
            sql(
                "UPDATE headwater.issue SET max_share = 0.2, share = 0.015, failing = 300,"
                " verdict = CASE check_id WHEN 'phone_bad' THEN 'passed' ELSE 'failed' END"
                " WHERE assessment_id = 2 AND check_id IN ('phone_bad', 'email_missing')"
            )
        )
    said = re.findall(
        r"expect_(\w+) (exceeded|not met|within|met)( [\d.]+\s%)?",
        words(pages.get("/headwater/health/expectations/Contact").text),
    )
    assert said == [
        ("email_missing", "exceeded", " 1.5 %"),
        ("nobody_knows", "not met", ""),
        ("phone_bad", "within", " 1.5 %"),
        ("fine", "met", ""),
    ]


def test_an_issue_that_nobody_knows_is_not_found(pages, run):
    """With a page, not a fault."""
    run("a_working_org.sql")
    for check in ("none", "%00", "a%2fb", "%3Cb%3E"):
        assert pages.get(f"/headwater/health/issue/{check}").status_code == 404


def test_an_address_that_is_no_web_address_is_no_link(pages, run, warehouse):
    """Where an org lives comes from its answer to a login."""
    from sqlalchemy import text as sql

    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.execute(sql("UPDATE headwater.org SET instance_url = 'javascript:alert(1)//'"))
    text = pages.get("/headwater/health/issue/email_missing").text
    assert "javascript:" not in text
    assert "003000000000004AAA" in text


def test_links_know_the_path_that_airflow_lives_below(open_pages, warehouse, run):
    """Behind a proxy Airflow may live at /airflow."""
    run("a_working_org.sql")
    text = open_pages(lambda: warehouse, below="/airflow").get("/airflow/headwater/health").text
    assert not re.findall(r'(?:href|src)="(?!/airflow/headwater/|#|https://)[^"]*"', text)
