"""Pictures of what happens inside the finished network: drawn from its model, within a limit of time, and never at the cost of the report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch

from glassnet.data.dataset import Data
from glassnet.errors import GlassnetError
from glassnet.evaluate import ClassificationFigures, Figures
from glassnet.events import Measured
from glassnet.explain.methods import METHODS, Case
from glassnet.model import Model
from glassnet.plots import Drawing

SECONDS = 5.0  # of this thread's computing; when these are spent, no further picture is begun
PATIENCE = 4  # on a machine that is busy with other things, so many times as long by the clock
MOST_MISTAKES = 6
SEARCHED = 1000  # samples that are laid in a plane, or among which neighbours are looked for
# The last is the dearest; "one" is shown one sample, "mistakes" the worst mistakes, "all" the whole part.
ORDER = (
    ("filters", "The first layer\N{RIGHT SINGLE QUOTATION MARK}s filters", "one"),
    ("maps", "What every layer answers to one sample", "one"),
    ("grad-cam", "Where the network looks", "mistakes"),
    ("saliency", "Which pixels move its answer", "mistakes"),
    ("integrated-gradients", "What each column contributes", "mistakes"),
    ("neighbours", "The training samples that it takes for most alike", "mistakes"),
    ("boundary", "Where the answer changes", "all"),
    ("pca", "The last hidden layer in a plane", "all"),
    ("history", "Values and weights over the training", "one"),
)
FOR_TABLES = ("boundary",)
FOR_ROWS_AND_TEXTS = ("integrated-gradients",)  # of pictures and sounds saliency and Grad-CAM say as much and cost less
TITLES = {  # where a kind of data asks for other words
    ("saliency", "sound"): "Which moments and tones move its answer",
    ("grad-cam", "sound"): "Where in the sound the network listens",
    ("integrated-gradients", "text"): "What each word contributes",
}


class Look(NamedTuple):
    """A picture: ``name`` is the method's, ``title`` a heading."""

    name: str
    title: str
    drawing: Drawing


class Looks(NamedTuple):
    """Pictures in their order, and a sentence for each that was left out though it would apply."""

    pictures: tuple[Look, ...] = ()
    left_out: tuple[str, ...] = ()


def looks(
    model: Model,
    data: Data,
    figures: Figures | None,
    part: str,
    measured: Sequence[Measured] = (),
    *,
    seconds: float = SECONDS,
) -> Looks:
    """Draw what applies to this kind of data and network.

    Args:
        model: the finished one. It is left bit for bit as it was.
        data: as they were divided for the run.
        figures: of the part that was judged; the mistakes in them are looked into.
        part: that part's name.
        measured: what the training recorded.
        seconds: of computing (by the clock four times as many); when these are spent, what is left is named and not drawn.
    """
    if model.schema.kind not in {kind for name, _, _ in ORDER for kind in METHODS[name].kinds}:
        return Looks()  # sequences, graphs and others: their methods are to come
    begun, computed = time.monotonic(), time.thread_time()
    judged = data.parts.get(part, data.train)
    mistakes = judged.subset(torch.tensor(worst_of(figures, len(judged))))
    train = data.train.subset(spread(len(data.train), SEARCHED))
    pictures: list[Look] = []
    left_out: list[str] = []
    late: list[str] = []
    for name, title, shown in ORDER:
        inputs = mistakes.subset(torch.arange(1)) if shown == "one" else mistakes
        case = Case(model, inputs, judged.subset(spread(len(judged), SEARCHED)), train, measured)
        kind = model.schema.kind
        if METHODS[name].obstacle(case) or not suits(name, kind):
            continue
        if time.thread_time() - computed > seconds or time.monotonic() - begun > PATIENCE * seconds:
            late.append(name)
            continue
        try:
            pictures.append(Look(name, TITLES.get((name, kind), title), METHODS[name].draw(case)))
        except GlassnetError as error:
            if error.fix:  # something is amiss or absent; without a remedy it just does not apply to this network
                left_out.append(f"{title}: {error.problem} ({error.fix}).")
        except Exception as error:  # a picture is worth less than the report that it stands in
            left_out.append(f"{title}: it could not be drawn ({type(error).__name__}).")
    if late:
        left_out.append(
            f"Not drawn, to keep training short: {', '.join(late)}. \N{LEFT DOUBLE QUOTATION MARK}glassnet explain\N{RIGHT DOUBLE QUOTATION MARK} draws them."
        )
    return Looks(tuple(pictures), tuple(left_out))


def suits(name: str, kind: str) -> bool:
    """Whether the report draws this method for this kind of data; ``glassnet explain`` draws every one that applies."""
    if name in FOR_TABLES:
        return kind == "table"
    if name in FOR_ROWS_AND_TEXTS:
        return kind in ("table", "text")
    return name != "saliency" or kind != "text"


def worst_of(figures: Figures | None, samples: int, count: int = MOST_MISTAKES) -> list[int]:
    """Places of the worst mistakes in the judged part, each once; filled up with others where there are fewer."""
    worst = [mistake.index for mistake in getattr(figures, "worst", ())]  # texts that go on have none
    places = dict.fromkeys([*worst, *spread(samples, count).tolist()])
    return [place for place in places if place < samples][: max(1, count)]


def spread(samples: int, count: int) -> torch.Tensor:
    """At most ``count`` places, evenly spread, since files often come sorted by class."""
    taken = min(samples, count)
    return torch.arange(taken) * samples // max(taken, 1)


def subject_words(figures: Figures | None) -> str:
    """What the pictures below are of."""
    if figures is None:
        return "These pictures show samples that the network was judged by."
    if isinstance(figures, ClassificationFigures) and not figures.worst:
        return "It made no mistake to look into, so these pictures show other samples of the same part."
    return "Where a picture shows samples, these are the worst mistakes first, then others of the same part."
