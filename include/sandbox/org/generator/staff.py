"""Users and the organization: a handful of records, written one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from include.sandbox.org.credentials import USERNAME
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.parts import INACTIVE_USERS, USERS, user_id
from include.sandbox.org.identity import org_number
from include.sandbox.org.ids import make_id


def users(base: datetime) -> list[dict[str, Any]]:
    """Return the users; the first is the integration user, the last ones have left the company."""
    return [_user(number, base) for number in range(1, USERS + 1)]


def _user(number: int, base: datetime) -> dict[str, Any]:
    first, mail_first = words.FIRST_NAMES[number * 7 % len(words.FIRST_NAMES)]
    last, mail_last = words.LAST_NAMES[number * 11 % len(words.LAST_NAMES)]
    name = USERNAME if number == 1 else f"{mail_first}.{mail_last}{number}@headwater.example"
    stamp = base - timedelta(days=40 + number, seconds=number * 37)
    return {
        "_n": number,
        "Id": user_id(number),
        "Username": name,
        "FirstName": "Integration" if number == 1 else first,
        "LastName": "User" if number == 1 else last,
        "Email": name,
        "Alias": f"user{number}",
        "CommunityNickname": f"user{number}",
        "Title": "Integration" if number == 1 else "Account Executive",
        "IsActive": number <= USERS - INACTIVE_USERS,
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
        "UserType": "Standard",
        "ProfileId": make_id("00e", 1 if number == 1 else 2),
        "UserRoleId": make_id("00E", 1 if number < 3 else 3) if number > 1 else None,
        "ManagerId": user_id(2) if number > 2 else None,
        "CreatedDate": stamp - timedelta(days=600),
        "CreatedById": user_id(1),
        "LastModifiedDate": stamp,
        "LastModifiedById": user_id(1),
        "SystemModstamp": stamp,
    }


def organization(base: datetime, seed: int) -> dict[str, Any]:
    """Return the one Organization record, whose Id is the org's."""
    stamp = base - timedelta(days=100)
    return {
        "_n": org_number(seed),
        "Id": make_id("00D", org_number(seed)),
        "Name": "Headwater Sandbox",
        "Country": "DE",
        "LanguageLocaleKey": "en_US",
        "TimeZoneSidKey": "GMT",
        "OrganizationType": "Enterprise Edition",
        "InstanceName": "SBX0",
        "IsSandbox": True,
        "FiscalYearStartMonth": 1,
        "DefaultLocaleSidKey": "en_US",
        "CreatedDate": base - timedelta(days=900),
        "CreatedById": user_id(1),
        "LastModifiedDate": stamp,
        "LastModifiedById": user_id(1),
        "SystemModstamp": stamp,
    }
