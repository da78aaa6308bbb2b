"""Workers of another kind than joblib's own: a Dask cluster, here or elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from giftlive.errors import UsageError, install_hint


@contextmanager
def dask_client(jobs: int, scheduler: str | None) -> Iterator[None]:
    """Hold a client open that joblib's backend ``dask`` finds.

    A client that is running already is used and left alone; otherwise one is connected to
    ``scheduler``, or, without an address, to ``jobs`` single-threaded worker processes started
    here, and closed at the end.

    Raises
    ------
    UsageError
        ``dask[distributed]`` is not installed, or nobody answers at ``scheduler``.
    """
    try:
        from distributed import Client, LocalCluster, default_client
    except ImportError:
        raise UsageError(
            "dask[distributed] is not installed", "rollouts.backend", "dask, once it is",
            install_hint("cluster"),
        ) from None  # fmt: skip
    try:
        default_client()
    except ValueError:
        pass
    else:
        yield
        return
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=10)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"nobody answers: {error}", "rollouts.scheduler", "tcp://host:port of a scheduler"
            ) from None
        with client:
            yield
        return
    with (
        LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        yield
