"""What an answer of Intercom means, and whose contact a search found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from include.destinations.intercom.replies import Finding, Meaning, allowance, judge, matching
from include.destinations.protocol import Reply
from include.records import Profile


def reply(status: int, code: str = "", message: str = "", *, body: Any = None, **headers: str) -> Reply:
    errors = {"type": "error.list", "errors": [{"code": code, "message": message}]}
    content = orjson.dumps(errors if code else body) if code or body is not None else b""
    return Reply(status=status, body=content, headers=headers)


CASES = [
    (reply(200, body={"type": "contact", "id": "c1"}), Meaning.TAKEN, ""),
    (reply(202), Meaning.TAKEN, ""),
    (reply(401, "unauthorized", "Access Token Invalid"), Meaning.STOP, "credentials_refused"),
    (reply(403, "api_plan_restricted"), Meaning.STOP, "credentials_refused"),
    (reply(400, "intercom_version_invalid"), Meaning.STOP, "credentials_refused"),
    (reply(400, "parameter_invalid", "email is invalid"), Meaning.REFUSED, "parameter_invalid"),
    (reply(400, "type_mismatch"), Meaning.REFUSED, "type_mismatch"),
    (reply(422, "data_invalid"), Meaning.REFUSED, "data_invalid"),
    (reply(400, "Odd Code!"), Meaning.REFUSED, "refused_by_platform"),
    (reply(404, "not_found", "User Not Found"), Meaning.MISSING, "not_at_platform"),
    (reply(408, "request_timeout"), Meaning.FAULT, "server_fault"),
    (reply(500, "server_error"), Meaning.FAULT, "server_fault"),
    (reply(503), Meaning.FAULT, "server_fault"),
    (Reply(status=504, body=b"<html>Gateway Time-out</html>"), Meaning.FAULT, "server_fault"),
    (Reply(status=200, body=b"<html>maintenance</html>"), Meaning.FAULT, "server_fault"),
    (Reply(status=404, body=b"<html>nothing here</html>"), Meaning.STRANGER, "misdirected"),
    (Reply(status=302, body=b""), Meaning.STRANGER, "misdirected"),
]


@pytest.mark.parametrize(("answer", "meaning", "cause"), CASES)
def test_each_answer_has_a_meaning(answer: Reply, meaning: Meaning, cause: str) -> None:
    """By status and code, never by the text alone."""
    finding = judge(answer)
    assert (finding.meaning, finding.cause) == (meaning, cause)


@pytest.mark.parametrize(
    ("text", "contact", "archived"),
    [
        (
            "A contact matching those details already exists with id=5ba682d23d7cf92bef87bfd4",
            "5ba682d23d7cf92bef87bfd4",
            False,
        ),
        ("An archived contact matching those details already exists with id=ab-12", "ab-12", True),
    ],
)
def test_a_conflict_names_the_contact(text: str, contact: str, archived: bool) -> None:
    """So that it can be changed instead, after it was brought back if need be."""
    finding = judge(reply(409, "conflict", text))
    assert (finding.meaning, finding.contact_id, finding.archived) == (Meaning.TAKEN_BY_OTHER, contact, archived)


@pytest.mark.parametrize("text", ["Multiple contacts match: id=a1, id=b2", "Several contacts match", "a conflict"])
def test_a_conflict_with_several_needs_a_person(text: str) -> None:
    """We don't choose between people."""
    finding = judge(reply(409, "conflict", text))
    assert (finding.meaning, finding.cause) == (Meaning.REFUSED, "several_matches")


@pytest.mark.parametrize(
    "link", ['</contacts/c9>; rel="canonical"', '<https://api.intercom.io/contacts/c9>; rel="canonical"']
)
def test_a_merged_contact_names_its_heir(link: str) -> None:
    """As a path or as an address."""
    finding = judge(reply(410, "contact_merged", link=link))
    assert (finding.meaning, finding.contact_id) == (Meaning.MERGED, "c9")


def test_a_message_names_an_attribute_but_never_a_value() -> None:
    """What is quoted in an answer may be either; only what we sent as a name is repeated."""
    unknown = reply(400, "parameter_invalid", "Custom attribute 'tier' does not exist")
    assert judge(unknown, {"tier"}).message.endswith(": tier")
    secret = reply(400, "parameter_invalid", "Custom attribute 'Ada Lovelace' does not exist for ada@example.com")
    assert "Ada" not in judge(secret, {"tier"}).message
    assert "ada@" not in judge(secret, {"tier"}).message


def test_the_window_is_read_from_the_headers() -> None:
    """The reset is a moment in unix seconds."""
    now = datetime.fromtimestamp(1_000, UTC)
    headers = {"x-ratelimit-limit": "1666", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "1009"}
    found = allowance(headers, now)
    assert found is not None
    assert (found.remaining, found.resets_in_seconds, found.limit) == (7, 9.0, 1666)
    assert allowance({}, now) is None
    assert allowance(headers | {"x-ratelimit-reset": "soon"}, now) is None


def contact(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"c{number}", "external_id": None, "email": None} | fields


def known(**fields: Any) -> Profile:
    return Profile(**({"record_id": "r", "identifiers": {"uuid": "u1", "email": "a@example.com"}} | fields))


OURS = contact(1, external_id="u1", email="other@example.com")
BY_EMAIL = contact(2, email="a@example.com")
FOREIGN = contact(3, external_id="app-7", email="a@example.com")
OLD = contact(4, email="old@example.com")


@pytest.mark.parametrize(
    ("record", "contacts", "found"),
    [
        (known(), [], None),
        (known(), [BY_EMAIL, OURS], "c1"),
        (known(), [BY_EMAIL], "c2"),
        (known(identifiers={"email": "A@example.com"}), [FOREIGN], "c3"),
        (known(platform_id="c3"), [FOREIGN, OURS], "c3"),
        (known(former_identifiers={"email": "old@example.com"}), [OLD], "c4"),
        (known(former_identifiers={"uuid": "app-7"}), [FOREIGN], "c3"),
        (known(), [FOREIGN], "identity_conflict"),
        (known(), [BY_EMAIL, contact(5, email="a@example.com")], "several_matches"),
        (known(former_identifiers={"email": "old@example.com"}), [OLD, BY_EMAIL], "identity_conflict"),
    ],
)
def test_a_record_finds_its_contact_or_a_person_must_decide(
    record: Profile, contacts: list[dict[str, Any]], found: str | None
) -> None:
    """By the platform's id, the external id, the address; and who was known otherwise by that."""
    match = matching(record, contacts)
    assert (match.cause if isinstance(match, Finding) else match and match["id"]) == found
