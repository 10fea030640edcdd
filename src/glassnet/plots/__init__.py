"""Pictures of events and figures. They draw what was computed elsewhere; each is a figure with a sentence on what it shows."""

from glassnet.plots.calibration import reliability_diagram
from glassnet.plots.confusion import confusion_plot
from glassnet.plots.curves import figure_curve, loss_curve, rate_curve
from glassnet.plots.inside import (
    activation_histograms,
    gradient_depth_plot,
    silent_units_curve,
    step_reach_curve,
    update_ratio_curve,
)
from glassnet.plots.lr_range import lr_range_plot
from glassnet.plots.residuals import prediction_plot
from glassnet.plots.runs import compared_curve, small_curves
from glassnet.plots.style import Drawing, png, svg

__all__ = [
    "Drawing",
    "activation_histograms",
    "compared_curve",
    "confusion_plot",
    "figure_curve",
    "gradient_depth_plot",
    "loss_curve",
    "lr_range_plot",
    "png",
    "prediction_plot",
    "rate_curve",
    "reliability_diagram",
    "silent_units_curve",
    "small_curves",
    "step_reach_curve",
    "svg",
    "update_ratio_curve",
]
