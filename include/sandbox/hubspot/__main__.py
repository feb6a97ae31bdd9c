"""Run the local HubSpot: ``python -m include.sandbox.hubspot --port 8094 --home DIR``."""

from __future__ import annotations

from include.sandbox.hubspot.app import make_app
from include.sandbox.platform.command import parser, serve


def main() -> None:
    """Serve until told to stop."""
    arguments = parser("hubspot", "A local HubSpot.")
    arguments.add_argument("--requests", type=int, default=100, help="so many in a window")
    arguments.add_argument("--window-seconds", type=float, default=10.0)
    arguments.add_argument("--daily", type=int, default=0, help="so many in a day; 0 is no limit")
    options = arguments.parse_args()
    serve(
        options,
        lambda: make_app(
            options.home, requests=options.requests, window_seconds=options.window_seconds, daily=options.daily
        ),
    )


if __name__ == "__main__":
    main()
