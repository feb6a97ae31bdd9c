"""Check the definitions: what the files alone prove wrong, and what only the orgs can prove.

Run it where Airflow's environment is set, so that the connections can be read: `python -m headwater.check_definitions`
(`make check-definitions` does that).
"""

from __future__ import annotations

import sys

from include.config.budget import Work
from include.config.inspect import inspect_definitions
from include.config.loader import Definitions, load_definitions
from include.config.orgs import OrgDefinition
from include.config.summary import summarise
from include.errors import DefinitionError, HeadwaterError
from include.records import Describe


def main() -> int:
    """Print what is wrong and what could not be checked; return 1 when something is wrong."""
    definitions = load_definitions()
    described: dict[str, dict[str, Describe]] = {}
    labels: dict[str, dict[str, str]] = {}
    notes: list[str] = []
    refused: list[DefinitionError] = []
    for name, org in definitions.orgs.items():
        try:
            described[name], labels[name], wrong = _ask(org, definitions)
            refused += wrong
        except HeadwaterError as error:
            notes.append(f"org {name}: only the files were checked: {error}")
    refused += _sources(definitions, notes)
    errors = [*definitions.errors, *inspect_definitions(definitions, described, known_objects=labels), *refused]
    sys.stdout.write("\n".join([*_left_behind(definitions), *summarise(definitions, errors, notes)]) + "\n")
    return 1 if errors else 0


def _ask(
    org: OrgDefinition, definitions: Definitions
) -> tuple[dict[str, Describe], dict[str, str], list[DefinitionError]]:
    """Return the describes of every object that the definitions can mean, all labels, and what the org refuses."""
    from headwater.hooks import salesforce_client
    from include.extract.check_queries import check_queries

    with salesforce_client(org, work=Work.INTERACTIVE) as client:
        labels = {each.name: each.label for each in client.list_objects()}
        wanted = set(org.all_objects)
        wanted |= {each for check in definitions.checks.values() for each in check.needs}
        pushes = [each for each in definitions.pushes.values() if each.org == org.org]
        wanted |= {name for each in pushes for name in each.source.objects_read}
        asked = {name: client.describe(name) for name in sorted(wanted & set(labels))}
        described = {name: each for name, each in asked.items() if each is not None}
        return described, labels, check_queries(client, org, described)


def _sources(definitions: Definitions, notes: list[str]) -> list[DefinitionError]:
    """Return what keeps pushes of queries and models from running, as far as the warehouse can tell."""
    from headwater.hooks import warehouse_engine
    from include.activation.rows import check_source
    from include.warehouse.engine import transaction

    wrong: list[DefinitionError] = []
    for push in definitions.pushes.values():
        if push.source.object:
            continue  # its fields are looked up in the org itself
        try:
            with transaction(warehouse_engine()) as connection:
                check_source(connection, push)
        except DefinitionError as error:
            wrong.append(error)
        except HeadwaterError as error:
            notes.append(f"push {push.push}: its source was not checked: {error}")
    return wrong


def _left_behind(definitions: Definitions) -> list[str]:
    """Return one line for each org or object that the warehouse keeps and nobody defines.

    None while a definition cannot be read: a slip in an org's file is no reason to tell how its rows are dropped.
    """
    from headwater.hooks import warehouse_engine
    from include.warehouse.belongings import leftovers

    if definitions.errors:
        return []
    try:
        found = leftovers(warehouse_engine(), {name: org.all_sources for name, org in definitions.orgs.items()})
    except HeadwaterError:
        return []  # without a warehouse nothing is left behind in it
    return [
        f"  ({each.what} is defined no more; {each.rows:,} rows stay in the warehouse: `{each.command}` drops them)"
        for each in found
    ]


if __name__ == "__main__":
    sys.exit(main())
