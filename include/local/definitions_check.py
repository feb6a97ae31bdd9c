"""Check the definitions: what the files alone prove wrong and, with the sandbox org, unknown objects and fields.

The sign-in of another org lies in an Airflow connection, which only Airflow's own processes can read: there the first
task of a run says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from include.config.loader import Definitions, load_definitions
from include.errors import DefinitionError, HeadwaterError
from include.local.site import Site
from include.local.supervision import responds
from include.records import Describe

SANDBOX_CONNECTION = "salesforce_demo"
Describer = Callable[[str], Describe]


def check_definitions(site: Site) -> int:
    """Print what is wrong with the definitions; return 1 when something is."""
    definitions = load_definitions(site.settings.definitions)
    errors = [*definitions.errors]
    notes = []
    for name, org in definitions.orgs.items():
        if org.connection != SANDBOX_CONNECTION:
            notes.append(f"org {name}: only the files were checked; its first run checks objects and fields")
        elif not responds(f"{site.org_url}/sandbox/health"):
            notes.append(f"org {name}: only the files were checked; make up starts the sandbox org that it leads to")
        else:
            errors += _with_org(site, definitions, name)
    for error in errors:
        print(f"  - {error}")
    for note in notes:
        print(f"  ({note})")
    counts = f"{len(definitions.orgs)} orgs, {len(definitions.pushes)} pushes, {len(definitions.checks)} checks"
    print(f"{len(errors)} errors; good: {counts}" if errors else f"all good: {counts}")
    return 1 if errors else 0


def _with_org(site: Site, definitions: Definitions, name: str) -> list[DefinitionError]:
    from include.salesforce.auth import Credentials
    from include.salesforce.client import SalesforceClient
    from include.sandbox.org.credentials import CLIENT_ID, CLIENT_SECRET

    credentials = Credentials(
        kind="client_credentials", login_url=site.org_url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    )
    with SalesforceClient(credentials, api_version=definitions.orgs[name].api_version) as client:
        described: dict[str, Describe] = {}

        def describe(object: str) -> Describe:
            if object not in described:
                answer = client.describe(object)
                assert answer is not None  # only a conditional describe has no answer
                described[object] = answer
            return described[object]

        try:
            known = [each.name for each in client.list_objects()]
            return unknown_names(definitions, name, known, describe)
        except HeadwaterError as error:
            return [DefinitionError(f"the org could not be asked: {error}", file=f"orgs/{name}")]


def unknown_names(
    definitions: Definitions, org: str, known_objects: Iterable[str], describe: Describer
) -> list[DefinitionError]:
    """Return the objects and fields that the definitions name and the org does not know, with the nearest name."""
    known = list(known_objects)
    errors = [
        DefinitionError(f"the org has no object {each}{nearest(each, known)}", file=f"orgs/{org}", key="objects")
        for each in definitions.orgs[org].all_objects
        if each not in known
    ]
    for name, push in definitions.pushes.items():
        if push.org != org or push.source.object not in known:
            continue
        for key, path in push.field_paths:
            problem = unknown_part(push.source.object, path, describe)
            if problem:
                errors.append(DefinitionError(problem, file=f"pushes/{name}", key=key))
    return errors


def unknown_part(object: str, path: str, describe: Describer) -> str:
    """Return what is wrong with a field path such as `Email` or `Account.Name`, or ""."""
    *relations, last = path.split(".")
    for relation in relations:
        lookup = relation.removesuffix("__r") + "__c" if relation.endswith("__r") else f"{relation}Id"
        field = describe(object).field(lookup)
        if field is None or not field.reference_to:
            names = [each.name.removesuffix("Id") for each in describe(object).fields if each.reference_to]
            return f"{object} has no relationship {relation}{nearest(relation, names)}"
        object = field.reference_to[0]
    if describe(object).field(last) is None:
        return f"{object} has no field {last}{nearest(last, [each.name for each in describe(object).fields])}"
    return ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the most similar name there is, or ""."""
    by_lower = {each.lower(): each for each in known}
    found = get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.5)
    return f"; the nearest is {by_lower[found[0]]}" if found else ""
