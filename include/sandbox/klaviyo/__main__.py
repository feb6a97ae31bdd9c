"""Run the local Klaviyo: ``python -m include.sandbox.klaviyo --port 8094 --home DIR``."""

from __future__ import annotations

from include.sandbox.klaviyo.app import make_app
from include.sandbox.platform.command import parser, serve


def main() -> None:
    """Serve until told to stop."""
    options = parser("klaviyo", "A local Klaviyo.")
    options.add_argument("--job-seconds", type=float, default=1.0, help="how long an import job takes")
    options.add_argument("--pace", type=float, default=1.0, help="how many times the platform's own rates are allowed")
    chosen = options.parse_args()
    serve(chosen, lambda: make_app(chosen.home, job_seconds=chosen.job_seconds, pace=chosen.pace))


if __name__ == "__main__":
    main()
