"""What befalls a call on its way: faults, slowness, and a refusal when too many long calls are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.org.faults import KINDS, Effect, Fault
from include.sandbox.org.faults.kinds import JOB_STATES
from include.sandbox.org.http.broken_off import BrokenOff, Reset, SlowDrip, TornGzip
from include.sandbox.org.http.call import Answer
from include.sandbox.org.http.fault_answers import page, refuse
from include.sandbox.org.http.gate import json_response, log_call
from include.sandbox.org.http.happenings import happen
from include.sandbox.org.http.traits import read_traits
from include.sandbox.org.org import Org

Run = Callable[[Request, bytes], Response]
_OURS = ("/sandbox", "/lightning")
_API = ("/services/data/v", "/services/async/", "/services/soap/")
_BUSY = KINDS["concurrent_limit"]
_HELD_UP = 30.0  # seconds a job is stuck, and a connection hangs, unless told otherwise
_DRIPS, _DRIP_PAUSE = 8, 0.25
_RETRY_AFTER = 1


async def answer_call(org: Org, request: Request, body: bytes, run: Run) -> Response:
    """Answer a call, with whatever befalls it; the control plane and the pages are spared."""
    if request.url.path.lower().startswith(_OURS):
        return await run_in_threadpool(run, request, body)
    long_calls = org.allocation.long_calls
    if request.url.path.lower().startswith(_API) and long_calls.full():
        return _dated(org, _noted(org, request, refuse(request, _BUSY.status, _BUSY.code, _BUSY.message)))
    with long_calls.running():
        return await _disturbed(org, request, body, run)


async def _disturbed(org: Org, request: Request, body: bytes, run: Run) -> Response:
    fault = None
    if not org.faults.idle:
        traits = await run_in_threadpool(read_traits, org, request, body)
        fault = org.faults.meet(traits, org.clock.now().isoformat(timespec="milliseconds"))
    if fault is not None:
        if fault.delay:
            await asyncio.sleep(fault.delay)
        instead = await _instead(org, request, fault)
        if instead is not None:
            return _dated(org, _noted(org, request, instead))
        if fault.what.effect is Effect.ORG:
            await run_in_threadpool(happen, org, request, fault)
    response = await run_in_threadpool(run, request, body)
    if not org.latency.none:
        size = len(getattr(response, "body", b""))  # a stream takes its time anyway
        await asyncio.sleep(org.latency.answer(request.method, request.url.path, size))
    return _on_the_wire(response, fault) if fault is not None and fault.what.effect is Effect.WIRE else response


async def _instead(org: Org, request: Request, fault: Fault) -> Response | None:
    """Return what the call gets instead of the org's answer, or None if it goes through."""
    kind = fault.what
    if kind.effect is Effect.ANSWER and kind.name == "answer" and fault.status:
        return _given(fault)
    if kind.effect is Effect.ERROR:
        record = request.url.path.rstrip("/").rpartition("/")[2]
        message = str(fault.options.get("message", kind.message)).replace("{id}", record)
        return _with_headers(refuse(request, kind.status, kind.code, message), fault)
    if kind.effect is Effect.PAGE:
        return _with_headers(page(kind.status), fault)
    if kind.effect is Effect.JOB:
        seconds = float(fault.options.get("seconds", _HELD_UP))
        org.faults.order_job(JOB_STATES[kind.name], seconds=seconds)
    if kind.name == "hang":
        await asyncio.sleep(float(fault.options.get("seconds", _HELD_UP)))
    return Reset(status_code=500) if kind.name in ("reset", "hang") else None


def _given(fault: Fault) -> Response:
    """Return an answer that was ordered word for word."""
    if isinstance(fault.body, str):
        return Response(fault.body, fault.status, {"Content-Type": "text/html;charset=UTF-8", **fault.headers})
    return json_response(fault.body if fault.body is not None else [], fault.status, fault.headers)


def _with_headers(response: Response, fault: Fault) -> Response:
    if fault.what.retry_after:
        response.headers["Retry-After"] = str(fault.options.get("retry_after", _RETRY_AFTER))
    for name, value in fault.headers.items():
        response.headers[name] = value
    return response


def _on_the_wire(response: Response, fault: Fault) -> Response:
    """Return an answer that doesn't arrive as it should."""
    keep: Any = fault.options.get("bytes")
    wires: dict[str, Callable[[], Response]] = {
        "lost_answer": Reset,
        "reset_in_body": lambda: BrokenOff(response, reset=True, keep=keep),
        "half_body": lambda: BrokenOff(response, reset=False, keep=keep),
        "cut_chunked": lambda: BrokenOff(response, reset=False, chunked=True, keep=keep),
        "truncated_gzip": lambda: TornGzip(response),
        "slow_drip": lambda: SlowDrip(
            response,
            pieces=int(fault.options.get("pieces", _DRIPS)),
            pause=float(fault.options.get("pause", _DRIP_PAUSE)),
        ),
    }
    return wires[fault.kind]()


def _noted(org: Org, request: Request, response: Response) -> Response:
    """Put a call that the org never saw into the log; a broken connection has the status 0."""
    status = 0 if isinstance(response, Reset) else response.status_code
    method = request.query_params.get("_HttpMethod", request.method).upper()
    log_call(org, method, request.url.path, Answer(status=status, cost=0))
    return response


def _dated(org: Org, response: Response) -> Response:
    response.headers["Date"] = org.clock.http_date()
    return response
