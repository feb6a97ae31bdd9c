"""Serve one org in one process: plain HTTP, TLS and the proxy, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette

from include.sandbox.org.tls.authority import Certificate
from include.sandbox.org.tls.proxy import Proxy

_IDLE = 120  # seconds; clients poll every five over one connection, and one closed under their hands is an error
_GRACE = 2  # seconds that a request under way gets when the org is stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Hold where an org listens; None is a door that it doesn't have."""

    host: str
    port: int
    tls_port: int | None = None
    proxy_port: int | None = None


class _Secure(uvicorn.Server):
    """Serve TLS beside the plain server, which alone hears signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


class _Plain(uvicorn.Server):
    """Serve plain HTTP, and have the other doors shut before the org itself is closed."""

    def __init__(self, config: uvicorn.Config, shut_others: Callable[[], Any]) -> None:
        super().__init__(config)
        self._shut_others = shut_others

    async def shutdown(self, sockets: Any = None) -> None:
        await self._shut_others()
        await super().shutdown(sockets)


def serve(app: Starlette, doors: Doors, certificate: Certificate | None) -> None:
    """Serve until a signal says stop."""
    config = _config(app, doors.host, doors.port)
    # uvicorn ends in good order and then raises the signal again.
    with (
        contextlib.suppress(KeyboardInterrupt),
        asyncio.Runner(loop_factory=config.get_loop_factory()) as runner,
    ):
        runner.run(_serve(app, config, doors, certificate))


async def _serve(app: Starlette, config: uvicorn.Config, doors: Doors, certificate: Certificate | None) -> None:
    secure: _Secure | None = None
    proxy: Proxy | None = None
    serving: asyncio.Task[None] | None = None

    async def shut_others() -> None:
        if proxy is not None:
            await proxy.stop()
        if secure is not None and serving is not None:
            secure.should_exit = True
            await serving

    if certificate is not None:
        # Without a TLS port of its own the proxy needs one all the same: any free one.
        secure = _Secure(
            _config(app, doors.host, doors.tls_port or 0, lifespan="off", ssl_certfile=certificate.chain,
                    ssl_keyfile=certificate.key)
        )  # fmt: skip
        serving = asyncio.create_task(secure.serve())
        while not secure.started and not serving.done():
            await asyncio.sleep(0.01)
        if serving.done():
            await serving
        if doors.proxy_port is not None:
            proxy = Proxy(*_reached(secure))
            await proxy.start(doors.proxy_port)
    await _Plain(config, shut_others).serve()


def _reached(server: uvicorn.Server) -> tuple[str, int]:
    """Return where this machine reaches a server that may listen on all addresses."""
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


def _config(app: Starlette, host: str, port: int, **more: Any) -> uvicorn.Config:
    # h11 sends header names as they are spelt, uvicorn's other parser makes them small.
    return uvicorn.Config(
        app, host=host, port=port, http="h11", log_level="warning", date_header=False, server_header=False,
        access_log=False, timeout_graceful_shutdown=_GRACE, timeout_keep_alive=_IDLE, **more,
    )  # fmt: skip
