"""Whatever is edited in whatever order: comparing what changed ends where comparing everything would."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from include.quality.duplicates import find_duplicates

WANTED = {("Contact", "Contact"), ("Lead", "Contact")}
VALUES = {
    "FirstName": (None, "Robert", "Bob", "Ray", "Rboert"),
    "LastName": ("Ray", "Robert", "Lee"),
    "Email": (None, "a@x.de", "b@x.de", "info@x.de"),
    "Phone": (None, "+49 30 5551234", "+49 30 5559876"),
}
OWN = {
    "Contact": {
        "AccountId": (None, "a1"),
        "Birthdate": (None, "1980-01-02", "1950-01-02"),
        "MobilePhone": (None, "+49 30 5551234"),
    },
    "Lead": {"Company": (None, "Blue Ltd"), "IsConverted": (False, True)},
}
IDS = {"Contact": [f"c{n}" for n in range(7)], "Lead": [f"l{n}" for n in range(3)]}


def _edits():
    def of(object: str):
        fields = st.fixed_dictionaries(
            {name: st.sampled_from(values) for name, values in (VALUES | OWN[object]).items()}
        )
        puts = st.tuples(st.just("put"), st.just(object), st.sampled_from(IDS[object]), fields)
        return puts | st.tuples(st.sampled_from(["delete", "purge"]), st.just(object), st.sampled_from(IDS[object]))

    return of("Contact") | of("Lead")


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(_edits(), min_size=1, max_size=6), min_size=2, max_size=4))
def test_comparing_what_changed_ends_where_comparing_everything_does(shared_org, rounds):
    """Pairs, links and clusters are the same, and comparing everything moves no record to another cluster."""
    org = shared_org
    contact = org.definition.duplicates["Contact"].model_copy(update={"block_limit": 3})
    org.definition = org.definition.model_copy(update={"duplicates": org.definition.duplicates | {"Contact": contact}})
    for edits in rounds:
        for kind, object, record_id, *fields in edits:
            if kind == "put":
                org.put(object, {"Id": record_id, **fields[0]})
            elif kind == "delete":
                org.delete(object, record_id)
            else:
                _run(org, f'DELETE FROM salesforce_acme."{object}" WHERE "Id" = :id', id=record_id)
        find_duplicates(org.engine, org.definition, WANTED)
        compared = _found(org)
        _run(org, "UPDATE headwater.match_set SET matched_at = NULL")
        find_duplicates(org.engine, org.definition, WANTED)
        assert _found(org) == compared
        assert _connected(compared["pairs"]) == _parts(compared["members"])


def _run(org, sql, **values):
    with org.engine.begin() as connection:
        connection.execute(text(sql), values)


def _found(org):
    columns = {
        "pairs": "object, left_id, right_id, rule, score FROM headwater.duplicate_pair",
        "links": "record_id, other_id, rule, score FROM headwater.duplicate_link",
        "members": "object, record_id, cluster_id FROM headwater.duplicate_member",
        "clusters": "cluster_id, members, ended_at, merged_into FROM headwater.duplicate_cluster",
        "crowds": "block, key FROM headwater.match_crowd",
    }
    with org.engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(text(f"SELECT {sql}"))), key=repr)
            for name, sql in columns.items()
        }


def _connected(pairs):
    """Return the parts that pairs make, by merging sets one pair at a time."""
    parts: list[set[tuple[str, str]]] = []
    for object, left, right, *_ in pairs:
        joined = {(object, left), (object, right)}
        apart = [part for part in parts if not part & joined]
        parts = [*apart, joined.union(*(part for part in parts if part & joined))]
    return sorted(map(sorted, parts))


def _parts(members):
    parts: dict[int, list[tuple[str, str]]] = {}
    for object, record_id, cluster_id in members:
        parts.setdefault(cluster_id, []).append((object, record_id))
    return sorted(map(sorted, parts.values()))
