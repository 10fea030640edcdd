"""Preprocessing: modules without trainable parts, fitted on the training part alone, saved and applied with the network."""

from glassnet.data.preprocess.as_is import AsIs
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.decorrelate import Decorrelate
from glassnet.data.preprocess.fitting import PREPROCESSING, fit, preprocess_from_json
from glassnet.data.preprocess.normalise import Normalise
from glassnet.data.preprocess.table import TableInputs
from glassnet.data.preprocess.target_scale import TargetScale

__all__ = [
    "PREPROCESSING",
    "AsIs",
    "Decorrelate",
    "Normalise",
    "Preprocess",
    "TableInputs",
    "TargetScale",
    "fit",
    "preprocess_from_json",
]
