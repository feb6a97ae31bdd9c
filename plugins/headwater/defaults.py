"""What all our DAGs share: owner, retries, tags, asset names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset

from headwater.retry import HeadwaterRetryPolicy

ORG_POOL = "headwater_org"  # tasks that call a Salesforce org
PUSH_POOL = "headwater_push"  # tasks that send to a platform


def task_defaults(owner: str) -> dict[str, Any]:
    """Return the `default_args` of a DAG of ours; `owner` is a person or team that can be reached."""
    return {
        "owner": owner,
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_policy": HeadwaterRetryPolicy(),
    }


def records_asset(org: str) -> Asset:
    """Return the asset that an extract of this org updates when rows changed."""
    return Asset(name=f"headwater_{org}_records", uri=f"headwater://{org}/records", group="headwater")
