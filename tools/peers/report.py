"""The table of what each client saw."""

from __future__ import annotations

from collections.abc import Sequence

from tools.peers.rows import OBJECTS, digest
from tools.peers.story import Story, Visit


def report(story: Story) -> str:
    """Return everything as text: reads, increments, deletions, writes, errors, and what is wrong."""
    read = [["client", "version", "describe", "way", *OBJECTS, "as the org"], *_truth(story)]
    change = [["client", "way", *OBJECTS, "deleted seen"]]
    said = []
    for visit in story.visits:
        if visit.skipped:
            read.append([visit.peer.name, "skipped", visit.skipped])
            continue
        read += _reads(visit, story)
        change += _changes(visit)
        said += [f"{visit.peer.name}", f"  write  {visit.write or 'not reached'}"]
        said += [f"  error  {' '.join(each.split())}" for each in visit.errors]
    parts = [
        "Full read: records of each object", table(read),
        "Increment: changed records of each object (+ read again without a change)", table(change),
        "Writes and errors", "\n".join(said),
        _verdict(story),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def exit_status(visits: Sequence[Visit]) -> int:
    """Return 1 when something differs, or when no client ran and nothing was compared."""
    return 1 if all(visit.skipped for visit in visits) or any(visit.wrong for visit in visits) else 0


def _verdict(story: Story) -> str:
    skipped = sum(1 for visit in story.visits if visit.skipped)
    counted = f"{len(story.visits) - skipped} clients ran, {skipped} were skipped"
    wrong = [f"  {visit.peer.name}: {each}" for visit in story.visits for each in visit.wrong]
    if wrong:
        return "\n".join([f"{counted}. Wrong ({len(wrong)}):", *wrong])
    if skipped == len(story.visits):
        return f"{counted}. Nothing was compared."
    return f"{counted}. Those that ran saw the same org."


def _truth(story: Story) -> list[list[str]]:
    labels = {False: "present", True: "and deleted"}
    return [
        ["the org", "", "", labels[deleted], *(f"{len(rows[name])} {digest(rows[name], name)}" for name in OBJECTS), ""]
        for deleted, rows in story.truth.items()
    ]


def _reads(visit: Visit, story: Story) -> list[list[str]]:
    head = [visit.peer.name, visit.version, visit.described or "failed"]
    found = []
    for way, sees_deleted in visit.peer.ways.items():
        read = visit.reads.get(way, {})
        cells = [f"{read[name][0]} {read[name][1]}" if name in read else "-" for name in OBJECTS]
        truth = story.truth.get(sees_deleted, {})
        equal = bool(read) and all(read[name][1] == digest(truth[name], name) for name in OBJECTS)
        found.append([*head, way, *cells, "yes" if equal else "NO"])
        head = ["", "", ""]
    return found


def _changes(visit: Visit) -> list[list[str]]:
    ways = list(dict.fromkeys((*visit.increments, *visit.deleted)))
    return [
        [visit.peer.name if not index else "", way, *(visit.increments.get(way, {}).get(name, "") for name in OBJECTS),
         visit.deleted.get(way, "")]
        for index, way in enumerate(ways)
    ]  # fmt: skip


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows under a headline, in columns."""
    full = [row for row in rows if len(row) == len(rows[0])]
    widths = [max(len(row[column]) for row in full) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])
