"""The definition of what happens when an org's metadata changes: follow it, keep it out, or stop."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from include.config.model import ApiName, DefinitionModel


class Policy(StrEnum):
    """Say what a change of the org's metadata does to the warehouse."""

    EVOLVE = "evolve"  # the warehouse follows
    FREEZE = "freeze"  # the warehouse stays as it is, the extract goes on without, a person is told
    FAIL = "fail"  # the object's runs fail until a person has decided


class ChangeClass(StrEnum):
    """Name the kinds of changes that have a policy of their own; the words are keys of the definition."""

    ADDED = "added"  # a field is new, or there again
    REMOVED = "removed"  # a field is gone, or hidden from our user
    TYPE = "type"  # its values need a column of another type
    SIZE = "size"  # longer, more digits, another type that its column takes, int that became double
    FORMULA = "formula"  # it became calculated, or is no more
    PICKLIST = "picklist"  # other active values
    LABEL = "label"  # another label, the same field


class ObjectPolicies(DefinitionModel):
    """Hold the policies of one object, where they differ from the org's."""

    added: Policy | None = None
    removed: Policy | None = None
    type: Policy | None = None
    size: Policy | None = None
    formula: Policy | None = None
    picklist: Policy | None = None
    label: Policy | None = None


class SchemaChangesDefinition(DefinitionModel):
    """Hold an org's policy for each class of changes."""

    added: Policy = Policy.EVOLVE
    removed: Policy = Policy.EVOLVE
    type: Policy = Policy.FAIL
    size: Policy = Policy.EVOLVE
    formula: Policy = Policy.EVOLVE
    picklist: Policy = Policy.EVOLVE
    label: Policy = Policy.EVOLVE
    objects: dict[ApiName, ObjectPolicies] = Field(default={}, description="objects with policies of their own")

    def policy_of(self, object: str, change: ChangeClass) -> Policy:
        """Return the policy for a class of changes of an object."""
        own: Policy | None = getattr(self.objects.get(object), change.value, None)
        policy: Policy = own or getattr(self, change.value)
        return policy
