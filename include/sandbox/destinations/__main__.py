"""Run all local platforms: ``python -m include.sandbox.destinations --port 8091 --home DIR``."""

from __future__ import annotations

from include.sandbox.destinations.app import make_app
from include.sandbox.platform.command import parser, serve


def main() -> None:
    """Serve until told to stop."""
    chosen = parser("destinations", "All local platforms in one process.").parse_args()
    serve(chosen, lambda: make_app(chosen.home))


if __name__ == "__main__":
    main()
