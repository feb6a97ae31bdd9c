"""A relation that may lead to several objects leads to whichever it is."""

from __future__ import annotations

from datetime import UTC, datetime

from include.activation.source import compose_source
from include.warehouse.pushes.sources import SourceObject
from tests.activation.source import definition

LOADED = datetime(2026, 11, 20, tzinfo=UTC)


def source_object(name: str, *columns: str, references: dict[str, tuple[str, ...]] | None = None) -> SourceObject:
    kinds = dict.fromkeys(("Id", "SystemModstamp", "_loaded_at", "_deleted_at", *columns), "text")
    return SourceObject(
        object=name,
        columns=kinds,
        gone={},
        labels={},
        references=references or {},
        cursor_field="SystemModstamp",
        first_loaded_at=LOADED,
    )


def test_an_owner_is_a_user_or_a_queue() -> None:
    """With both read, the name of either is sent; taking one for all would send the others as empty."""
    known = {
        "Contact": source_object("Contact", "Email", "OwnerId", references={"OwnerId": ("Group", "User")}),
        "Group": source_object("Group", "Name"),
        "User": source_object("User", "Name", "Title"),
    }
    push = definition(
        identifiers={"email": "Email"},
        attributes={"name": "Owner.Name"},
        custom_attributes={"owner_title": "Owner.Title"},
        phone={},
        event=None,
    )

    query = compose_source(push, schema="salesforce_demo", known=lambda name: known[name])

    assert query.values["Owner.Name"] == 'coalesce(r1."Name", r2."Name")'
    assert query.values["Owner.Title"] == 'r2."Title"'
    assert query.joins.count("LEFT JOIN") == 2
