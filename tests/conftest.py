import os
from pathlib import Path

import pytest
from hypothesis import settings

# Compiled functions are slow once: deadlines would measure the compiler. CI draws the same cases
# every time; a developer's machine explores new ones.
settings.register_profile("giftlive", deadline=None, max_examples=50)
settings.register_profile("ci", parent=settings.get_profile("giftlive"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "giftlive")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test out of the user's cache."""
    monkeypatch.setenv("GIFTLIVE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def shared_data(name: str) -> Path:
    """Return ``../shared/data/<name>``, or skip with the reason."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"the data folder ../shared/data/{name} is not beside this repository")
    return path


@pytest.fixture(scope="session")
def gdq() -> Path:
    """Return the folder of real donations."""
    return shared_data("gdq")
