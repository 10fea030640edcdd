"""The methods by name: what each needs, and how it becomes pictures. The command line and a page of pictures read this table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from glassnet import plots
from glassnet.data.dataset import Part, spread
from glassnet.errors import UsageError, unknown
from glassnet.events import Measured
from glassnet.explain.answers import top_classes, worst
from glassnet.explain.boundary import boundary
from glassnet.explain.embedding import embed
from glassnet.explain.feature_maps import feature_maps
from glassnet.explain.filters import filters
from glassnet.explain.grad_cam import grad_cam
from glassnet.explain.history import history
from glassnet.explain.integrated_gradients import integrated_gradients
from glassnet.explain.landscape import loss_slice
from glassnet.explain.maximisation import maximise
from glassnet.explain.neighbours import neighbours
from glassnet.explain.occlusion import occlusion
from glassnet.explain.robustness import equivariance, robustness
from glassnet.explain.saliency import saliency
from glassnet.explain.subject import Inputs, subject
from glassnet.model import Model
from glassnet.plots.explain_answers import neighbours_plot, top_classes_plot, worst_plot
from glassnet.plots.explain_attributions import attribution_plot
from glassnet.plots.explain_maps import feature_maps_plot, filters_plot, maximised_plot
from glassnet.plots.explain_space import (
    boundary_plot,
    embedding_plot,
    equivariance_plot,
    history_plot,
    loss_slice_plot,
    robustness_plot,
)

MOST_SHOWN = 6
MOST_SEARCHED = 2000
MOST_MEASURED = 500
STEPS, FEW_STEPS = 64, 24  # of the integral


@dataclass(frozen=True)
class Case:
    """What there is to explain with.

    Attributes:
        model: the model.
        inputs: what to explain: files, or raw inputs.
        part: samples with targets, such as the validation part; None without data.
        train: the training part; None without data.
        measured: what the training recorded.
        target: class or output to explain; None takes what the network says.
    """

    model: Model
    inputs: Inputs
    part: Part | None = None
    train: Part | None = None
    measured: Sequence[Measured] = ()
    target: str | None = None


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        title: what it shows, a line.
        draw: makes the picture.
        kinds: kinds of data it applies to.
        tasks: ``classes``, ``values``.
        needs: ``part``, ``train``, ``measured``: what must be there.
        slow: left out of the page unless asked for.
    """

    title: str
    draw: Callable[[Case], plots.Drawing]
    kinds: tuple[str, ...] = ("image", "table", "array", "text", "sound")
    tasks: tuple[str, ...] = ("classes", "values")
    needs: tuple[str, ...] = ()
    slow: bool = False

    def obstacle(self, case: Case) -> str | None:
        """Why this does not apply to the data or the run, as a sentence; None where it does."""
        kind = case.model.schema.kind
        if kind not in self.kinds:
            return f"it is for {' and '.join(self.kinds)} data, and these are of the kind {kind}"
        if case.model.task not in self.tasks:
            return "it is for classes, and this network predicts values"
        words = {
            "part": "samples with their classes",
            "train": "the training data",
            "measured": "looks during training",
        }
        missing = [words[need] for need in self.needs if not getattr(case, need)]
        return f"it needs {' and '.join(missing)}, which this run does not have" if missing else None


def few(part: Part, count: int = MOST_SHOWN) -> Part:
    """At most ``count`` samples, evenly spread over the part, since files often come sorted by class."""
    return part.subset(spread(len(part), count))


def _few(case: Case, count: int) -> Part:
    assert case.part is not None
    return few(case.part, count)


def _average_row(case: Case) -> object:
    """What an average row of the training part looks like to the network: the baseline for tables."""
    if case.model.schema.kind != "table" or case.train is None:
        return None
    return subject(case.model, case.train.some(MOST_SEARCHED)).x.mean(0, keepdim=True)


def _integrated(case: Case) -> plots.Drawing:
    steps = FEW_STEPS if case.model.schema.kind == "text" else STEPS  # of the pass through a recurrent net each is dear
    told = integrated_gradients(case.model, case.inputs, case.target, baseline=_average_row(case), steps=steps)
    return attribution_plot(told)


def _filters(case: Case) -> plots.Drawing:
    told = filters(case.model)
    if not told.are_pictures:
        raise UsageError(
            "the first layer's filters are no pictures",
            where=told.name,
            got=told.weights.shape,
            expected="(units, channels, height, width), with a height and a width above 1",
        )
    return filters_plot(told)


def _worst(case: Case) -> plots.Drawing:
    part = _few(case, MOST_SEARCHED)
    return worst_plot(worst(case.model, part, part.targets))


def _neighbours(case: Case) -> plots.Drawing:
    assert case.train is not None
    return neighbours_plot(neighbours(case.model, case.inputs, case.train.some(MOST_SEARCHED), skip_itself=True))


def _pca(case: Case) -> plots.Drawing:
    part = _few(case, MOST_MEASURED)
    return embedding_plot(embed(case.model, part, part.targets if case.model.task == "classes" else None))


def _tsne(case: Case) -> plots.Drawing:
    part = _few(case, MOST_MEASURED)
    labels = part.targets if case.model.task == "classes" else None
    return embedding_plot(embed(case.model, part, labels, method="tsne"))


def _robustness(case: Case) -> plots.Drawing:
    part = _few(case, MOST_MEASURED)
    return robustness_plot(robustness(case.model, part, part.targets))


def _loss_slice(case: Case) -> plots.Drawing:
    part = _few(case, 100)
    return loss_slice_plot(loss_slice(case.model, part, part.targets, points=11))


IMAGE, FLAT, HEARD, CLASSES = ("image",), ("image", "table"), ("text", "sound"), ("classes",)
METHODS = MappingProxyType(
    {
        "top": Method(
            "the most probable classes", lambda c: top_classes_plot(top_classes(c.model, c.inputs)), tasks=CLASSES
        ),
        "filters": Method("the first layer's filters", _filters, IMAGE),
        "maps": Method(
            "what every layer answers", lambda c: feature_maps_plot(feature_maps(c.model, c.inputs)), (*IMAGE, "sound")
        ),
        "saliency": Method(
            "which pixels, words or moments move the answer",
            lambda c: attribution_plot(saliency(c.model, c.inputs, c.target)),
            (*IMAGE, *HEARD),
        ),
        "grad-cam": Method(
            "where the last maps speak for it",
            lambda c: attribution_plot(grad_cam(c.model, c.inputs, c.target)),
            (*IMAGE, "sound"),
        ),
        "integrated-gradients": Method(
            "shares that sum to the answer",
            _integrated,
            (*FLAT, *HEARD),
        ),
        "occlusion": Method(
            "what happens when parts are hidden",
            lambda c: attribution_plot(occlusion(c.model, c.inputs, c.target, baseline=_average_row(c))),
            (*FLAT, *HEARD),
        ),
        "worst": Method("the largest losses", _worst, IMAGE, CLASSES, ("part",)),
        "neighbours": Method("nearest by the last hidden layer", _neighbours, IMAGE, needs=("train",)),
        "pca": Method("the last hidden layer in a plane", _pca, needs=("part",)),
        "tsne": Method("the same by neighbours", _tsne, needs=("part",), slow=True),
        "robustness": Method("accuracy of disturbed images", _robustness, IMAGE, CLASSES, ("part",)),
        "equivariance": Method(
            "do maps move with the image?", lambda c: equivariance_plot(equivariance(c.model, c.inputs)), IMAGE
        ),
        "maximise": Method(
            "pictures that excite the classes", lambda c: maximised_plot(maximise(c.model, c.inputs)), IMAGE, slow=True
        ),
        "boundary": Method(
            "where the answer changes (two features)",
            lambda c: boundary_plot(boundary(c.model, c.part)),
            ("table", "array"),
            needs=("part",),
        ),
        "loss-slice": Method("the loss around the trained weights", _loss_slice, needs=("part",), slow=True),
        "history": Method(
            "values and weights over the training", lambda c: history_plot(history(c.measured)), needs=("measured",)
        ),
    }
)


def method(name: str) -> Method:
    """The row of that name.

    Raises:
        UsageError: there is none; offers the nearest.
    """
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name]
