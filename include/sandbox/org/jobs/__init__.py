"""Bulk jobs: query jobs, loads, and the jobs of the older Bulk API; each is kept on disk and survives a restart."""

from include.sandbox.org.jobs.classic import ClassicJobs
from include.sandbox.org.jobs.classic_job import Batch, ClassicJob
from include.sandbox.org.jobs.formats import DELIMITERS, ENDINGS, TERMINAL
from include.sandbox.org.jobs.load import LoadJob, LoadJobs
from include.sandbox.org.jobs.query import Job, Jobs
from include.sandbox.org.jobs.results import Page
from include.sandbox.org.jobs.runner import Runner
from include.sandbox.org.jobs.shelf import Numbers

__all__ = [
    "DELIMITERS",
    "ENDINGS",
    "TERMINAL",
    "Batch",
    "ClassicJob",
    "ClassicJobs",
    "Job",
    "Jobs",
    "LoadJob",
    "LoadJobs",
    "Numbers",
    "Page",
    "Runner",
]
