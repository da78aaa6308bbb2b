"""The roles under which a study hands its sentences to the report.

=============  ======  =============================================================================
role           kind    what to put in ``StudyResult.text[role]``
=============  ======  =============================================================================
finding        lead    one sentence: what was found. Leads the study's page and the question tree.
headline       number  a key number: ``params={"estimate": <Estimate.name>, "label": <text>}``. The
                       label is the key's sentence if the catalogue has it, else ``label``. The
                       first headline of each study competes for the four places of page one.
cannot_tell    list    what this data cannot tell; the first page shows three, one per study first.
consensus      table   ``params`` claim, evidence, decision (or keys ``<key>.claim`` …). Page one.
mechanism      prose   mechanism → goal; sentences and displayed formulae ``$$…$$``.
inputs         values  one row each: the sentence names it, ``params["value"]`` is the concrete one.
outputs        values  as ``inputs``.
pipeline       steps   5-10 short lines.
outcomes       table   fixed beforehand: ``params`` outcome, when, then (pass / reject / anomaly).
design         prose   the design and why it can answer the question.
symbols        list    one symbol each, ``$V$`` is …
decision       lead    the decision line.
insight        prose   what it means at the level of the mechanism.
tradeoffs      list    what is gained and what is paid.
assumptions    table   ``params`` assumption, handling.
scope          list    where each conclusion holds.
limits         list    what could be wrong.
issues         list    what went wrong in the run.
next           list    what to do next.
modules        values  ``params={"where": "allocation.certificate:certificate"}``; the sentence says
                       what it does. A function that does not exist is marked as missing.
=============  ======  =============================================================================

A cell or a parameter may be a plain value, a nested ``Message`` or an ``Estimate`` (written with
its interval). Unknown roles are ignored, missing ones leave their section out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lead", "number", "list", "table", "prose", "values", "steps"]


@dataclass(frozen=True)
class Role:
    """One role: how it is laid out, and the columns of its table."""

    name: str
    kind: Kind
    columns: tuple[str, ...] = ()


ROLES = {
    role.name: role
    for role in (
        Role("finding", "lead"),
        Role("headline", "number"),
        Role("cannot_tell", "list"),
        Role("consensus", "table", ("claim", "evidence", "decision")),
        Role("mechanism", "prose"),
        Role("inputs", "values"),
        Role("outputs", "values"),
        Role("pipeline", "steps"),
        Role("outcomes", "table", ("outcome", "when", "then")),
        Role("design", "prose"),
        Role("symbols", "list"),
        Role("decision", "lead"),
        Role("insight", "prose"),
        Role("tradeoffs", "list"),
        Role("assumptions", "table", ("assumption", "handling")),
        Role("scope", "list"),
        Role("limits", "list"),
        Role("issues", "list"),
        Role("next", "list"),
        Role("modules", "values"),
    )
}

BEFORE_EVIDENCE = ("mechanism", "inputs", "pipeline", "outcomes")
"""Sections of a study page between its finding and its verdicts, in order."""

AFTER_VERDICTS = ("design", "symbols")
"""Sections between the key numbers and the figures."""

AFTER_EVIDENCE = ("insight", "tradeoffs", "assumptions", "scope", "limits", "issues", "next")
"""Sections after the figures, in order."""
