"""Features: each declared once, and one portable SQL text generated from the declarations."""

from giftlive.tables.features.declare import FEATURES, SNAPSHOT_FEATURES, Feature
from giftlive.tables.features.query import Plan, plan_features

__all__ = ["FEATURES", "SNAPSHOT_FEATURES", "Feature", "Plan", "plan_features"]
