"""Bulk and REST give the same values, whatever is selected."""

from __future__ import annotations

import csv
import io
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.sandbox.org.schema.catalogue import Catalogue
from tests.sandbox.org.conftest import RunningOrg, V

CATALOGUE = Catalogue()
NUMBERS = ("int", "double", "currency", "percent")
TYPES = {
    (name, each.name): each.type for name, target in CATALOGUE.objects.items() for each in target.fields
}  # fmt: skip
PATHS = {
    name: [each.name for each in target.fields if each.type not in ("address", "location", "base64")]
    + [f"{parent.relationship}.Name" for parent in target.fields if parent.parents in (("Account",), ("User",))]
    for name, target in CATALOGUE.objects.items()
}


def _as_bulk(value: Any) -> str:
    """Write a REST value as Bulk does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text.replace(".000+0000", ".000Z") if text.endswith(".000+0000") else text


def _value(record: dict[str, Any], path: str) -> Any:
    for step in path.split("."):
        if record is None:
            return None
        record = record[step]
    return record


def _same(cell: str, value: Any, kind: str) -> bool:
    """Compare numbers as numbers: large ones are written in several ways."""
    if kind in NUMBERS and cell and value is not None:
        return float(cell) == float(value)
    return cell == _as_bulk(value)


def _compared(org: RunningOrg, name: str, paths: list[str]) -> None:
    soql = f"SELECT {', '.join(paths)} FROM {name}"
    rest = {each["Id"]: each for each in org.query(soql)["records"]}
    job = org.bulk(soql)
    text = org.http.get(f"{V}/jobs/query/{job}/results").content.decode()
    org.http.delete(f"{V}/jobs/query/{job}")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert [each.lower() for each in header] == [each.lower() for each in paths]
    assert {row[0] for row in rows} == set(rest)
    for row in rows:
        for path, cell in zip(paths, row, strict=True):
            value = _value(rest[row[0]], path)
            assert _same(cell, value, TYPES.get((name, path), "")), (name, path, cell, value)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_bulk_and_rest_agree(org: RunningOrg, choice: st.DataObject) -> None:
    """The same query by both ways gives the same cells in the same columns."""
    name = choice.draw(st.sampled_from(sorted(PATHS)))
    paths = choice.draw(st.lists(st.sampled_from(PATHS[name]), min_size=1, max_size=12, unique=True))
    _compared(org, name, ["Id", *(path for path in paths if path != "Id")])


def test_a_field_of_every_type_agrees(org: RunningOrg) -> None:
    """The custom object that has one of each, all its columns at once."""
    types = {each.type for each in CATALOGUE.objects["Everything__c"].fields}
    assert {"time", "encryptedstring", "multipicklist", "percent", "currency", "textarea", "phone", "url"} <= types
    _compared(org, "Everything__c", PATHS["Everything__c"])
