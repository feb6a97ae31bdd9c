"""Before the first load it is said what it will take; while it lasts, how far it is; afterwards, what it took."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.errors import ConnectionLost
from include.extract.forecast import ASSUMED_VALUES, BULK, REST, Forecast, forecast_load
from include.extract.onboard import forecast_onboarding, forecast_refresh
from include.warehouse.overview import onboarding_overview
from tests.extract.conftest import Desk


def forecast(desk: Desk) -> list[Forecast]:
    run = desk.next_run()
    with desk.client(run) as client:
        return forecast_onboarding(desk.warehouse, client, desk.definition, desk.definition.all_objects)


@pytest.mark.parametrize(
    ("rows", "plan", "calls"),
    [(None, REST, 1), (0, REST, 1), (2_000, REST, 1), (2_001, REST, 2), (10_000, REST, 5), (10_001, BULK, 5)],
)
def test_calls_follow_the_plan(rows: int | None, plan: str, calls: int) -> None:
    """A page of REST brings 2,000 rows; a Bulk job costs its making and asking, and a call for each 250,000."""
    found = forecast_load("Contact", rows, 30, bulk_above_rows=10_000, slice_rows=1_000_000, measured={})
    assert (found.plan, found.calls) == (plan, calls)


def test_each_slice_costs_its_job_and_finding_where_it_begins() -> None:
    """Five million rows are five jobs; how long it takes does not depend on it."""
    sizes = {"bulk_above_rows": 10_000, "measured": {}}
    whole = forecast_load("Contact", 5_000_000, 30, slice_rows=5_000_000, **sizes)
    cut = forecast_load("Contact", 5_000_000, 30, slice_rows=1_000_000, **sizes)
    assert cut.calls - whole.calls == 4 * 4 + 2 * 5
    assert cut.seconds == whole.seconds


def test_time_follows_what_was_measured() -> None:
    """Loads of this warehouse tell more than an assumption, plan by plan."""
    assumed = forecast_load("Contact", 10_000, 30, bulk_above_rows=10_000, slice_rows=1_000_000, measured={BULK: 1.0})
    measured = forecast_load(
        "Contact", 10_000, 30, bulk_above_rows=10_000, slice_rows=1_000_000, measured={REST: 600_000.0}
    )
    assert (assumed.seconds, assumed.measured) == (300_000 / ASSUMED_VALUES[REST], False)
    assert (measured.takes, measured.measured) == (timedelta(seconds=0.5), True)


def test_a_forecast_costs_two_calls_once(desk: Desk) -> None:
    """One for the counts and one for the fields; later runs ask nothing."""
    contacts, leads = forecast(desk)

    assert (contacts.object, contacts.rows, contacts.fields, contacts.plan) == ("Contact", 29, 7, BULK)
    assert (leads.object, leads.rows, leads.plan) == ("Lead", 3, REST)
    assert len(desk.org.calls) == 2
    assert forecast(desk) == []
    assert len(desk.org.calls) == 2


def test_an_org_that_is_loaded_already_is_not_onboarded(desk: Desk) -> None:
    """An upgrade makes no banner and no mail."""
    desk.extract()

    assert forecast(desk) == []
    assert onboarding_overview(desk.warehouse, "main") is None


def test_an_object_that_the_org_does_not_know_is_forecast_once_and_stays_incomplete(desk: Desk) -> None:
    """It costs no calls in every run, and its own task says what is wrong."""
    desk.definition = desk.definition.model_copy(update={"objects": ("Contact", "Nonsense")})
    assert [(each.object, each.rows, each.fields) for each in forecast(desk)] == [
        ("Contact", 29, 7),
        ("Nonsense", None, 0),
    ]
    calls = len(desk.org.calls)

    assert forecast(desk) == []
    assert len(desk.org.calls) == calls


def test_rows_are_counted_while_the_load_lasts(desk: Desk) -> None:
    """Killed after two of four pages: what is committed counts, and nothing is called complete."""
    forecast(desk)

    def die_at_the_third_page(locator: str) -> None:
        if locator == "16":
            desk.org.cut_results = 100

    desk.org.before_result = die_at_the_third_page
    with pytest.raises(ConnectionLost):
        desk.extract_one(desk.next_run())

    found = onboarding_overview(desk.warehouse, "main")
    assert found is not None
    contact = found.objects[0]
    assert (contact.loaded, contact.expected, contact.state) == (16, 29, "failed")
    assert [each.object for each in found.failed] == ["Contact"]
    assert (found.complete, found.loaded, found.expected, found.ended_at) == (0, 16, 32, None)


def test_an_onboarding_that_goes_on_ends(desk: Desk) -> None:
    """It takes up where it stopped; the counts are those that were really loaded."""
    test_rows_are_counted_while_the_load_lasts(desk)
    desk.org.before_result = lambda locator: None
    desk.org.cut_results = 0
    desk.extract()

    found = onboarding_overview(desk.warehouse, "main")
    assert found is not None
    assert (found.complete, found.loaded, found.expected) == (2, 33, 33)
    assert found.share == 1.0
    assert found.ended_at is not None


def test_an_object_that_is_no_longer_defined_is_not_waited_for(desk: Desk) -> None:
    """Or the banner would stay for ever."""
    forecast(desk)
    desk.definition = desk.definition.model_copy(update={"objects": ("Lead",)})
    forecast(desk)
    desk.extract_one(desk.next_run(), "Lead")

    found = onboarding_overview(desk.warehouse, "main")
    assert found is not None
    assert [each.object for each in found.objects] == ["Lead"]
    assert found.incomplete == ()


def test_a_full_refresh_is_forecast_without_a_call(desk: Desk) -> None:
    """From the last certificate; an object that was never read has no count."""
    desk.extract()
    calls = len(desk.org.calls)

    assert [
        (each.object, each.rows, each.plan)
        for each in forecast_refresh(desk.warehouse, desk.definition, ["Contact", "Case"])
    ] == [
        ("Contact", 29, BULK),
        ("Case", None, REST),
    ]
    assert len(desk.org.calls) == calls
