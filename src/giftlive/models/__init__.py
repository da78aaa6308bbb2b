"""E[gift amount | user, room, now]: value models, and the Scorer that makes them fast.

``registry.MODELS`` names the models. All share one shape, ``fit(X, y, groups, names=...)`` →
a fitted model with ``predict`` (expected amount), ``predict_proba`` (chance of a gift) and
``card``. ``distillation.distil`` turns the values of any of them into a ``Scorer``; ``folder``
saves and loads both without pickle. A feature of -1 or NaN is unknown.
"""
