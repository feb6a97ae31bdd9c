"""Run the local mail sink: ``python -m include.sandbox.mail --port 8092 --http-port 8093 --home DIR``."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from include.sandbox.mail.app import make_app


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m include.sandbox.mail", description="A mail server that keeps all.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8092, help="where SMTP listens")
    parser.add_argument("--http-port", type=int, required=True, help="where the page and the list are")
    parser.add_argument("--home", type=Path, required=True, help="folder of the mails; it is made if missing")
    options = parser.parse_args()
    app = make_app(options.home, host=options.host, smtp_port=options.port)
    uvicorn.run(app, host=options.host, port=options.http_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
