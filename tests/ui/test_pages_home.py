"""The card on Airflow's home page: the plugin offers it, its figures are counts, and they lead to the pages."""

from __future__ import annotations

from pathlib import Path


def test_the_card_is_offered_for_airflows_home_page():
    """Airflow takes a card from `react_apps` alone; its bundle is one of our static files."""
    from headwater_plugin import HeadwaterPlugin

    (card,) = HeadwaterPlugin.react_apps
    assert (card["destination"], card["bundle_url"]) == ("dashboard", "/headwater/static/home.js")
    static = Path(__file__).parents[2] / "plugins/headwater/ui/static"
    assert f'globalThis["{card["name"]}"] = ' in (static / "home.js").read_text(encoding="utf-8")


def test_its_figures_are_those_of_the_overview(pages, run):
    """Grade, difference, deliveries, errors, budget; each leads to its page."""
    run("a_working_org.sql")
    (org,) = pages.get("/headwater/home.json").json()["orgs"]
    figures = {each["label"]: each for each in org["figures"]}
    assert list(figures) == ["Grade", "Difference, rows", "Delivered", "Sync errors", "API calls"]
    assert (figures["Grade"]["share"], figures["Grade"]["tone"]) == (0.85, "good")
    assert (figures["Difference, rows"]["value"], figures["Difference, rows"]["tone"]) == (2, "bad")
    assert figures["API calls"]["share"] == 4213 / 100000
    assert figures["Grade"]["path"] == "/headwater/health?org=demo"


def test_one_run_needs_a_look_and_three_need_one(pages, run, warehouse):
    """Numbers of one are in the singular."""
    from sqlalchemy import text

    run("a_working_org.sql")
    assert pages.get("/headwater/home.json").json()["orgs"][0]["note"] == "3 runs need a look"
    with warehouse.begin() as connection:
        connection.execute(text("UPDATE headwater.run SET state = 'success' WHERE run_id IN (2, 4)"))
    assert pages.get("/headwater/home.json").json()["orgs"][0]["note"] == "1 run needs a look"


def test_an_empty_warehouse_has_no_figures(pages):
    """The card says what to do."""
    assert pages.get("/headwater/home.json").json() == {"orgs": [], "more": ""}


def test_strangers_get_no_figures(open_pages, warehouse):
    """The card is behind the login as every page is."""
    stranger = open_pages(lambda: warehouse, role=None)
    assert stranger.get("/headwater/home.json").status_code == 401
    assert stranger.get("/headwater/static/home.js").status_code == 401
