"""Run the local Braze: ``python -m include.sandbox.braze --port 8094 --home DIR``."""

from __future__ import annotations

from include.sandbox.braze.app import make_app
from include.sandbox.platform.command import parser, serve


def main() -> None:
    """Serve until told to stop."""
    options = parser("braze", "A local Braze.")
    options.add_argument("--pace", type=float, default=1.0, help="how many times the platform's own rates are allowed")
    chosen = options.parse_args()
    serve(chosen, lambda: make_app(chosen.home, pace=chosen.pace))


if __name__ == "__main__":
    main()
