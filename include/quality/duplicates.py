"""Find the duplicates of an org: keep the keys of its objects, compare what changed, bring the clusters up to date."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, text

from include.config.duplicates import COMPANY_RULES, PERSON_RULES, MatchDefinition, own_fields
from include.config.inspect import nearest_name
from include.config.orgs import OrgDefinition
from include.errors import TableBusy
from include.quality.duplicate_rules import blocks_of, unusable
from include.quality.nicknames import name_forms, name_pairs
from include.quality.reference_lists import reference_list
from include.warehouse.duplicates.ledger import BY_RULES, lock_pairs, open_found, settle_pairs
from include.warehouse.duplicates.links import Side, forget_links, link
from include.warehouse.duplicates.match_expressions import bare_name, folded, plain
from include.warehouse.duplicates.match_keys import KeySet, column_types, keep_keys
from include.warehouse.duplicates.match_layout import Layout, layout_of
from include.warehouse.duplicates.passes import DuplicatePass, finish_pass, has_trigrams
from include.warehouse.duplicates.search import Sought, search, take_due
from include.warehouse.engine import driver, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Say what is known of an object's duplicates, or of what it has in common with another.

    `state` is another whenever a pair came or went. `unusable` names the rules that were not used, with the reason.
    """

    state: str = ""
    unusable: Mapping[str, str] = field(default_factory=dict)
    passed: DuplicatePass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """Hold an object whose keys are there."""

    keys: KeySet
    definition: MatchDefinition
    lacking: Mapping[str, str]
    trigrams: bool
    rules: str

    def blocks(self) -> list[Sought]:
        chosen = blocks_of(
            self.definition.kind,
            off={*self.definition.rules_off, *self.lacking},
            trigrams=self.trigrams,
            min_similarity=self.definition.min_similarity,
        )
        return [
            Sought(
                name=block.name,
                columns=block.columns,
                rules=tuple((each.rule, each.when, each.score) for each in block.rules),
            )
            for block in chosen
        ]


def find_duplicates(
    engine: Engine, org: OrgDefinition, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Matched]:
    """Bring pairs, clusters and links up to date, and say how it went.

    What has not changed costs nothing. Records that a load writes meanwhile are compared the next time.

    Args:
        engine: the warehouse.
        org: whose.
        wanted: among what duplicates are sought: an object with itself, or with another (leads among contacts).
    """
    found: dict[tuple[str, str], Matched] = {}
    ready: dict[str, _Ready] = {}
    for name in sorted({name for each in wanted for name in each}):
        prepared = _prepare(engine, org, name)
        if isinstance(prepared, _Ready):
            ready[name] = prepared
        else:
            found[name, name] = prepared
    links = sorted((one, other) for one, other in wanted if one != other)
    with transaction(engine) as connection:
        sides: dict[str, Side] = {}
        for name, each in ready.items():
            sides[name], passed = _compare(connection, each)
            state = connection.execute(text(_STATE), {"id": each.keys.set_id}).scalar_one()
            found[name, name] = Matched(state=f"{each.keys.set_id}.{state}", unusable=each.lacking, passed=passed)
        moved = [name for name, side in sides.items() if side.due.whole or side.due.records]
        forget_links(connection, org.org, moved, links)
        for one, other in links:
            found[one, other] = _link(connection, found, ready, sides, one, other)
    return found


_STATE = "SELECT state FROM headwater.match_set WHERE set_id = :id"


def _prepare(engine: Engine, org: OrgDefinition, object: str) -> _Ready | Matched:
    """See to it that the keys of an object are there; what is missing where they cannot be."""
    definition = org.duplicates.get(object)
    if definition is None:
        reason = f"no field of {object} is named under duplicates in orgs/{org.org}.yaml"
        return Matched(unusable=dict.fromkeys((*PERSON_RULES, *COMPANY_RULES), reason))
    try:
        with transaction(engine) as connection:
            return _keep(connection, org, object, definition)
    except TableBusy:
        reason = f"{object} is being loaded just when its keys must be made; the next assessment makes them"
        return Matched(unusable=dict.fromkeys(definition.rules, reason))


def _keep(connection: Connection, org: OrgDefinition, object: str, definition: MatchDefinition) -> _Ready | Matched:
    types = column_types(connection, org.schema_name, object)
    if not types:
        return Matched(unusable=dict.fromkeys(definition.rules, f"{object} is not loaded yet"))
    trigrams = has_trigrams(connection)
    layout = _layout(definition, types)
    lacking = unusable(
        definition.kind,
        layout.fields,
        off=definition.rules_off,
        trigrams=trigrams,
        absent=_absent(org.org, object, definition, types),
    )
    rules = _rules_version(definition, trigrams=trigrams)
    keys = keep_keys(connection, org.org, org.schema_name, object, layout, rules)
    return _Ready(keys=keys, definition=definition, lacking=lacking, trigrams=trigrams, rules=rules)


def _absent(org: str, object: str, definition: MatchDefinition, types: Mapping[str, str]) -> dict[str, str]:
    """Return, by role whose field the warehouse does not have, which that is and what may be meant."""
    place = f"duplicates.{object}.{{}} in orgs/{org}.yaml"
    own = own_fields(object, definition)
    reasons = {}
    for role, named in definition.fields.items():
        if named in types:
            continue
        if role in own:
            near = nearest_name(named, dict.fromkeys(types, ""))
            meant = f"; did you mean {near}?" if near else ""
            reasons[role] = f"{object} has no field {named}, which {place.format(role)} names{meant}"
        else:
            shown = f"the org shows no {object}.{named}: let the connection's user read it"
            reasons[role] = f"{shown}, or name another by {place.format(role)}"
    return reasons


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


def _compare(connection: Connection, ready: _Ready) -> tuple[Side, DuplicatePass | None]:
    """Compare the records that are due; no pass when there are none."""
    started = time.monotonic()
    keys, definition = ready.keys, ready.definition
    lock_pairs(connection, keys.org, keys.object)
    due = take_due(connection, keys)
    if not due.whole and not due.records:
        return Side(keys=keys, due=due), None
    open_found(connection)
    _put_nicknames(connection)
    search(connection, keys, due, ready.blocks(), limit=definition.block_limit, least=definition.min_score)
    among = "" if due.whole else due.table
    counts = settle_pairs(connection, keys.org, keys.object, BY_RULES, among=among, alive=keys.table)
    passed = finish_pass(connection, keys, due, counts, ready.lacking, seconds=time.monotonic() - started)
    return Side(keys=keys, due=due), passed


def _link(
    connection: Connection,
    found: Mapping[tuple[str, str], Matched],
    ready: Mapping[str, _Ready],
    sides: Mapping[str, Side],
    one: str,
    other: str,
) -> Matched:
    lacking = {**found[other, other].unusable, **found[one, one].unusable}
    if one not in ready or other not in ready:
        return Matched(unusable=lacking)
    if {ready[one].definition.kind, ready[other].definition.kind} != {"person"}:
        reason = f"{one} and {other} are not both people"
        return Matched(unusable=dict.fromkeys((*PERSON_RULES, *COMPANY_RULES), reason))
    _put_nicknames(connection)
    # A contact's company is an Id and a lead's a name: only what both have is compared.
    blocks = [block for block in ready[one].blocks() if block.name in _ACROSS]
    least = max(ready[one].definition.min_score, ready[other].definition.min_score)
    rules = f"{ready[one].rules}{ready[other].rules}"
    counts = link(connection, sides[one], sides[other], blocks, rules=rules, least=least)
    return Matched(state=str(counts.state), unusable=lacking)


_ACROSS = ("email", "phone_names", "phone_last")
RULES_ACROSS = ("email", "phone", "swapped", "nickname", "typo", "similar")


def _put_nicknames(connection: Connection) -> None:
    """Fill `nickname_pair` with the names that are forms of one, reduced as the keys are; once in a transaction."""
    run = driver(connection)
    if connection.execute(text("SELECT to_regclass('pg_temp.nickname_pair') IS NOT NULL")).scalar_one():
        return
    run.execute("CREATE TEMPORARY TABLE nickname_raw (name text, other text, is_direct boolean) ON COMMIT DROP")
    with run.cursor() as cursor, cursor.copy("COPY nickname_raw FROM STDIN") as copy:
        for pair in name_pairs():
            copy.write_row(pair)
    made = [folded(bare_name(plain(column))) for column in ("name", "other")]
    run.execute(
        "CREATE TEMPORARY TABLE nickname_pair ON COMMIT DROP AS"
        f" SELECT {made[0]} AS name, {made[1]} AS other, bool_or(is_direct) AS is_direct FROM nickname_raw"
        " GROUP BY 1, 2"
    )
    run.execute("ANALYZE nickname_pair")
