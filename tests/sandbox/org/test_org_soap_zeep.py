"""zeep, unmodified, by the WSDL that the org serves."""

from __future__ import annotations

from typing import Any

import pytest

from include.sandbox.org import credentials
from tests.sandbox.org.conftest import RunningOrg


@pytest.fixture(scope="module")
def client(org: RunningOrg) -> Any:
    """Return a client that read the WSDL and signed in."""
    import zeep

    made = zeep.Client(f"{org.url}/services/wsdl/partner")
    signed_in = made.service.login(credentials.USERNAME, credentials.PASSWORD + credentials.SECURITY_TOKEN)
    assert signed_in.userInfo.organizationId == org.org.org_id
    made.set_default_soapheaders({"SessionHeader": {"sessionId": signed_in.sessionId}})
    return made


def _row(client: Any, kind: str, record_id: str | None = None, **fields: str) -> Any:
    from zeep import xsd

    namespace = "{urn:sobject.partner.soap.sforce.com}"
    values = [xsd.AnyObject(xsd.Element(f"{namespace}{name}", xsd.String()), value) for name, value in fields.items()]
    return client.get_type(f"{namespace}sObject")(type=kind, Id=record_id or xsd.Nil, _value_1=values)


def test_it_asks_who_is_signed_in(client: Any) -> None:
    """And finds the usage in the header."""
    answer = client.service.getUserInfo()
    assert answer.body.result.userName == credentials.USERNAME
    (limit,) = answer.header.LimitInfoHeader.limitInfo
    assert (limit.limit, limit.type) == (100_000, "API REQUESTS")


def test_it_reads(client: Any, org: RunningOrg) -> None:
    """A query, its next page, records by Id, describe."""
    page = client.service.query("SELECT Id, LastName FROM Contact ORDER BY Id").body.result
    assert (page.size, page.done, len(page.records)) == (400, True, 400)
    (first,) = org.query("SELECT Id, LastName FROM Contact ORDER BY Id LIMIT 1")["records"]
    assert page.records[0].Id == first["Id"]
    assert [each.text for each in page.records[0]._value_1] == [first["Id"], first["LastName"]]
    (found,) = client.service.retrieve("LastName", "Contact", [first["Id"]]).body.result
    assert found.Id == first["Id"]
    described = client.service.describeSObject("Lead").body.result
    assert described.keyPrefix == "00Q"
    assert "Company" in {each.name for each in described.fields}
    assert {"Lead", "Contact"} <= {each.name for each in client.service.describeGlobal().body.result.sobjects}


def test_it_writes(client: Any, org: RunningOrg) -> None:
    """Create, merge, convert, delete, undelete."""
    rows = [_row(client, "Lead", LastName=f"Zeep {each}", Company="Zeep Ltd.") for each in range(2)]
    made = [each.id for each in client.service.create(rows).body.result]
    master = _row(client, "Lead", made[0], Title="Merged")
    (merged,) = client.service.merge([{"masterRecord": master, "recordToMergeIds": [made[1]]}]).body.result
    assert (merged.success, merged.id, merged.mergedRecordIds) == (True, made[0], [made[1]])
    (deleted,) = client.service.delete([made[0]]).body.result
    (restored,) = client.service.undelete([made[0]]).body.result
    assert (deleted.success, restored.success) == (True, True)
    convert = {
        "leadId": made[0],
        "convertedStatus": "Closed - Converted",
        "doNotCreateOpportunity": True,
        "overwriteLeadSource": False,
        "sendNotificationEmail": False,
    }
    (converted,) = client.service.convertLead([convert]).body.result
    assert (converted.success, converted.opportunityId) == (True, None)
    (contact,) = org.query(f"SELECT Title FROM Contact WHERE Id = '{converted.contactId}'")["records"]
    assert contact["Title"] == "Merged"


def test_a_refusal_is_its_fault(client: Any) -> None:
    """With the code of Salesforce."""
    from zeep.exceptions import Fault

    with pytest.raises(Fault) as failed:
        client.service.query("SELECT Nonsense FROM Contact")
    assert failed.value.code == "sf:INVALID_FIELD"
