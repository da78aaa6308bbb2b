"""What we derive from the logs as of a time: labels, sessions, features, splits, and their audit.

Every number here is a function of what was *known* strictly before the decision
(``known_ts < ts``), of integers, and of one generated SQL text, so that another engine can run
the same statement and must return the same rows.
"""

from giftlive.tables.audit import AuditFinding, audit_features, find_leaks
from giftlive.tables.build import Tables, build_tables
from giftlive.tables.labels import Attribution
from giftlive.tables.matrix import Matrix, load_matrix
from giftlive.tables.options import TableOptions
from giftlive.tables.probe import features_at
from giftlive.tables.splits import Fold, event_folds, rolling_origins

__all__ = [
    "Attribution",
    "AuditFinding",
    "Fold",
    "Matrix",
    "TableOptions",
    "Tables",
    "audit_features",
    "build_tables",
    "event_folds",
    "features_at",
    "find_leaks",
    "load_matrix",
    "rolling_origins",
]
