"""Who writes and how, and what became of each record: the values that every way of writing shares."""

from __future__ import annotations

from dataclasses import dataclass

from include.sandbox.org.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Say who writes, and how: `late` seconds until readers see it; one bad record spoils all only if asked."""

    user_id: str
    late: float = 0.0
    all_or_none: bool = False
    allow_duplicates: bool = False
    csv: bool = False  # an empty value is left alone, `#N/A` is null
    version: str = "67.0"  # of the API, for the links in its answers


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveResult:
    """Say what became of one record."""

    id: str | None = None
    created: bool = False
    errors: tuple[Refusal, ...] = ()

    @property
    def success(self) -> bool:
        """Say whether the record was written."""
        return not self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """Say what became of one merge."""

    id: str | None = None
    merged_ids: tuple[str, ...] = ()
    updated_related_ids: tuple[str, ...] = ()
    errors: tuple[Refusal, ...] = ()

    @property
    def success(self) -> bool:
        """Say whether the records were merged."""
        return not self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadConvert:
    """Ask for the conversion of one lead."""

    lead_id: str
    converted_status: str
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    opportunity_name: str | None = None
    owner_id: str | None = None
    do_not_create_opportunity: bool = False
    overwrite_lead_source: bool = False
    send_notification_email: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadConvertResult:
    """Say what became of one lead's conversion."""

    lead_id: str | None = None
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    errors: tuple[Refusal, ...] = ()

    @property
    def success(self) -> bool:
        """Say whether the lead was converted."""
        return not self.errors
