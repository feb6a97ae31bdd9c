"""The write path: whatever changes records, by any API or by the org's own life, goes through these functions."""

from include.sandbox.org.writing.converting import convert_leads
from include.sandbox.org.writing.deleting import delete_records, empty_recycle_bin, undelete_records
from include.sandbox.org.writing.merging import merge_records
from include.sandbox.org.writing.results import LeadConvert, LeadConvertResult, MergeResult, SaveResult, Writer
from include.sandbox.org.writing.saving import insert_records, update_records, upsert_records

__all__ = [
    "LeadConvert",
    "LeadConvertResult",
    "MergeResult",
    "SaveResult",
    "Writer",
    "convert_leads",
    "delete_records",
    "empty_recycle_bin",
    "insert_records",
    "merge_records",
    "undelete_records",
    "update_records",
    "upsert_records",
]
