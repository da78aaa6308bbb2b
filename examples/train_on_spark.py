"""Train a value model with xgboost.spark on the tables: python examples/train_on_spark.py [FOLDER]

The tables come from the portable SQL text; with ``engine="spark"`` Spark builds them as well, on a
cluster that sees the folder. One worker and two must agree with XGBoost in one process. Needs the
extra ``spark`` and a Java runtime (docs/scale-out.md).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.logs.ingest import ingest
from giftlive.tables import TableOptions, build_tables
from giftlive.tables.matrix import load_matrix
from giftlive.world import build_world, load_scenario, write_twin

FEATURES = ("user_gift_sum", "pair_gift_sum", "streamer_gift_sum", "user_click_count")
SETTINGS: dict[str, Any] = {
    "objective": "reg:tweedie",
    "n_estimators": 20,
    "max_depth": 3,
    "learning_rate": 0.3,
    "tree_method": "hist",
    "base_score": 1.0,
}


def spark_session(master: str) -> Any:
    """Return a session on this machine, or on a cluster's master."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).config("spark.ui.enabled", "false")
    return builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()


def main(folder: Path, master: str = "local[2]", engine: str = "duckdb") -> dict[str, float]:
    """Return the largest differences from training in one process, by number of workers."""
    from xgboost import XGBRegressor
    from xgboost.spark import SparkXGBRegressor

    write_twin(build_world(load_scenario("kuailive", "tiny"), seed=1), folder / "LOGS")
    store = ingest(folder / "LOGS", folder / "STORE")
    place = master if engine == "spark" else None
    build_tables(
        store, folder / "TABLES", TableOptions(form="portable", engine=engine, master=place)
    )
    matrix = load_matrix(folder / "TABLES", FEATURES)
    alone = XGBRegressor(**SETTINGS).fit(matrix.X, matrix.y).predict(matrix.X)

    session = spark_session(master)
    rows = session.read.parquet(str(folder / "TABLES" / "samples")).where("matured")
    rows = rows.select("sample_id", "label_amount", *FEATURES).na.fill(-1.0)
    differences = {}
    for workers in (1, 2):
        model = SparkXGBRegressor(
            features_col=list(FEATURES), label_col="label_amount", num_workers=workers, **SETTINGS
        )
        scored = model.fit(rows).transform(rows).orderBy("sample_id").select("prediction")
        together = np.array([row[0] for row in scored.collect()])
        differences[f"{workers} workers"] = float(np.max(np.abs(together / alone - 1.0)))
    session.stop()
    return differences


if __name__ == "__main__":
    print(main(Path(sys.argv[1] if len(sys.argv) > 1 else "EXAMPLE")))
