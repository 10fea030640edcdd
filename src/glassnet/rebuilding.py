"""A network from what a model file says of it, its weights not yet loaded: of the zoo, of ours around others, or the user's own."""

from __future__ import annotations

from typing import Any

from torch import nn

from glassnet import zoo
from glassnet.combined import Ensemble, ManyViews, Member, Views
from glassnet.data.preprocess import TargetScale, preprocess_from_json
from glassnet.errors import ModelError
from glassnet.layers.twin import twin


def rebuild(net_json: dict[str, Any], where: object, own: nn.Module | None = None) -> nn.Module:
    """The network that ``net_json`` describes, its weights not yet loaded.

    Args:
        net_json: from a model file.
        where: for the error.
        own: the user's own module, where the network (or a network within it) is one.

    Raises:
        ModelError: it is a user's own class and none is given: a file must not be able to name code that is then run.
    """
    if "ensemble" in net_json:
        members = [_member(each, where, None if own is None else twin(own)) for each in net_json["ensemble"]]
        return Ensemble(members, net_json["answer"])
    if "views" in net_json:
        height, width = net_json["size"]
        return ManyViews(_member(net_json["of"], where, own), Views.from_json(net_json["views"]), (height, width))
    if own is not None:
        return own
    if "zoo" in net_json:
        net = zoo.build(net_json["zoo"], tuple(net_json["shape"]), net_json["outputs"], net_json["options"], seed=0)
        return zoo.Around(net, **net_json["around"]) if "around" in net_json else net
    raise ModelError(
        "the network is a class of your own",
        where=where,
        got=net_json.get("class"),
        fix="give the module: glassnet.load(path, net=YourNet(...))",
    )


def _member(member_json: dict[str, Any], where: object, own: nn.Module | None) -> Member:
    preprocess, scale = member_json["preprocess"], member_json["target_scale"]
    return Member(
        rebuild(member_json["net"], where, own),
        preprocess=None if preprocess is None else preprocess_from_json(preprocess),
        temperature=temperature_of(member_json["temperature"]),
        target_scale=None if scale is None else TargetScale.from_json(scale),
    )


def temperature_of(value: object) -> float:
    """What a model file says of its temperature, if it can be one.

    Raises:
        ValueError: it cannot.
    """
    if not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"a temperature of {value!r}")
    return float(value)
