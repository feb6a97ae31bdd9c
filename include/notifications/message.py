"""Write one message of everything that a channel has to be told; pure."""

from __future__ import annotations

from collections.abc import Sequence

from include.records import Message
from include.warehouse.notifications import Waiting


def compose(org: str, waiting: Sequence[Waiting], *, airflow_url: str) -> Message:
    """Return the message; `airflow_url` is where people reach Airflow, "" when that is not known."""
    titles = [f"Over: {each.title}" if each.all_clear else each.title for each in waiting]
    more = f", and {len(titles) - 1} more" if len(titles) > 1 else ""
    subject = f"[Headwater {org}] {titles[0]}{more}"
    parts = [_words(title, each, airflow_url) for title, each in zip(titles, waiting, strict=True)]
    return Message(
        subject=subject,
        text="\n\n".join(parts)
        + f"\n\n-- \nHeadwater, org {org}. Who gets this is set by `notify` in its definition.\n",
        body={
            "text": "\n\n".join(parts),  # what chat services show
            "source": "headwater",
            "org": org,
            "items": [
                {
                    "event": each.event,
                    "state": "over" if each.all_clear else "new",
                    "title": each.title,
                    "message": each.message,
                    "at": each.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "url": _link(each, airflow_url),
                }
                for each in waiting
            ],
        },
    )


def _words(title: str, each: Waiting, airflow_url: str) -> str:
    lines = [f"{title} ({each.at:%Y-%m-%d %H:%M:%S} UTC)"]
    if each.message and not each.all_clear:
        lines.append(each.message)
    link = _link(each, airflow_url)
    return "\n".join([*lines, link] if link else lines)


def _link(each: Waiting, airflow_url: str) -> str:
    return f"{airflow_url.rstrip('/')}{each.path}" if airflow_url and each.path else ""
