"""Read the definitions folder: every good definition, and one clear error for each bad one.

A bad file never hides a good one: DAG files make what loads, and one file shows what does not.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from include.config.checks import CheckDefinition, CheckFile
from include.config.housekeeping import HousekeepingDefinition, keep_everything
from include.config.keys import known_keys
from include.config.model import DefinitionModel
from include.config.orgs import OrgDefinition
from include.config.push_models import objects_named, read_model
from include.config.pushes import PushDefinition
from include.errors import DefinitionError
from include.settings import read_settings

try:  # every parse of a DAG file reads the definitions: libyaml takes an eighth of the time
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

Model = TypeVar("Model", bound=DefinitionModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """Hold everything that the folder defines, by name, and what is wrong in it."""

    orgs: dict[str, OrgDefinition]
    pushes: dict[str, PushDefinition]
    checks: dict[str, CheckDefinition]
    errors: tuple[DefinitionError, ...]
    housekeeping: HousekeepingDefinition = field(default_factory=HousekeepingDefinition)

    def org(self, name: str) -> OrgDefinition:
        """Return an org's definition.

        Raises:
            DefinitionError: there is none of this name; the message lists those there are.
        """
        if name not in self.orgs:
            known = ", ".join(sorted(self.orgs)) or "none"
            raise DefinitionError(f"no org is called {name!r}; defined: {known}", file="orgs/")
        return self.orgs[name]

    def push(self, name: str) -> PushDefinition:
        """Return a push's definition.

        Raises:
            DefinitionError: there is none of this name; the message lists those there are.
        """
        if name not in self.pushes:
            known = ", ".join(sorted(self.pushes)) or "none"
            raise DefinitionError(f"no push is called {name!r}; defined: {known}", file="pushes/")
        return self.pushes[name]

    def neighbours(self, push: PushDefinition) -> tuple[str, ...]:
        """Return the names of the other pushes over the same connection."""
        connection = push.destination.connection
        return tuple(
            name
            for name, each in self.pushes.items()
            if name != push.push and each.destination.connection == connection
        )


def load_definitions(folder: Path | None = None) -> Definitions:
    """Return what `orgs/`, `pushes/` and `checks/` below `folder` define; errors are collected, not raised.

    Args:
        folder: None for the one that the setting HEADWATER_DEFINITIONS names.
    """
    folder = folder or read_settings().definitions
    errors: list[DefinitionError] = []
    if not folder.is_dir():
        problem = f"the folder {folder} does not exist; make it, or mend HEADWATER_DEFINITIONS"
        return Definitions(orgs={}, pushes={}, checks={}, errors=(DefinitionError(problem),))
    orgs = _by_name(_read(folder, "orgs", OrgDefinition, errors), "org", errors)
    pushes = _by_name(_read(folder, "pushes", PushDefinition, errors), "push", errors)
    check_files = _read(folder, "checks", CheckFile, errors)
    checks = _by_name([(file, each) for file, content in check_files for each in content.checks], "check", errors)
    models = _models(folder, errors)
    pushes = dict(_with_known_source(pushes, orgs, models, errors))
    return Definitions(
        orgs={name: each for name, (_, each) in orgs.items()},
        pushes={name: each for name, (_, each) in pushes.items()},
        checks={name: each for name, (_, each) in checks.items()},
        housekeeping=_housekeeping(folder, errors),
        errors=tuple(errors),
    )


def _housekeeping(folder: Path, errors: list[DefinitionError]) -> HousekeepingDefinition:
    """Return what `housekeeping.yaml` says; the defaults without it, and no removal at all while it is wrong."""
    for path in sorted(folder.glob("housekeeping.y*ml")):
        try:
            return HousekeepingDefinition.model_validate(_content(path, path.name))
        except DefinitionError as error:
            errors.append(error)
        except ValidationError as error:
            errors.extend(_as_definition_errors(error, path.name, HousekeepingDefinition))
        return keep_everything()
    return HousekeepingDefinition()


def _read(folder: Path, kind: str, model: type[Model], errors: list[DefinitionError]) -> list[tuple[str, Model]]:
    found: list[tuple[str, Model]] = []
    if not (folder / kind).is_dir():
        errors.append(
            DefinitionError(f"there is no such folder in {folder}; make it, empty if need be", file=f"{kind}/")
        )
    for path in sorted((folder / kind).glob("*.y*ml")):
        name = f"{kind}/{path.name}"
        try:
            found.append((name, model.model_validate(_content(path, name))))
        except DefinitionError as error:
            errors.append(error)
        except ValidationError as error:
            errors.extend(_as_definition_errors(error, name, model))
    return found


def _content(path: Path, name: str) -> dict[str, object]:
    """Return the keys and values of a file, whatever a person may have written into it.

    Raises:
        DefinitionError: it cannot be read, is no YAML, or holds something else.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise DefinitionError(f"this is not YAML{place}: {problem}", file=name) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"the file cannot be read: {error}", file=name) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        # YAML's own readers of dates and numbers raise these for 2026-02-30, for !!int x, for 3,000 nested brackets.
        raise DefinitionError(f"a value cannot be read: {error}; quote it if it is text", file=name) from error
    if not isinstance(content, dict):
        raise DefinitionError("the file must hold keys and values; it is empty or a list", file=name)
    return content


class _UniqueKeys(SafeLoader):
    """Refuse a key that stands twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value!r} stands here twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


def _as_definition_errors(error: ValidationError, file: str, model: type[DefinitionModel]) -> Iterator[DefinitionError]:
    found = error.errors(include_url=False, include_context=False)
    for each in found:
        place = each["loc"]
        if any(other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in found):
            continue  # only follows from the error inside it: "no item left after validation"
        key = ".".join(str(part) for part in place)
        message = each["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list: [a, b]")
        if each["type"] == "extra_forbidden":
            message = f"no such key here; {_advice(place, model)}"
        elif each["type"] == "missing":
            message = "this key is missing"
        yield DefinitionError(message, file=file, key=key)


def _advice(place: tuple[int | str, ...], model: type[DefinitionModel]) -> str:
    """Return what to do about a key that there is none of: the nearest one that may stand there, if one is near."""
    near = difflib.get_close_matches(str(place[-1]), sorted(known_keys(model, place[:-1])), n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else "check its spelling and its place"


def _by_name(
    found: list[tuple[str, Model]], attribute: str, errors: list[DefinitionError]
) -> dict[str, tuple[str, Model]]:
    named: dict[str, tuple[str, Model]] = {}
    for file, each in found:
        name = getattr(each, attribute)
        if name in named:
            errors.append(
                DefinitionError(
                    f"{name!r} is defined already in {named[name][0]}; rename one", file=file, key=attribute
                )
            )
        else:
            named[name] = (file, each)
    return named


def _models(folder: Path, errors: list[DefinitionError]) -> dict[str, str]:
    """Return the SELECT of each file in `models/`, by name; the folder need not be there."""
    models: dict[str, str] = {}
    for path in sorted((folder / "models").glob("*.sql")):
        try:
            models[path.stem] = read_model(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            errors.append(DefinitionError(f"the file cannot be read: {error}", file=f"models/{path.name}"))
        except ValueError as error:
            errors.append(DefinitionError(str(error), file=f"models/{path.name}"))
    return models


def _with_known_source(
    pushes: dict[str, tuple[str, PushDefinition]],
    orgs: dict[str, tuple[str, OrgDefinition]],
    models: dict[str, str],
    errors: list[DefinitionError],
) -> Iterator[tuple[str, tuple[str, PushDefinition]]]:
    for name, (file, push) in pushes.items():
        if push.org not in orgs:
            known = ", ".join(sorted(orgs)) or "none"
            errors.append(DefinitionError(f"no org is called {push.org!r}; defined: {known}", file=file, key="org"))
            continue
        org_file, org = orgs[push.org]
        try:
            yield name, (file, _resolved(push, org, org_file, models))
        except ValueError as error:
            key = f"source.{push.source.kind}"
            errors.append(DefinitionError(str(error), file=file, key=key))


def _resolved(push: PushDefinition, org: OrgDefinition, org_file: str, models: dict[str, str]) -> PushDefinition:
    """Return the push with what its source means in its org.

    Raises:
        ValueError: there is no such source.
    """
    source = push.source
    if source.object:
        if source.object not in org.all_objects:
            raise ValueError(f"org {push.org!r} does not read {source.object}; add it to `objects` in {org_file}")
        return push
    if source.query:
        query = org.query(source.query)
        if query is None:
            known = ", ".join(each.name for each in org.queries) or "none"
            raise ValueError(f"org {push.org!r} has no query {source.query!r} in {org_file}; it has: {known}")
        key = source.key if "key" in source.model_fields_set else query.key
        filled: dict[str, object] = {"key": key, "objects": (query.parts.object,)}
    else:
        sql = models.get(source.model or "")
        if sql is None:
            known = ", ".join(sorted(models)) or "none"
            raise ValueError(f"there is no usable file models/{source.model}.sql; there are: {known}")
        named = objects_named(sql, org.all_sources)
        behind = (query.parts.object if (query := org.query(each)) else each for each in named)
        filled = {"sql": sql, "objects": tuple(dict.fromkeys(behind))}
    return push.model_copy(update={"source": source.model_copy(update=filled)})
