"""Whether Spark can run here, for the tests that need it."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest


def _no_spark() -> str:
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark is not installed: scripts/setup dev,spark"
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        return "there is no Java runtime on PATH or at JAVA_HOME"
    return ""


needs_spark = pytest.mark.skipif(bool(_no_spark()), reason=_no_spark() or "Spark is there")
