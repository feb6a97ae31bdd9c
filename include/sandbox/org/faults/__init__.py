"""Faults: what was ordered or planned, and which call meets which of them."""

from include.sandbox.org.faults.board import Faults
from include.sandbox.org.faults.fault import Fault, JobFault, Traits
from include.sandbox.org.faults.kinds import KINDS, Effect, Kind
from include.sandbox.org.faults.plan import Plan

__all__ = ["KINDS", "Effect", "Fault", "Faults", "JobFault", "Kind", "Plan", "Traits"]
