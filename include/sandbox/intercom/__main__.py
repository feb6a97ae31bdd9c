"""Run the local Intercom: ``python -m include.sandbox.intercom --port 8094 --home DIR``."""

from __future__ import annotations

from include.sandbox.intercom.app import make_app
from include.sandbox.platform.command import parser, serve


def main() -> None:
    """Serve until told to stop."""
    arguments = parser("intercom", "A local Intercom.")
    arguments.add_argument("--requests", type=int, default=1_666, help="so many in a window")
    arguments.add_argument("--window-seconds", type=float, default=10.0)
    arguments.add_argument("--search-delay-seconds", type=float, default=0.0, help="until a search finds a new contact")
    options = arguments.parse_args()
    serve(
        options,
        lambda: make_app(
            options.home,
            requests=options.requests,
            window_seconds=options.window_seconds,
            search_delay_seconds=options.search_delay_seconds,
        ),
    )


if __name__ == "__main__":
    main()
