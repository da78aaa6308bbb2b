"""What the service says about itself: metrics for Prometheus, and one JSON line per message."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

_SECONDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LOGGER = logging.getLogger("giftlive.service")


class Telemetry:
    """Counters and timings of one worker."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        make: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            "giftlive_requests", "Requests by path and status.", ("path", "status"), **make
        )
        self.seconds = Histogram(
            "giftlive_request_seconds", "Time to answer.", ("path",), buckets=_SECONDS, **make
        )
        self.commit = Histogram(
            "giftlive_commit_seconds", "Time to make a group durable.", buckets=_SECONDS, **make
        )
        self.group = Histogram(
            "giftlive_commit_records",
            "Records made durable together.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200),
            **make,
        )
        self.gauges = {
            name: Gauge(f"giftlive_{name}", text, **make)
            for name, text in (
                ("waiting", "Records that wait to become durable."),
                ("commit_failures", "Groups that the store did not take."),
                ("log_seq", "Number of the last record applied."),
                ("tick_age_seconds", "Age of features and prices."),
                ("live_rooms", "Rooms that are live."),
                ("viewers", "Viewers inside."),
                ("open_decisions", "Decisions whose outcome is not final."),
                ("decisions", "Decisions in the log."),
                ("events", "Events in the log."),
                ("duplicate_events", "Events heard again."),
                ("orphan_events", "Events that followed no open decision."),
                ("amount", "Amount of final decisions."),
                ("stale_prices", "1 while prices stand still."),
                ("kill_switch", "1 while it is on."),
                ("guardrails_breached", "Guardrails on the wrong side."),
                ("guardrail_trips", "Breaches so far."),
            )
        }

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.requests.labels(path, str(status)).inc()
        self.seconds.labels(path).observe(seconds)

    def committed(self, seconds: float, records: int) -> None:
        """Count a group that became durable."""
        self.commit.observe(seconds)
        self.group.observe(records)

    def page(self) -> bytes:
        """Return everything in Prometheus' text form."""
        return generate_latest(self.registry)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        plain = {
            "ts": int(record.created * 1000),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        plain |= getattr(record, "fields", {})
        if record.exc_info:
            plain["exception"] = self.formatException(record.exc_info)
        return json.dumps(plain, ensure_ascii=False)


class _Stderr(logging.Handler):
    """Writes to what standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)  # noqa: T201


def log_to_stderr(level: str = "INFO") -> None:
    """Write one JSON line per message to standard error."""
    handler = _Stderr()
    handler.setFormatter(_JsonLines())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level)
    logging.getLogger("uvicorn.error").handlers[:] = [handler]  # its warnings are lines like ours


def say(message: str, level: int = logging.INFO, **fields: Any) -> None:
    """Log a message with fields; never a header, a body or a query."""
    LOGGER.log(level, message, extra={"fields": fields})
