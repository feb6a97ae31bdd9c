"""Who may ask what: every route, by every role, under both of Airflow's auth managers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from starlette.routing import Route

from include.warehouse.engine import open_warehouse, transaction
from tests.ui.crawling import every_route, filled
from tests.ui.served import FAB, SIMPLE, Served, served_airflow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SEE_MASKED, SEE_UNMASKED, RUN, ACCEPT, EDIT = "see masked", "see unmasked", "run", "accept", "edit"
MAY = {
    SEE_MASKED: {"nobody", "narrow", "viewer", "user", "op", "admin"},  # whoever is signed in
    SEE_UNMASKED: {"op", "admin"},
    RUN: {"user", "op", "admin"},
    ACCEPT: {"op", "admin"},
    EDIT: {"admin"},
}
OTHER_LOGIN = "other login"  # what a program without a user of Airflow's brings instead


def table() -> dict[str, tuple[str, str, str]]:
    """Return what each route takes, with a query and a form, as the file beside this one says."""
    lines = (Path(__file__).parent / "routes.txt").read_text(encoding="utf-8").splitlines()
    found = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            capability, route, *example = (each.strip() for each in line.split("|"))
            query, _, form = (example[0] if example else "").partition(" ")
            found[route] = (capability, query, form)
    return found


ROUTES = table()
READ = [route.removeprefix("GET ") for route in ROUTES if route.startswith("GET ")]
# Where values of people's fields stand, for those who may see them; nowhere else are they shown to anybody.
NAMES_PEOPLE = ("/record/{record_id}", "/api/v1/orgs/{org}/records/{record_id}")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
PERSON = "Personalname"
FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


def named() -> list[str]:
    return [f"{method} {route.path}" for route in every_route() for method in sorted(route.methods)]


@pytest.fixture(scope="module", params=[SIMPLE, FAB], ids=["simple", "fab"])
def airflow(
    request: Any, module_warehouse_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, str]]:
    with served_airflow(tmp_path_factory.mktemp("airflow"), module_warehouse_url, auth_manager=request.param) as found:
        yield found, module_warehouse_url


@pytest.fixture(scope="module", autouse=True)
def org(module_warehouse_url: str) -> None:
    """Fill the warehouse with an org whose person has a name that can be looked for."""
    engine = open_warehouse(module_warehouse_url)
    with transaction(engine) as connection:
        for name in ("a_working_org.sql", "a_record.sql"):
            script = (Path(__file__).parent / name).read_text(encoding="utf-8")
            connection.execute(text(script.replace(":", r"\:")))
        connection.execute(text(f"""UPDATE salesforce_demo."Contact" SET "LastName" = '{PERSON}'"""))
    engine.dispose()


@pytest.fixture
def ask(airflow: tuple[Served, str]) -> Iterator[Any]:
    """Yield a function that asks as somebody (None: a stranger), in the words of a page of the same origin."""
    found, _ = airflow
    with httpx.Client(base_url=f"{found.url}/headwater", headers={"accept": "text/html"}, timeout=60) as client:

        def asked(who: str | None, method: str, path: str, form: str = "") -> httpx.Response:
            signed = {"cookie": f"_token={found.tokens[who]}"} if who else {}
            content = form.encode() if form else None
            return client.request(method, path, headers={**FORM, **signed}, content=content)

        yield asked


def test_every_route_has_a_line_here() -> None:
    """Whoever adds a route says who may ask it; whoever removes one takes its line along."""
    assert sorted(named()) == sorted(ROUTES)


def test_nothing_is_mounted_in_the_pages() -> None:
    """A mounted app would escape the login."""
    assert [route.path for route in every_route() if not isinstance(route, Route)] == []


def test_airflow_mounts_the_pages_once_and_nothing_else_of_ours(airflow: tuple[Served, str]) -> None:
    """No second way to them, and no documentation that FastAPI would add."""
    ours = [each for each in airflow[0].routes if "headwater" in each["path"].lower()]
    assert ours == [{"path": "/headwater", "kind": "LazyPages"}]


def test_each_role_may_ask_what_the_table_says(ask: Any, airflow: tuple[Served, str]) -> None:
    """The others are refused, and a stranger is sent to the login."""
    wrong = []
    for name in named():
        method, _, path = name.partition(" ")
        capability, query, form = ROUTES.get(name, (None, "", ""))
        for who in (None, *airflow[0].tokens):
            status = ask(who, method, filled(path) + query, form).status_code
            if who is None:
                right = status == 401
            elif capability == OTHER_LOGIN:
                right = status in (401, 403, 404, 503)
            elif who in MAY.get(capability or "", set()):
                right = status not in (401, 403, 405) and status < 500
            else:
                right = status == 403
            if not right:
                wrong.append(f"{name} as {who or 'a stranger'}: {status}")
    assert not wrong


def test_the_right_to_one_dag_is_none_to_all(ask: Any, airflow: tuple[Served, str]) -> None:
    """Naming a DAG in the address, as Airflow's own routes do, opens nothing."""
    for who in {"viewer", "nobody", "narrow"} & set(airflow[0].tokens):
        answer = ask(who, "POST", "/errors/decide?org=demo&dag_id=push_x", "decide=dismiss&error=7")
        assert answer.status_code == 403, who


def test_no_method_of_any_route_tells_a_stranger_anything(ask: Any) -> None:
    """401 where the method exists, 405 where it doesn't; neither holds anything of the org's."""
    wrong = []
    for route in every_route():
        path = filled(route.path)
        for method in METHODS:
            answer = ask(None, method, path)
            expected = 401 if method in route.methods else 405
            # Routes of one path and several methods answer each other's.
            if answer.status_code not in (expected, 401) or "demo" in answer.text.replace("org=demo", ""):
                wrong.append(f"{method} {path}: {answer.status_code}")
    assert not wrong


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/static/", "/static/..%2fapp.py", "/x"]
)
def test_what_is_no_route_is_nothing(ask: Any, path: str) -> None:
    """Neither to a stranger nor to an administrator."""
    for who in (None, "admin"):
        answer = ask(who, "GET", path)
        assert answer.status_code in (401, 404)
        assert "import" not in answer.text


@pytest.mark.parametrize("token", ["", "x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwicm9sZSI6ImFkbWluIn0."])
def test_a_forged_login_is_none(airflow: tuple[Served, str], token: str) -> None:
    """Neither as a cookie nor as a header, nor beside a good cookie: what is said explicitly counts."""
    found, _ = airflow
    url = f"{found.url}/headwater/overview"
    good = {"cookie": f"_token={found.tokens['admin']}"}
    bearer = {"authorization": f"Bearer {token or 'x'}"}
    for headers in ({"cookie": f"_token={token}"}, bearer, {**good, **bearer}):
        assert httpx.get(url, headers=headers, timeout=60).status_code in (401, 403)


def test_who_is_who_is_seen_by_those_who_may(ask: Any, airflow: tuple[Served, str]) -> None:
    """On the page of a record, as JSON too; no other page names anybody, whoever asks."""
    for who in airflow[0].tokens:
        for path in READ:
            named = PERSON in ask(who, "GET", filled(path) + ROUTES[f"GET {path}"][1]).text
            assert named == (path in NAMES_PEOPLE and who in MAY[SEE_UNMASKED]), (who, path)


def test_buttons_are_offered_to_those_who_may(ask: Any, airflow: tuple[Served, str]) -> None:
    """A button that would be refused is not shown."""
    for who in airflow[0].tokens:
        assert ('name="decide"' in ask(who, "GET", "/errors?org=demo").text) == (who in MAY[RUN]), who
        assert ("/extracts/start" in ask(who, "GET", "/extracts?org=demo").text) == (who in MAY[RUN]), who


def test_what_a_person_decides_bears_their_name(ask: Any, airflow: tuple[Served, str]) -> None:
    """The name that they sign in by, under both auth managers."""
    engine = open_warehouse(make_url(airflow[1]).render_as_string(hide_password=False))
    assert ask("op", "POST", "/errors/decide?org=demo", "decide=retry&error=7").status_code == 303
    with transaction(engine) as connection:
        asked = connection.execute(text("SELECT asked_by FROM headwater.sync_error WHERE error_id = 7")).scalar_one()
    engine.dispose()
    assert asked == "op"
