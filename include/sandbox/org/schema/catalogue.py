"""The objects of the org."""

from __future__ import annotations

from include.sandbox.org.schema.account import ACCOUNT
from include.sandbox.org.schema.activity import TASK
from include.sandbox.org.schema.contact import CONTACT
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.schema.lead import LEAD
from include.sandbox.org.schema.opportunity import OPPORTUNITY
from include.sandbox.org.schema.people import ORGANIZATION, USER

_OBJECTS = (ACCOUNT, CONTACT, LEAD, OPPORTUNITY, ORGANIZATION, TASK, USER)


class Catalogue:
    """Find objects by API name, in any spelling of case, or by the prefix of an Id."""

    def __init__(self, objects: tuple[SObject, ...] = _OBJECTS) -> None:
        self.objects = {each.name: each for each in objects}
        self._by_name = {each.name.lower(): each for each in objects}
        self._by_prefix = {each.prefix: each for each in objects}

    def find(self, name: str) -> SObject | None:
        """Return the object of this API name, or None."""
        return self._by_name.get(name.lower())

    def of_id(self, record_id: str) -> SObject | None:
        """Return the object whose records have Ids like this one, or None."""
        return self._by_prefix.get(record_id[:3])
