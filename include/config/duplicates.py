"""What a person says about duplicates: which fields of an object are compared, and which rules count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, get_args

from pydantic import Field, model_validator

from include.config.model import ApiName, DefinitionModel

PersonRule = Literal["email", "phone", "swapped", "nickname", "typo", "similar", "name"]
CompanyRule = Literal["website", "name_place", "company_phone", "similar"]
Rule = Literal[PersonRule, CompanyRule]
PERSON_RULES: tuple[str, ...] = get_args(PersonRule)
COMPANY_RULES: tuple[str, ...] = get_args(CompanyRule)

_ROLES: Mapping[str, tuple[str, ...]] = {
    "person": (
        *("first_name", "last_name", "suffix", "email", "phone", "mobile"),
        *("account", "company", "zip", "city", "birthdate"),
    ),
    "company": ("name", "website", "phone", "zip", "city"),
}


class MatchDefinition(DefinitionModel):
    """Hold by which fields the records of an object are compared; one that is empty, or absent in the org, is not."""

    kind: Literal["person", "company"] = "person"
    first_name: ApiName | Literal[""] = ""
    last_name: ApiName | Literal[""] = ""
    suffix: ApiName | Literal[""] = ""
    email: ApiName | Literal[""] = ""
    phone: ApiName | Literal[""] = ""
    mobile: ApiName | Literal[""] = ""
    account: ApiName | Literal[""] = Field(default="", description="the Id of the company")
    company: ApiName | Literal[""] = Field(default="", description="the name of the company, where there is no Id")
    zip: ApiName | Literal[""] = ""
    city: ApiName | Literal[""] = ""
    birthdate: ApiName | Literal[""] = ""
    name: ApiName | Literal[""] = Field(default="", description="of a company")
    website: ApiName | Literal[""] = ""
    leave_out: ApiName | Literal[""] = Field(
        default="", description="a checkbox; where it is set the record is not compared"
    )
    rules_off: tuple[Rule, ...] = ()
    min_score: float = Field(default=0.75, ge=0, le=1, description="a pair that is less sure than this is none")
    min_similarity: float = Field(default=0.5, ge=0.2, le=1, description="of the rule `similar`: trigrams in common")
    block_limit: int = Field(
        default=30, ge=2, le=1000, description="a key that more records than this have in common says nothing"
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> MatchDefinition:
        foreign = sorted(
            role
            for kind, roles in _ROLES.items()
            for role in roles
            if kind != self.kind and role not in _ROLES[self.kind] and getattr(self, role)
        )
        if foreign:
            raise ValueError(
                f"{', '.join(foreign)} is no field of a {self.kind}; those are: {', '.join(_ROLES[self.kind])}"
            )
        other = [rule for rule in self.rules_off if rule not in self.rules]
        if other:
            raise ValueError(f"rules_off: {', '.join(other)} is no rule of a {self.kind}; {', '.join(self.rules)} are")
        if not (self.last_name if self.kind == "person" else self.name):
            raise ValueError("give at least last_name" if self.kind == "person" else "give at least name")
        return self

    @property
    def rules(self) -> tuple[str, ...]:
        """Return every rule that there is for such records."""
        return PERSON_RULES if self.kind == "person" else COMPANY_RULES

    @property
    def fields(self) -> dict[str, str]:
        """Return the field of each role that has one."""
        return {role: field for role in _ROLES[self.kind] if (field := getattr(self, role))}


STANDARD: Mapping[str, Mapping[str, str]] = {
    "Contact": {
        **{"first_name": "FirstName", "last_name": "LastName", "suffix": "Suffix", "email": "Email"},
        **{"phone": "Phone", "mobile": "MobilePhone", "account": "AccountId", "zip": "MailingPostalCode"},
        **{"city": "MailingCity", "birthdate": "Birthdate"},
    },
    "Lead": {
        **{"first_name": "FirstName", "last_name": "LastName", "suffix": "Suffix", "email": "Email"},
        **{"phone": "Phone", "mobile": "MobilePhone", "company": "Company", "zip": "PostalCode", "city": "City"},
        "leave_out": "IsConverted",
    },
    "Account": {
        **{"kind": "company", "name": "Name", "website": "Website", "phone": "Phone"},
        **{"zip": "BillingPostalCode", "city": "BillingCity"},
    },
}


def misspelt(object: str, definition: MatchDefinition) -> dict[str, str]:
    """Return, by role, the standard field that was meant by one which differs from it by one slip or by its case.

    No org has two such fields, so that the file alone proves it. What else an org does not have only the org can tell.
    """
    standard = {field for role, field in STANDARD.get(object, {}).items() if role != "kind"}
    meant = {role: _nearest(field, standard - {field}) for role, field in own_fields(object, definition).items()}
    return {role: field for role, field in meant.items() if field}


def own_fields(object: str, definition: MatchDefinition) -> dict[str, str]:
    """Return the field of each role that a person named, the checkbox among them; not what comes with Headwater."""
    named = {**definition.fields, "leave_out": definition.leave_out}
    standard = STANDARD.get(object, {})
    return {role: field for role, field in named.items() if field and field != standard.get(role)}


def _nearest(field: str, others: Collection[str]) -> str:
    if "__" in field or field in others:
        return ""
    return next((each for each in sorted(others) if _one_slip(field.lower(), each.lower())), "")


def _one_slip(one: str, other: str) -> bool:
    """Return whether two words are equal but for a letter more, less, another, or two changed over."""
    place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    here, there = one[place:], other[place:]
    crossed = here[:2] == there[:2][::-1] and here[2:] == there[2:]
    return crossed or here[1:] in (there, there[1:]) or here == there[1:]


def with_standard(given: object) -> object:
    """Return what is written under `duplicates`, completed with the fields of Contact, Lead and Account."""
    if not isinstance(given, Mapping):
        return given
    completed = {
        name: {**STANDARD.get(name, {}), **each} if isinstance(each, Mapping) else each for name, each in given.items()
    }
    return {**{name: dict(each) for name, each in STANDARD.items() if name not in given}, **completed}
