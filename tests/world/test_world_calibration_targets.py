"""The shipped targets are the published values, and each is measured by a fact."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from giftlive.world.calibration import targets

_PUBLISHED = Path(__file__).parents[3] / "shared" / "reference" / "kuailive_targets.json"


def test_limits_of_a_share_of_the_value_and_of_an_absolute_distance() -> None:
    known = {target.name: target for target in targets()}
    assert np.allclose(known["user_watch_total_p50_p90_p99_s"].limits, [1623, 8349, 25470])
    assert np.allclose(known["user_gini"].limits, [0.01])


def test_density_is_judged_at_full_size_only_and_information_never() -> None:
    known = {target.name: target for target in targets()}
    assert not known["gifting_pair_density"].gated(0.2)
    assert known["gifting_pair_density"].gated(1.0)
    assert not known["amount_max"].gated(1.0)


def test_the_shipped_table_is_the_published_one() -> None:
    if not _PUBLISHED.exists():
        pytest.skip("the published table is not part of the repository")
    published = json.loads(_PUBLISHED.read_text("utf-8"))["targets"]
    assert [target.name for target in targets()] == list(published)
    for target in targets():
        row = published[target.name]
        assert np.allclose(target.value, np.atleast_1d(row["value"]))
        assert target.kind == row["tolerance_kind"]
        assert target.days == row.get("day_basis", "")
        assert target.scope == row.get("scope", "")
        if target.kind != "info":
            assert target.tolerance == row["tolerance"]
