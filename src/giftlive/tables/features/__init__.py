"""Features: each declared once, and one portable SQL text generated from the declarations."""

from giftlive.tables.features.declare import FEATURES, SNAPSHOT_FEATURES, Feature
from giftlive.tables.features.query import features_sql

__all__ = ["FEATURES", "SNAPSHOT_FEATURES", "Feature", "features_sql"]
