"""The report: one self-contained HTML page, its Markdown twin and static figures, from a run.

``render`` reads ``manifest.json`` and ``results/*.json`` and recomputes nothing: every number on
a page comes from a results file, every sentence from ``i18n/``. The roles under which studies
hand over their sentences are listed in :mod:`giftlive.reports.roles`.
"""

from giftlive.reports.i18n import missing_keys, translate
from giftlive.reports.render import render

__all__ = ["missing_keys", "render", "translate"]
