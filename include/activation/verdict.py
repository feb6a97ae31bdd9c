"""Judge a push run by its counts: whether it is green, and what to say when it is not. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from include.activation.options import PushRunOptions
from include.config.pushes import PushOptions
from include.errors import PushFailed
from include.records import OutcomeCounts


def settle(counts: OutcomeCounts, options: PushRunOptions) -> None:
    """Raise when too many records failed or too few arrived; to be called after everything is recorded.

    Raises:
        PushFailed: every record that was tried failed, or a larger share than `options.max_failed_share`, or fewer than
            `options.min_delivered` arrived.
    """
    complaint = failure(counts, max_failed_share=options.max_failed_share, min_delivered=options.min_delivered)
    if complaint:
        raise PushFailed(complaint)


def settle_runs(push: str, runs: Mapping[int, OutcomeCounts], options: PushOptions) -> list[PushFailed]:
    """Return why runs failed after all, once the platform told what became of the records that it had accepted."""
    complaints = {
        run_id: failure(counts, max_failed_share=options.max_failed_share, min_delivered=options.min_delivered)
        for run_id, counts in runs.items()
    }
    return [PushFailed(f"run {run_id} of the push {push!r}: {said}") for run_id, said in complaints.items() if said]


def failure(counts: OutcomeCounts, *, max_failed_share: float, min_delivered: int = 0) -> str:
    """Return why the run failed, or "" when it did not.

    Judged are the records that were tried: unchanged, skipped and held ones say nothing about the platform.
    What the platform accepted counts as arrived until it tells otherwise.
    """
    arrived = counts.delivered + counts.accepted
    complaint = _failed(counts, arrived, max_failed_share)
    if not complaint and arrived < min_delivered:
        return (
            f"{arrived:,} records were delivered, fewer than the {min_delivered:,} of min_delivered; see among the"
            " outcomes of the run what became of the others"
        )
    return complaint


def _failed(counts: OutcomeCounts, arrived: int, max_failed_share: float) -> str:
    if not counts.failed:
        return ""
    tried = arrived + counts.failed
    what = f"{counts.failed:,} of {tried:,} records that were tried did not arrive"
    kinds = f"{counts.rejected:,} rejected, {counts.unknown:,} unknown"
    if not arrived:
        return f"{what} ({kinds}): none did; the log above names the causes; mend them, then run again"
    if counts.failed / tried > max_failed_share:
        allowed = f"more than the {max_failed_share:.0%} of max_failed_share"
        return f"{what} ({kinds}), {allowed}; the log above names the causes"
    return ""
