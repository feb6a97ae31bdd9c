"""Check an org's connection: `python -m headwater.check_connection ORG` (`make check-connection ORG=demo`).

Run it where Airflow's environment is set, so that the connections can be read.
"""

from __future__ import annotations

import sys
from functools import partial

from include.config.budget import Work
from include.errors import HeadwaterError
from include.extract.check_connection import check_connection
from include.salesforce.connection import ConnectionReport, Finding, State

_MARKS = {State.FINE: "ok", State.FOUND: "!!", State.UNKNOWN: "??"}


def main(arguments: list[str] | None = None) -> int:
    """Print what the check found; return 1 when a symptom was found, 2 when it could not be made."""
    from headwater.hooks import definitions, salesforce_client, warehouse_engine

    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        sys.stderr.write(f"say which org: ORG={'|'.join(sorted(definitions().orgs)) or '<name>'}\n")
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
