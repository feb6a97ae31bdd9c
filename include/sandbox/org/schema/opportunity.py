"""Opportunity: a deal."""

from __future__ import annotations

from include.sandbox.org.schema.field import (
    ChildLink,
    SObject,
    flag,
    long_text,
    number,
    pick,
    plain,
    readonly,
    reference,
    text,
)  # fmt: skip
from include.sandbox.org.schema.person import external_key
from include.sandbox.org.schema.standard import (
    LEAD_SOURCES,
    audit,
    deletion,
    last_activity,
    owner,
    record_id,
    record_type,
)

# Stage -> the probability it stands for, and its forecast category.
STAGES: dict[str, tuple[int, str]] = {
    "Prospecting": (10, "Pipeline"),
    "Qualification": (10, "Pipeline"),
    "Needs Analysis": (20, "Pipeline"),
    "Value Proposition": (50, "Pipeline"),
    "Id. Decision Makers": (60, "Pipeline"),
    "Perception Analysis": (70, "Pipeline"),
    "Proposal/Price Quote": (75, "Pipeline"),
    "Negotiation/Review": (90, "Pipeline"),
    "Closed Won": (100, "Closed"),
    "Closed Lost": (0, "Omitted"),
}
TYPES = (
    "Existing Customer - Upgrade", "Existing Customer - Replacement", "Existing Customer - Downgrade", "New Customer",
)  # fmt: skip
_CATEGORY = (
    "CASE {t}.\"StageName\" WHEN 'Closed Won' THEN 'Closed' WHEN 'Closed Lost' THEN 'Omitted' ELSE 'Pipeline' END"
)
_CLOSED = "({t}.\"StageName\" IN ('Closed Won', 'Closed Lost'))"
_WEIGHTED = 'round({t}."Amount" * {t}."Probability" / 100, 2)'

OPPORTUNITY = SObject(
    name="Opportunity",
    label="Opportunity",
    plural="Opportunities",
    prefix="006",
    fields=(
        record_id("Opportunity"),
        deletion(),
        reference("AccountId", "Account ID", "Account"),
        record_type(),
        flag("IsPrivate", "Private"),
        text("Name", "Name", 120, required=True, name_field=True),
        long_text("Description", "Description"),
        pick("StageName", "Stage", tuple(STAGES), required=True),
        number("Amount", "Amount", "currency", 18, 2),
        number("Probability", "Probability (%)", "percent", 3, 0),
        readonly(number("ExpectedRevenue", "Expected Amount", "currency", 18, 2, formula=_WEIGHTED)),
        plain("CloseDate", "Close Date", "date", required=True),
        pick("Type", "Opportunity Type", TYPES),
        text("NextStep", "Next Step", 255),
        pick("LeadSource", "Lead Source", LEAD_SOURCES),
        readonly(flag("IsClosed", "Closed", formula=_CLOSED)),
        readonly(flag("IsWon", "Won", formula="({t}.\"StageName\" = 'Closed Won')")),
        readonly(
            pick(
                "ForecastCategory", "Forecast Category",
                ("Omitted", "Pipeline", "BestCase", "MostLikely", "Forecast", "Closed"),
                restricted=True, formula=_CATEGORY,
            )
        ),
        readonly(
            pick(
                "ForecastCategoryName", "Forecast Category",
                ("Omitted", "Pipeline", "Best Case", "Commit", "Closed"), formula=_CATEGORY,
            )
        ),
        reference("CampaignId", "Campaign ID", "Campaign"),
        flag("HasOpportunityLineItem", "Has Line Item"),
        owner(),
        *audit(),
        last_activity(),
        readonly(plain("LastStageChangeDate", "Last Stage Change Date", "datetime", groupable=False)),
        readonly(number("FiscalQuarter", "Fiscal Quarter", "int", 1, formula='quarter({t}."CloseDate")')),
        readonly(number("FiscalYear", "Fiscal Year", "int", 4, formula='year({t}."CloseDate")')),
        reference("ContactId", "Contact ID", "Contact"),
        external_key(),
        number("Discount__c", "Discount", "percent", 5, 2),
        readonly(
            number(
                "Weighted_Amount__c", "Weighted Amount", "currency", 18, 2,
                formula=_WEIGHTED, formula_text="Amount * Probability",
            )
        ),
        long_text("Competitor_Notes__c", "Competitor Notes", 32768),
    ),
    children=(
        ChildLink(object="OpportunityFieldHistory", field="OpportunityId", name="Histories", cascade=True),
        ChildLink(object="Attachment", field="ParentId", name="Attachments", cascade=True),
        ChildLink(object="Event", field="WhatId", name="Events", cascade=True),
        ChildLink(
            object="OpportunityContactRole", field="OpportunityId", name="OpportunityContactRoles", cascade=True
        ),
        ChildLink(object="Task", field="WhatId", name="Tasks", cascade=True),
    ),
)  # fmt: skip
