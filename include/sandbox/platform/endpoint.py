"""Take a request in, do with it what a fault orders, and write it to the log: the same for every platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.platform.answer import Answer, hang_up, response
from include.sandbox.platform.faults import Fault, Faults


class Line(Protocol):
    """Be a line of the request log that is still being written."""

    method: str
    path: str
    status: int


L = TypeVar("L", bound=Line)


class Endpoint(Generic[L]):
    """Be all endpoints of one platform.

    Args:
        faults: the orders.
        answer: answers a request; it may note counts in the line, and a better path (without ids).
        line: begins a line of the log, of method, path and size.
        log: keeps the line.
        bodies: what the platform says by status, for faults that bring no body of their own.
    """

    def __init__(
        self,
        *,
        faults: Faults,
        answer: Callable[[Request, bytes, L, Fault | None], Answer],
        line: Callable[[str, str, int], L],
        log: Callable[[L], None],
        bodies: Mapping[int, Any],
    ) -> None:
        self._faults = faults
        self._answer = answer
        self._line = line
        self._log = log
        self._bodies = bodies

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        body = await request.body()
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))  # where it is mounted is no matter
        line = self._line(request.method, path, len(body))
        fault = self._faults.take(path, request.method)
        if fault is not None and fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        prevented = fault is not None and fault.prevents
        answer = Answer() if prevented else self._answer(request, body, line, fault)
        if fault is not None and fault.answers:
            answer = self._faulty(fault)
        line.status = 0 if fault is not None and fault.drop_answer else answer.status
        self._log(line)
        if fault is not None and fault.drop_answer:
            await hang_up(request)
        return response(answer)

    def _faulty(self, fault: Fault) -> Answer:
        status = fault.status or 200
        body = self._bodies.get(status, {}) if fault.body is None else fault.body
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        return Answer(status=status, body=body, headers=headers)
