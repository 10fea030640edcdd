"""What every layer of a finished network answers to one input, as plain values for a page. Nothing here knows of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.web.maps import Floats, finite_or_none, map_of, picture_of

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.data.dataset import Part
    from glassnet.model import Model

MOST_LAYERS = 24
MOST_MAPS = 16
MOST_UNITS = 256
LONGEST_MAP = 256  # tokens or moments, and units, of a layer that answers to each moment
TOP = 5
MOST_COLUMNS = 200


def about(card: dict[str, Any]) -> dict[str, Any]:
    """What the page must know before anything is asked; ``kind`` is empty where there is no network, ``own`` names a class of the user's own.

    Args:
        card: a run's ``model.json``, as it may be.

    Raises:
        KeyError: the card lacks what its kind of data has; likewise TypeError and ValueError.
    """
    schema, known, classes = card.get("schema"), card.get("card"), card.get("classes")
    if not isinstance(schema, dict):
        return {"image": False, "kind": "", "classes": []}
    names = [str(name)[:80] for name in classes[:1000]] if isinstance(classes, list) else []
    kind = str(schema.get("kind", "unknown"))[:40]
    facts = {"image": kind == "image", "kind": kind, "classes": names, "own": own_class(card.get("net"))}
    if kind == "image":
        border = str(known.get("border", "")) if isinstance(known, dict) else ""
        return (
            facts | {name: int(schema[name]) for name in ("channels", "height", "width")} | {"dark": border == "light"}
        )
    if kind == "text":
        return facts | {"unit": "characters" if schema["unit"] == "characters" else "words"}
    if kind == "sound":
        return facts | {"rate": int(schema["rate"])}
    if kind == "table":
        fields = {field["name"]: field for field in map(_column, schema["columns"])}  # of a text one, for all its words
        return facts | {"columns": list(fields.values())[:MOST_COLUMNS], "more": len(fields) - MOST_COLUMNS}
    return facts


def _column(given: dict[str, Any]) -> dict[str, Any]:
    kind, source = str(given["kind"]), str(given["source"])[:80]
    if kind == "word":
        return {"name": source, "kind": "text", "levels": []}
    name = source if kind in ("number", "bool", "category") else f"{source} {kind[:12]}"
    return {"name": name, "kind": kind[:12], "levels": [str(level)[:80] for level in given.get("levels", ())][:1000]}


def own_class(net: object, depth: int = 4) -> str:
    """The name of a class of the user's own within a network as a model file describes it; empty where all of it is of the zoo."""
    if isinstance(net, dict) and depth:
        if isinstance(net.get("class"), str):
            return str(net["class"])[:120]
        members = net.get("ensemble")
        parts = members if isinstance(members, list) else [net.get("of"), net.get("net")]
        return next((found for part in parts[:20] if (found := own_class(part, depth - 1))), "")
    return ""


def answers(model: Model, inputs: Tensor | Part, moments: int = 0) -> dict[str, Any]:
    """Every layer's answer to one raw input, and the most probable classes.

    Args:
        model: reads what can be drawn, typed or given here.
        inputs: one raw input, or a part of a data set that holds one.
        moments: tokens of a text, by which it is seen whether a layer's answers stand moment by moment or unit by unit.

    Returns:
        ``input``: a picture as the network was given it; ``layers``: name, kind, shape and either ``maps``, ``wide`` (one map, units down, moments
        across) or ``units``; ``top``: classes with probabilities, or values by name; ``sentence``: what is to be seen.
    """
    import torch

    from glassnet.explain import feature_maps

    seen = feature_maps(model, inputs, "all")
    layers = [layer for layer in seen.layers if layer.values.ndim in (2, 3, 4) and len(layer.values) == 1]
    if len(layers) > MOST_LAYERS:
        layers = [layers[round(i * (len(layers) - 1) / (MOST_LAYERS - 1))] for i in range(MOST_LAYERS)]
    # of spectrograms the lowest tones stand below
    told = [_layer(each.name, each.kind, _upright(each.values[0], seen.seconds), moments) for each in layers]
    top = _top(model, seen.outputs[0])
    silent = max(told, key=lambda layer: layer["silent"], default=None)
    sentence = _sentence(model, top)
    if silent is not None and silent["silent"] > 0.02:
        sentence += f" In {silent['name']} {100 * silent['silent']:.0f} % of the units say nothing to it."
    found: dict[str, Any] = {"layers": told, "top": top, "sentence": sentence}
    if model.schema.kind == "image" and isinstance(inputs, torch.Tensor):
        found["input"] = picture_of(inputs)
    return found


def saliency_of(model: Model, raw: Tensor, target: str | None = None) -> dict[str, Any]:
    """How much each pixel moves an output (Simonyan and others 2014), as one map.

    Args:
        model: reads images.
        raw: uint8 (1, channels, height, width).
        target: class or output; None takes what the network says.

    Raises:
        UsageError: there is no such class.
    """
    from glassnet.explain import saliency

    told = saliency(model, raw, target)
    values = told.values[0]
    ordered = np.sort(np.abs(values).reshape(-1))[::-1].astype(np.float64)
    half = int((ordered.cumsum() < ordered.sum() / 2).sum()) + 1
    return {
        "map": map_of(values),
        "target": told.targets[0],
        "sentence": f"Bright pixels move the output for {told.targets[0]} most: half of all that moves it lies in {half / values.size:.0%} of the pixels.",
    }


def _upright(values: Floats, seconds: float) -> Floats:
    return values[:, ::-1] if seconds and values.ndim == 3 else values


def _layer(name: str, kind: str, values: Floats, moments: int = 0) -> dict[str, Any]:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    flat = values.reshape(len(values), -1)
    layer: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "shape": list(values.shape),
        "low": finite_or_none(low),
        "high": finite_or_none(high),
        "silent": float((flat == 0).all(axis=1).mean()) if flat.size else 0.0,
    }
    if values.ndim == 3 and min(values.shape[1:]) > 1:
        order = np.abs(values).mean(axis=(1, 2)).argsort(kind="stable")[::-1][:MOST_MAPS]
        layer["maps"] = [{"channel": int(at)} | map_of(values[at]) for at in order]
    elif values.ndim == 2 and min(values.shape) > 1:
        layer["wide"] = map_of(values.T if len(values) == moments else values, LONGEST_MAP)
        layer["silent"] = 0.0
    else:
        layer["units"] = [finite_or_none(float(each)) for each in flat.reshape(-1)[:MOST_UNITS]]
    return layer


def _top(model: Model, outputs: Floats) -> list[dict[str, Any]]:
    if model.task == "values":
        import torch

        values = torch.from_numpy(outputs.copy())[None]
        scaled = values if model.target_scale is None else model.target_scale.decode(values)
        return [
            {"name": name, "value": finite_or_none(float(value))}
            for name, value in zip(model.outputs, scaled[0].tolist(), strict=True)
        ]
    logits = outputs.astype(np.float64) / model.temperature
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")[:TOP]
    return [{"name": model.classes[at], "share": finite_or_none(float(shares[at]))} for at in order.tolist()]


def _sentence(model: Model, top: list[dict[str, Any]]) -> str:
    if model.task == "values":
        return "The network says " + ", ".join(f"{each['name']} {each['value']:.4g}" for each in top) + "."
    best = top[0]
    text = f"The network says {best['name']} and is {_share(best['share'])} sure"
    return text + (f"; next comes {top[1]['name']} with {_share(top[1]['share'])}." if len(top) > 1 else ".")


def _share(value: float | None) -> str:
    if value is None:
        return "not a number of per cent"
    return "over 99.9 %" if value > 0.9995 else "under 0.1 %" if value < 0.0005 else f"{100 * value:.1f} %"
