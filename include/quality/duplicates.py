"""Find the duplicates of an org: keep the keys of its objects, compare what changed, bring the clusters up to date."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from include.config.duplicates import MatchDefinition
from include.config.orgs import OrgDefinition
from include.quality.duplicate_rules import NEEDS, blocks_of, unusable
from include.quality.nicknames import name_forms, name_pairs
from include.quality.reference_lists import reference_list
from include.warehouse.duplicate_passes import DuplicatePass, finish_pass, has_trigrams
from include.warehouse.duplicate_search import Sought, search, take_due
from include.warehouse.duplicates import BY_RULES, lock_pairs, open_found, settle_pairs
from include.warehouse.engine import driver, transaction
from include.warehouse.match_expressions import folded_name, plain
from include.warehouse.match_keys import KeySet, column_types, keep_keys
from include.warehouse.match_layout import Layout, layout_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Say what is known of an object's duplicates.

    `state` is another whenever a pair came or went. `unusable` names the rules that were not used, with the reason.
    """

    object: str
    state: str = ""
    unusable: Mapping[str, str] = field(default_factory=dict)
    passed: DuplicatePass | None = None


def find_duplicates(engine: Engine, org: OrgDefinition, objects: Collection[str]) -> dict[str, Matched]:
    """Bring the pairs and clusters of these objects up to date, each in transactions of its own, and say how it went.

    What has not changed costs nothing. Records that a load writes meanwhile are compared the next time.

    Raises:
        TableBusy: the keys of an object must be made, and it is being loaded.
    """
    return {name: _find(engine, org, name) for name in sorted(objects)}


def _find(engine: Engine, org: OrgDefinition, object: str) -> Matched:
    definition = org.duplicates.get(object)
    if definition is None:
        every = (*NEEDS["person"], *NEEDS["company"])
        reason = f"no field of {object} is named under duplicates in orgs/{org.org}.yaml"
        return Matched(object=object, unusable=dict.fromkeys(every, reason))
    with transaction(engine) as connection:
        types = column_types(connection, org.schema_name, object)
        if not types:
            reason = f"{object} is not loaded yet"
            return Matched(object=object, unusable=dict.fromkeys(definition.rules, reason))
        trigrams = has_trigrams(connection)
        layout = _layout(definition, types)
        lacking = unusable(definition.kind, layout.fields, off=definition.rules_off, trigrams=trigrams)
        keys = keep_keys(
            connection, org.org, org.schema_name, object, layout, _rules_version(definition, trigrams=trigrams)
        )
    with transaction(engine) as connection:
        passed = _compare(connection, keys, definition, lacking, trigrams=trigrams)
    state = keys.state + (passed is not None and passed.changed_pairs)
    return Matched(object=object, state=f"{keys.set_id}:{state}", unusable=lacking, passed=passed)


def _layout(definition: MatchDefinition, types: Mapping[str, str]) -> Layout:
    return layout_of(
        definition.kind,
        definition.fields,
        types,
        leave_out=definition.leave_out,
        role_mailboxes=reference_list("role_mailboxes"),
    )


def _rules_version(definition: MatchDefinition, *, trigrams: bool) -> str:
    blocks = blocks_of(
        definition.kind, off=definition.rules_off, trigrams=trigrams, min_similarity=definition.min_similarity
    )
    said = [definition.min_score, definition.block_limit, [repr(block) for block in blocks], name_forms()]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=16).hexdigest()


def _compare(
    connection: Connection, keys: KeySet, definition: MatchDefinition, lacking: Mapping[str, str], *, trigrams: bool
) -> DuplicatePass | None:
    """Compare the records that are due; None when there are none."""
    started = time.monotonic()
    lock_pairs(connection, keys.org, keys.object)
    due = take_due(connection, keys)
    if not due.whole and not due.records:
        return None
    open_found(connection)
    if definition.kind == "person":
        _put_nicknames(connection)
    blocks = blocks_of(
        definition.kind,
        off={*definition.rules_off, *lacking},
        trigrams=trigrams,
        min_similarity=definition.min_similarity,
    )
    sought = [
        Sought(
            name=block.name,
            columns=block.columns,
            rules=tuple((each.rule, each.when, each.score) for each in block.rules),
        )
        for block in blocks
    ]
    search(connection, keys, due, sought, limit=definition.block_limit, least=definition.min_score)
    counts = settle_pairs(connection, keys.org, keys.object, BY_RULES, among="" if due.whole else due.table)
    return finish_pass(connection, keys, due, counts, lacking, seconds=time.monotonic() - started)


def _put_nicknames(connection: Connection) -> None:
    """Fill `nickname_pair` with the names that are forms of one, reduced as the keys are."""
    run = driver(connection)
    run.execute("CREATE TEMPORARY TABLE IF NOT EXISTS nickname_raw (name text, other text) ON COMMIT DROP")
    with run.cursor() as cursor, cursor.copy("COPY nickname_raw FROM STDIN") as copy:
        for pair in name_pairs():
            copy.write_row(pair)
    made = [folded_name(plain(column)) for column in ("name", "other")]
    run.execute(
        "CREATE TEMPORARY TABLE nickname_pair ON COMMIT DROP AS"  # type: ignore[arg-type]
        f" SELECT DISTINCT {made[0]} AS name, {made[1]} AS other FROM nickname_raw"
    )
    run.execute("ANALYZE nickname_pair")
