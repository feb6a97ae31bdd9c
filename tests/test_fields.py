"""What is read of an object, and by what its changes are found."""

from __future__ import annotations

import pytest

from include.fields import cursor_field, fields_to_read
from include.records import Describe, Field
from include.salesforce.describe import read_describe
from include.salesforce.limits import ApiUsage, read_limit_info


def _described(*fields: Field) -> Describe:
    return Describe(object="Account", label="Account", key_prefix="001", fields=fields)


def test_compound_and_binary_fields_are_not_read_and_the_order_stays() -> None:
    """Their parts are."""
    described = _described(
        Field(name="Id", label="Id", type="id"),
        Field(name="Name", label="Name", type="string", compound="Name"),
        Field(name="BillingStreet", label="Street", type="textarea", compound="BillingAddress"),
        Field(name="BillingAddress", label="Address", type="address"),
        Field(name="Place__c", label="Place", type="location"),
        Field(name="Body", label="Body", type="base64"),
    )
    assert [field.name for field in fields_to_read(described)] == ["Id", "Name", "BillingStreet"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["CreatedDate", "LastModifiedDate", "SystemModstamp"], "SystemModstamp"),
        (["CreatedDate", "LastModifiedDate"], "LastModifiedDate"),
        (["LoginTime", "CreatedDate"], "CreatedDate"),
        (["LoginTime"], "LoginTime"),
        (["Id"], None),
    ],
)
def test_the_cursor_field_is_the_best_that_the_object_has(names: list[str], expected: str | None) -> None:
    """SystemModstamp before all others."""
    assert cursor_field(_described(*(Field(name=name, label=name, type="datetime") for name in names))) == expected


def test_a_describe_is_read_from_the_orgs_json() -> None:
    """Nulls and left-out keys included."""
    described = read_describe(
        {
            "name": "Lead",
            "label": "Lead",
            "keyPrefix": "00Q",
            "queryable": True,
            "replicateable": False,
            "fields": [
                {
                    "name": "Rating",
                    "label": "Rating",
                    "type": "picklist",
                    "length": 40,
                    "nillable": True,
                    "compoundFieldName": None,
                    "referenceTo": [],
                    "picklistValues": [{"value": "Hot", "active": True}, {"value": "Tepid", "active": False}],
                },
                {
                    "name": "OwnerId",
                    "label": "Owner",
                    "type": "reference",
                    "referenceTo": ["Group", "User"],
                    "nillable": False,
                },
            ],
        },
        "Mon, 01 Jun 2026 10:00:00 GMT",
    )
    assert described == Describe(
        object="Lead",
        label="Lead",
        key_prefix="00Q",
        replicateable=False,
        last_modified="Mon, 01 Jun 2026 10:00:00 GMT",
        fields=(
            Field(name="Rating", label="Rating", type="picklist", length=40, picklist=("Hot",)),
            Field(name="OwnerId", label="Owner", type="reference", nillable=False, reference_to=("Group", "User")),
        ),
    )


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=10018/100000", ApiUsage(used=10018, limit=100000)),
        (
            "api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)",
            ApiUsage(used=25, limit=5000, app="sample-connected-app", app_used=17, app_limit=250),
        ),
        ("", None),
        (None, None),
        ("per-app-api-usage=17/250(appName=x)", None),
    ],
)
def test_the_orgs_own_count_is_read_from_its_header(header: str | None, usage: ApiUsage | None) -> None:
    """With and without a quota of the app."""
    assert read_limit_info(header) == usage
