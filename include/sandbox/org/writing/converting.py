"""Convert leads to contacts."""

from __future__ import annotations

from collections.abc import Sequence

from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.writing.results import LeadConvert, LeadConvertResult, Writer


def convert_leads(org: Org, requests: Sequence[LeadConvert], writer: Writer) -> list[LeadConvertResult]:
    """Convert leads, each with a result of its own."""
    refusal = Refusal(400, "UNKNOWN_EXCEPTION", "not yet")
    return [LeadConvertResult(lead_id=each.lead_id, errors=(refusal,)) for each in requests]
