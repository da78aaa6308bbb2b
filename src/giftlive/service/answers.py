"""What the service says about a decision: always made of its record, so that it says it again."""

from __future__ import annotations

from typing import Any

import numpy as np

from giftlive.clock import MS_PER_SECOND
from giftlive.service.record import Record
from giftlive.types import Floats


def answer_of(record: Record, expiry_seconds: float) -> dict[str, Any]:
    """Return the answer to the request behind a decision record."""
    meta, a = record.meta, record.arrays
    columns = a["columns"]
    charges = _charges(record)
    ranking = [
        {
            "live_id": int(a["candidates"][c]),
            "value": (value := float(a["values"][c])),
            "price": max(charge := float(charges[c]), 0.0),
            "bonus": max(0.0 - charge, 0.0),
            "score": value - charge,
            "propensity": float(a["conditional"][place]),
            "marginal_propensity": float(a["marginal"][place]),
        }
        for place, c in enumerate(columns.tolist())
    ]
    return {
        "decision_id": meta["decision_id"],
        "request_id": meta["request_id"],
        "user_id": meta["user_id"],
        "ts": meta["ts"],
        "ranking": ranking,
        "closed": a["closed"].tolist() if "closed" in a else [],
        "policy": meta["policy"],
        "policy_version": meta["policy_version"],
        "price_version": meta["price_version"],
        "reason": meta["reason"],
        "valued_by": meta["mode"],
        "as_of_ts": meta["as_of"],
        "expires_ts": meta["ts"] + int(expiry_seconds * MS_PER_SECOND),
    }


def explanation_of(record: Record, expiry_seconds: float) -> dict[str, Any]:
    """Return the answer with every candidate taken apart, best score first."""
    a, charges = record.arrays, _charges(record)
    scores = a["values"] - charges
    left = a.get("seats_left")
    places = {column: place for place, column in enumerate(a["columns"].tolist())}
    candidates = [
        {
            "live_id": int(a["candidates"][c]),
            "value": float(a["values"][c]),
            "price": max(float(charges[c]), 0.0),
            "bonus": max(0.0 - float(charges[c]), 0.0),
            "score": float(scores[c]),
            "propensity": float(a["propensities"][c]),
            "expected_seat_seconds": float(a["seconds"][c]),
            "seats_left": None if left is None or left[c] > 1 << 39 else int(left[c]),
            "place": places.get(c),
        }
        for c in np.argsort(-scores, kind="stable").tolist()
    ]
    found = answer_of(record, expiry_seconds)
    found |= {"candidates": candidates, "shadow": record.meta.get("shadow")}
    return found | {"state_seq": record.meta["state_seq"], "kill_switch": record.meta["killed"]}


def _charges(record: Record) -> Floats:
    charges = record.arrays.get("prices")
    return np.zeros(len(record.arrays["values"])) if charges is None else charges
