"""The two dialects of the API: Partner, where records name their type inside, and Enterprise, where they are typed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Hold what differs: the last part of the path, the name in the namespaces, whether records are typed."""

    letter: str
    name: str
    typed: bool

    @property
    def namespace(self) -> str:
        """Return the namespace of operations and results."""
        return f"urn:{self.name}.soap.sforce.com"

    @property
    def records(self) -> str:
        """Return the namespace of records."""
        return f"urn:sobject.{self.name}.soap.sforce.com"

    @property
    def faults(self) -> str:
        """Return the namespace of faults."""
        return f"urn:fault.{self.name}.soap.sforce.com"


PARTNER = Dialect(letter="u", name="partner", typed=False)
ENTERPRISE = Dialect(letter="c", name="enterprise", typed=True)
DIALECTS = {each.letter: each for each in (PARTNER, ENTERPRISE)}
