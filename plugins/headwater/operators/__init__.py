"""The operators that DAGs are made of, ours and yours."""

from headwater.operators.approve import ApprovePushOperator
from headwater.operators.assess import AssessHealthOperator
from headwater.operators.certify import CertifyExtractOperator
from headwater.operators.digest import SendDigestOperator
from headwater.operators.extract import ExtractObjectOperator
from headwater.operators.gate import HealthGateOperator
from headwater.operators.housekeeping import HousekeepingOperator
from headwater.operators.metadata import DescribeObjectsOperator, FollowDeletionsOperator
from headwater.operators.notify import NotifyOperator
from headwater.operators.owners import TellOwnersOperator
from headwater.operators.probable_duplicates import FindProbableDuplicatesOperator
from headwater.operators.probe import ProbeObjectsOperator
from headwater.operators.push import PushProfilesOperator
from headwater.operators.reconcile import AnnounceChangesOperator, ReconcileObjectOperator
from headwater.operators.select import SelectProfilesOperator
from headwater.operators.settle import SettlePushesOperator
from headwater.operators.verdict import RunVerdictOperator

__all__ = [
    "AnnounceChangesOperator",
    "ApprovePushOperator",
    "AssessHealthOperator",
    "CertifyExtractOperator",
    "DescribeObjectsOperator",
    "ExtractObjectOperator",
    "FindProbableDuplicatesOperator",
    "FollowDeletionsOperator",
    "HealthGateOperator",
    "HousekeepingOperator",
    "NotifyOperator",
    "ProbeObjectsOperator",
    "PushProfilesOperator",
    "ReconcileObjectOperator",
    "RunVerdictOperator",
    "SelectProfilesOperator",
    "SendDigestOperator",
    "SettlePushesOperator",
    "TellOwnersOperator",
]
