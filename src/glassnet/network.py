"""The network that a recipe asks for: built, given its starting weights, and shown that it fits the data."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import nn

from glassnet import zoo
from glassnet.data.dataset import Data, Part, spread
from glassnet.data.kinds import KINDS
from glassnet.data.preprocess import PREPROCESSING, Preprocess, fit
from glassnet.data.preprocess.normalise import FIXED
from glassnet.errors import GlassnetError, ModelError, UsageError, all_at_once
from glassnet.initialise import initialise, set_biases
from glassnet.layers.through_time import cut_gradients
from glassnet.pretrained.matching import Loaded, load_into
from glassnet.pretrained.reading import read_weights
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import OWN_NET
from glassnet.resolve import outputs_of
from glassnet.trainable import check_own

FIT_SAMPLES = 5_000  # samples that a net's own data-dependent weights are computed from
INIT_SAMPLES = 500  # samples that lsuv and its like look at, a batch or two
INIT_NUMBERS = 10_000_000  # in all of them together: of photographs fewer, for the sake of memory


def make_net(
    recipe: Recipe, data: Data, preprocess: Preprocess, own: nn.Module | None
) -> tuple[nn.Module, dict[str, Any], Loaded | None]:
    """The network with its initial weights, the record from which it is built again, and what came from a file of weights.

    Raises:
        ModelError: the file of weights cannot be read or does not fit the network.
    """
    settings, outputs = recipe.net, outputs_of(recipe, data)
    if settings.name == OWN_NET:
        if own is None:
            raise UsageError(
                "this run's network is a class of your own", where="net.name", fix="give it: net=YourNet(...)"
            )
        check_own(own)
        of_class: dict[str, Any] = {"class": f"{type(own).__module__}:{type(own).__qualname__}"}
        _start(own, recipe, data, preprocess)
        return own, of_class, _pretrained(own, settings.pretrained)
    takes = zoo.ZOO[settings.name].options if settings.name in zoo.ZOO else {}
    kind = data.schema.kind
    needs = KINDS[kind].needs
    if needs and settings.name in zoo.ZOO and kind not in zoo.ZOO[settings.name].kinds:
        able = [name for name, entry in zoo.ZOO.items() if kind in entry.kinds]
        raise ModelError(f"this net does not {needs}", where=f"net {settings.name}", expected=" or ".join(able))
    known = {key: value for key, value in preprocess.net_options.items() if key in takes}
    options = {**settings.options, **known}
    net = zoo.build(settings.name, preprocess.output_shape, outputs, options, recipe.train.seed)
    initialise_from = getattr(net, "initialise_from", None)
    if callable(initialise_from):
        initialise_from(preprocess(data.train.some(FIT_SAMPLES)))
    record: dict[str, Any] = {
        "zoo": settings.name,
        "shape": list(preprocess.output_shape),
        "outputs": outputs,
        "options": options,
    }
    if preprocess.around is not None:
        record["around"] = around = told_around(data.train, preprocess)
        net = zoo.Around(net, **around, begin=True)
    _start(net, recipe, data, preprocess)
    return net, record, _pretrained(net, settings.pretrained)


def through_time(net: nn.Module, recipe: Recipe, data: Data) -> None:
    """What a recurrent network does in training alone: gradients through few steps, answers behind every step.

    Raises:
        ModelError: the network is none that can.
    """
    wrong: list[GlassnetError] = []
    steps = recipe.train.through_time
    if (
        steps and data.task != "language" and not cut_gradients(net, steps)
    ):  # the pieces of one long text are its batches
        wrong.append(
            ModelError(
                "the network does not read step by step",
                where="train.through_time",
                got=f"{steps} for {type(net).__name__}",
                fix="leave it out, or take one of ours: rnn, lstm or gru",
            )
        )
    if recipe.loss.steps == "all":
        if not hasattr(net, "says_steps"):
            wrong.append(
                ModelError(
                    "the network does not answer behind every step",
                    where="loss.steps",
                    got=f"all for {type(net).__name__}",
                    fix="leave it out, or take one of ours: rnn, lstm or gru",
                )
            )
        else:
            net.says_steps = True  # type: ignore[assignment]
    if wrong:
        raise all_at_once(wrong)


def told_around(train: Part, preprocess: Preprocess) -> dict[str, Any]:
    """What a network that forecasts is told around, chosen on the training part."""
    assert preprocess.around is not None, "the inputs are no windows of a series"
    assert preprocess.target_scale is not None, "a forecast around a window is measured as the window is"
    index = spread(len(train), FIT_SAMPLES)
    wanted = preprocess.target_scale.encode(train.targets[index])
    base = zoo.best_base(preprocess(train.inputs.take(index)), wanted, **preprocess.around)
    return {**preprocess.around, "base": base}


def _start(net: nn.Module, recipe: Recipe, data: Data, preprocess: Preprocess) -> None:
    """The starting weights and biases that the recipe asks for."""
    settings = recipe.net
    if settings.init != "default":
        generator = torch.Generator().manual_seed(recipe.train.seed)
        inputs = preprocess(data.train.some(max(16, min(INIT_SAMPLES, INIT_NUMBERS // prod(data.schema.shape)))))
        initialise(net, settings.init, generator, settings.init_bias or 0.0, inputs)
    elif settings.init_bias is not None:
        set_biases(net, settings.init_bias)


def _pretrained(net: nn.Module, path: str | None) -> Loaded | None:
    return None if path is None else load_into(net, read_weights(path))


def like_the_file(
    recipe: Recipe, data: Data, usual: Preprocess, loaded: Loaded | None
) -> tuple[Recipe, Preprocess, dict[str, str]]:
    """The preprocessing that a file of weights expects where it is known, and else the usual one; named in the recipe, with the reason."""
    name, reason = PREPROCESSING[data.schema.kind][0], f"the usual for data of kind {data.schema.kind}"
    expected = "" if loaded is None else loaded.preprocess
    if loaded and expected in FIXED and len(FIXED[expected][0]) in (1, data.schema.shape[0]):
        name, reason = expected, f"what {loaded.origin} were trained with"
        usual = fit(name, data.train, data.schema)
    return recipe.changed({"preprocess.name": name}), usual, {"preprocess.name": reason}


def other_preparation(loaded: Loaded, recipe: Recipe) -> str:
    """In words, that the file's network was trained on inputs prepared otherwise than these; empty where that is not known."""
    if loaded.preprocess in ("", recipe.preprocess.name):
        return ""
    return f"; trained on inputs prepared by {loaded.preprocess}, these are prepared by {recipe.preprocess.name}"
