"""Finished models joined into one that answers for all of them (requirement E)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from glassnet.combined import Ensemble, Member
from glassnet.data.dataset import Part
from glassnet.data.preprocess import AsIs, Preprocess, TargetScale
from glassnet.errors import GlassnetError, ModelError, UsageError, all_at_once
from glassnet.evaluate.temperature import fit_temperature
from glassnet.model import Model, load


def ensemble(
    models: Sequence[str | Path | Model],
    *,
    answer: str = "mean",
    validation: Part | None = None,
    net: nn.Module | None = None,
) -> Model:
    """Several finished models as one; it predicts, is measured, looked into and saved like any other.

    The members may be different networks with different preprocessing; each keeps its own temperature. What they must have in common
    are the inputs they read and the classes or columns that they tell.

    Example:
        ``glassnet.ensemble(["runs/digits-1", "runs/digits-2", "runs/digits-3"]).save(Path("three"))``

    Args:
        models: run folders, model folders or models, at least one.
        answer: ``mean`` averages probabilities; ``votes`` counts classes, see :class:`glassnet.combined.Ensemble`.
        validation: samples that no member was trained on; the joint temperature is fitted to them. 1 without it.
        net: a module to load the weights into, where the networks are a class of your own.

    Raises:
        ModelError: models that do not fit each other; all misfits at once.
        UsageError: no models, models that say one token after another, or an unknown answer.
    """
    if not models:
        raise UsageError("an ensemble needs models", got="none", fix="name some finished runs")
    opened = [each if isinstance(each, Model) else load(each, net=net) for each in models]
    names = [f"model {place + 1}" if isinstance(each, Model) else str(each) for place, each in enumerate(models)]
    if opened[0].task in ("language", "translation"):
        raise UsageError(
            "language models and translators do not answer together yet", got=opened[0].task, fix="ask one of them"
        )
    if found := misfits(opened, names):
        raise all_at_once(found)
    first, values = opened[0], opened[0].task == "values"
    shared = shared_preprocess(opened)
    members = [
        Member(
            model.net,
            preprocess=None if shared is not None else model.preprocess,
            temperature=model.temperature,
            target_scale=model.target_scale,
        )
        for model in opened
    ]
    joined = Model(
        net=Ensemble(members, answer).eval(),
        net_json={
            "ensemble": [member_json(model, prepared=shared is None) for model in opened],
            "answer": answer,
            "outputs": len(first.outputs) if values else len(first.classes),
        },
        preprocess=shared if shared is not None else AsIs(first.schema.shape),
        schema=first.schema,
        task=first.task,
        classes=first.classes,
        outputs=first.outputs,
        # Members answer in the values' own units, so that nothing is left to undo.
        target_scale=TargetScale(torch.zeros(len(first.outputs)), torch.ones(len(first.outputs))) if values else None,
        card=joint_card(opened),
    )
    if validation is None or values:
        return joined
    return replace(joined, temperature=fit_temperature(joined.raw_outputs(validation.inputs), validation.answers))


def member_json(model: Model, *, prepared: bool) -> dict[str, Any]:
    """What a model file says of a network within a larger one; ``prepared`` where it has a preprocessing of its own."""
    return {
        "net": model.net_json,
        "preprocess": model.preprocess.to_json() if prepared else None,
        "temperature": model.temperature,
        "target_scale": None if model.target_scale is None else model.target_scale.to_json(),
    }


def misfits(models: Sequence[Model], names: Sequence[str]) -> list[GlassnetError]:
    """In what the models differ from the first one that cannot differ within an ensemble."""
    first, found = models[0], list[GlassnetError]()
    for model, name in zip(models[1:], names[1:], strict=True):
        for what, got, expected in (
            ("tell classes, and some tell values", model.task, first.task),
            ("read another kind of data", model.schema.kind, first.schema.kind),
            ("read inputs of another shape", _sizes(model.schema.shape), _sizes(first.schema.shape)),
            ("know other classes", *_differing(model.classes, first.classes)),
            ("tell other columns", *_differing(model.outputs, first.outputs)),
            ("read their columns otherwise", model.schema.to_json(), first.schema.to_json()),
        ):
            if got != expected:
                told = isinstance(got, str)
                found.append(
                    ModelError(
                        f"these models cannot answer together: some {what}",
                        where=name,
                        got=got if told else "other columns or categories",
                        expected=f"{expected}, as {names[0]}" if told else f"those of {names[0]}",
                        fix="join models that were trained on the same data, with the same --target and --image-size",
                    )
                )
                break  # what follows from the first difference is no news
    return found


def shared_preprocess(models: Sequence[Model]) -> Preprocess | None:
    """The preprocessing of all of them where it is one and the same, numbers included; else None."""
    first = models[0].preprocess
    state = first.state_dict()
    for model in models[1:]:
        other = model.preprocess.state_dict()
        same = model.preprocess.to_json() == first.to_json() and other.keys() == state.keys()
        if not same or any(not torch.equal(state[key], other[key]) for key in state):
            return None
    return first


def joint_card(models: Sequence[Model]) -> dict[str, Any]:
    """Where the members come from, and what is true of all of them."""
    cards = [model.card for model in models]
    common = {
        key: value
        for key, value in cards[0].items()
        if key != "trained" and all(card.get(key) == value for card in cards[1:])
    }
    return {**common, "members": cards}


def _sizes(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _differing(names: Sequence[str], expected: Sequence[str]) -> tuple[str, str]:
    """Both lists in few words that differ where the lists do."""
    if list(names) == list(expected):
        return "", ""
    own, theirs = [n for n in names if n not in expected], [n for n in expected if n not in names]
    if not own and not theirs:
        return "the same in another order", "one order"
    return tuple(
        f"{len(a):,}, with {', '.join(b[:5])}" if b else f"{len(a):,}" for a, b in ((names, own), (expected, theirs))
    )  # type: ignore[return-value]
