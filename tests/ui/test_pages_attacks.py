"""What people and other sites may try: script in what an org holds, SQL in an address, forms from elsewhere."""

from __future__ import annotations

import csv
import inspect
import io
import re
import sys
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from sqlalchemy import text

from headwater.ui.security import HEADERS
from tests.ui.crawling import BASE, Form, Page, crawl, every_route, filled

HERE = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
MARKUP = "\"'><xss-planted onplanted=1>{{7*7}}</script></title></textarea>"
# Texts by which rows find each other, or whose values are ours alone; everything else may come from an org, a platform,
# a definition or a person, in tables that do not exist yet too.
KEYS = {
    "action", "change", "channel", "check_id", "class", "decided_by", "event", "form", "key", "key_prefix", "kind",
    "layer", "mode", "object", "org", "org_id", "other_id", "outcome", "plan", "policy", "purpose", "push", "record_id",
    "rule", "severity", "state", "subject", "type", "verdict", "what",
}  # fmt: skip
HOSTILE = (
    "'; DROP TABLE headwater.finding; --", "' OR '1'='1", '"; SELECT pg_sleep(9)--', "a\x00b", "x" * 5000, "-1", "0",
    "9" * 40, "99999999999", "1e999", "\u202eé中🙂\u0301\r\nX-Planted: 1", "../../../etc/passwd", "%_\\~[]{{7*7}}",
)  # fmt: skip
SHORT = ("'\"\x00\\%_;--é🙂" + "x" * 400, "9" * 40, "")
RAW = "%00%ff%fe%c0%ae"  # no text in UTF-8
ORIGINS: tuple[dict[str, str], ...] = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
    {"origin": "https://evil.example"},
    {"origin": "http://testserver.evil.example"},
    {"origin": "http://evil.example/?testserver"},
    {"origin": "null"},
    {"referer": "http://testserver/headwater/errors"},
    {},
)


def routes(method: str) -> list[str]:
    return [str(each.path) for each in every_route() if method in each.methods]


def address(path: str, value: str = "") -> str:
    return BASE + filled(path, value)


@pytest.fixture
def org(run: Any, warehouse: Any) -> Any:
    run("a_working_org.sql")
    run("a_record.sql")
    return warehouse


@pytest.fixture
def admin(open_pages: Any, org: Any) -> Any:
    return open_pages(lambda: org, "admin")


def plant(engine: Any, markup: str) -> int:
    """Add markup to every text of every table; return how many columns took it."""
    columns = """
        SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
          JOIN information_schema.tables USING (table_schema, table_name)
         WHERE table_schema IN ('headwater', 'salesforce_demo') AND table_type = 'BASE TABLE'
           AND data_type IN ('text', 'ARRAY') AND column_name !~ 'Id$'"""
    planted = 0
    with engine.connect() as connection:
        for schema, table, column, kind in connection.execute(text(columns)).all():
            if (column in KEYS and schema == "headwater") or table in ("migration", "session"):
                continue
            added = f'"{column}" || ARRAY[:m]::text[]' if kind == "ARRAY" else f"coalesce(\"{column}\", '') || :m"
            try:
                connection.execute(text(f'UPDATE {schema}."{table}" SET "{column}" = {added}'), {"m": markup})
                connection.commit()
                planted += 1
            except Exception:  # a column that takes no such text cannot hold it either
                connection.rollback()
    return planted


def digest(engine: Any) -> dict[str, str]:
    """Return what stands in every table, in short; but for whom a program showed people, which reading writes down."""
    with engine.connect() as connection:
        tables = connection.execute(
            text("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('headwater', 'salesforce_demo')")
        ).all()
        return {
            table: str(
                connection.execute(
                    text(
                        f'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {schema}."{table}" AS t'
                        + (" WHERE what !~ '^(read|seen) unmasked$'" if table == "audit" else "")
                    )
                ).one()
            )
            for schema, table in tables
        }


def parameters(client: Any) -> tuple[dict[str, set[str]], dict[str, Form]]:
    """Return the names that stand in addresses and forms of our pages: of each path, and of each form's target."""
    names: dict[str, set[str]] = {}
    forms: dict[str, Form] = {}
    for path, answer in crawl(client, f"{BASE}/overview?org=demo"):
        names.setdefault(urlsplit(path).path, set()).update(name for name, _ in parse_qsl(urlsplit(path).query))
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        for form in Page(answer.text).forms:
            target = urlsplit(form.action).path or urlsplit(path).path
            if form.method == "post":
                known = forms.setdefault(target, Form(action=form.action, method="post"))
                known.names.extend(each for each in form.names if each not in known.names)
            else:
                names.setdefault(target, set()).update(form.names)
    return names, forms


def declared(route: Any) -> set[str]:
    """Return the names that the source of a page reads from an address, whether the page shows them or not."""
    source = inspect.getsource(sys.modules[route.endpoint.__module__])
    read = r"(?:query_params|query)\.(?:get|getlist)\(\s*\"(\w+)\""
    names = set(re.findall(read, source))
    names |= {each.alias for each in route.dependant.query_params} if hasattr(route, "dependant") else set()
    for listed in re.findall(r"filters=\(([^)]*)\)", source):
        names |= set(re.findall(r"\"(\w+)\"", listed))
    return names | ({"q", "sort", "order", "page"} if "read_listing" in source else set())


@pytest.mark.slow
@pytest.mark.parametrize("markup", [MARKUP, "javascript:alert(1)//"])
def test_nothing_that_an_org_holds_becomes_markup(admin: Any, org: Any, markup: str) -> None:
    """Names, labels, messages, titles, causes, runs: whatever text a page shows is shown, never run, never led to."""
    assert plant(org, markup) > 50
    if markup.startswith("javascript"):
        with org.begin() as connection:
            connection.execute(text("UPDATE headwater.org SET instance_url = :m"), {"m": markup})
    visited = 0
    for path, answer in crawl(admin, f"{BASE}/overview?org=demo"):
        assert answer.status_code < 500, path
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        visited += 1
        page = Page(answer.text)
        for tag, given in page.tags:
            assert tag != "xss-planted", path
            assert not [name for name in given if name.startswith("on") or name in ("style", "srcdoc")], (path, tag)
            assert tag not in ("base", "iframe", "object", "embed"), path
            if tag == "script":
                assert given.get("src", "").startswith(f"{BASE}/static/") or given.get("type") == "application/json"
        for place in page.places:
            assert re.match(r"(/(?!/)|\?|#|https?://|$)", place), (path, place)
        assert "49</" not in answer.text or "{{7*7}}" not in markup
    assert visited >= 15


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_in_an_address_breaks_a_page_or_changes_anything(admin: Any, org: Any) -> None:
    """Every parameter of every page, with what attackers and broken links put there."""
    names, _ = parameters(admin)
    before = digest(org)
    wrong = []
    asked = 0
    for route in every_route():
        if "GET" not in route.methods:
            continue
        path = address(route.path)
        own = sorted(names.get(path, set()) | declared(route) | {"org"})
        queries = [
            urlencode([(name, HOSTILE[(at + turn) % len(HOSTILE)]) for at, name in enumerate(own) if name != "org"])
            for turn in range(len(HOSTILE))
        ]
        queries += [urlencode({name: SHORT[at % len(SHORT)]}) for at, name in enumerate(own)]
        queries += ["&".join(f"{name}={RAW}" for name in own), f"{RAW}={RAW}&q=1&q=2&q[]=3&{RAW}", "&&==&;q"]
        for query in queries:
            answer = admin.get(f"{path}?org=demo&{query}" if not query.startswith("org=") else f"{path}?{query}")
            asked += 1
            if answer.status_code >= 500:
                wrong.append(f"{answer.status_code} {path}?{query[:80]}")
    assert not wrong
    assert asked > 500
    assert digest(org) == before


@pytest.mark.slow
def test_nothing_in_the_path_of_an_address_breaks_a_page(admin: Any, org: Any) -> None:
    """Ids and names that are none."""
    before = digest(org)
    for route in routes("GET"):
        for value in (*HOSTILE, "..", ".", "%2e%2e", "a/b"):
            if "{" in route:
                answer = admin.get(address(route, value[:2000]) + "?org=demo")
                assert answer.status_code < 500, (route, value)
                assert "root:" not in answer.text
    assert digest(org) == before


def test_every_form_refuses_what_another_site_sends(admin: Any, org: Any) -> None:
    """With the cookie of an administrator, and with whatever a browser says of where it comes from."""
    before = digest(org)
    posts = [(method, route) for method in ("POST", "PUT", "PATCH", "DELETE") for route in routes(method)]
    assert len(posts) >= 5
    for method, route in posts:
        for origin in ORIGINS:
            for body in ("", "decide=retry&error=7&what=changes&change=1&push=contacts_to_insider_one"):
                headers = {"content-type": HERE["content-type"], **origin}
                answer = admin.request(method, f"{address(route)}?org=demo", content=body, headers=headers)
                assert answer.status_code == 403, (method, route, origin)
    assert digest(org) == before


def test_a_form_with_nonsense_in_it_breaks_nothing(admin: Any, org: Any) -> None:
    """Each name of each form, with what nobody would type."""
    _, forms = parameters(admin)
    fields = sorted({name for form in forms.values() for name in form.names} | {"what", "change", "push", "decide"})
    for route in routes("POST"):
        own = sorted(set(forms[address(route)].names) if address(route) in forms else set()) or fields
        bodies = [
            urlencode([(name, HOSTILE[(at + turn) % len(HOSTILE)]) for at, name in enumerate(own)])
            for turn in range(len(HOSTILE))
        ]
        bodies += [urlencode(dict.fromkeys(own, value)) for value in SHORT]
        for body in (*bodies, RAW, "[]", "{", "x" * 300_000):
            for org_asked in ("demo", quote(HOSTILE[0])):
                answer = admin.post(f"{address(route)}?org={org_asked}", content=body, headers=HERE)
                assert answer.status_code < 500, (route, body[:200], answer.status_code)
    with org.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM headwater.finding")).scalar_one() == 65


@pytest.mark.parametrize(
    "back",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "7@evil.example", "\r\nX: y"],
)  # fmt: skip
def test_no_answer_leads_to_another_site(admin: Any, back: str) -> None:
    """Wherever a form or an address says that it came from."""
    body = urlencode({"decide": "retry", "back": back})
    answer = admin.post(f"{BASE}/errors/decide?org=demo", content=body, headers=HERE)
    assert answer.headers["location"].startswith(f"{BASE}/errors")
    assert "\n" not in answer.headers["location"]
    for path in ("/", "/record"):
        query = urlencode(dict.fromkeys(("next", "url", "redirect", "back", "return", "id"), back))
        answer = admin.get(f"{BASE}{path}?{query}")
        assert answer.headers.get("location", f"{BASE}/").startswith(f"{BASE}/")


def test_the_way_to_the_login_stays_here(open_pages: Any, org: Any) -> None:
    """It names the page that was asked for, and no host: a request may name any."""
    stranger = open_pages(lambda: org, role=None)
    answer = stranger.get(f"{BASE}/health?org=demo&next=//evil.example", headers={"host": "evil.example"})
    assert answer.status_code == 401
    (link,) = [place for place in Page(answer.text).places if "/auth/login" in place]
    assert link.startswith("/auth/login?next=%2Fheadwater%2Fhealth%3F")
    assert "http" not in link


def broken() -> Any:
    raise RuntimeError("planted by a test")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/overview?org=demo", 200), ("/", 307), ("/overview?org=nobody", 404), ("/nothing", 404),
        ("/errors/decide", 405), ("/static/nothing", 404), ("/health/issue/email_missing/export/csv?org=demo", 200),
    ],
)  # fmt: skip
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_every_answer_says_what_a_browser_may_do_with_it(admin: Any, path: str, status: int, accept: str) -> None:
    """Pages, files, refusals: nothing foreign, no frame of another site, nothing kept, no cookie."""
    answer = admin.get(f"{BASE}{path}", headers={"accept": accept})
    if (path, status) != ("/errors/decide", 405):  # a page of one error has the same address
        assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_failure_of_ours_says_it_too_and_tells_nothing(open_pages: Any, accept: str) -> None:
    """An answer that nobody foresaw."""
    answer = open_pages(broken, "admin").get(f"{BASE}/overview", headers={"accept": accept})
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "planted" not in answer.text
    assert answer.headers["content-type"].startswith(accept)


def test_a_stranger_is_told_it_too(open_pages: Any, org: Any) -> None:
    """Only the style of the page that leads to the login stands in the page itself."""
    stranger = open_pages(lambda: org, role=None)
    for path in ("/overview", "/static/pages.css", "/nothing"):
        headers = stranger.get(f"{BASE}{path}").headers
        assert {name: headers.get(name) for name in HEADERS if "Policy" not in name} == {
            name: value for name, value in HEADERS.items() if "Policy" not in name
        }
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'self'" in headers["content-security-policy"]


def test_the_name_of_a_file_is_a_name(admin: Any, org: Any) -> None:
    """Whatever a check is called: no second header, no second name, no path."""
    check = 'a"b\r\nX-Planted: 1;../é中'
    with org.begin() as connection:
        for table in ("issue", "finding"):
            connection.execute(
                text(f"UPDATE headwater.{table} SET check_id = :c WHERE check_id = 'email_missing'"), {"c": check}
            )
    answer = admin.get(f"{BASE}/health/issue/{quote(check, safe='')}/export/csv?org=demo")
    if answer.status_code == 404:
        pytest.skip("an address cannot name this check")
    assert answer.status_code == 200
    assert "x-planted" not in answer.headers
    assert re.fullmatch(r'attachment; filename="[\w.-]+"', answer.headers["content-disposition"])


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＠SUM(A1)"])
def test_a_cell_of_a_file_is_no_formula(
    admin: Any, org: Any, definitions: Any, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """What a spreadsheet would compute begins with an apostrophe."""
    (definitions / "checks" / "mail.yaml").write_text(
        "checks:\n  - {check: email_missing, title: Without, why: They get no mail, category: Incomplete,"
        " severity: error, object: Contact, bad_when: '{row.LastName} IS NULL'}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    with org.begin() as connection:
        connection.execute(text('UPDATE salesforce_demo."Contact" SET "LastName" = :v'), {"v": value})
    content = admin.get(f"{BASE}/health/issue/email_missing/export/csv?org=demo").content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(content, newline="")) for cell in row]
    assert [cell for cell in cells if value.strip() in cell]
    assert not [cell for cell in cells if re.match(r"\s*[=+\-@＝]", cell)]


@pytest.mark.parametrize(
    "name",
    ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "%2e%2e%2fapp.py", "..%5capp.py", "/etc/passwd", "%2fetc%2fpasswd",
     "pages.css%00.py", "pages.css/../../app.py", "....//app.py", "pages.css%2f..%2f..%2fapp.py"],
)  # fmt: skip
def test_no_path_leads_out_of_the_static_files(admin: Any, name: str) -> None:
    """Only names that were there at the start are answered."""
    answer = admin.get(f"{BASE}/static/{name}")
    assert answer.status_code == 404
    assert "import" not in answer.text
