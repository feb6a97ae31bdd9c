"""Take mails over SMTP and show them over HTTP; nothing is ever sent on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import orjson
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from include.sandbox.mail.box import Box, Mail

_LONGEST_MAIL = 33_554_432
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, #0000); }
pre { white-space: pre-wrap; } iframe { width: 100%; height: 40rem; border: 1px solid; background: #fff; }
"""


class Sink:
    """Put every mail that arrives over SMTP into the box."""

    def __init__(self, box: Box) -> None:
        self._box = box

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store one mail; the name is given by aiosmtpd."""
        content = envelope.content or b""
        body = content if isinstance(content, bytes) else content.encode()
        self._box.put(envelope.mail_from or "", list(envelope.rcpt_tos), body, datetime.now(UTC))
        return "250 OK"


class Pages:
    """Show the box."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def routes(self) -> list[Route]:
        """Return the routes of the page and the list."""
        return [
            Route("/", self._page),
            Route("/mails/{name}", self._mail),
            Route("/sandbox/health", self._health),
            Route("/sandbox/mails", self._list),
            Route("/sandbox/reset", self._reset, methods=["POST"]),
        ]

    async def _health(self, request: Request) -> Response:
        return _json({"status": "ok", "service": "mail", "mails": self._box.count()})

    async def _list(self, request: Request) -> Response:
        try:
            limit = min(int(request.query_params.get("limit", "100")), 1_000)
            offset = int(request.query_params.get("offset", "0"))
        except ValueError:
            return _json({"error": "limit and offset are whole numbers"}, 400)
        mails = [mail.summary() for mail in self._box.newest(max(limit, 0), max(offset, 0))]
        return _json({"count": self._box.count(), "mails": mails})

    async def _reset(self, request: Request) -> Response:
        self._box.reset()
        return _json({"count": self._box.count()})

    async def _page(self, request: Request) -> Response:
        rows = "".join(_row(mail) for mail in self._box.newest(100))
        head = "<tr><th>Received (UTC)</th><th>From</th><th>To</th><th>Subject</th></tr>"
        body = f"<table>{head}{rows}</table>" if rows else "<p>No mail yet.</p>"
        return _html(f"Mails ({self._box.count()})", body)

    async def _mail(self, request: Request) -> Response:
        mail = self._box.get(request.path_params["name"])
        if mail is None:
            return _html("No such mail", '<p><a href="/">All mails</a></p>', 404)
        # The mail's own HTML is shown without scripts and without this page's origin.
        shown = f'<iframe sandbox="" srcdoc="{escape(mail.html)}"></iframe>' if mail.html else ""
        files = "".join(f"<li>{escape(name)}</li>" for name in mail.attachments)
        return _html(
            mail.subject or "(no subject)",
            f"<p>{escape(mail.sender)} → {escape(', '.join(mail.recipients))}, {mail.at:%Y-%m-%d %H:%M:%S} UTC</p>"
            f'<pre>{escape(mail.text)}</pre>{shown}<ul>{files}</ul><p><a href="/">All mails</a></p>',
        )


def make_app(home: Path, *, host: str, smtp_port: int) -> Starlette:
    """Return the application; it listens for SMTP as long as it runs."""
    box = Box(home)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Sink(box), enable_SMTPUTF8=True, data_size_limit=_LONGEST_MAIL, loop=loop), host, smtp_port
        )
        yield
        server.close()

    return Starlette(routes=Pages(box).routes(), lifespan=lifespan)


def _row(mail: Mail) -> str:
    subject = escape(mail.subject or "(no subject)")
    to = escape(", ".join(mail.recipients))
    link = f'<a href="/mails/{mail.id}">{subject}</a>'
    return f"<tr><td>{mail.at:%Y-%m-%d %H:%M:%S}</td><td>{escape(mail.sender)}</td><td>{to}</td><td>{link}</td></tr>"


def _html(title: str, body: str, status: int = 200) -> Response:
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    return HTMLResponse(f"{page}<h1>{escape(title)}</h1>{body}</html>", status)


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
