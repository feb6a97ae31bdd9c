"""What one run of a push does: the definition's options, less what the trigger form or an operator says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from include.config.push_mapping import InvalidPolicy
from include.config.pushes import PushDefinition, without_skip_hook
from include.errors import DefinitionError


class PushMode(StrEnum):
    """Say which records a push run looks at, and whether it compares them with what was sent."""

    CHANGED = "changed"  # every record; those that differ from what was last sent go out
    INTERVAL = "interval"  # records whose stamp lies in the interval of a backfill; compared likewise
    ALL = "all"  # every record goes out again; events that were sent are still not sent twice


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRunOptions:
    """Hold what a run does; see `include.config.pushes.PushOptions` for the words."""

    skip_hook: bool = False
    fast_fail: bool = False
    batch_size: int = 1000
    max_failed_share: float = 0.5
    min_delivered: int = 0
    approve_above: int = 50_000
    unusual_factor: float = 40
    max_gone_share: float = 0.05
    dry_run: bool = False
    compare: bool = False  # read what the platform holds first, and write only what differs


def options_of(
    push: PushDefinition,
    *,
    skip_hook: bool | None = None,
    fast_fail: bool | None = None,
    batch_size: int | None = None,
    max_failed_share: float | None = None,
    min_delivered: int | None = None,
    approve_above: int | None = None,
    unusual_factor: float | None = None,
    max_gone_share: float | None = None,
    dry_run: bool | None = None,
    compare: bool | None = None,
) -> PushRunOptions:
    """Return the definition's options with those replaced that are given.

    Raises:
        DefinitionError: the platform has no skip hook, cannot be compared with, or takes no batch of that size; nothing
            was sent.
    """
    said = push.options
    options = PushRunOptions(
        skip_hook=said.skip_hook if skip_hook is None else skip_hook,
        fast_fail=said.fast_fail if fast_fail is None else fast_fail,
        batch_size=push.batch_size if batch_size is None else batch_size,
        max_failed_share=said.max_failed_share if max_failed_share is None else max_failed_share,
        min_delivered=said.min_delivered if min_delivered is None else min_delivered,
        approve_above=said.approve_above if approve_above is None else approve_above,
        unusual_factor=said.unusual_factor if unusual_factor is None else unusual_factor,
        max_gone_share=said.max_gone_share if max_gone_share is None else max_gone_share,
        dry_run=bool(dry_run),
        compare=bool(compare),
    )
    _insist_on_platform(push, options)
    return options


def overridden(
    push: PushDefinition, *, phone_country: str | None = None, invalid_identifiers: InvalidPolicy | None = None
) -> PushDefinition:
    """Return the definition with how phones and identifiers are read replaced by what a run says.

    It is then mapped, compared and remembered under that reading; the next run without it compares again.

    Raises:
        DefinitionError: what the run says is none of the choices.
    """
    from pydantic import ValidationError

    try:
        if phone_country:
            phone = {**push.phone.model_dump(), "default_country": phone_country.upper()}
            push = push.model_copy(update={"phone": type(push.phone).model_validate(phone)})
        if invalid_identifiers:
            said = {**push.identifiers.model_dump(), "invalid": invalid_identifiers}
            push = push.model_copy(update={"identifiers": type(push.identifiers).model_validate(said)})
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise DefinitionError(f"the run's parameter is none of the choices: {wrong['msg']}") from None
    return push


def _insist_on_platform(push: PushDefinition, options: PushRunOptions) -> None:
    if options.skip_hook and not push.platform.capabilities.skip_hook:
        raise DefinitionError(f"{without_skip_hook(push.platform)}. Nothing was sent", key="skip_hook")
    if options.compare and not push.platform.capabilities.reads_back:
        raise DefinitionError(
            f"{push.platform.title} does not show at once what it holds, so nothing can be compared with it."
            " Nothing was sent",
            key="compare",
        )
    if not 1 <= options.batch_size <= push.platform.max_batch:
        raise DefinitionError(
            f"{push.platform.title} takes 1 to {push.platform.max_batch:,} records in a request, not"
            f" {options.batch_size:,}. Nothing was sent",
            key="batch_size",
        )
