"""The glass box opened: any network, or a formula, as a graph of gates that can be walked through, checked, drawn and tabled."""

from glassnet.glassbox.comparison import Compared, GradientCheck
from glassnet.glassbox.drawing import svg
from glassnet.glassbox.formula import graph_of_formula, values_of
from glassnet.glassbox.gradient_check import formula_check, gradient_check, torch_loss
from glassnet.glassbox.losses import gate_loss
from glassnet.glassbox.opening import model_inputs, model_targets, open_model
from glassnet.glassbox.page import to_json
from glassnet.glassbox.table import Row, recursion
from glassnet.glassbox.tracing import Opened, open_module
from glassnet.glassbox.walk import walk

__all__ = [
    "Compared",
    "GradientCheck",
    "Opened",
    "Row",
    "formula_check",
    "gate_loss",
    "gradient_check",
    "graph_of_formula",
    "model_inputs",
    "model_targets",
    "open_model",
    "open_module",
    "recursion",
    "svg",
    "to_json",
    "torch_loss",
    "values_of",
    "walk",
]
