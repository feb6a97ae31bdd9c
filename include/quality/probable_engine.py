"""Compare records by probability: Splink, on an engine of its own inside this process, within bounds.

The engine keeps to its share of memory and spills the rest into a folder of its own, encrypted by a key that only this
process knows; the folder is gone afterwards. Splink's logger is silent.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from include.errors import FatalError
from include.quality.probable_model import BLOCKS, COLUMNS, LARGEST_BLOCK, STRANGERS, Model, starting_model

if TYPE_CHECKING:
    import duckdb

_TRAINING_PAIRS = 100_000
_FEWEST_PAIRS = 200  # below this, what is learnt would be chance
_BATCH = 20_000
_SEED = 1
Scored = tuple[str, str, float]


class ProbableEngine:
    """Hold people, their candidates, and what Splink learns and says of them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._columns: tuple[str, ...] = ()

    def fill(self, people: Any, forms: Sequence[Sequence[str]]) -> int:
        """Take in people and find the candidates among them; return how many pairs there are.

        Args:
            people: an Arrow reader of batches, all of text: `unique_id` and those of COLUMNS that there are.
            forms: groups of first names that are forms of one name.
        """
        self._columns = tuple(each for each in COLUMNS if each in people.schema.names)
        made = {each: _cleaned(each) for each in self._columns}
        listed = ", ".join(f"{sql} AS {name}" for name, sql in ({"first": "NULL::VARCHAR"} | made).items())
        self._connection.register("incoming", people)
        self._run(f"CREATE TABLE arrived AS SELECT unique_id, {listed} FROM incoming")
        self._connection.unregister("incoming")
        self._add_forms(forms)
        blocks = [
            f"SELECT DISTINCT hash('{place}' || {sql}) AS key, unique_id FROM person WHERE {sql} IS NOT NULL"
            for place, (needs, sql) in enumerate(BLOCKS)
            if set(needs) <= set(self._columns)
        ]
        if not blocks:
            raise FatalError("nothing to compare people by; name their fields under `duplicates` of the org")
        self._run(f"CREATE TABLE block AS {' UNION ALL '.join(blocks)}")
        self._run(
            "CREATE TABLE candidate AS WITH small AS"
            f" (SELECT key FROM block GROUP BY key HAVING count(*) BETWEEN 2 AND {LARGEST_BLOCK})"
            " SELECT DISTINCT a.unique_id AS left_id, b.unique_id AS right_id FROM small"
            " JOIN block AS a USING (key) JOIN block AS b USING (key) WHERE a.unique_id < b.unique_id"
        )
        self._run("DROP TABLE block")
        return int(self._run("SELECT count(*) FROM candidate")[0][0])

    def _add_forms(self, forms: Sequence[Sequence[str]]) -> None:
        """Give each person the groups that their first name is in."""
        pairs = [[name, group] for group, names in enumerate(forms) for name in names]
        self._run("CREATE TABLE form (name VARCHAR, member INTEGER)")
        with _ours():
            self._connection.execute(
                f"INSERT INTO form SELECT {_cleaned('name')}, member FROM"
                " (SELECT unnest(?::VARCHAR[]) AS name, unnest(?::INTEGER[]) AS member)",
                [[name for name, _ in pairs], [member for _, member in pairs]],
            )
        self._run(
            "CREATE TABLE person AS SELECT a.*, f.forms, NULL::BIGINT AS bucket FROM arrived AS a LEFT JOIN"
            " (SELECT name, list(DISTINCT member) AS forms FROM form GROUP BY name) AS f ON f.name = a.first"
        )
        self._run("DROP TABLE arrived")

    @property
    def starting_model(self) -> dict[str, Any]:
        """Return what is known before anything is learnt."""
        return starting_model(self._columns)

    def learn(self) -> dict[str, Any] | None:
        """Return a model learnt from the candidates: probabilities, and nothing of anybody; None: too few to learn."""
        strangers = self._sample("stranger", STRANGERS)
        pairs = self._sample("pair", "TRUE")
        if min(strangers, pairs) < _FEWEST_PAIRS:
            return None
        start = self.starting_model
        # Among strangers no pair is one, so one step of the learning counts what they share.
        alone = start | {"probability_two_random_records_match": 1e-6, "max_iterations": 1}
        try:
            apart = self._learnt("stranger", alone, of_strangers=True)
            apart |= {key: start[key] for key in ("probability_two_random_records_match", "max_iterations")}
            return self._learnt("pair", apart, of_strangers=False)
        except ValueError:  # Splink takes no probability that has become zero: these records teach nothing
            return None

    def score(self, model: Model, threshold: float) -> Iterator[Sequence[Scored]]:
        """Yield the candidates that are probably one, with how probable it is, block by block."""
        linker, api = _linker(self._connection, "person", model)
        self._run(
            "CREATE TABLE blocked AS SELECT '0' AS match_key, left_id AS join_key_l, right_id AS join_key_r"
            " FROM candidate"
        )
        linker.table_management.register_blocked_pairs_for_predict(api.register("blocked"))
        with _ours():
            found = linker.inference.predict(threshold_match_probability=threshold)
            rows = self._connection.execute(
                "SELECT least(unique_id_l, unique_id_r), greatest(unique_id_l, unique_id_r), match_probability"
                f" FROM {found.physical_name}"
            )
            while block := rows.fetchmany(_BATCH):
                yield block

    def _learnt(self, table: str, model: Model, *, of_strangers: bool) -> dict[str, Any]:
        from splink import block_on

        linker, _ = _linker(self._connection, table, model)
        with _ours():
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on("bucket"),
                fix_u_probabilities=not of_strangers,
                fix_m_probabilities=of_strangers,
                fix_probability_two_random_records_match=of_strangers,
                populate_probability_two_random_records_match_from_trained_values=not of_strangers,
            )
        learnt: dict[str, Any] = linker.misc.save_model_to_json()
        return learnt

    def _sample(self, table: str, condition: str) -> int:
        """Keep candidates of a kind as pairs of rows in a bucket each, always the same ones; return how many."""
        self._run(
            f"CREATE TABLE {table} AS WITH chosen AS (SELECT c.*, row_number() OVER"
            f" (ORDER BY hash(left_id || right_id || '{_SEED}'), left_id, right_id) AS place FROM candidate AS c"
            f" JOIN person AS l ON l.unique_id = left_id JOIN person AS r ON r.unique_id = right_id WHERE {condition})"
            ", sides AS (SELECT place, unnest([left_id, right_id]) AS side FROM chosen"
            f" WHERE place <= {_TRAINING_PAIRS})"
            " SELECT p.* REPLACE (p.unique_id || ':' || place AS unique_id, place AS bucket)"
            " FROM sides JOIN person AS p ON p.unique_id = side"
        )
        return int(self._run(f"SELECT count(*) // 2 FROM {table}")[0][0])

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        with _ours():
            return self._connection.execute(sql).fetchall()


@contextmanager
def probable_engine(*, memory_mb: int) -> Iterator[ProbableEngine]:
    """Yield an empty engine; what it took and learnt is gone afterwards, from the disk too."""
    import duckdb

    _silence()
    with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
        settings: dict[str, Any] = {
            "memory_limit": f"{memory_mb}MB",
            "threads": 2,
            "temp_directory": folder,
            "temp_file_encryption": True,
            "preserve_insertion_order": False,
        }
        connection = duckdb.connect(config=settings)
        try:
            yield ProbableEngine(connection)
        finally:
            connection.close()


def _linker(connection: duckdb.DuckDBPyConnection, table: str, model: Model) -> tuple[Any, Any]:
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection=connection)
    return Linker(api.register(table), dict(model), log_level=None), api


def _cleaned(column: str) -> str:
    """Return the expression of a column as it is compared."""
    text = f"nullif(trim({column}), '')"
    if column in ("phone", "mobile"):
        digits = f"regexp_replace({text}, '[^0-9]', '', 'g')"
        return f"CASE WHEN length({digits}) >= 7 THEN right({digits}, 8) END"
    if column == "email":
        return f"CASE WHEN {text} LIKE '%_@_%._%' THEN lower({text}) END"
    if column in ("first", "last", "name", "zip"):
        return f"nullif(regexp_replace(lower(strip_accents({text})), '[^\\p{{L}}\\p{{N}}]', '', 'g'), '')"
    return text


def _silence() -> None:
    """Let Splink say nothing: not even a statement of it goes into a task's log."""
    logger = logging.getLogger("splink")
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)
    logger.handlers = [logging.NullHandler()]


@contextmanager
def _ours() -> Iterator[None]:
    """Turn errors of the engine and of Splink into ours, without their text: it may quote a value."""
    import duckdb
    from splink.internals.exceptions import SplinkException

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise FatalError(
            "comparing people by probability needs more than its share of memory; raise `memory_mb` under"
            " `probable_duplicates` of the org, or give the temporary folder more room"
        ) from None
    except (duckdb.Error, SplinkException) as error:
        raise FatalError(
            f"comparing people by probability failed ({type(error).__name__}); nothing of it is kept"
        ) from None
