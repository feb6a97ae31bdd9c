"""Write the status as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Report = dict[str, Any]
_TOP_ISSUES = 5


def status_text(report: Report) -> str:
    """Return the whole status."""
    parts = [services_text(report["services"]), summary_text(report)]
    return "\n\n".join(part for part in parts if part)


def services_text(services: Sequence[Report]) -> str:
    """Return the table of services."""
    rows = [(each["name"], each["state"], each["port"] or "", each["pid"] or "", each["restarts"]) for each in services]
    return _table(("service", "state", "port", "pid", "restarts"), rows)


def summary_text(report: Report) -> str:
    """Return what the data looks like: objects, health, deliveries, and where the UI is."""
    if report.get("problem"):
        parts = [str(report["problem"])]
    elif not report["reachable"]:
        parts = ["the warehouse is down, so nothing is known of objects, health and deliveries; `make up` starts it"]
    else:
        parts = [_objects(report["objects"]), *map(_health, report["healths"]), _deliveries(report["deliveries"])]
    parts.append(f"Airflow  {report['url']}")
    return "\n\n".join(part for part in parts if part)


def logins_text(passwords: Mapping[str, str]) -> str:
    """Return a line for each login."""
    return "\n".join(f"login    {name} / {password}" for name, password in passwords.items())


def _objects(objects: Sequence[Report]) -> str:
    several = len({each["of"] for each in objects}) > 1
    rows = [
        (
            *([each["of"]] if several else []),
            each["object"],
            _number(each["here"]),
            _number(each["org"]),
            _number(each["difference"]),
            each["as_of"] or "-",
        )
        for each in objects
    ]
    header = (*(["org"] if several else []), "object", "here", "in the org", "difference", "as of")
    return _table(header, rows) if rows else ""


def _health(health: Report) -> str:
    if health["grade"] is None:
        return f"health of {health['org']}: not assessed yet"
    worst = health["issues"][:_TOP_ISSUES]  # they come with the worst on top
    rows = [
        (each["title"], each["object"], each["severity"], _number(each["failing"]), f"{each['share']:.1%}")
        for each in worst
    ]
    over = sum(each["verdict"] == "failed" for each in health["issues"])
    line = (
        f"health of {health['org']}: {health['grade']:.1%} of the records have no issue; "
        f"{len(health['issues'])} issues have failing records, {over} of them more than is allowed"
    )
    return line + ("\n" + _table(("top issues", "object", "severity", "records", "share"), rows) if rows else "")


def _deliveries(deliveries: Sequence[Report]) -> str:
    if not deliveries:
        return "deliveries: none yet"
    columns = {
        "push": "push", "profiles": "profiles sent", "events": "events sent", "open_errors": "open errors",
        "runs": "runs", "last_run_at": "last run at",
    }  # fmt: skip
    return _table(tuple(columns.values()), [tuple(_cell(each[name]) for name in columns) for each in deliveries])


def _cell(value: Any) -> str:
    return _number(value) if isinstance(value, int) or value is None else str(value)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    numeric = [all(_is_numeric(line[column]) for line in lines[1:]) for column in range(len(header))]

    def written(line: list[str]) -> str:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("─" * width for width in widths)
    return "\n".join([written(lines[0]), rule, *(written(line) for line in lines[1:])])


def _is_numeric(cell: str) -> bool:
    return cell in ("", "-") or cell.replace(",", "").replace("%", "").replace(".", "").lstrip("-").isdigit()
