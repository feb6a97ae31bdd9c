"""Run the local receiver of webhooks: ``python -m include.sandbox.webhook --port 8094 --home DIR``."""

from __future__ import annotations

from include.sandbox.platform.command import parser, serve
from include.sandbox.webhook.app import make_app


def main() -> None:
    """Serve until told to stop."""
    chosen = parser("webhook", "A local receiver of signed webhooks.").parse_args()
    serve(chosen, lambda: make_app(chosen.home))


if __name__ == "__main__":
    main()
