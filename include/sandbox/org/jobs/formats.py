"""What the Bulk APIs have in common: delimiters, line endings, end states, and how they write times."""

from __future__ import annotations

from datetime import UTC, datetime

from include.sandbox.org.clock import stamp_text

TERMINAL = frozenset({"JobComplete", "Failed", "Aborted"})
DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
# Objects whose Ids can be cut into ranges; every custom object's can.
_CHUNKABLE = frozenset({
    "Account", "Asset", "Campaign", "CampaignMember", "Case", "CaseComment", "Contact", "ContentDocument",
    "ContentVersion", "Contract", "EmailMessage", "Event", "EventRelation", "FeedItem", "Individual", "Lead",
    "LoginHistory", "Note", "Opportunity", "OpportunityContactRole", "OpportunityHistory", "OpportunityLineItem",
    "Order", "OrderItem", "Pricebook2", "PricebookEntry", "Product2", "Quote", "Task", "TaskRelation", "User",
    "UserRole", "WorkOrder",
})  # fmt: skip


class BadBatch(Exception):
    """Tell why none of a batch's records can be processed."""


def chunkable(name: str) -> bool:
    """Say whether queries of an object can be cut into ranges of Ids."""
    return name in _CHUNKABLE or name.endswith("__c")


def json_stamp(epoch: float) -> str:
    """Return a time as JSON bodies write it."""
    return stamp_text(datetime.fromtimestamp(epoch, tz=UTC))


def xml_stamp(epoch: float) -> str:
    """Return a time as XML bodies write it."""
    return f"{datetime.fromtimestamp(epoch, tz=UTC):%Y-%m-%dT%H:%M:%S}.000Z"
