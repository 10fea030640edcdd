"""Figures of merit: how good predictions are, how sure that is, and what simple methods reach on the same data."""

from glassnet.evaluate.classification import ClassificationFigures, classification_report
from glassnet.evaluate.forecast import Forecast, compared_forecasts
from glassnet.evaluate.interval import Interval, Spread, spread, wilson
from glassnet.evaluate.judge import Figures, figures_from_json, judge
from glassnet.evaluate.language import LanguageFigures, language_report
from glassnet.evaluate.over_folds import over_folds, rivals_over_folds
from glassnet.evaluate.regression import RegressionFigures, regression_report
from glassnet.evaluate.rival import Rival
from glassnet.evaluate.rivals import rivals, rivals_of, trivial_baseline
from glassnet.evaluate.tagging import entity_figures
from glassnet.evaluate.translation import TranslationFigures, translation_report

__all__ = [
    "ClassificationFigures",
    "Figures",
    "Forecast",
    "Interval",
    "LanguageFigures",
    "RegressionFigures",
    "Rival",
    "Spread",
    "TranslationFigures",
    "classification_report",
    "compared_forecasts",
    "entity_figures",
    "figures_from_json",
    "judge",
    "language_report",
    "over_folds",
    "regression_report",
    "rivals",
    "rivals_of",
    "rivals_over_folds",
    "spread",
    "translation_report",
    "trivial_baseline",
    "wilson",
]
