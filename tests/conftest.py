import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

PrepareEvening = Callable[[Path, dict[str, str], int], tuple[Any, Any]]

# Compiled functions are slow once: deadlines would measure the compiler. CI draws the same cases
# every time; a developer's machine explores new ones.
settings.register_profile("giftlive", deadline=None, max_examples=50)
settings.register_profile("ci", parent=settings.get_profile("giftlive"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "giftlive")


DEAR = ("tests/evaluation/", "tests/studies/")
"""Folders whose session fixtures are worlds with logs, tables, models and studies."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out tests by file, and those of a dear folder to one worker: it fills it once."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped, unused-ignore]

    class ByFolderOrFile(LoadFileScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return next((folder for folder in DEAR if file.startswith(folder)), file)

    return ByFolderOrFile(config, log)


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


@pytest.fixture(scope="session")
def prepare() -> PrepareEvening:
    """Return what fills a folder with a world's logs, tables and evening, as a run does."""
    # Imported here: tests of a lower layer do not pay for the upper ones.
    from giftlive.evaluation.evening import evening_world, open_evening, prepare_evening
    from giftlive.logs import Store, ingest
    from giftlive.tables.build import build_tables
    from giftlive.tables.options import TableOptions
    from giftlive.world import write_twin

    def make(folder: Path, settings: dict[str, str], seed: int) -> tuple[Any, Any]:
        world = evening_world("scarce", None, settings, seed)
        write_twin(world, folder / "logs", truth=False)
        ingest(folder / "logs", folder / "store")
        store = Store.open(folder / "store")
        build_tables(store, folder / "tables", TableOptions())
        (folder / "evening").mkdir()
        prepare_evening(store, folder / "tables", world, seed, folder / "evening", "hurdle")
        return store, open_evening(folder / "evening", "scarce", None, settings, seed)

    return make
