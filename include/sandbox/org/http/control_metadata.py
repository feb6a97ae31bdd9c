"""Control commands that change metadata, and the look at what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.sandbox.org.metadata.ledger import change_metadata, changes_made
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal


def metadata(org: Org, body: Mapping[str, Any]) -> dict[str, Any]:
    """Make one change, or several at once."""
    orders = body.get("changes", [body])
    if not isinstance(orders, list) or not all(isinstance(each, dict) for each in orders):
        raise Refusal(400, "INVALID_INPUT", "changes must be a list of orders")
    changed = change_metadata(org, orders)
    counts = {name: len(target.fields) for name in changed if (target := org.catalogue.find(name))}
    return {"objects": changed, "fields": counts}


def show_metadata(org: Org, _params: Mapping[str, str]) -> dict[str, Any]:
    """Return the changes made since the last full restore, and when each object last changed."""
    stamps = {name: at.isoformat() for name, at in sorted(org.catalogue.snapshot.changed.items())}
    return {"changes": changes_made(org.database), "changed": stamps}


COMMANDS = {"metadata": metadata}
LOOKS = {"metadata": show_metadata}
