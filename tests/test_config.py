from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from giftlive.config import RunConfig, dump_toml, load_config
from giftlive.errors import ConfigError, InputError


@given(
    st.integers(min_value=0, max_value=2**61),
    st.integers(min_value=2, max_value=99),
    st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=3),
)
def test_what_is_written_is_read_back(seed: int, seeds: int, overrides: dict[str, str]) -> None:
    import tempfile

    clean = {k: v for k, v in overrides.items() if k.isprintable() and v.isprintable()}
    config = load_config(overrides={"seed": seed, "arena.seeds": seeds, "arena.overrides": clean})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(dump_toml(config), encoding="utf-8")
        assert load_config(path) == config


@pytest.mark.parametrize(
    ("key", "words", "said"),
    [
        ("attribution_window_ms", ["0", "60000", "viewing"], "or 'viewing'"),
        ("session_gap_ms", ["0", "3600000", "none"], "or 'none'"),
    ],
)
def test_a_limit_is_a_number_or_its_word(
    key: str, words: list[str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    for word in words:
        config = load_config(overrides={f"tables.{key}": word})
        assert str(getattr(config.tables, key)) == word
        path.write_text(dump_toml(config), encoding="utf-8")
        assert load_config(path) == config
    for wrong in ("-1", "never", "1.5", "true"):
        with pytest.raises(ConfigError, match=rf"tables\.{key}: .*expected milliseconds.*{said}"):
            load_config(overrides={f"tables.{key}": wrong})


def test_an_unknown_key_names_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"arena\.sedes: unknown key.*did you mean seeds\?"):
        load_config(overrides={"arena.sedes": "4"})


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", "-1"), ("arena.seeds", "1"), ("ingest.max_reject_share", "2"), ("jobs", "two")],
)
def test_a_value_out_of_range_is_refused_with_its_key(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=key):
        load_config(overrides={key: value})


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("seed = = 1", encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.toml: not valid TOML"):
        load_config(path)
    with pytest.raises(InputError, match="no such file"):
        load_config(tmp_path / "absent.toml")


def test_the_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        RunConfig().seed = 2


SCALES = sorted(
    f"{name}.scale"
    for name, part in RunConfig()
    if isinstance(part, BaseModel) and "scale" in type(part).model_fields
)


@pytest.mark.parametrize("key", SCALES)
def test_a_scale_is_a_name_or_a_number(key: str) -> None:
    """As ``--set KEY=2.5`` gives it."""
    part = key.split(".")[0]
    assert getattr(load_config(overrides={key: 2.5}), part).scale == "2.5"
    assert getattr(load_config(overrides={key: "full"}), part).scale == "full"


def test_the_arena_and_the_demo_have_a_scale() -> None:
    assert {"arena.scale", "demo.scale", "fidelity.scale"} <= set(SCALES)
