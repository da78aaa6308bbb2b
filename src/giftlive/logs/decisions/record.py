"""A stretch of the decision log as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.errors import InputError
from giftlive.types import Bools, Floats, Ints

EXACT, MONTE_CARLO = "exact", "monte_carlo"
"""Kinds of propensity: computed by the policy, or estimated by drawing its choice many times."""

Texts = NDArray[np.object_]
"""Strings, None where there is none."""

PER_CANDIDATE = {"candidates": -1, "propensities": 0.0, "values": 0.0, "prices": 0.0}
"""The [n, m] columns and what pads them."""


@dataclass(frozen=True, eq=False)
class DecisionLog:
    """n decisions in order of time, with up to m candidates each.

    Where the file has null, text is None, an integer -1 and a number NaN. Rows with fewer than m
    candidates are padded at the end: candidates by -1, the other [n, m] columns by 0. The columns
    are described one by one in ``docs/decision-log.md``; :func:`~giftlive.logs.decisions.validate`
    says what makes them valid.

    Raises
    ------
    InputError
        A column has another length or width than the rest.
    """

    decision_id: Texts
    user_id: Ints
    ts: Ints
    seed: Ints
    visit: Ints
    slot: Ints
    candidates: Ints
    action: Ints
    propensity: Floats
    propensity_kind: Texts
    draws: Ints
    propensities: Floats
    slate_id: Texts
    position: Ints
    conditional_propensity: Floats
    marginal_propensity: Floats
    price_version: Texts
    values: Floats
    prices: Floats
    policy: Texts
    policy_version: Texts
    reason: Texts
    reward: Floats
    reward_ts: Ints
    matured: Bools

    def __post_init__(self) -> None:
        n = len(self.decision_id)
        m = self.candidates.shape[1] if self.candidates.ndim == 2 else 0
        for name in COLUMNS:
            found, shape = getattr(self, name).shape, (n, m) if name in PER_CANDIDATE else (n,)
            if found != shape:
                raise InputError(f"shape {found}", f"column {name}", f"shape {shape}")

    def __len__(self) -> int:
        return len(self.decision_id)

    @property
    def width(self) -> int:
        """Number m of candidate columns."""
        return self.candidates.shape[1]

    @property
    def shown(self) -> Bools:
        """[n] whether anything was shown."""
        return self.action != -1

    @property
    def available(self) -> Bools:
        """[n, m] True where there is a candidate."""
        return self.candidates != -1

    @cached_property
    def column(self) -> Ints:
        """[n] column of the action among the candidates; -1 where nothing (listed) was shown."""
        hit = (self.candidates == self.action[:, None]) & self.available
        return np.where(hit.any(axis=1), hit.argmax(axis=1), -1) if self.width else self.action

    @cached_property
    def chance(self) -> Floats:
        """[n] entry of the action in ``propensities``; 0 where nothing was shown."""
        return self.of_action(self.propensities)

    def of_action(self, table: Floats) -> Floats:
        """Return [n] the action's entries of a table [n, m]; 0 where nothing (listed) was shown."""
        if not self.width:
            return np.zeros(len(self))
        picked = np.take_along_axis(table, self.column.clip(0)[:, None], axis=1)[:, 0]
        return np.where(self.column >= 0, picked, 0.0)

    def rows(self, which: Any) -> DecisionLog:
        """Return the rows that an index, a slice or a mask picks."""
        return DecisionLog(**{name: getattr(self, name)[which] for name in COLUMNS})

    def widened(self, width: int) -> DecisionLog:
        """Return the same decisions padded to ``width`` >= m candidate columns."""
        more = width - self.width
        if more == 0:
            return self
        padded: dict[str, Any] = {
            name: np.pad(getattr(self, name), ((0, 0), (0, more)), constant_values=pad)
            for name, pad in PER_CANDIDATE.items()
        }
        return replace(self, **padded)


COLUMNS = tuple(field.name for field in fields(DecisionLog))
"""Names in stored order, those of ``TABLES["decision"]`` (tested)."""


def joined(parts: Sequence[DecisionLog]) -> DecisionLog:
    """Return the rows of several logs (at least one), one after another."""
    width = max(part.width for part in parts)
    wide = [part.widened(width) for part in parts]
    return DecisionLog(
        **{name: np.concatenate([getattr(part, name) for part in wide]) for name in COLUMNS}
    )


def known(texts: Texts) -> Bools:
    """Return [n] whether there is a text."""
    return np.array([text is not None for text in texts], dtype=bool)
