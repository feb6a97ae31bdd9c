"""The rules that an administrator can switch on, and the recycle bin's days, under /sandbox/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.writing import bin as recycle_bin
from include.sandbox.org.writing.rules import DUPLICATE_MODES

Body = Mapping[str, Any]


def set_rules(org: Org, body: Body) -> dict[str, Any]:
    """Switch duplicate rules, validation rules and the insert of audit fields; what isn't named stays."""
    duplicates = str(body.get("duplicates", org.rules.duplicates))
    if duplicates not in DUPLICATE_MODES:
        raise Refusal(400, "INVALID_INPUT", f"duplicates is one of {', '.join(DUPLICATE_MODES)}, not {duplicates}")
    org.rules.duplicates = duplicates
    org.rules.validation = bool(body.get("validation", org.rules.validation))
    org.rules.audit_fields = bool(body.get("audit_fields", org.rules.audit_fields))
    return show_rules(org)


def show_rules(org: Org) -> dict[str, Any]:
    """Say which rules are on."""
    rules = org.rules
    return {"duplicates": rules.duplicates, "validation": rules.validation, "audit_fields": rules.audit_fields}


def purge(org: Org, _body: Body) -> dict[str, Any]:
    """Remove for good what has lain in the recycle bin for fifteen days of the org's clock."""
    return {"purged": recycle_bin.purge(org)}


COMMANDS: dict[str, Callable[[Org, Body], dict[str, Any]]] = {"rules": set_rules, "purge": purge}
LOOKS: dict[str, Callable[[Org, Mapping[str, str]], Any]] = {"rules": lambda org, _params: show_rules(org)}
