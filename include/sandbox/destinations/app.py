"""Serve all sandbox platforms from one process: Insider One at the root, each other one below its name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from include.sandbox.braze.app import make_app as braze
from include.sandbox.hubspot.app import make_app as hubspot
from include.sandbox.insider_one.app import make_app as insider_one
from include.sandbox.intercom.app import make_app as intercom
from include.sandbox.klaviyo.app import make_app as klaviyo
from include.sandbox.webhook.app import make_app as webhook

ROOT = "insider_one"
_MAKERS: Mapping[str, Callable[[Path], Starlette]] = {
    "insider_one": insider_one,
    "intercom": intercom,
    "klaviyo": klaviyo,
    "hubspot": hubspot,
    "braze": braze,
    "webhook": webhook,
}


def make_app(home: Path) -> Starlette:
    """Return the application of all platforms, each with its store in a folder of its own below `home`."""
    apps = {name: make(home / name) for name, make in _MAKERS.items()}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for each in apps.values():  # an application that is mounted is not told of beginning and end
                await stack.enter_async_context(each.router.lifespan_context(each))
            yield

    mounted = [Mount(f"/{name}", app=each) for name, each in apps.items() if name != ROOT]
    return Starlette(routes=[*mounted, *apps[ROOT].routes], lifespan=lifespan)


def prefix(platform: str) -> str:
    """Return the path below which a platform is served."""
    return "" if platform == ROOT else f"/{platform}"
