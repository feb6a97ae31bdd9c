"""List what is kept of an org or one of its objects, and drop it once confirmed: `make forget ORG=x [OBJECT=y]`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence

from include.config.loader import Definitions
from include.errors import HeadwaterError
from include.warehouse.belongings import Belonging, belongings, forget

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


def main(arguments: Sequence[str] | None = None, *, ask: Callable[[str], str] = input) -> int:
    """Print what would go, and let it go when a person confirms; return 1 when nothing was dropped."""
    from headwater.hooks import definitions, warehouse_engine

    given = list(sys.argv[1:] if arguments is None else arguments)
    confirmed = "--yes" in given
    given = [each for each in given if each != "--yes"]
    if not 1 <= len(given) <= 2 or not all(_NAME.fullmatch(each) for each in given):
        sys.stderr.write("say what: make forget ORG=<name> [OBJECT=<API name>]\n")
        return 2
    org, object = given[0], given[1] if len(given) == 2 else ""
    what = f"{object} of {org}" if object else f"the org {org}"
    try:
        found = belongings(warehouse_engine(), org, object)
        if not found:
            sys.stdout.write(f"nothing is kept of {what}\n")
            return 1
        sys.stdout.write("\n".join(in_words(found, what, warnings(definitions(), org, object))) + "\n")
        if not (confirmed or _agreed(ask, object or org)):
            sys.stdout.write("nothing was dropped (YES=1 answers without asking)\n")
            return 1
        forget(warehouse_engine(), org, object)
    except HeadwaterError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"dropped {what}\n")
    return 0


def in_words(found: Sequence[Belonging], what: str, notes: Sequence[str]) -> list[str]:
    """Return what would go as lines."""
    lines = [f"  {each.name:<44}{each.rows:>14,} rows{_size(each.size)}" for each in found]
    return [f"This drops {what}:", *lines, *notes]


def warnings(definitions: Definitions, org: str, object: str) -> list[str]:
    """Return what a person should know before: what is still defined, and what stays elsewhere."""
    notes = []
    defined = definitions.orgs.get(org)
    if defined is not None and (not object or object in defined.all_sources):
        notes.append(
            f"It is still defined in orgs/{org}.yaml: the next extract reads {object or 'everything'} again from the"
            " beginning, and pushes of it send every record again."
        )
    pushes = [
        each.push
        for each in definitions.pushes.values()
        if each.org == org and object in ("", each.source.name, *each.source.objects_read)
    ]
    if pushes:
        notes.append(f"These pushes read it: {', '.join(pushes)}.")
    if object:
        return notes
    dags = " ".join(f"{org}_{name}" for name in ("extract", "health", "metadata", "reconcile"))
    return [
        *notes,
        f'Airflow keeps the history of {dags}; drop it with `make airflow ARGS="dags delete <dag> --yes"`.',
        "The Airflow connection stays; delete it under Admin → Connections if nothing else uses it.",
    ]


def _agreed(ask: Callable[[str], str], name: str) -> bool:
    try:
        return ask(f"It cannot be brought back. Type {name} to go on: ").strip() == name
    except EOFError:
        return False


def _size(size: int) -> str:
    return f"{size / 1e6:>12,.1f} MB" if size else ""


if __name__ == "__main__":
    sys.exit(main())
