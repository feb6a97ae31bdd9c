"""OpportunityContactRole: which person plays which part in a deal."""

from __future__ import annotations

from include.sandbox.org.schema.field import SObject, flag, pick, reference
from include.sandbox.org.schema.standard import audit, deletion, record_id

ROLES = (
    "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator", "Executive Sponsor",
    "Influencer", "Technical Buyer", "Other",
)  # fmt: skip

OPPORTUNITY_CONTACT_ROLE = SObject(
    name="OpportunityContactRole",
    label="Opportunity Contact Role",
    plural="Opportunity Contact Role",
    prefix="00K",
    fields=(
        record_id("Contact Role"),
        reference("OpportunityId", "Opportunity ID", "Opportunity", required=True, updateable=False),
        reference("ContactId", "Contact ID", "Contact", required=True),
        pick("Role", "Role", ROLES),
        flag("IsPrimary", "Primary"),
        *audit(),
        deletion(),
    ),
)
