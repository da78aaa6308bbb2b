"""What every decision log promises, whoever wrote it (columns: ``docs/decision-log.md``).

The promises are SQL over the file, written apart from the rules by which the product's own
reader and writer judge it: two ways of saying what is valid, which have to agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np

from giftlive.errors import GiftLiveError
from giftlive.logs.decisions import EXACT, DecisionLog, read_decisions, world_decision_id
from giftlive.logs.schema import MAX_TS, TABLES
from giftlive.logs.store import connection, literal_path
from giftlive.testing.promise import require, strays
from giftlive.types import Floats, Ints

DecisionCheck = Callable[[Path], None]

BINS = 12
_ROWS = 20_000


def check_decision_log(path: Path) -> None:
    """Raise AssertionError at the first promise that the log at ``path`` breaks.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from giftlive.logs.decisions import DecisionWriter
    >>> from giftlive.testing import make_decisions
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "decision.parquet"
    ...     with DecisionWriter(path) as writer:
    ...         writer.append(make_decisions(1))
    ...     check_decision_log(path)
    """
    for check in DECISION_CHECKS:
        check(Path(path))


def columns_are_those_of_the_schema(path: Path) -> None:
    """Require every column, in its type, and no gap where none is allowed."""
    rows = f"read_parquet({literal_path(path.absolute())})"
    try:
        with closing(connection()) as con:
            found = {row[0]: row[1] for row in con.execute(f"describe from {rows}").fetchall()}
    except duckdb.Error as error:
        raise AssertionError(f"{path} is no Parquet file: {error}") from error
    gaps = []
    for column in TABLES["decision"].columns:
        kind = found.get(column.name)
        require(kind == column.type, f"column {column.name} is {kind}, not {column.type}")
        gap = f'"{column.name}" is null'
        if column.type.endswith("[]"):
            gap += f' or list_count("{column.name}") < len("{column.name}")'
        if not column.nullable:
            gaps.append((gap, f"'has a gap in {column.name}'"))
    _require_none(path, *gaps)


def every_decision_has_one_id(path: Path) -> None:
    """Require distinct ids that are not empty, and users with ids of 0 or more."""
    _require_none(
        path,
        ("user_id < 0", "'was asked for user ' || user_id"),
        ("decision_id = ''", "'has an empty decision_id'"),
        (
            "true qualify count(*) over (partition by decision_id) > 1",
            "'shares decision_id ' || decision_id || ' with another'",
        ),
    )


def time_never_runs_backwards(path: Path) -> None:
    """Require rows in order of time, and rewards that are not older than their decisions."""
    _require_none(
        path,
        (f"not ts between 0 and {MAX_TS}", "'was decided at ' || ts"),
        (
            "true qualify ts < lag(ts) over (order by file_row_number)",
            "'was decided at ' || ts || ', before the row above it'",
        ),
        ("reward_ts < ts", "'was rewarded at ' || reward_ts || ', before ' || ts"),
    )


def actions_are_candidates(path: Path) -> None:
    """Require actions among distinct candidates, or -1, with one entry of every list for each."""
    uneven = (
        (
            f'len("{column}") <> len(candidates)',
            f"""'has ' || len("{column}") || ' {column} for ' || len(candidates)"""
            " || ' candidates'",
        )
        for column in ("propensities", "values", "prices")
    )
    _require_none(
        path,
        *uneven,
        ("list_min(candidates) < 0", "'lists room ' || list_min(candidates)"),
        ("list_unique(candidates) < len(candidates)", "'lists a candidate more than once'"),
        (
            "action <> -1 and not list_contains(candidates, action)",
            "'shows room ' || action || ', which is not among its candidates'",
        ),
    )


def propensities_are_probabilities(path: Path) -> None:
    """Require propensities in [0, 1] that sum to 1, or to 0 where nothing was shown."""
    total = "coalesce(list_sum(propensities), 0)"
    _require_none(
        path,
        (
            "not (list_min(propensities) >= 0 and list_max(propensities) <= 1)",
            "'has a propensity outside [0, 1]'",
        ),
        (
            f"not abs({total} - if(action = -1, 0, 1)) <= 1e-6",
            f"'showed ' || action || ' with propensities that sum to ' || {total}",
        ),
        (
            "(propensity is null) <> (action = -1)",
            "'showed ' || action || ' with propensity ' || coalesce(propensity::varchar, 'null')",
        ),
        (
            "not (propensity > 0 and propensity <= 1)",
            "'states propensity ' || propensity || ', not one in (0, 1]'",
        ),
    )


def propensities_belong_to_the_action(path: Path) -> None:
    """Require the stated propensity to be the action's entry in the list of all of them."""
    stated = "if(slate_id is null, propensity, conditional_propensity)"
    listed = "propensities[list_position(candidates, action)]"
    _require_none(
        path,
        (
            f"action <> -1 and not abs({stated} - {listed}) <= 1e-9",
            f"'states propensity ' || {stated} || ', its list says ' || {listed}",
        ),
    )


def kinds_of_propensity_are_told(path: Path) -> None:
    """Require exact propensities, or estimates that are never 0 and say how many draws they had."""
    _require_none(
        path,
        (
            "propensity_kind not in ('exact', 'monte_carlo')",
            "'has propensities of the kind ' || propensity_kind",
        ),
        (
            "(propensity_kind = 'exact') <> (draws is null) or draws < 1",
            "'is ' || propensity_kind || ' with draws ' || coalesce(draws::varchar, 'null')",
        ),
        (
            "propensity_kind = 'monte_carlo' and action <> -1 and list_min(propensities) = 0",
            "'estimates a propensity of 0: not seen in ' || draws || ' draws is not impossible'",
        ),
    )


def rewards_are_final(path: Path) -> None:
    """Require a finite reward and its time where it has matured, and neither elsewhere."""
    infinite = (
        (
            f'not list_bool_and(list_transform("{column}", lambda x: isfinite(x)))',
            f"'has {column} that are not finite'",
        )
        for column in ("values", "prices")
    )
    _require_none(
        path,
        (
            "(reward is null) = matured or (reward_ts is null) = matured",
            "'is matured: ' || matured || ', with reward ' || coalesce(reward::varchar, 'null')",
        ),
        ("not isfinite(reward)", "'has reward ' || reward"),
        ("action = -1 and reward <> 0", "'showed nothing and earned ' || reward"),
        *infinite,
    )


def slates_are_whole(path: Path) -> None:
    """Require places 0, 1, 2, … of distinct rooms, and probabilities that fit together."""
    parts = "slate_id, position, conditional_propensity, marginal_propensity"
    given = " + ".join(f"({name} is not null)::int" for name in parts.split(", "))
    slate, within = "slate_id is not null and", "over (partition by slate_id)"
    product = f"product(conditional_propensity) {within}"
    _require_none(
        path,
        (f"{given} not in (0, 4)", f"'has some of {parts}, not all'"),
        (f"{slate} action = -1", "'is a place of a slate that shows nothing'"),
        (
            f"{slate} not (marginal_propensity > 0 and marginal_propensity <= 1)",
            "'has marginal propensity ' || marginal_propensity",
        ),
        (
            f"{slate} true qualify position <> file_row_number - min(file_row_number) {within}",
            "'holds place ' || position || ' of slate ' || slate_id || ', which is not its turn'",
        ),
        (
            f"{slate} true qualify min(user_id) {within} <> user_id or min(ts) {within} <> ts",
            "'is shown to another user, or at another time, than slate ' || slate_id",
        ),
        (
            f"{slate} true qualify count(*) over (partition by slate_id, action) > 1",
            "'shows room ' || action || ' twice in slate ' || slate_id",
        ),
        (
            f"{slate} true qualify not abs(propensity - {product}) <= 1e-9 * {product}",
            "'states propensity ' || propensity || ' of slate ' || slate_id"
            " || ', not the product of its conditional propensities'",
        ),
    )


def world_ids_follow_the_replay_key(path: Path) -> None:
    """Require decisions of a world to be named by seed, user, visit and slot, and a policy."""
    _require_none(
        path,
        ("policy = '' or policy_version = ''", "'names no policy or no version'"),
        ("(seed is null) <> (visit is null)", "'has a seed or a visit, not both'"),
    )
    for log in _read(path):
        for seed in np.unique(log.seed[log.seed >= 0]):
            mine = log.rows(log.seed == seed)
            names = world_decision_id(int(seed), mine.user_id, mine.visit, mine.slot)
            other = np.flatnonzero(names != mine.decision_id)
            require(
                not len(other),
                f"decision {mine.decision_id[other[:1]]} of seed {seed} must be called"
                f" {names[other[:1]]} after its user, visit and slot",
            )


def one_policy_decides(path: Path) -> None:
    """Require one policy, in one version, for the whole log."""
    _require_none(
        path,
        *(
            (
                f"true qualify {name} <> first({name}) over (order by file_row_number)",
                f"'is of {name} ' || {name} || ', another one than the first row'",
            )
            for name in ("policy", "policy_version")
        ),
    )


def choices_follow_propensities(path: Path) -> None:
    """Require actions to be as frequent as exact propensities say, however rooms are grouped.

    Rooms are grouped by their place in the list, by the rank of their value, by the rank of their
    propensity and by its size. A propensity is conditional on the decisions before it, so in every
    group the count of actions less the sum of propensities is a martingale, and
    :func:`~giftlive.testing.promise.strays` bounds it.
    """
    excess, variance = np.zeros((len(GROUPINGS), BINS)), np.zeros((len(GROUPINGS), BINS))
    for log in _read(path):
        exact = np.equal(log.propensity_kind, EXACT).astype(bool)
        chosen = log.rows(log.shown & exact)
        for k, (_, group) in enumerate(GROUPINGS):
            more, spread = _surprise(chosen, group(chosen).clip(0, BINS - 1))
            excess[k] += more
            variance[k] += spread
    over = np.abs(excess) - strays(variance)
    worst = np.unravel_index(np.argmax(over), over.shape)
    require(
        over[worst] <= 0.0,
        f"rooms of {GROUPINGS[int(worst[0])][0]}{worst[1]} were shown {excess[worst]:+.0f} times"
        f" more than their propensities say; chance explains {strays(variance)[worst]:.0f}",
    )


DECISION_CHECKS: tuple[DecisionCheck, ...] = (
    columns_are_those_of_the_schema,
    every_decision_has_one_id,
    time_never_runs_backwards,
    actions_are_candidates,
    propensities_are_probabilities,
    propensities_belong_to_the_action,
    kinds_of_propensity_are_told,
    rewards_are_final,
    slates_are_whole,
    world_ids_follow_the_replay_key,
    one_policy_decides,
    choices_follow_propensities,
)
"""What every decision log promises."""


def _rank(table: Floats, log: DecisionLog) -> Ints:
    """Return [n, m] the place of each candidate in its row by falling ``table``; padding last."""
    order = np.argsort(np.where(log.available, -table, np.inf), axis=1, kind="stable")
    return np.argsort(order, axis=1, kind="stable")


GROUPINGS: tuple[tuple[str, Callable[[DecisionLog], Ints]], ...] = (
    ("place ", lambda log: np.broadcast_to(np.arange(log.width), log.candidates.shape)),
    ("value rank ", lambda log: _rank(log.values, log)),
    ("propensity rank ", lambda log: _rank(log.propensities, log)),
    ("propensity 2^-", lambda log: np.floor(-np.log2(log.propensities.clip(1e-9))).astype(int)),
)
"""Ways to group candidates that do not look at the action; larger groups than ``BINS`` are one."""


def _surprise(log: DecisionLog, group: Ints) -> tuple[Floats, Floats]:
    """Return [BINS] actions less propensities of every group, and the variance of that sum."""
    n = len(log)
    cell = np.arange(n)[:, None] * BINS + group
    chance = np.bincount(cell.ravel(), log.propensities.ravel(), n * BINS).reshape(n, BINS)
    hit = np.take_along_axis(group, log.column[:, None], axis=1)[:, 0]
    spread: Floats = (chance * (1.0 - chance)).clip(0.0).sum(axis=0)
    return np.bincount(hit, minlength=BINS) - chance.sum(axis=0), spread


def _read(path: Path) -> Iterator[DecisionLog]:
    try:
        yield from read_decisions(path, _ROWS)
    except GiftLiveError as error:
        raise AssertionError(f"the log cannot be read: {error}") from error


def _require_none(path: Path, *claims: tuple[str, str]) -> None:
    """Require that no row is broken; a claim is a condition in SQL, and SQL for what to say."""
    rows = f"read_parquet({literal_path(path.absolute())}, file_row_number = true)"
    with closing(connection()) as con:
        for broken, says in claims:
            query = f"select file_row_number, {says} from {rows} where {broken} order by 1 limit 1"
            try:
                found = con.execute(query).fetchall()
            except duckdb.Error as error:
                raise AssertionError(f"{path} is no decision log: {error}") from error
            require(not found, f"row {found[0][0]} {found[0][1]}" if found else "")
