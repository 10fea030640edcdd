"""Seeing inside: one method a file, (model, inputs, target) -> a frozen record of NumPy arrays. ``plots`` draws them.

A model is one of Glassnet's or any ``torch.nn.Module``; it is left bit for bit as it was, with no hook on it.
"""

from glassnet.explain.answers import Answers, Worst, top_classes, worst
from glassnet.explain.attribution import Attribution
from glassnet.explain.boundary import Boundary, boundary
from glassnet.explain.embedding import Embedding, embed
from glassnet.explain.feature_maps import FeatureMaps, LayerMaps, feature_maps
from glassnet.explain.filters import Filters, filters
from glassnet.explain.grad_cam import grad_cam
from glassnet.explain.history import History, history
from glassnet.explain.integrated_gradients import integrated_gradients
from glassnet.explain.landscape import LossSlice, loss_slice
from glassnet.explain.maximisation import Maximised, maximise
from glassnet.explain.neighbours import Neighbours, neighbours
from glassnet.explain.occlusion import occlusion
from glassnet.explain.robustness import Equivariance, Robustness, equivariance, robustness
from glassnet.explain.saliency import saliency

__all__ = [
    "Answers",
    "Attribution",
    "Boundary",
    "Embedding",
    "Equivariance",
    "FeatureMaps",
    "Filters",
    "History",
    "LayerMaps",
    "LossSlice",
    "Maximised",
    "Neighbours",
    "Robustness",
    "Worst",
    "boundary",
    "embed",
    "equivariance",
    "feature_maps",
    "filters",
    "grad_cam",
    "history",
    "integrated_gradients",
    "loss_slice",
    "maximise",
    "neighbours",
    "occlusion",
    "robustness",
    "saliency",
    "top_classes",
    "worst",
]
