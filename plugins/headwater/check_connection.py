"""Check a connection: `python -m headwater.check_connection ORG` (`make check-connection ORG=demo`).

That to a platform: `python -m headwater.check_connection --connection ID` (`make check-connection CONNECTION=…`).

Run it where Airflow's environment is set, so that the connections can be read.
"""

from __future__ import annotations

import sys
from functools import partial

from include.config.budget import Work
from include.config.platforms import Match, Platform
from include.errors import HeadwaterError, NotReady
from include.extract.check_connection import check_connection
from include.records import ProfileAction
from include.salesforce.connection import ConnectionReport, Finding, State

_MARKS = {State.FINE: "ok", State.FOUND: "!!", State.UNKNOWN: "??"}


def main(arguments: list[str] | None = None) -> int:
    """Print what the check found; return 1 when a symptom was found, 2 when it could not be made."""
    from headwater.hooks import definitions, salesforce_client, warehouse_engine

    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["--connection"] and len(given) == 2:
        return _check_platform(given[1])
    if len(given) != 1:
        sys.stderr.write(f"say which org: ORG={'|'.join(sorted(definitions().orgs)) or '<name>'}, or CONNECTION=\n")
        return 2
    try:
        org = definitions().org(given[0])
        report = check_connection(
            warehouse_engine(), partial(salesforce_client, org, work=Work.INTERACTIVE), org, definitions()
        )
    except HeadwaterError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n".join(in_words(report)) + "\n")
    return 0 if report.works else 1


def _check_platform(conn_id: str) -> int:
    """Print whether a platform takes a connection, and what can be promised there."""
    from headwater.hooks import platform_of, prove_platform
    from include.config.platforms import PLATFORMS

    try:
        name = platform_of(conn_id)
        if name not in PLATFORMS:
            sys.stderr.write(f"{conn_id!r} is of type {name!r}, no platform; there are {', '.join(PLATFORMS)}\n")
            return 2
        prove_platform(name, conn_id)
    except NotReady as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except HeadwaterError as error:
        sys.stdout.write(f"  !!  {conn_id}: {error}\n")
        return 1
    platform = PLATFORMS[name]
    sys.stdout.write(f"  ok  {conn_id}: {platform.title} takes the credentials; nothing was changed there\n\n")
    sys.stdout.write("\n".join(promises(platform)) + "\n")
    return 0


def promises(platform: Platform) -> list[str]:
    """Return what can be promised at a platform, as lines."""
    can = platform.capabilities
    said = {
        "skip hook": can.skip_hook,
        "an event is stored once, whatever answer was lost": can.dedupes_events or can.reads_back,
        "an empty field clears the attribute": can.clears_nulls,
        "a profile follows a changed identifier": can.changes_identity,
        "one bad record doesn't spoil its batch": can.partial_failure,
        **{f"match: {each.value}": each in can.matches for each in Match},
        **{f"gone: {each.value}": each in can.gone for each in ProfileAction if each is not ProfileAction.UPSERT},
    }
    lines = [f"  {'yes' if value else 'no ':<3}  {title}" for title, value in said.items()]
    later = ["  Records are taken first; a later task tells what became of them."] if can.settles_later else []
    return [f"What {platform.title} can do ({platform.max_batch:,} records in a request)", *lines, *later]


def in_words(report: ConnectionReport) -> list[str]:
    """Return the report as lines; no secret stands in them."""
    lines = [f"{title:<12}{value}" for title, value in _facts(report) if value]
    if report.rights:
        lines += ["", "Rights of the connection's user", *(line for each in report.rights for line in _lines(each))]
    lines += ["", "Symptoms", *(line for each in report.symptoms for line in _lines(each))]
    return [*lines, *(["", *(f"Note: {each}." for each in report.warnings)] if report.warnings else [])]


def _facts(report: ConnectionReport) -> list[tuple[str, str]]:
    facts = [("Org", report.org), ("Signs in by", report.signs_in_by)]
    answers = report.answers
    if answers is None:
        return facts
    kind = {True: "sandbox", False: "production", None: ""}[answers.is_sandbox]
    calls = f"{answers.calls_left:,} of {answers.calls_allowed:,} left in 24 h" if answers.calls_allowed else ""
    return [
        *facts,
        ("Id", answers.org_id),
        ("Name", answers.name),
        ("Instance", f"{answers.instance} {answers.instance_url}".strip()),
        ("Edition", ", ".join(part for part in (answers.edition, kind) if part)),
        ("API version", f"{report.api_version}, newest {report.newest_version or 'unknown'}"),
        ("API calls", calls),
    ]


def _lines(finding: Finding) -> list[str]:
    cause = f": {finding.cause}" if finding.cause else ""
    lines = [f"  {_MARKS[finding.state]}  {finding.subject}{cause}"]
    return [*lines, f"      → {finding.remedy}"] if finding.state is State.FOUND else lines


if __name__ == "__main__":
    sys.exit(main())
