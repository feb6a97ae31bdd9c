"""The pages as people use them, in Chromium: from the grade to a record, and a refused record on its way again."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from headwater import hooks
from tests.browser.conftest import PUSH, deliver
from tests.ui.served import PASSWORD

# Where the focus is, if it is on a link of the page, and whether it can be seen.
FOCUS = """() => {
  const at = document.activeElement, look = getComputedStyle(at);
  return {href: at.closest("main") && at.href || "", seen: look.outlineStyle !== "none" || look.boxShadow !== "none"};
}"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def value(statement: str) -> Any:
    with hooks.warehouse_engine().connect() as connection:
        return connection.execute(text(statement)).scalar_one()


def rows(page: Any) -> int:
    return int(page.locator("main table.objects tbody tr").count())


def heading(page: Any) -> str:
    return str(page.locator("main h1").first.inner_text())


def test_from_the_login_by_the_grade_to_a_record(open_as: Any) -> None:
    """A stranger is led to Airflow's login and back; each click leads one step nearer to the record."""
    page = open_as(None)
    answer = page.goto("/headwater/overview?org=demo")
    assert answer.status == 401
    page.wrong.clear()  # the browser itself reports the 401
    page.get_by_role("link", name="Sign in to Airflow").click()
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/headwater/overview?org=demo")
    page.wrong.clear()  # Airflow's own pages ask who is signed in before anybody is

    page.locator("main a[href*='/headwater/health']").first.click()
    page.wait_for_url("**/headwater/health*")
    page.locator("main a[href*='/health/issue/']").first.click()
    page.wait_for_url("**/health/issue/*")
    title = heading(page)
    assert title
    page.locator("main a[href*='/headwater/record/']").first.click()
    page.wait_for_url("**/headwater/record/*")
    assert title in page.locator("main").inner_text()
    found = re.search(r"/record/(\w{18})", page.url)
    assert found
    assert found[1] in page.locator("main").inner_text()


def test_the_same_way_by_keyboard(open_as: Any) -> None:
    """Tab and Enter alone; where the focus is can be seen."""
    page = open_as("viewer")
    page.goto("/headwater/overview?org=demo")
    for part in ("/headwater/health", "/health/issue/", "/headwater/record/"):
        for _ in range(150):
            page.keyboard.press("Tab")
            reached = page.evaluate(FOCUS)
            if part in reached["href"] and "#" not in reached["href"]:
                break
        assert part in reached["href"]
        assert reached["seen"]
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{part}*")
    page.goto("/headwater/overview?org=demo")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "content"


def test_a_refused_record_goes_again_and_leaves_the_list(open_as: Any, airflow: Any) -> None:
    """A person retries one error, Airflow gets a run with that record alone, and what arrived is an error no more."""
    page = open_as("user")
    page.goto("/headwater/overview?org=demo")
    page.get_by_role("link", name="Sync errors").first.click()
    page.wait_for_url("**/headwater/errors*")
    before = value("SELECT count(*) FROM headwater.sync_error WHERE settled_at IS NULL")
    assert rows(page) == min(before, 50) > 1
    record = page.locator("main tbody th code").first.inner_text()
    page.get_by_label(f"Choose {record}").check()
    page.get_by_role("button", name="Retry chosen").click()
    page.get_by_text("1 error is due now").wait_for()
    assert "A run of" in page.get_by_role("status").inner_text()

    asked = {"cookie": f"_token={airflow.tokens['user']}"}
    (run,) = httpx.get(f"{airflow.url}/api/v2/dags/push_{PUSH}/dagRuns", headers=asked).json()["dag_runs"]
    assert run["conf"] == {"record_ids": [record]}
    assert deliver(run["conf"])["delivered"] == 1

    page.goto("/headwater/errors?org=demo")
    assert rows(page) == min(before - 1, 50)
    assert record not in page.locator("main").inner_text()
    page.goto("/headwater/errors?org=demo&shown=settled")
    assert record in page.locator("main").inner_text()


def test_one_box_chooses_all_errors_of_the_page(open_as: Any) -> None:
    """It ticks every row and none but them, says when only some are ticked, and what is sent is what is ticked."""
    page = open_as("user")
    page.goto("/headwater/errors?org=demo")
    boxes, every = page.locator("main tbody input[name=error]"), page.get_by_label("Choose all errors of this page")
    ticked = page.locator("main tbody input[name=error]:checked")
    shown = boxes.count()
    assert shown == rows(page) > 1
    assert ticked.count() == 0
    every.check()
    assert ticked.count() == shown
    boxes.first.uncheck()
    assert not every.is_checked()
    assert every.evaluate("box => box.indeterminate")
    boxes.first.check()
    assert every.is_checked()
    every.uncheck()
    assert ticked.count() == 0
    page.get_by_role("button", name="Retry chosen").click()
    page.get_by_text("No error was chosen").wait_for()
    # Only looked at: what is settled here would be missed by the other tests.
    page.route("**/headwater/errors/decide*", lambda route: route.fulfill(status=204))
    page.get_by_label("Choose all errors of this page").check()
    with page.expect_request("**/headwater/errors/decide*") as sent:
        page.get_by_text("Settle chosen").click()
        page.get_by_role("button", name="Dismiss").click()
    numbers = [said for said in (sent.value.post_data or "").split("&") if said.startswith("error=")]
    assert len(numbers) == len(set(numbers)) == shown


def test_the_box_that_chooses_all_is_there_with_scripts_alone(open_as: Any) -> None:
    """A box that would do nothing is not shown; each row keeps its own."""
    page = open_as("user", scripts=False)
    page.goto("/headwater/errors?org=demo&shown=all")
    assert page.locator("main tbody input[name=error]").first.is_visible()
    assert not page.get_by_label("Choose all errors of this page").is_visible()


def test_a_viewer_sees_no_button_and_no_person(open_as: Any) -> None:
    """An administrator sees who it is, and what can be done."""
    person = """SELECT "LastName" FROM salesforce_demo."Contact" JOIN headwater.sync_error ON record_id = "Id"
                 WHERE settled_at IS NULL ORDER BY 1 LIMIT 1"""
    name = value(person)
    record = value(person.replace('SELECT "LastName"', 'SELECT "Id"').replace("ORDER BY 1", 'ORDER BY "LastName"'))
    for role, may in (("viewer", False), ("admin", True)):
        page = open_as(role)
        page.goto("/headwater/errors?org=demo")
        assert (page.get_by_role("button", name="Retry chosen").count() == 1) == may
        page.goto(f"/headwater/record/{record}?org=demo")
        said = page.locator("main").inner_text()
        assert (name in said) == may
        assert ("•••" in said) == (not may)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_fits_into_400_pixels(open_as: Any, dark: bool) -> None:
    """Nothing is wider than the window; the theme is the one that was asked for; the page has one title."""
    page = open_as("admin", dark=dark, width=400)
    page.goto("/headwater/overview?org=demo")
    record = value('SELECT min("Id") FROM salesforce_demo."Contact"')
    issue = value("SELECT check_id FROM headwater.issue WHERE failing > 0 ORDER BY failing DESC LIMIT 1")
    error = value("SELECT min(error_id) FROM headwater.sync_error")
    tabs = page.locator("header.shell nav a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert len(tabs) >= 9
    more = (
        f"/headwater/record/{record}", f"/headwater/health/issue/{issue}", f"/headwater/errors/{error}",
        f"/headwater/pushes/preview?push={PUSH}", "/headwater/errors?q=nothing", "/headwater/nothing",
    )  # fmt: skip
    wide = []
    for path in (*tabs, *more):
        page.goto(path)
        assert page.evaluate("() => document.documentElement.dataset.theme") == ("dark" if dark else "light")
        if page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
        assert page.locator("h1").count() == 1, path
    assert wide == []
    page.wrong[:] = [each for each in page.wrong if "404" not in each]


def test_the_pages_work_without_scripts(open_as: Any) -> None:
    """Lists, links and forms are a page's own."""
    page = open_as("viewer", scripts=False)
    page.goto("/headwater/health?org=demo")
    page.locator("input[name=q]").fill("phone")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=phone*")
    assert page.locator("main a[href*='/health/issue/']").count() >= 1


def test_a_run_opens_in_the_place_of_the_frame_or_in_a_window_of_its_own(open_as: Any, airflow: Any) -> None:
    """From the list of pushes: a click leaves Airflow's frame, with Ctrl it opens beside it; the frame never nests."""
    page = open_as("admin")
    run = "UPDATE headwater.run SET dag_id = :dag, dag_run_id = 'manual__x' WHERE kind = 'push'"
    with hooks.warehouse_engine().begin() as connection:
        connection.execute(text(run), {"dag": f"push_{PUSH}"})
    leads_to = f"{airflow.url}/dags/push_{PUSH}/runs/manual__x"
    for modifiers in (["Control"], []):
        page.goto("/plugin/crm")
        frame = page.frame_locator("iframe")
        frame.get_by_role("link", name="Pushes").first.click()
        link = frame.get_by_role("link", name=f"The run of {PUSH} in Airflow")
        if modifiers:
            with page.context.expect_page() as opened:
                link.click(modifiers=modifiers)
            assert opened.value.url.startswith(leads_to)
            opened.value.close()
            assert page.url.startswith(f"{airflow.url}/plugin/crm")
        else:
            link.click()
            page.wait_for_url(f"{leads_to}*")
    page.wrong.clear()  # Airflow's own page of a run that it does not know


def test_the_pages_live_in_airflows_frame(open_as: Any) -> None:
    """The entry in the navigation opens them, and a link inside stays there."""
    page = open_as("admin")
    page.goto("/plugin/crm")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Health").first.click()
    frame.locator("nav a[aria-current=page]", has_text="Health").wait_for()
    assert frame.locator("html.framed").count() == 1
