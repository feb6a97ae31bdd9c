"""A Salesforce org of a few hundred lines, over HTTP on loopback, whose clock, fields and faults a test decides.

It knows the queries that Headwater writes and nothing else; the sandbox org is the faithful one.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from include.salesforce.auth import Credentials
from include.warehouse.loading.stream import records_csv

ORG_ID = "00D000000000001EAA"
BASE = "/services/data/v63.0/"
LOST = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
SLOW = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query was running too long"}]
SYSTEM_FIELDS = {"Id": "id", "IsDeleted": "boolean", "CreatedDate": "datetime", "SystemModstamp": "datetime"}
_QUERY = re.compile(r"SELECT (.+?) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY (\w+)( DESC)?)?(?: LIMIT (\d+))?")
_CONDITION = re.compile(r"(\w+) (>=|<|=) (\S+)")
_IDS = re.compile(r"Id IN \(([^)]*)\)")


class SmallOrg:
    """Hold the org's objects and records, its clock, and the calls that it counted."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
        self.org_id = ORG_ID
        self.objects: dict[str, dict[str, str]] = {}
        self.calculated: set[str] = set()  # fields whose values change without a stamp
        self.described_at: dict[str, datetime] = {}
        self.records: dict[str, dict[str, dict[str, Any]]] = {}
        self.purged: dict[str, list[str]] = {}  # Ids that the list of deletions tells
        self.without_deletions: set[str] = set()  # objects that have no such list
        self.calls: list[str] = []
        self.url_lengths: list[int] = [0]
        self.allowed = 15_000  # calls in its rolling day
        self.rolled = 0  # of them, those that lie further back than a day
        self.jobs: dict[str, dict[str, Any]] = {}
        self.cursors: list[list[dict[str, Any]]] = []
        self.page_rows = 2000
        self.bulk_page_rows = 100_000
        self.bulk_refused = False
        self.slow_queries: set[str] = set()  # objects whose queries by REST take too long
        self.sessions_end = False  # credentials sign in, and the org knows only the sessions it gave
        self.shorten: Callable[[dict[str, Any]], dict[str, Any]] = lambda page: page
        self.job_state = "JobComplete"
        self.job_ends: Callable[[str], str] = lambda soql: ""  # state and error of the job for a query, if another
        self.bulk_refusal: tuple[int, str] | None = None  # status and code that a new job is answered with
        self.too_slow: Callable[[str], bool] = lambda soql: False  # which queries by REST end in QUERY_TIMEOUT
        self.unordered: set[str] = set()  # fields by which it doesn't order
        self.cut_results = 0  # so many result pages break off in the middle
        self.wrong_counts = 0  # so many result pages announce more rows than they hold
        self.before_result: Callable[[str], None] = lambda locator: None
        self.url = ""

    def used(self) -> int:
        """Return its own count of calls in the last 24 hours."""
        return len(self.calls) - self.rolled

    def add_object(self, name: str, **fields: str) -> None:
        """Give the org an object with these fields besides the system's."""
        self.objects[name] = SYSTEM_FIELDS | fields
        self.records.setdefault(name, {})
        self.described_at[name] = self.now

    def change_fields(self, name: str, **fields: str | None) -> None:
        """Add, change or (None) drop fields of an object."""
        merged = self.objects[name] | fields  # type: ignore[operator]
        self.objects[name] = {key: kind for key, kind in merged.items() if kind}
        self.described_at[name] = self.now

    def put(self, object: str, number: int, **values: Any) -> str:
        """Create or change a record now, and return its Id."""
        key = f"{object[:3].upper()}{number:015d}"
        record = self.records[object].setdefault(key, {"Id": key, "IsDeleted": False, "CreatedDate": stamp(self.now)})
        record.update({"SystemModstamp": stamp(self.now)} | values)
        return key

    def tick(self, **span: float) -> None:
        """Let time pass in the org."""
        self.now += timedelta(**span)

    def credentials(self) -> Credentials:
        """Return credentials whose session needs no sign-in."""
        if self.sessions_end:
            return Credentials(
                kind="client_credentials", login_url=self.url, client_id="app", client_secret="app-secret"
            )
        return Credentials(kind="session", access_token=f"{self.org_id}!x", instance_url=self.url)

    def knows(self, authorization: str) -> bool:
        """Return whether a session is one of this org's."""
        return not self.sessions_end or authorization == f"Bearer {self.org_id}!x"

    # --- what it answers ------------------------------------------------------------------------------------------

    def describe(self, name: str, since: str | None) -> tuple[int, Any, dict[str, str]]:
        if name not in self.objects:
            return 404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], {}
        modified = format_datetime(self.described_at[name], usegmt=True)
        if since == modified:
            return 304, None, {}
        fields = [
            {"name": key, "label": key, "type": kind, "calculated": key in self.calculated}
            for key, kind in self.objects[name].items()
        ]
        return 200, {"name": name, "label": name, "keyPrefix": name[:3], "fields": fields}, {"Last-Modified": modified}

    def query(self, soql: str, *, deleted: bool) -> tuple[int, Any]:
        matched = _QUERY.fullmatch(soql)
        assert matched, soql
        columns, name, conditions, order = matched[1].split(","), matched[2], matched[3], matched[4]
        if order in self.unordered:
            message = f"field '{order}' can not be sorted in a query call"
            return 400, [{"errorCode": "MALFORMED_QUERY", "message": message}]
        counting = columns == ["COUNT()"]
        unknown = [] if counting else [each for each in columns if each not in self.objects[name]]
        if unknown:
            message = f"No such column '{unknown[0]}' on entity '{name}'."
            return 400, [{"errorCode": "INVALID_FIELD", "message": message}]
        found = [
            each
            for each in list(self.records[name].values())
            if (deleted or not each["IsDeleted"]) and _matches(each, conditions)
        ]
        if counting:
            return 200, {"totalSize": len(found), "done": True, "records": []}
        if order:
            found.sort(key=lambda each: each[order], reverse=bool(matched[5]))
        rows = [{key: each.get(key) for key in columns} for each in found[: int(matched[6] or len(found))]]
        self.cursors.append(rows)
        return 200, self.page(len(self.cursors) - 1, 0)

    def rows_of(self, soql: str) -> int:
        """Return how many records a query finds, deleted ones included."""
        _, body = self.query(re.sub("SELECT .+? FROM", "SELECT COUNT() FROM", soql), deleted=True)
        found: int = body["totalSize"]
        return found

    def purge(self, object: str, key: str) -> None:
        """Delete a record for good: no query shows it any more, only the list of deletions."""
        del self.records[object][key]
        self.purged.setdefault(object, []).append(key)

    def deleted(self, name: str) -> tuple[int, Any]:
        if name in self.without_deletions:
            return 400, [{"errorCode": "INVALID_TYPE", "message": f"sObject type {name} is not replicable"}]
        told = [{"id": key, "deletedDate": stamp(self.now)} for key in self.purged.get(name, [])]
        return 200, {"deletedRecords": told, "earliestDateAvailable": None, "latestDateCovered": stamp(self.now)}

    def record_counts(self, names: list[str]) -> dict[str, Any]:
        alive = {name: [each for each in self.records[name].values() if not each["IsDeleted"]] for name in self.objects}
        return {"sObjects": [{"name": name, "count": len(alive[name])} for name in names if name in alive]}

    def page(self, cursor: int, at: int) -> dict[str, Any]:
        rows = self.cursors[cursor]
        end = at + self.page_rows
        records = [{"attributes": {"type": "X"}, **each} for each in rows[at:end]]
        answer = {"totalSize": len(rows), "done": end >= len(rows), "records": records}
        return self.shorten(answer if end >= len(rows) else answer | {"nextRecordsUrl": f"{BASE}query/{cursor}-{end}"})

    def composite(self, requests: list[dict[str, Any]]) -> dict[str, Any]:
        answers = []
        for each in requests:
            tail = each["url"].removeprefix(BASE)
            headers: dict[str, str] = {}
            if "describe" in tail:
                name = tail.split("/")[1]
                status, body, headers = self.describe(name, (each.get("httpHeaders") or {}).get("If-Modified-Since"))
            elif "/deleted/" in tail:
                status, body = self.deleted(tail.split("/")[1])
            else:
                kind, soql = tail.split("?q=")
                status, body = self.query(unquote(soql), deleted=kind == "queryAll")
                counts, name = (
                    re.search(r"COUNT\(\)|LIMIT 1$", unquote(soql)),
                    unquote(soql).split(" FROM ")[1].split()[0],
                )
                if name in self.slow_queries and not counts:
                    status, body = 400, SLOW
            answers.append(
                {"referenceId": each["referenceId"], "httpStatusCode": status, "httpHeaders": headers, "body": body}
            )
        return {"compositeResponse": answers}

    def create_job(self, asked: dict[str, Any]) -> tuple[int, Any]:
        if self.bulk_refusal:
            status, code = self.bulk_refusal
            return status, [{"errorCode": code, "message": "no"}]
        if self.bulk_refused:
            return 400, [{"errorCode": "INVALIDENTITY", "message": "Odd is not supported by the Bulk API"}]
        status, body = self.query(asked["query"], deleted=asked["operation"] == "queryAll")
        if status != 200:
            return status, body
        job = {"id": f"750{len(self.jobs):015d}", "state": self.job_state, "object": "X", "rows": self.cursors[-1]}
        if ends := self.job_ends(asked["query"]):
            job["state"], _, job["errorMessage"] = ends.partition(" ")
        job["soql"] = asked["query"]
        job["numberRecordsProcessed"] = len(self.cursors[-1])
        job["columns"] = re.split("SELECT | FROM", asked["query"])[1].split(",")
        self.jobs[job["id"]] = job
        return 200, _shown(job)

    def results(self, job: dict[str, Any], at: int, most: int) -> tuple[bytes, dict[str, str], bool]:
        rows = job["rows"][at : at + min(most, self.bulk_page_rows)]
        end = at + len(rows)
        content = records_csv(rows, job["columns"]).replace(b"+0000", b"Z")
        announced = len(rows)
        if self.wrong_counts:
            self.wrong_counts -= 1
            announced += 1
        cut = self.cut_results > 0
        self.cut_results -= cut
        headers = {
            "Content-Type": "text/csv",
            "Sforce-NumberOfRecords": str(announced),
            "Sforce-Locator": str(end) if end < len(job["rows"]) else "null",
        }
        return content, headers, cut


@contextmanager
def running_org() -> Iterator[SmallOrg]:
    """Yield an org that answers on loopback."""
    org = SmallOrg()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two packets: the second would wait 40 ms for the client

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(org.now, usegmt=True)

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            tail = url.path.removeprefix(BASE)
            if url.path == "/services/data":
                return self.answer(200, [])
            if not org.knows(self.headers["Authorization"]):
                return self.answer(401, LOST)
            org.calls.append(f"GET {tail}")
            org.url_lengths.append(len(self.path))
            asked = {key: values[0] for key, values in parse_qs(url.query).items()}
            if tail.startswith("jobs/query/"):
                return self.job(tail.split("/"), asked)
            if tail == "limits/recordCount":
                return self.answer(200, org.record_counts(asked["sObjects"].split(",")))
            if tail.startswith("query/"):
                cursor, at = tail.removeprefix("query/").split("-")
                return self.answer(200, org.page(int(cursor), int(at)))
            if org.too_slow(asked["q"]):
                return self.answer(400, SLOW)
            return self.answer(*org.query(asked["q"], deleted=tail == "queryAll"))

        def job(self, parts: list[str], asked: dict[str, str]) -> None:
            job = org.jobs.get(parts[2])
            if job is None:
                return self.answer(404, [{"errorCode": "NOT_FOUND", "message": "no such job"}])
            if parts[3:] != ["results"]:
                return self.answer(200, _shown(job))
            locator = asked.get("locator", "0")
            org.before_result(locator)
            content, headers, cut = org.results(job, int(locator), int(asked.get("maxRecords", 10**9)))
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)
            if cut:
                self.close_connection = True
            return None

        def do_POST(self) -> None:
            tail = self.path.removeprefix(BASE)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if tail == "/services/oauth2/token":
                identity = f"{org.url}/id/{org.org_id}/005000000000001AAA"
                token = {"access_token": f"{org.org_id}!x", "instance_url": org.url, "id": identity}
                return self.answer(200, token)
            if not org.knows(self.headers["Authorization"]):
                return self.answer(401, LOST)
            org.calls.append(f"POST {tail}")
            asked = json.loads(body)
            if tail == "composite":
                return self.answer(200, org.composite(asked["compositeRequest"]))
            return self.answer(*org.create_job(asked))

        def do_PATCH(self) -> None:
            org.calls.append(f"PATCH {self.path.removeprefix(BASE)}")
            self.rfile.read(int(self.headers["Content-Length"]))
            job = org.jobs[self.path.rsplit("/", 1)[1]]
            job["state"] = "Aborted"
            self.answer(200, _shown(job))

        def answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Sforce-Limit-Info", f"api-usage={org.used()}/{org.allowed}")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    org.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield org
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def stamp(moment: datetime) -> str:
    """Return a moment as REST writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _compared(literal: str) -> str:
    return literal.strip("'") if literal.startswith("'") else stamp(datetime.fromisoformat(literal))


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in job.items() if key not in ("rows", "columns", "soql")}


def _matches(record: dict[str, Any], conditions: str | None) -> bool:
    wanted = _IDS.search(conditions or "")
    if wanted and f"'{record['Id']}'" not in wanted[1]:
        return False
    for field, operator, literal in _CONDITION.findall(conditions or ""):
        value = record[field]
        if operator == "=":
            if value is not (literal == "TRUE"):
                return False
        elif (value < _compared(literal)) is (operator == ">="):
            return False
    return True
