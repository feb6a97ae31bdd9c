"""What may befall a call in the campaign, and the plan that one round's calls run into."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

OBJECTS = ("Account", "Contact", "Lead", "Opportunity", "Task")

KINDS: Mapping[str, str] = {
    "slow": "slow answer",
    "server_error": "500, and token errors",
    "server_unavailable": "503 SERVER_UNAVAILABLE",
    "request_limit": "REQUEST_LIMIT_EXCEEDED",
    "concurrent_limit": "too many requests at once (403)",
    "query_timeout": "QUERY_TIMEOUT",
    "lock_row": "UNABLE_TO_LOCK_ROW",
    "locator_lost": "query locator lost",
    "no_route": "420",
    "too_many_requests": "429 with Retry-After",
    "bad_gateway": "502",
    "maintenance": "503 of a proxy",
    "gateway_timeout": "504",
    "html_200": "HTML with 200",
    "reset": "connection reset",
    "reset_in_body": "reset in mid-body",
    "half_body": "half a body",
    "cut_chunked": "half a body without length",
    "truncated_gzip": "truncated gzip",
    "slow_drip": "answer in drops",
    "lost_answer": "done, but the answer lost",
    "hang": "silence, then a reset",
    "expire_sessions": "all sessions ended (401 in mid-job)",
    "late_commit": "late commit with an older stamp",
    "equal_stamps": "many records with one stamp",
    "schema_change": "field added, removed, restored or renamed",
    "job_lost": "Bulk job and result gone",
    "job_failed": "Bulk job Failed",
    "job_timed_out": "Bulk job ended by QUERY_TIMEOUT",
    "job_aborted": "Bulk job Aborted",
    "job_stuck": "Bulk job stuck",
}
# The kinds that happen to the job which a disturbed call makes: met when a job really ends so.
JOB_ENDS: Mapping[str, str] = {
    "job_failed": "job Failed",
    "job_timed_out": "job TimedOut",
    "job_aborted": "job Aborted",
    "job_stuck": "job Stuck",
}

# Kinds that can befall few calls only would hardly ever come up else.
_WEIGHTS = {"query_timeout": 4, "locator_lost": 60, "truncated_gzip": 2, "job_lost": 2} | dict.fromkeys(JOB_ENDS, 6)
_RATES = (0.2, 0.35, 0.5)
_LATE_SECONDS = (20, 1500)


def plan_of(dice: random.Random, fields: Sequence[tuple[str, str]], number: int) -> dict[str, Any]:
    """Return what `POST /sandbox/faults/plan` takes for a round.

    Args:
        dice: decide everything.
        fields: (object, name) of the fields that earlier rounds may have added.
        number: of the round; new fields are named after it.
    """
    return {
        "seed": dice.randrange(1 << 30),
        "rate": dice.choice(_RATES),
        "kinds": [kind for kind in KINDS for _ in range(_WEIGHTS.get(kind, 1))],
        "options": {
            "slow": {"delay": 0.3},
            "hang": {"seconds": 0.5},
            "slow_drip": {"pieces": 4, "pause": 0.05},
            "job_stuck": {"seconds": 0.7},
            "late_commit": {"object": dice.choice(OBJECTS), "n": 3, "seconds": dice.randint(*_LATE_SECONDS)},
            "equal_stamps": {"object": dice.choice(OBJECTS), "n": 40},
            "schema_change": _schema_change(dice, fields, number),
        },
    }


def added_field(plan: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field that a plan's change of the schema would add, if it is one that adds."""
    order = plan["options"]["schema_change"]
    return (order["object"], order["name"]) if order["change"] == "add_field" else None


def _schema_change(dice: random.Random, fields: Sequence[tuple[str, str]], number: int) -> dict[str, Any]:
    if fields and dice.random() < 0.5:
        object, name = dice.choice(fields)
        change = dice.choice(("remove_field", "restore", "rename_label"))
        return {"change": change, "object": object, "field": name, "label": f"Renamed {number}"}
    kind = dice.choice(("text", "number", "checkbox", "date"))
    default = {"text": f"from round {number}", "number": number, "checkbox": True}.get(kind)
    return {
        "change": "add_field", "object": dice.choice(OBJECTS), "name": f"Campaign_{number}__c", "type": kind,
        "default": default,
    }  # fmt: skip
