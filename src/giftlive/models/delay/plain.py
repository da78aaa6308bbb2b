"""Fitted laws and treatments as plain data and back: numbers, arrays and trees, no pickle.

A fitted object is a frozen dataclass of numbers, arrays, tree texts and other such objects. It is
written as its name and its fields; only the names listed here are read back, so that a folder from
elsewhere can make nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from giftlive.errors import InputError
from giftlive.models.base import Stored
from giftlive.models.delay.at_once import Atom
from giftlive.models.delay.chance import GrownChance, LinearChance
from giftlive.models.delay.cox import FittedCox
from giftlive.models.delay.delay_buckets import FittedBuckets
from giftlive.models.delay.delayed_feedback import FittedDelay
from giftlive.models.delay.design import Design
from giftlive.models.delay.discrete_hazard import FittedHazard
from giftlive.models.delay.kaplan_meier import Curve
from giftlive.models.delay.law import GiftLaw
from giftlive.models.delay.mean_amount import FittedAmount
from giftlive.models.delay.survival_chance import FittedSurvival
from giftlive.models.delay.weibull_aft import FittedWeibull
from giftlive.models.trees import Forest

_CLASSES: tuple[type[Any], ...] = (
    *(Atom, Curve, Design, FittedAmount, FittedBuckets, FittedCox, FittedDelay, FittedHazard),
    *(FittedSurvival, FittedWeibull, GiftLaw, GrownChance, LinearChance),
)
KNOWN = {one.__name__: one for one in _CLASSES}


@dataclass
class Plain:
    """Arrays and trees beside a tree of numbers, by their place in it."""

    arrays: dict[str, Stored] = field(default_factory=dict)
    forests: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def write(self, value: Any, place: str) -> Any:
        """Return ``value`` as JSON can hold it.

        Raises
        ------
        InputError
            It holds something that is none of the known objects.
        """
        if isinstance(value, np.ndarray):
            self.arrays[place] = Stored.of(value)
            return {"array": place}
        if isinstance(value, Forest):
            self.forests[place] = value.texts
            return {"forest": place}
        if isinstance(value, tuple):
            return {"tuple": [self.write(v, f"{place}.{i}") for i, v in enumerate(value)]}
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return float(value) if np.isfinite(value) else {"number": str(float(value))}
        kind = type(value).__name__
        if KNOWN.get(kind) is not type(value):
            raise InputError(
                f"a {kind} cannot be saved", place, f"one of {', '.join(KNOWN)}, numbers, arrays"
            )
        own = {
            f.name: self.write(getattr(value, f.name), f"{place}.{f.name}") for f in fields(value)
        }
        return {"object": kind, "fields": own}

    def read(self, data: Any) -> Any:
        """Return what ``write`` was given, bit for bit.

        Raises
        ------
        InputError
            The data are not of this form.
        """
        if not isinstance(data, dict):
            return data
        try:
            if "array" in data:
                return self.arrays[data["array"]].array()
            if "forest" in data:
                return Forest(tuple(self.forests[data["forest"]]))
            if "tuple" in data:
                return tuple(self.read(v) for v in data["tuple"])
            if "number" in data:
                return float(data["number"])
            own = {key: self.read(v) for key, v in data["fields"].items()}
            return KNOWN[data["object"]](**own)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"not a saved law or treatment ({type(error).__name__}: {error})",
                "model.json",
                f"objects {', '.join(KNOWN)}",
                "train it again",
            ) from error
