"""The SOAP API: sign-in, faults, what every call has in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests

from include.sandbox.org import credentials
from tests.sandbox.org import soap_client as soap
from tests.sandbox.org.conftest import RunningOrg, V

NO_LOGIN = soap.fault("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.", "LoginFault")


@pytest.fixture(scope="module")
def token(org: RunningOrg) -> str:
    """Return a session of SOAP's own login."""
    given = soap.post(org.url, soap.login(credentials.USERNAME, credentials.PASSWORD))
    return soap.values(given.text, "sessionId")[0]


def _user_info(org: RunningOrg) -> str:
    return (
        "<accessibilityMode>false</accessibilityMode><chatterExternal>false</chatterExternal>"
        "<currencySymbol>$</currencySymbol><orgAttachmentFileSizeLimit>5242880</orgAttachmentFileSizeLimit>"
        "<orgDefaultCurrencyIsoCode>USD</orgDefaultCurrencyIsoCode>"
        "<orgDefaultCurrencyLocale>en_US</orgDefaultCurrencyLocale>"
        "<orgDisallowHtmlAttachments>false</orgDisallowHtmlAttachments>"
        f"<orgHasPersonAccounts>false</orgHasPersonAccounts><organizationId>{org.org.org_id}</organizationId>"
        "<organizationMultiCurrency>false</organizationMultiCurrency>"
        "<organizationName>Headwater Sandbox</organizationName>"
        f"<profileId>{org.query('SELECT ProfileId FROM User LIMIT 1')['records'][0]['ProfileId']}</profileId>"
        '<roleId xsi:nil="true"/><sessionSecondsValid>7200</sessionSecondsValid>'
        '<userDefaultCurrencyIsoCode xsi:nil="true"/>'
        f"<userEmail>{credentials.USERNAME}</userEmail><userFullName>Integration User</userFullName>"
        f"<userId>{credentials.USER_ID}</userId><userLanguage>en_US</userLanguage><userLocale>en_US</userLocale>"
        f"<userName>{credentials.USERNAME}</userName><userTimeZone>GMT</userTimeZone>"
        "<userType>Standard</userType><userUiSkin>Theme3</userUiSkin>"
    )


def test_login_answers_whole(org: RunningOrg) -> None:
    """Every element of the LoginResult, in the WSDL's order; no limit header, and no call counted."""
    info, before = _user_info(org), org.used()
    password = credentials.PASSWORD + credentials.SECURITY_TOKEN
    answer = soap.post(org.url, soap.login(credentials.USERNAME, password), action="login")
    (session,) = soap.values(answer.text, "sessionId")
    place = f"59.0/{org.org.org_id[:15]}"
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert re.fullmatch(r"00D\w{12,15}![.\w]*", session)
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        "<soapenv:Body><loginResponse><result>"
        f"<metadataServerUrl>{org.url}/services/Soap/m/{place}</metadataServerUrl>"
        "<passwordExpired>false</passwordExpired><sandbox>true</sandbox>"
        f"<serverUrl>{org.url}/services/Soap/u/{place}</serverUrl><sessionId>{session}</sessionId>"
        f"<userId>{credentials.USER_ID}</userId><userInfo>{info}</userInfo>"
        "</result></loginResponse></soapenv:Body></soapenv:Envelope>"
    )
    assert org.used() == before
    shown = httpx.get(f"{org.url}{V}/limits", headers={"Authorization": f"Bearer {session}"})
    assert shown.status_code == 200, "the session is good for REST too"


def test_jsforce_signs_in_with_default_namespaces(org: RunningOrg) -> None:
    """The element that it sends has no prefix."""
    envelope = (
        '<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"><se:Header/><se:Body>'
        f'<login xmlns="urn:partner.soap.sforce.com"><username>{credentials.USERNAME}</username>'
        f"<password>{credentials.PASSWORD}</password></login></se:Body></se:Envelope>"
    )
    text = soap.post(org.url, envelope, version="50.0").text
    for name in ("serverUrl", "sessionId", "userId", "organizationId"):
        assert re.search(rf"<{name}>([^<]+)</{name}>", text), name
    assert "<passwordExpired>false</passwordExpired>" in text


@pytest.mark.parametrize(("username", "password"), [("nobody", "x"), (credentials.USERNAME, "wrong"), ("", "")])
def test_a_wrong_login_is_a_fault(org: RunningOrg, username: str, password: str) -> None:
    """500, asserted whole."""
    answer = soap.post(org.url, soap.login(username, password))
    assert (answer.status_code, answer.text) == (500, NO_LOGIN)


def test_a_login_may_name_its_org(org: RunningOrg) -> None:
    """Another org's Id is a wrong login."""
    for org_id, status in ((org.org.org_id, 200), ("00D000000000001EAA", 500)):
        header = (
            f"<urn:LoginScopeHeader><urn:organizationId>{org_id}</urn:organizationId></urn:LoginScopeHeader>"
        )  # fmt: skip
        answer = soap.post(org.url, soap.login(credentials.USERNAME, credentials.PASSWORD, header))
        assert answer.status_code == status


def test_login_ended_with_version_64(org: RunningOrg) -> None:
    """Later versions have the other calls, but no login."""
    envelope = soap.login(credentials.USERNAME, credentials.PASSWORD)
    assert soap.post(org.url, envelope, version="64.0").status_code == 200
    refused = soap.fault("UNSUPPORTED_API_VERSION", "login() is not available in API version 65.0 and later")
    answer = soap.post(org.url, envelope, version="65.0")
    assert (answer.status_code, answer.text) == (500, refused)


def test_a_long_login_is_refused(org: RunningOrg) -> None:
    """More than 10 KB."""
    answer = soap.post(org.url, soap.login(credentials.USERNAME, "x" * 10_240))
    refused = soap.fault("EXCEEDED_MAX_SIZE_REQUEST", "The login request size is limited to 10 KB.")
    assert (answer.status_code, answer.text) == (500, refused)


def test_simple_salesforce_signs_in_by_soap(org: RunningOrg) -> None:
    """With the security token or with the org's Id; a wrong password is its exception."""
    from simple_salesforce import Salesforce
    from simple_salesforce.exceptions import SalesforceAuthenticationFailed

    session = requests.Session()
    session.mount("https://", soap.Rewrite(org.url))
    ways: list[dict[str, Any]] = [
        {"security_token": credentials.SECURITY_TOKEN},
        {"organizationId": org.org.org_id},
    ]
    for way in ways:
        client = Salesforce(username=credentials.USERNAME, password=credentials.PASSWORD, session=session, **way)
        assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 400
    with pytest.raises(SalesforceAuthenticationFailed) as failed:
        Salesforce(username=credentials.USERNAME, password="wrong", security_token="", session=session)
    assert failed.value.code == "INVALID_LOGIN"
    assert failed.value.auth_message == "Invalid username, password, security token; or user locked out."


def test_a_dead_session_is_a_fault(org: RunningOrg) -> None:
    """500, with the code where jsforce looks for it; nothing is counted."""
    before = org.used()
    answer = soap.post(org.url, soap.jsforce("nothing", "<getUserInfo></getUserInfo>"))
    message = (
        "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session hash: "
        "N/Mb2h/tSZ6nmT55SAADtm0gvEZcKNKwIy4mQ9d3oqo=\n"
        "This error usually occurs after a session expires or a user logs out. "
    )
    found = re.search(r"missing session hash: (\S+)", answer.text)
    assert found is not None
    expected = soap.fault("INVALID_SESSION_ID", re.sub(r"hash: \S+", f"hash: {found.group(1)}", message))
    assert (answer.status_code, answer.text) == (500, expected)
    assert re.search(r"<faultcode>[a-zA-Z]+:INVALID_SESSION_ID</faultcode>", answer.text)
    assert org.used() == before


def test_each_call_counts_and_tells_the_usage(org: RunningOrg, token: str) -> None:
    """The header with the limit, and the log of calls with the operation."""
    info = _user_info(org)
    used = org.used() + 1
    answer = soap.post(org.url, soap.jsforce(token, "<getUserInfo></getUserInfo>"))
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Header><LimitInfoHeader><limitInfo><current>{used}</current><limit>100000</limit>"
        "<type>API REQUESTS</type></limitInfo></LimitInfoHeader></soapenv:Header><soapenv:Body>"
        f"<getUserInfoResponse><result>{info}</result></getUserInfoResponse>"
        "</soapenv:Body></soapenv:Envelope>"
    )
    last = org.http.get("/sandbox/calls").json()["calls"][-1]
    assert (last["method"], last["path"], last["cost"]) == ("POST", "/services/Soap/u/59.0", 1)
    assert last["parts"] == ["getUserInfo"]


def test_nothing_left_is_a_fault(start_org: Callable[..., RunningOrg]) -> None:
    """REQUEST_LIMIT_EXCEEDED, asserted whole."""
    org = start_org(contacts=1)
    given = soap.post(org.url, soap.login(credentials.USERNAME, credentials.PASSWORD))
    session = soap.values(given.text, "sessionId")[0]
    org.command("allocation", max=100, used=100)
    answer = soap.post(org.url, soap.jsforce(session, "<getServerTimestamp></getServerTimestamp>"))
    refused = soap.fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    assert (answer.status_code, answer.text) == (500, refused)


def test_the_server_tells_its_time(org: RunningOrg, token: str) -> None:
    """With milliseconds, in UTC."""
    body = soap.answered(soap.post(org.url, soap.jsforce(token, "<getServerTimestamp></getServerTimestamp>")))
    inside = r"<getServerTimestampResponse><result><timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z</timestamp>"
    assert re.fullmatch(inside + r"</result></getServerTimestampResponse>", body)


def test_logout_ends_the_session(org: RunningOrg) -> None:
    """As jsforce sends it; a second time is a dead session."""
    given = soap.post(org.url, soap.login(credentials.USERNAME, credentials.PASSWORD))
    session = soap.values(given.text, "sessionId")[0]
    envelope = (
        '<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"><se:Header>'
        f'<SessionHeader xmlns="urn:partner.soap.sforce.com"><sessionId>{session}</sessionId></SessionHeader>'
        '</se:Header><se:Body><logout xmlns="urn:partner.soap.sforce.com"/></se:Body></se:Envelope>'
    )
    assert soap.answered(soap.post(org.url, envelope)) == "<logoutResponse/>"
    assert soap.post(org.url, envelope).status_code == 500


@pytest.mark.parametrize(
    ("envelope", "message"),
    [
        ("nonsense", "Error parsing the request: syntax error: line 1, column 0"),
        (
            '<!DOCTYPE x [<!ENTITY a "b">]><Envelope><Body><login>&amp;a;</login></Body></Envelope>',
            "Error parsing the request: DOCTYPE is not allowed",
        ),
        (
            "<a>" * 70 + "</a>" * 70,
            "Error parsing the request: the elements lie too deep inside each other",
        ),
        ("<Envelope><Header/></Envelope>", "No operation available for request"),
    ],
)
def test_a_body_that_is_no_plain_envelope_is_refused(org: RunningOrg, envelope: str, message: str) -> None:
    """No document types, so no entities of the sender's own; nothing bottomless."""
    answer = soap.post(org.url, envelope)
    assert (answer.status_code, answer.text) == (500, soap.fault("UNKNOWN_EXCEPTION", message))


def test_an_unknown_operation_is_a_fault(org: RunningOrg, token: str) -> None:
    """Named in the words of the fault."""
    answer = soap.post(org.url, soap.jsforce(token, "<describeTabs></describeTabs>"))
    message = "No operation available for request {urn:partner.soap.sforce.com}describeTabs"
    assert (answer.status_code, answer.text) == (500, soap.fault("UNKNOWN_EXCEPTION", message))


def test_a_version_that_never_was_is_a_fault(org: RunningOrg, token: str) -> None:
    """99.0 isn't there; 59 and 59.0 with the org's Id behind it are."""
    envelope = soap.jsforce(token, "<getServerTimestamp></getServerTimestamp>")
    answer = soap.post(org.url, envelope, version="99.0")
    refused = soap.fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    assert (answer.status_code, answer.text) == (500, refused)
    for version in ("59", f"59.0/{org.org.org_id[:15]}", "59.0/"):
        assert soap.post(org.url, envelope, version=version).status_code == 200


def test_the_enterprise_dialect_has_its_own_namespaces(org: RunningOrg, token: str) -> None:
    """Records are typed there, and tell their Id once."""
    body = "<query><queryString>SELECT Id, LastName FROM Contact LIMIT 1</queryString></query>"
    answer = soap.post(org.url, soap.jsforce(token, body), letter="c")
    (record,) = org.query("SELECT Id, LastName FROM Contact LIMIT 1")["records"]
    assert ' xmlns="urn:enterprise.soap.sforce.com"' in answer.text
    assert ' xmlns:sf="urn:sobject.enterprise.soap.sforce.com"' in answer.text
    assert soap.answered(answer) == (
        '<queryResponse><result xsi:type="QueryResult"><done>true</done><queryLocator xsi:nil="true"/>'
        f'<records xsi:type="sf:Contact"><sf:Id>{record["Id"]}</sf:Id><sf:LastName>{record["LastName"]}</sf:LastName>'
        "</records><size>1</size></result></queryResponse>"
    )
    refused = soap.post(org.url, soap.login("x", "y"), letter="c")
    assert 'xmlns:sf="urn:fault.enterprise.soap.sforce.com"' in refused.text
