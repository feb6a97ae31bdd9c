"""SOAP's calls that read: queries and their pages, records by Id, describe, what changed."""

from __future__ import annotations

import re

import pytest

from include.sandbox.org import credentials
from include.sandbox.org.ids import make_id
from tests.sandbox.org import soap_client as soap
from tests.sandbox.org.conftest import RunningOrg

NIL = 'xsi:nil="true"/>'


@pytest.fixture(scope="module")
def token(org: RunningOrg) -> str:
    """Return a session of SOAP's own login."""
    given = soap.post(org.url, soap.login(credentials.USERNAME, credentials.PASSWORD))
    return soap.values(given.text, "sessionId")[0]


def _query(org: RunningOrg, token: str, soql: str, operation: str = "query", headers: str = "") -> str:
    escaped = soql.replace("&", "&amp;").replace("<", "&lt;")
    body = f"<p:{operation}><p:queryString>{escaped}</p:queryString></p:{operation}>"
    return soap.answered(soap.post(org.url, soap.prefixed(token, body, headers)))


def _result(records: str, size: int, operation: str = "query", done: str = "true", locator: str = "") -> str:
    at = f"<queryLocator>{locator}</queryLocator>" if locator else f"<queryLocator {NIL}"
    return (
        f'<{operation}Response><result xsi:type="QueryResult"><done>{done}</done>{at}{records}'
        f"<size>{size}</size></result></{operation}Response>"
    )


def test_a_query_answers_whole(org: RunningOrg, token: str) -> None:
    """The Id twice, as the Partner API does; times with a Z, nulls as nil."""
    soql = "SELECT Id, Name, CreatedDate, Fax FROM Account ORDER BY Id LIMIT 1"
    (record,) = org.query(soql)["records"]
    stamp = record["CreatedDate"].replace("+0000", "Z")
    name = record["Name"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    fax = f"<sf:Fax {NIL}" if record["Fax"] is None else f"<sf:Fax>{record['Fax']}</sf:Fax>"
    assert _query(org, token, soql) == _result(
        f'<records xsi:type="sf:sObject"><sf:type>Account</sf:type><sf:Id>{record["Id"]}</sf:Id>'
        f"<sf:Id>{record['Id']}</sf:Id><sf:Name>{name}</sf:Name><sf:CreatedDate>{stamp}</sf:CreatedDate>{fax}</records>",
        1,
    )


def test_a_parent_is_a_record_and_an_id_that_was_not_asked_for_is_nil(org: RunningOrg, token: str) -> None:
    """The same for the record itself."""
    soql = "SELECT LastName, Account.Rating FROM Contact WHERE AccountId != null ORDER BY Id LIMIT 1"
    (record,) = org.query(soql)["records"]
    rating = record["Account"]["Rating"]
    told = f"<sf:Rating>{rating}</sf:Rating>" if rating else f"<sf:Rating {NIL}"
    assert _query(org, token, soql) == _result(
        f'<records xsi:type="sf:sObject"><sf:type>Contact</sf:type><sf:Id {NIL}'
        f"<sf:LastName>{record['LastName']}</sf:LastName>"
        f'<sf:Account xsi:type="sf:sObject"><sf:type>Account</sf:type><sf:Id {NIL}{told}</sf:Account></records>',
        1,
    )


def test_children_are_a_result_of_their_own(org: RunningOrg, token: str) -> None:
    """Inside the record."""
    soql = "SELECT Id, (SELECT Id FROM Contacts ORDER BY Id LIMIT 2) FROM Account ORDER BY Id LIMIT 20"
    records = org.query(soql)["records"]
    parent = next(each for each in records if each["Contacts"])
    children = "".join(
        f'<records xsi:type="sf:sObject"><sf:type>Contact</sf:type><sf:Id>{each["Id"]}</sf:Id>'
        f"<sf:Id>{each['Id']}</sf:Id></records>"
        for each in parent["Contacts"]["records"]
    )
    size = len(parent["Contacts"]["records"])
    inside = (
        f'<sf:Contacts xsi:type="QueryResult"><done>true</done><queryLocator {NIL}{children}'
        f"<size>{size}</size></sf:Contacts>"
    )
    assert inside in _query(org, token, soql)


def test_an_address_has_its_parts(org: RunningOrg, token: str) -> None:
    """In the order of the WSDL, those of the location first."""
    soql = "SELECT BillingAddress FROM Account WHERE BillingCity != null ORDER BY Id LIMIT 1"
    address = org.query(soql)["records"][0]["BillingAddress"]
    text = _query(org, token, soql)
    assert '<sf:BillingAddress xsi:type="address"><latitude' in text
    assert f"<city>{address['city']}</city>" in text
    order = re.findall(r"<(latitude|longitude|city|country|geocodeAccuracy|postalCode|state|street)[ >]", text)
    assert order == ["latitude", "longitude", "city", "country", "geocodeAccuracy", "postalCode", "state", "street"]


def test_aggregates_say_what_type_they_have(org: RunningOrg, token: str) -> None:
    """There is no field to look it up; a bare count is the size alone."""
    counted = _query(org, token, "SELECT COUNT(Id) n, MAX(CreatedDate) FROM Contact")
    newest = org.query("SELECT MAX(CreatedDate) d FROM Contact")["records"][0]["d"].replace("+0000", "Z")
    assert counted == _result(
        f'<records xsi:type="sf:sObject"><sf:type>AggregateResult</sf:type><sf:Id {NIL}'
        f'<sf:n xsi:type="xsd:int">400</sf:n><sf:expr0 xsi:type="xsd:dateTime">{newest}</sf:expr0></records>',
        1,
    )
    assert _query(org, token, "SELECT COUNT() FROM Contact") == _result("", 400)


def test_pages_follow_by_locator(org: RunningOrg, token: str) -> None:
    """The size of a page is a header; the pages hold every record once."""
    options = "<p:QueryOptions><p:batchSize>200</p:batchSize></p:QueryOptions>"
    first = _query(org, token, "SELECT Id FROM Contact ORDER BY Id", headers=options)
    (locator,) = soap.values(first, "queryLocator")
    assert re.fullmatch(r"0\w{17}-200", locator)
    assert ("<done>false</done>" in first, soap.values(first, "size")) == (True, ["400"])
    more = f"<p:queryMore><p:queryLocator>{locator}</p:queryLocator></p:queryMore>"
    second = soap.answered(soap.post(org.url, soap.prefixed(token, more, options)))
    assert second.startswith('<queryMoreResponse><result xsi:type="QueryResult"><done>true</done>')
    ids = [soap.values(page, "Id")[::2] for page in (first, second)]
    expected = [each["Id"] for each in org.query("SELECT Id FROM Contact ORDER BY Id")["records"]]
    assert ids[0] + ids[1] == expected


def test_query_all_reads_deleted_records_too(org: RunningOrg, token: str) -> None:
    """query() doesn't."""
    (gone,) = org.command("delete", object="Task", n=1, seed=5)["ids"]
    soql = f"SELECT Id FROM Task WHERE Id = '{gone}'"
    assert _query(org, token, soql) == _result("", 0)
    assert soap.values(_query(org, token, soql, "queryAll"), "size") == ["1"]


@pytest.mark.parametrize(
    ("soql", "code", "kind"),
    [
        ("SELECT Nonsense FROM Contact", "INVALID_FIELD", "InvalidFieldFault"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE", "InvalidSObjectFault"),
        ("SELECT FROM Contact", "MALFORMED_QUERY", "MalformedQueryFault"),
    ],
)
def test_a_wrong_query_is_a_fault_that_tells_where(
    org: RunningOrg, token: str, soql: str, code: str, kind: str
) -> None:
    """In the words of the REST API, with row and column beside them."""
    body = f"<query><queryString>{soql}</queryString></query>"
    answer = soap.post(org.url, soap.jsforce(token, body))
    refusal = org.refusal(soql)
    assert refusal["errorCode"] == code
    found = re.search(r"Row:(\d+):Column:(\d+)", refusal["message"])
    row, column = found.groups() if found else ("-1", "-1")
    message = refusal["message"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    place = f"<sf:row>{row}</sf:row><sf:column>{column}</sf:column>"
    assert (answer.status_code, answer.text) == (500, soap.fault(code, message, kind, place))


def test_a_wrong_locator_is_a_fault(org: RunningOrg, token: str) -> None:
    """Asserted whole."""
    answer = soap.post(org.url, soap.jsforce(token, "<queryMore><queryLocator>a/b</queryLocator></queryMore>"))
    refused = soap.fault("INVALID_QUERY_LOCATOR", "invalid query locator", "InvalidQueryLocatorFault")
    assert (answer.status_code, answer.text) == (500, refused)


def test_retrieve_has_a_place_for_every_id(org: RunningOrg, token: str) -> None:
    """In the order asked for, nil where there is nothing; short Ids will do."""
    first, second = (each["Id"] for each in org.query("SELECT Id FROM Lead ORDER BY Id LIMIT 2")["records"])
    ids = "".join(f"<ids>{each}</ids>" for each in (second[:15], make_id("00Q", 999_999), first))
    body = f"<retrieve><fieldList>Id, Company</fieldList><sObjectType>Lead</sObjectType>{ids}</retrieve>"
    text = soap.answered(soap.post(org.url, soap.jsforce(token, body)))
    assert soap.values(text, "Id") == [second, second, first, first]
    assert text.split("</result>")[1].startswith(f'<result {NIL}<result xsi:type="sf:sObject">')
    wrong = soap.post(org.url, soap.jsforce(token, body.replace(first, "nonsense")))
    refused = soap.fault("MALFORMED_ID", "malformed id nonsense", "InvalidIdFault")
    assert (wrong.status_code, wrong.text) == (500, refused)


def test_describe_speaks_in_the_order_of_the_wsdl(org: RunningOrg, token: str) -> None:
    """One object, several, all; picklists, references and children among them."""
    one = soap.answered(
        soap.post(org.url, soap.jsforce(token, "<describeSObject><sObjectType>Contact</sObjectType></describeSObject>"))
    )
    rest = org.http.get("/services/data/v59.0/sobjects/Contact/describe").json()
    assert len(re.findall("<fields>", one)) == len(rest["fields"])
    assert len(re.findall("<childRelationships>", one)) == len(rest["childRelationships"])
    (account,) = re.findall(r"<fields>(?:(?!</fields>).)*<name>AccountId</name>(?:(?!</fields>).)*</fields>", one)
    assert "<referenceTo>Account</referenceTo><relationshipName>Account</relationshipName>" in account
    assert one.startswith("<describeSObjectResponse><result><activateable>false</activateable>")
    assert one.index("<compactLayoutable>") < one.index("<fields>") < one.index("<keyPrefix>003</keyPrefix>")
    names = "".join(f"<sObjectType>{each}</sObjectType>" for each in ("Lead", "Account"))
    several = soap.post(org.url, soap.jsforce(token, f"<describeSObjects>{names}</describeSObjects>"))
    assert re.findall(r"<keyPrefix>(\w+)</keyPrefix>", several.text) == ["00Q", "001"]
    every = soap.answered(soap.post(org.url, soap.jsforce(token, "<describeGlobal></describeGlobal>")))
    listed = org.http.get("/services/data/v59.0/sobjects").json()["sobjects"]
    assert every.startswith("<describeGlobalResponse><result><encoding>UTF-8</encoding>")
    assert soap.values(every, "name") == [each["name"] for each in listed]


def test_what_changed_and_what_was_deleted(org: RunningOrg, token: str) -> None:
    """The answers of REST, with SOAP's times."""
    (touched,) = org.command("touch", object="Account", n=1, seed=3)["ids"]
    (gone,) = org.command("delete", object="Lead", n=1, seed=3)["ids"]
    now = org.org.clock.now()
    start, end = f"{now:%Y-%m-%d}T00:00:00.000Z", f"{now:%Y-%m-%d}T23:59:59.000Z"
    between = f"<startDate>{start}</startDate><endDate>{end}</endDate>"
    updated = soap.answered(
        soap.post(org.url, soap.jsforce(token, f"<getUpdated><sObjectType>Account</sObjectType>{between}</getUpdated>"))
    )
    assert touched in soap.values(updated, "ids")
    assert re.search(r"<latestDateCovered>\S{19}\.000Z</latestDateCovered></result></getUpdatedResponse>$", updated)
    deleted = soap.answered(
        soap.post(org.url, soap.jsforce(token, f"<getDeleted><sObjectType>Lead</sObjectType>{between}</getDeleted>"))
    )
    assert re.search(rf"<deletedRecords><deletedDate>\S{{19}}\.000Z</deletedDate><id>{gone}</id>", deleted)
    assert "<earliestDateAvailable>" in deleted
