"""Figures of merit: how good predictions are, how sure that is, and what simple methods reach on the same data."""

from glassnet.evaluate.classification import ClassificationFigures, classification_report
from glassnet.evaluate.forecast import compared_forecasts
from glassnet.evaluate.interval import Interval, Spread, spread, wilson
from glassnet.evaluate.judge import Figures, figures_from_json, judge
from glassnet.evaluate.regression import RegressionFigures, regression_report
from glassnet.evaluate.rival import Rival
from glassnet.evaluate.rivals import rivals, rivals_of, trivial_baseline
from glassnet.evaluate.tagging import entity_figures

__all__ = [
    "ClassificationFigures",
    "Figures",
    "Interval",
    "RegressionFigures",
    "Rival",
    "Spread",
    "classification_report",
    "compared_forecasts",
    "entity_figures",
    "figures_from_json",
    "judge",
    "regression_report",
    "rivals",
    "rivals_of",
    "spread",
    "trivial_baseline",
    "wilson",
]
