"""Answer the platform's own endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request

from include.sandbox.klaviyo import rules
from include.sandbox.klaviyo.credentials import KEY, REVISION
from include.sandbox.klaviyo.store import Duplicate, Store, profile_id, unique_id
from include.sandbox.platform.answer import Answer
from include.sandbox.platform.database import Entry, entry_of, now_utc
from include.sandbox.platform.endpoint import Endpoint
from include.sandbox.platform.faults import Fault, Faults
from include.sandbox.platform.rate import Window

_KIND = "application/vnd.api+json"
_JOBS = "/api/profile-bulk-import-jobs"
_RATES = {  # burst a second, steady a minute
    _JOBS: (10, 150),
    "/api/profile-import": (75, 750),
    "/api/event-bulk-create-jobs": (10, 150),
    "/api/events": (350, 3_500),
    "/api/data-privacy-deletion-jobs": (3, 60),
    f"{_JOBS}/": (10, 150),
}
_BODIES = {
    status: {"errors": [rules.error(status, code, title, title)]}
    for status, code, title in (
        (400, "invalid", "Invalid input."),
        (401, "authentication_failed", "Incorrect authentication credentials."),
        (403, "permission_denied", "You do not have permission to perform this action."),
        (429, "throttled", "Request was throttled."),
        (500, "error", "A server error occurred."),
        (503, "service_unavailable", "Service unavailable."),
    )
}
_TIES = "Duplicate events found."  # guess: the description says only that the request fails

Call = Callable[[Any, Entry, Fault | None], Answer]


class Platform:
    """Be the endpoints over a store.

    Args:
        store: the memory.
        faults: what is to go wrong.
        pace: how many times the platform's own rates are allowed.
    """

    def __init__(self, store: Store, faults: Faults, *, pace: float = 1.0) -> None:
        self._store = store
        self._windows = {
            path: (Window(max(1, int(burst * pace)), 1), Window(max(1, int(steady * pace)), 60))
            for path, (burst, steady) in _RATES.items()
        }
        self._calls: dict[str, Call] = {
            _JOBS: self._import,
            "/api/profile-import": self._upsert,
            "/api/event-bulk-create-jobs": self._add_events,
            "/api/events": self._add_event,
            "/api/data-privacy-deletion-jobs": self._erase,
        }
        self.endpoint = Endpoint(
            faults=faults, answer=self._answer, line=entry_of, log=store.database.log, bodies=_BODIES
        )

    def _answer(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        self._store.carry_out()
        reads = request.method == "GET"
        rated = f"{_JOBS}/" if reads else entry.path
        refused = _refused(request) or self._throttled(rated)
        answer = refused or (self._read(request, entry) if reads else self._written(request, body, entry, fault))
        return answer if answer.status == 429 else self._with_rate(answer, rated)

    def _throttled(self, path: str) -> Answer | None:
        full = [window for window in self._windows[path] if not window.take()]
        if not full:
            return None
        headers = {"Retry-After": str(max(each.wait_seconds() for each in full))}
        return Answer(status=429, body=_BODIES[429], headers=headers, media_type=_KIND)

    def _with_rate(self, answer: Answer, path: str) -> Answer:
        burst, steady = self._windows[path]
        nearest = min(burst, steady, key=lambda each: each.remaining)
        headers = {
            "RateLimit-Limit": f"{burst.limit}, {burst.limit};w=1, {steady.limit};w=60",
            "RateLimit-Remaining": str(nearest.remaining),
            "RateLimit-Reset": str(nearest.wait_seconds()),
        }
        return Answer(status=answer.status, body=answer.body, headers=headers, media_type=_KIND)

    def _written(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        if request.headers.get("Content-Type", "").split(";")[0] not in (_KIND, "application/json"):
            return _errors(415, [rules.error(415, "unsupported_media_type", "Unsupported media type.", "")])
        if len(body) > rules.MAX_BYTES:
            return _errors(413, [rules.error(413, "payload_too_large", "Payload too large.", "5MB at most.")])  # guess
        try:
            order = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _errors(400, [rules.invalid("/data", "The payload provided in the request is invalid.")])
        content = order.get("data") if isinstance(order, dict) else None
        if not isinstance(content, dict) or not isinstance(content.get("attributes"), dict):
            return _errors(400, [rules.invalid("/data", "'data' with 'attributes' is required.")])
        return self._calls[entry.path](content, entry, fault)

    def _import(self, content: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        listed = content["attributes"].get("profiles")
        profiles = listed.get("data") if isinstance(listed, dict) else None
        if content.get("type") != "profile-bulk-import-job" or not isinstance(profiles, list) or not profiles:
            return _errors(400, [rules.invalid("/data/attributes/profiles", "A list of profiles is required.")])
        if len(profiles) > rules.MAX_PROFILES:
            return _errors(400, [rules.invalid("/data/attributes/profiles", "At most 10,000 profiles.")])
        entry.records = len(profiles)
        errors = [
            rules.invalid(f"/data/attributes/profiles/data/{place}{pointer}", detail)
            for place, profile in enumerate(profiles)
            for pointer, detail in rules.shape_problems(profile)
        ]
        if errors:
            entry.refused = len(profiles)
            return _errors(400, errors)
        refused = [place for place, each in enumerate(profiles) if fault and fault.refuses(place, _who(each))]
        entry.taken, entry.refused = len(profiles) - len(refused), len(refused)
        job = self._store.start_job(profiles, refused)
        return Answer(status=202, body={"data": self._job(job)}, media_type=_KIND)

    def _upsert(self, content: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        entry.records = 1
        problems = list(rules.shape_problems(content))
        problem = rules.value_problem(content["attributes"]) if not problems else None
        problems += [problem] if problem else []
        if not problems and fault and fault.refuses(0, _who(content)):
            problems = [("/attributes/phone_number", "Invalid phone number format.")]
        if problems:
            entry.refused = 1
            return _errors(400, [rules.invalid(f"/data{pointer}", detail) for pointer, detail in problems])
        try:
            with self._store.database.transaction():
                number, new = self._store.upsert(content, nulls_clear=True)
        except Duplicate as duplicate:
            entry.refused = 1
            known = rules.error(409, "duplicate_profile", "Conflict.", "A profile already exists with one of these.")
            return _errors(409, [known | {"meta": {"duplicate_profile_id": duplicate.profile}}])
        entry.taken = 1
        stored = self._store.profile(number) or {}
        resource = {"type": "profile", "id": profile_id(number), **stored}
        return Answer(status=201 if new else 200, body={"data": resource}, media_type=_KIND)

    def _add_events(self, content: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        where = "/data/attributes/events-bulk-create/data"
        listed = content["attributes"].get("events-bulk-create")
        groups = listed.get("data") if isinstance(listed, dict) else None
        if content.get("type") != "event-bulk-create-job" or not isinstance(groups, list) or not groups:
            return _errors(400, [rules.invalid(where, "A list of events is required.")])
        try:
            parts = [_group(each) for each in groups]
        except (KeyError, TypeError, AttributeError):
            return _errors(400, [rules.invalid(where, "Each element needs a profile and its events.")])
        entry.records = sum(len(events) for _, events, _ in parts)
        if entry.records > rules.MAX_EVENTS:
            return _errors(400, [rules.invalid(where, "At most 1,000 events.")])
        errors = self._event_errors(parts, where, fault)
        if errors:
            entry.refused = entry.records  # no event is processed
            return _errors(400, errors)
        with self._store.database.transaction():
            for who, events, backfill in parts:
                number, _ = self._store.upsert(who, nulls_clear=True)
                for event in events:
                    quiet = backfill or bool(event.get("backfill"))
                    self._store.add_event(number, event, backfill=quiet, now=now_utc())
        entry.taken = entry.records
        return Answer(status=202, body=None, media_type=_KIND)

    def _event_errors(
        self, parts: list[tuple[dict[str, Any], list[dict[str, Any]], bool]], where: str, fault: Fault | None
    ) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = []
        seen: set[tuple[str, str, str]] = set()
        now = now_utc()
        for place, (who, events, _) in enumerate(parts):
            here = f"{where}/{place}/attributes"
            problem = rules.value_problem(who["attributes"])
            found = [("/profile/data" + problem[0], problem[1])] if problem else []
            if fault and fault.refuses(place, _who(who)):
                found.append(("/profile/data/attributes/phone_number", "Invalid phone number format."))
            for number, event in enumerate(events):
                below = f"/events/data/{number}/attributes"
                found += [(below + pointer, detail) for pointer, detail in rules.event_problems(event, now)]
                key = (_who(who), rules.metric_name(event), unique_id(event, now))
                owner = self._store.find(who)
                if key in seen or (owner and self._store.knows_event(owner, event, now)):
                    found.append((f"{below}/unique_id", _TIES))
                seen.add(key)
            errors += [rules.invalid(here + pointer, detail) for pointer, detail in found]
        return errors

    def _add_event(self, content: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        entry.records = 1
        event = content["attributes"]
        holder = event.get("profile")
        who = holder.get("data") if isinstance(holder, dict) else None
        problems = list(rules.event_problems(event, now_utc()))
        if not isinstance(who, dict) or not isinstance(who.get("attributes"), dict):
            problems.append(("/profile", "A profile is required."))
        elif rules.value_problem(who["attributes"]) or (fault and fault.refuses(0, _who(who))):
            problems.append(("/profile/data/attributes/phone_number", "Invalid phone number format."))
        if problems or not isinstance(who, dict):
            entry.refused = 1
            return _errors(400, [rules.invalid(f"/data/attributes{where}", detail) for where, detail in problems])
        with self._store.database.transaction():
            number, _ = self._store.upsert(who, nulls_clear=True)
            self._store.add_event(number, event, backfill=bool(event.get("backfill")), now=now_utc())
        entry.taken = 1
        return Answer(status=202, body=None, media_type=_KIND)

    def _erase(self, content: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        holder = content["attributes"].get("profile")
        who = holder.get("data") if isinstance(holder, dict) else None
        given = [who.get("id"), *(who.get("attributes") or {}).values()] if isinstance(who, dict) else []
        if not isinstance(who, dict) or len([each for each in given if each]) != 1:
            return _errors(400, [rules.invalid("/data/attributes/profile", "Exactly one identifier is required.")])
        number = self._store.find(who)
        if number:
            self._store.erase(number)
        return Answer(status=202, body=None, media_type=_KIND)

    def _read(self, request: Request, entry: Entry) -> Answer:
        job = request.path_params.get("job", "")
        if not job:
            entry.path = _JOBS
            return Answer(body={"data": [], "links": {"self": str(request.url)}}, media_type=_KIND)
        of_errors = entry.path.endswith("/import-errors")
        entry.path = f"{_JOBS}/…/import-errors" if of_errors else f"{_JOBS}/…"
        if self._store.job(job) is None:
            return _errors(404, [rules.error(404, "not_found", "Not found.", "No such job.")])
        return self._job_errors(request, job) if of_errors else Answer(body={"data": self._job(job)})

    def _job(self, job: str) -> dict[str, Any]:
        links = {"self": f"https://a.klaviyo.com{_JOBS}/{job}"}
        return {"type": "profile-bulk-import-job", "id": job, "attributes": self._store.job(job), "links": links}

    def _job_errors(self, request: Request, job: str) -> Answer:
        cursor, size = request.query_params.get("page[cursor]", "-1"), request.query_params.get("page[size]", "20")
        if not size.isdecimal() or not 1 <= int(size) <= 100:
            return _errors(400, [rules.invalid("/page", "Page size must be between 1 and 100.")])
        page = self._store.job_errors(job, int(cursor), int(size))
        more = len(page) == int(size)
        following = request.url.include_query_params(**{"page[cursor]": page[-1][0]}) if more else None
        listed = [{"type": "import-error", "id": f"{job}-{place}", "attributes": body} for place, body in page]
        links = {"self": str(request.url)} | ({"next": str(following)} if following else {})
        return Answer(body={"data": listed, "links": links})


def _refused(request: Request) -> Answer | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Klaviyo-API-Key" or not key:
        text = "Authentication credentials were not provided."
        return _errors(401, [rules.error(401, "not_authenticated", text, "Please use Klaviyo-API-Key.")])
    if key != KEY:
        return _errors(401, _BODIES[401]["errors"])
    revision = request.headers.get("revision")
    if revision != REVISION:
        detail = "A 'revision' header is required." if revision is None else "Unknown revision."
        return _errors(400, [rules.error(400, "invalid", "Invalid revision.", detail, "/headers/revision")])
    return None


def _group(entry: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
    attributes = entry["attributes"]
    who = attributes["profile"]["data"]
    if entry["type"] != "event-bulk-create" or not isinstance(who["attributes"], dict):
        raise KeyError(entry["type"])
    events = [each["attributes"] for each in attributes["events"]["data"]]
    return who, events, bool(attributes.get("backfill"))


def _who(resource: dict[str, Any]) -> str:
    attributes = resource.get("attributes") or {}
    return next((str(attributes[k]) for k in ("external_id", "email", "phone_number") if attributes.get(k)), "")


def _errors(status: int, errors: list[dict[str, Any]]) -> Answer:
    return Answer(status=status, body={"errors": errors}, media_type=_KIND)
