"""The figures of the facts, one file per topic: each title states what the data say."""

from giftlive.studies.fact_figures.catalogue import fact_figures

__all__ = ["fact_figures"]
