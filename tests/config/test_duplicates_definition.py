"""What is written under `duplicates` completes the standard fields, and what cannot be is refused with its reason."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from include.config.orgs import OrgDefinition


def org(**duplicates: object) -> OrgDefinition:
    return OrgDefinition.model_validate(
        {"org": "acme", "connection": "acme", "objects": ["Contact", "Person__c"], "duplicates": duplicates}
    )


def test_what_is_written_of_a_standard_object_is_all_that_differs_from_it():
    """A contact's other fields stay, and so do leads and accounts."""
    found = org(Contact={"email": "Private__c", "rules_off": ["name"]}).duplicates
    assert (found["Contact"].email, found["Contact"].last_name) == ("Private__c", "LastName")
    assert found["Contact"].rules_off == ("name",)
    assert (set(found), found["Lead"].leave_out) == ({"Contact", "Lead", "Account"}, "IsConverted")


def test_an_object_of_your_own_is_compared_by_the_fields_that_are_named():
    """Nothing is guessed for it."""
    found = org(Person__c={"last_name": "Last__c", "email": "Mail__c"}).duplicates["Person__c"]
    assert found.fields == {"last_name": "Last__c", "email": "Mail__c"}


def test_another_field_of_the_org_is_no_slip_whatever_it_looks_like():
    """Only what differs by one letter from a standard field of that object is."""
    org(Contact={"phone": "HomePhone", "mobile": "OtherPhone", "email": "Emial__c", "zip": "OtherPostalCode"})
    org(Account={"zip": "ShippingPostalCode", "city": "ShippingCity"}, Person__c={"last_name": "Emial"})
    org(Contact={"phone": "MobilePhone", "mobile": "Phone"})


@pytest.mark.parametrize(
    ("duplicates", "message"),
    [
        ({"Persn__c": {"last_name": "Last__c"}}, "`duplicates` names Persn__c, which is not read"),
        ({"Person__c": {"email": "Mail__c"}}, "give at least last_name"),
        ({"Person__c": {"last_name": "L", "website": "W"}}, "website is no field of a person"),
        ({"Account": {"rules_off": ["email"]}}, "rules_off: email is no rule of a company"),
        ({"Contact": {"block_limit": 1}}, "greater than or equal to 2"),
        ({"Contact": {"min_score": 1.5}}, "less than or equal to 1"),
        ({"Contact": {"mail": "Email"}}, "Extra inputs are not permitted"),
        ({"Person__": {"last_name": "Last__c"}}, "or did you mean Person__c?"),
        ({"Contact": {"email": "Emial"}}, "duplicates.Contact.email: Contact has no field Emial; did you mean Email?"),
        ({"Contact": {"phone": "Phones"}}, "duplicates.Contact.phone: .* did you mean Phone?"),
        ({"Lead": {"leave_out": "isConverted"}}, "duplicates.Lead.leave_out: .* did you mean IsConverted?"),
        ({5: {"last_name": "Last__c"}}, "Input should be a valid string"),
        ({"Account": {"zip": "BilingPostalCode"}}, "did you mean BillingPostalCode?"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(duplicates, message):
    """A misspelt object, a field of another kind, a rule that there is not."""
    with pytest.raises(ValidationError, match=message):
        OrgDefinition.model_validate(
            {"org": "acme", "connection": "acme", "objects": ["Contact", "Person__c"], "duplicates": duplicates}
        )
