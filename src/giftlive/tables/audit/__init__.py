"""Can a feature see the future? Change the future and look.

Nothing here trusts how a feature was computed. Rows are drawn from every part of the data,
training days included; their features are computed again, by the portable SQL, and compared with
the table:

- **future**: everything *known* at or after a cut t is changed (:mod:`.future`); features of
  rows at or before t must not move. Permuting by ``ts`` instead would miss a gift stamped with
  its entry, which is in the past by ``ts`` but not yet known.
- **replay**: nothing is changed, and each row is joined with the events before it, a route that
  shares no step with windows or the sweep.
- **lift**: a feature alone that ranks gifts better than a feature can (:mod:`.lift`).
- **canary**: leaks of every kind are planted into the rebuilt rows (:mod:`.canary`). Each must be
  caught, or the audit has lost its power and fails itself.
"""

from giftlive.tables.audit.finding import AuditFinding, refuse_leaks
from giftlive.tables.audit.trials import audit_features, find_leaks

__all__ = ["AuditFinding", "audit_features", "find_leaks", "refuse_leaks"]
