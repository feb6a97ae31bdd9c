"""SOAP's calls that write, in the envelopes of their clients."""

from __future__ import annotations

import re
from typing import Any

import pytest

from include.sandbox.org import credentials
from tests.sandbox.org import soap_client as soap
from tests.sandbox.org.conftest import RunningOrg

JSFORCE = 'xmlns="urn:partner.soap.sforce.com" xmlns:ns1="sobject.partner.soap.sforce.com"'
NO_NAME = "<errors><fields>LastName</fields><message>Required fields are missing: [LastName]</message>"


@pytest.fixture(scope="module")
def token(org: RunningOrg) -> str:
    """Return a session of SOAP's own login."""
    given = soap.post(org.url, soap.login(credentials.USERNAME, credentials.PASSWORD))
    return soap.values(given.text, "sessionId")[0]


def _js(org: RunningOrg, token: str, operation: str, inside: str) -> str:
    """Send a writing call as jsforce does, and return what stands in the answer's body."""
    body = f"<{operation} {JSFORCE}>{inside}</{operation}>"
    return soap.answered(soap.post(org.url, soap.jsforce(token, body)))


def _leads(org: RunningOrg, token: str, number: int, company: str = "SOAP Ltd.") -> list[str]:
    rows = "".join(
        f"<ns1:sObjects><type>Lead</type><LastName>Written {each}</LastName><Company>{company} {each}</Company>"
        "</ns1:sObjects>"
        for each in range(number)
    )
    return soap.values(_js(org, token, "create", rows), "id")


def _record(org: RunningOrg, record_id: str, fields: str, kind: str = "Lead") -> dict[str, Any]:
    (record,) = org.query(f"SELECT {fields} FROM {kind} WHERE Id = '{record_id}'", deleted=True)["records"]
    del record["attributes"]
    return dict(record)


def test_create_has_a_result_for_every_record(org: RunningOrg, token: str) -> None:
    """As jsforce sends it: the type as an element, a namespace of its own; a refused record among good ones."""
    answer = _js(
        org,
        token,
        "create",
        "<ns1:sObjects><type>Lead</type><LastName>O&apos;Made &amp; Co</LastName><Company>A</Company></ns1:sObjects>"
        "<ns1:sObjects><type>Lead</type><Company>B</Company></ns1:sObjects>"
        "<ns1:sObjects><type>Account</type><Name>C</Name></ns1:sObjects>",
    )
    lead, account = soap.values(answer, "id")
    assert answer == (
        f"<createResponse><result><id>{lead}</id><success>true</success></result>"
        f"<result>{NO_NAME}<statusCode>REQUIRED_FIELD_MISSING</statusCode></errors>"
        '<id xsi:nil="true"/><success>false</success></result>'
        f"<result><id>{account}</id><success>true</success></result></createResponse>"
    )
    assert _record(org, lead, "LastName, Company") == {"LastName": "O'Made & Co", "Company": "A"}
    assert account.startswith("001")


def test_generated_clients_send_types_and_prefixes(org: RunningOrg, token: str) -> None:
    """Records with xsi:type, the type inside, and fields in their own namespace; texts become the field's type."""
    body = (
        '<p:create><p:sObjects xsi:type="o:sObject"><o:type>Opportunity</o:type><o:Id xsi:nil="true"/>'
        "<o:Name>Deal</o:Name><o:StageName>Prospecting</o:StageName><o:CloseDate>2030-01-31</o:CloseDate>"
        "<o:Amount>12.5</o:Amount></p:sObjects></p:create>"
    )
    answer = soap.answered(soap.post(org.url, soap.prefixed(token, body)))
    (made,) = soap.values(answer, "id")
    assert _record(org, made, "CloseDate, Amount", "Opportunity") == {"CloseDate": "2030-01-31", "Amount": 12.5}


def test_all_or_none_undoes_what_was_good(org: RunningOrg, token: str) -> None:
    """By its header."""
    rows = "".join(
        f'<p:sObjects xsi:type="o:sObject"><o:type>Lead</o:type><o:Company>Together</o:Company>{name}</p:sObjects>'
        for name in ("<o:LastName>Good</o:LastName>", "")
    )
    header = "<p:AllOrNoneHeader><p:allOrNone>true</p:allOrNone></p:AllOrNoneHeader>"
    answer = soap.answered(soap.post(org.url, soap.prefixed(token, f"<p:create>{rows}</p:create>", header)))
    assert soap.values(answer, "success") == ["false", "false"]
    assert soap.values(answer, "statusCode") == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert org.query("SELECT COUNT() FROM Lead WHERE Company = 'Together'")["totalSize"] == 0


def test_update_sets_and_empties_fields(org: RunningOrg, token: str) -> None:
    """What becomes null is named in fieldsToNull."""
    (lead,) = _leads(org, token, 1)
    first = _js(
        org, token, "update", f"<ns1:sObjects><type>Lead</type><Id>{lead}</Id><Title>CEO</Title></ns1:sObjects>"
    )
    assert first == f"<updateResponse><result><id>{lead}</id><success>true</success></result></updateResponse>"
    assert _record(org, lead, "Title") == {"Title": "CEO"}
    _js(
        org,
        token,
        "update",
        f"<ns1:sObjects><type>Lead</type><fieldsToNull>Title</fieldsToNull><Id>{lead}</Id></ns1:sObjects>",
    )
    assert _record(org, lead, "Title") == {"Title": None}


def test_upsert_tells_whether_it_created(org: RunningOrg, token: str) -> None:
    """By Id here; the first is there already, the second isn't."""
    (lead,) = _leads(org, token, 1)
    answer = _js(
        org,
        token,
        "upsert",
        "<ns1:externalIDFieldName>Id</ns1:externalIDFieldName>"
        f"<ns1:sObjects><type>Lead</type><Id>{lead}</Id><Title>CTO</Title></ns1:sObjects>"
        "<ns1:sObjects><type>Lead</type><LastName>New</LastName><Company>New</Company></ns1:sObjects>",
    )
    (_, made) = soap.values(answer, "id")
    assert answer == (
        f"<upsertResponse><result><created>false</created><id>{lead}</id><success>true</success></result>"
        f"<result><created>true</created><id>{made}</id><success>true</success></result></upsertResponse>"
    )


def test_delete_undelete_and_the_recycle_bin(org: RunningOrg, token: str) -> None:
    """Away, back, away, and gone for good."""
    (lead,) = _leads(org, token, 1)

    def result(operation: str) -> str:
        inside = f"<result><id>{lead}</id><success>true</success></result>"
        return f"<{operation}Response>{inside}</{operation}Response>"

    ids = f"<ns1:ids>{lead}</ns1:ids>"
    assert _js(org, token, "delete", ids) == result("delete")
    assert _record(org, lead, "IsDeleted") == {"IsDeleted": True}
    assert _js(org, token, "undelete", ids) == result("undelete")
    assert _record(org, lead, "IsDeleted") == {"IsDeleted": False}
    _js(org, token, "delete", ids)
    assert _js(org, token, "emptyRecycleBin", f"<ids>{lead}</ids>") == result("emptyRecycleBin")
    again = _js(org, token, "undelete", ids)
    assert (soap.values(again, "success"), '<id xsi:nil="true"/>' in again) == (["false"], True)


@pytest.mark.parametrize("element", ["request", "mergeRequests"])
def test_merge_in_both_spellings(org: RunningOrg, token: str, element: str) -> None:
    """The WSDL calls the element `request`, jsforce `mergeRequests`; losers point to their master."""
    master, *losers = _leads(org, token, 3)
    merged = "".join(f"<recordToMergeIds>{each}</recordToMergeIds>" for each in losers)
    body = (
        f"<merge><{element}><masterRecord><type>Lead</type><Id>{master}</Id><Title>Kept</Title></masterRecord>"
        f"{merged}</{element}></merge>"
    )
    answer = soap.answered(soap.post(org.url, soap.jsforce(token, body)))
    told = "".join(f"<mergedRecordIds>{each}</mergedRecordIds>" for each in losers)
    assert answer == (f"<mergeResponse><result><id>{master}</id>{told}<success>true</success></result></mergeResponse>")
    assert _record(org, master, "Title, IsDeleted") == {"Title": "Kept", "IsDeleted": False}
    for loser in losers:
        gone = {"IsDeleted": True, "MasterRecordId": master}
        assert _record(org, loser, "IsDeleted, MasterRecordId") == gone


def test_a_merge_that_is_refused_says_so_in_its_result(org: RunningOrg, token: str) -> None:
    """The others of the call go through."""
    first, second = _leads(org, token, 2)
    requests = "".join(
        f"<request><masterRecord><type>Lead</type><Id>{master}</Id></masterRecord>"
        f"<recordToMergeIds>{loser}</recordToMergeIds></request>"
        for master, loser in ((first, first), (first, second))
    )
    answer = soap.answered(soap.post(org.url, soap.jsforce(token, f"<merge>{requests}</merge>")))
    assert soap.values(answer, "success") == ["false", "true"]
    assert len(soap.values(answer, "statusCode")) == 1


def test_convert_lead_answers_with_what_it_made(org: RunningOrg, token: str) -> None:
    """As jsforce sends it; the opportunity can be left out, and is nil then."""
    lead, other = _leads(org, token, 2, company="Converted Ltd.")
    body = (
        f"<convertLead><leadConverts><leadId>{lead}</leadId><convertedStatus>Closed - Converted</convertedStatus>"
        "</leadConverts></convertLead>"
    )
    answer = soap.answered(soap.post(org.url, soap.jsforce(token, body)))
    ids = {name: soap.values(answer, f"{name}Id")[0] for name in ("account", "contact", "opportunity")}
    assert answer == (
        f"<convertLeadResponse><result><accountId>{ids['account']}</accountId>"
        f"<contactId>{ids['contact']}</contactId><leadId>{lead}</leadId>"
        f"<opportunityId>{ids['opportunity']}</opportunityId><success>true</success></result></convertLeadResponse>"
    )
    assert _record(org, lead, "IsConverted, ConvertedContactId") == {
        "IsConverted": True,
        "ConvertedContactId": ids["contact"],
    }
    body = (
        f"<convertLead><leadConverts><leadId>{other}</leadId><accountId>{ids['account']}</accountId>"
        "<convertedStatus>Closed - Converted</convertedStatus><doNotCreateOpportunity>true</doNotCreateOpportunity>"
        "</leadConverts></convertLead>"
    )
    answer = soap.answered(soap.post(org.url, soap.jsforce(token, body)))
    assert soap.values(answer, "accountId") == [ids["account"]]
    assert '<opportunityId xsi:nil="true"/><success>true</success>' in answer


def test_too_many_records_are_a_fault(org: RunningOrg, token: str) -> None:
    """201 are one too many."""
    ids = "<ids>00Q5g0000200001EAA</ids>" * 201
    answer = soap.post(org.url, soap.jsforce(token, f"<delete>{ids}</delete>"))
    message = "record limit reached. cannot submit more than 200 records in this call"
    assert (answer.status_code, answer.text) == (500, soap.fault("EXCEEDED_ID_LIMIT", message))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("<LastName>x</LastName>", "Must send a concrete entity type."),
        ("<type>Nonsense</type>", "sObject type 'Nonsense' is not supported."),
    ],
)
def test_a_record_of_no_object_is_a_fault(org: RunningOrg, token: str, record: str, message: str) -> None:
    """There is nothing that a result could be for."""
    answer = soap.post(org.url, soap.jsforce(token, f"<create><sObjects>{record}</sObjects></create>"))
    assert answer.status_code == 500
    assert re.search(r"<faultcode>sf:INVALID_TYPE</faultcode>", answer.text)
    assert f"<sf:exceptionMessage>{message}" in answer.text
