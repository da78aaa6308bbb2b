"""Every study by name, in the order of the question tree."""

from __future__ import annotations

from giftlive.config import nearest
from giftlive.errors import UsageError
from giftlive.studies.baseline import Baseline
from giftlive.studies.behavioural_fidelity import BehaviouralFidelity
from giftlive.studies.cold_start import ColdStart
from giftlive.studies.concave_returns import ConcaveReturns
from giftlive.studies.concurrency import Concurrency
from giftlive.studies.context import Study
from giftlive.studies.delay import Delay
from giftlive.studies.estimate_vs_allocate import EstimateVsAllocate
from giftlive.studies.exploration import Exploration
from giftlive.studies.first_window import FirstWindow
from giftlive.studies.interference import Interference
from giftlive.studies.multi_task import MultiTaskStudy
from giftlive.studies.off_policy import OffPolicy
from giftlive.studies.pareto import Pareto
from giftlive.studies.phase_diagram import PhaseDiagram
from giftlive.studies.recall_rerank import RecallRerank
from giftlive.studies.risk import Risk
from giftlive.studies.shadow_price import ShadowPrice
from giftlive.studies.two_stage import TwoStage
from giftlive.studies.value_models import ValueModels
from giftlive.studies.whale_matching import WhaleMatching
from giftlive.studies.world_fidelity import WorldFidelity

STUDIES: tuple[Study, ...] = (
    Exploration(),
    Baseline(),
    WorldFidelity(),
    OffPolicy(),
    ShadowPrice(),
)
"""The studies of `giftlive run`."""

ON_REQUEST: tuple[Study, ...] = (
    BehaviouralFidelity(),
    ValueModels(),
    TwoStage(),
    Delay(),
    MultiTaskStudy(),
    FirstWindow(),
    RecallRerank(),
    ConcaveReturns(),
    PhaseDiagram(),
    WhaleMatching(),
    ColdStart(),
    Interference(),
    EstimateVsAllocate(),
    Concurrency(),
    Pareto(),
    Risk(),
)
"""Studies that run only by name: each makes worlds of its own for minutes, or needs an extra."""


def find(name: str) -> Study:
    """Return the study called ``name``.

    Raises
    ------
    UsageError
        There is none; the nearest name is given.
    """
    for study in (*STUDIES, *ON_REQUEST):
        if study.name == name:
            return study
    known = [study.name for study in (*STUDIES, *ON_REQUEST)]
    raise UsageError("no such study", repr(name), "the name of a study", nearest(name, known))
