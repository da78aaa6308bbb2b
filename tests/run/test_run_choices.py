"""Names and targets that a run must judge before it works for minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from giftlive.config import load_config
from giftlive.errors import ConfigError, UsageError
from giftlive.run.choices import check_choices
from giftlive.run.folder import RUN, STORE, TWIN, Kind, atomic_folder, check_target


def test_the_defaults_exist() -> None:
    check_choices(load_config())


def test_the_evening_is_valued_by_the_model_that_the_gate_asks_about() -> None:
    config = load_config()
    assert config.arena.value_model == config.value_models.default == "hurdle"
    assert config.arena.value_model in config.models.names


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("models.names", ["user_past_spend", "ridg"], "no model 'ridg'.*did you mean ridge"),
        ("models.names", ["ridge", "two_part"], "0 trivial rankers among 2.*user_past_spend"),
        ("models.names", ["pair_past_spend"], "1 trivial rankers among 1.*ridge"),
        ("models.names", [], "0 trivial rankers among 0"),
        ("arena.value_model", "hurdl", "no model 'hurdl'.*did you mean hurdle"),
        ("arena.preset", "scarse", "unknown preset 'scarse'.*did you mean scarce"),
        ("arena.overrides", {"seats.lod": "1"}, "key seats.lod.*did you mean load"),
        ("demo.preset", "kuai", "unknown preset 'kuai'"),
        ("demo.scale", "tinny", "unknown scale 'tinny'.*did you mean tiny"),
    ],
)
def test_a_name_without_a_thing_is_refused(key: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_choices(load_config(overrides={key: value}))


@pytest.mark.parametrize("kind", [RUN, STORE, TWIN])
def test_only_an_older_folder_of_the_same_kind_is_replaced(tmp_path: Path, kind: Kind) -> None:
    check_target(tmp_path / "new", overwrite=False, kind=kind)
    check_target(tmp_path, overwrite=False, kind=kind)
    (tmp_path / kind.marker).write_text("{}", encoding="utf-8")
    check_target(tmp_path, overwrite=True, kind=kind)
    with pytest.raises(UsageError, match=f"the {kind.name} exists.*--overwrite"):
        check_target(tmp_path, overwrite=False, kind=kind)
    for other in {RUN, STORE, TWIN} - {kind}:
        with pytest.raises(UsageError, match=f"not a {other.name}"):
            check_target(tmp_path, overwrite=True, kind=other)
    file = tmp_path / kind.marker
    with pytest.raises(UsageError, match=f"not a {kind.name}"):
        check_target(file, overwrite=True, kind=kind)


def test_a_failed_block_leaves_no_parent_folder_either(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "down" / "RUN"
    with pytest.raises(RuntimeError), atomic_folder(out, overwrite=False):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(out, overwrite=False) as work:
        (work / "manifest.json").write_text("{}", encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["deep"]
    assert [p.name for p in out.iterdir()] == ["manifest.json"]
