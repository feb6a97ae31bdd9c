"""Tell which keys may stand at a place of a definition, so that a mistyped one can be answered by the nearest. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel


def known_keys(model: type[BaseModel], place: Sequence[int | str]) -> frozenset[str]:
    """Return the keys that may stand at a place below a model; where several kinds may stand there, those of each.

    Args:
        model: what the whole file holds.
        place: the way from there, as pydantic names it: keys, positions in lists, and names of kinds.
    """
    models = {model}
    for part in place:
        below = {each for one in models for each in _below(one, part)}
        # A position in a list, or the name of one of several kinds, leads no further down.
        models = below or {each for each in models if each.__name__ == part} or models
    return frozenset(name for each in models for name in _keys(each))


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _below(model: type[BaseModel], part: int | str) -> Iterator[type[BaseModel]]:
    yield from _models_in(_keys(model).get(str(part)))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
