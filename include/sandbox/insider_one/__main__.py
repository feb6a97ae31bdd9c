"""Run the local Insider One: ``python -m include.sandbox.insider_one --port 8091 --home DIR``."""

from __future__ import annotations

from include.sandbox.insider_one.app import make_app
from include.sandbox.platform.command import parser, serve


def main() -> None:
    """Serve until told to stop."""
    arguments = parser("insider_one", "A local Insider One.")
    arguments.add_argument("--requests-per-minute", type=int, default=25_000)
    options = arguments.parse_args()
    serve(options, lambda: make_app(options.home, requests_per_minute=options.requests_per_minute))


if __name__ == "__main__":
    main()
