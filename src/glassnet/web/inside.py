"""What every layer of a finished network answers to one picture, as plain values for a page. Nothing here knows of requests.

Maps travel as bytes in base64, brightness 0 to 255 from each map's smallest to its largest value, so that a browser draws them as they are.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import DataError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.model import Model

MOST_LAYERS = 24
MOST_MAPS = 16
LARGEST_MAP = 64  # pixels a side; larger maps are shrunk by averaging
MOST_UNITS = 256
TOP = 5
LARGEST_PAD = 512  # pixels a side that a drawing may have
LARGEST_UPLOAD = 25_000_000  # pixels of a picture that is uploaded
DIGIT_SHARE = 20 / 28  # of a side that a digit of MNIST fills

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def about(schema: dict[str, Any], classes: list[str], border: str = "") -> dict[str, Any]:
    """What the page must know before anything is drawn: size and colours of a picture; ``image`` False where the network reads none.

    Args:
        schema: the input schema of a model's card.
        classes: names.
        border: what the training pictures' borders were, ``dark`` or ``light``, where that is known.
    """
    if schema.get("kind") != "image":
        return {"image": False, "kind": str(schema.get("kind", "unknown"))[:40]}
    channels, height, width = (int(schema[name]) for name in ("channels", "height", "width"))
    return {
        "image": True,
        "channels": channels,
        "height": height,
        "width": width,
        "classes": classes,
        "dark": border == "light",
    }


def drawing(model: Model, pixels: str, width: int, height: int, *, dark: bool = False, centre: bool = True) -> Tensor:
    """A drawing as one raw input of the network, uint8 (1, channels, height, width).

    Args:
        model: whose schema says the size.
        pixels: base64 of width × height bytes, the strength of the ink 0 to 255, row after row.
        width: of the drawing.
        height: of the drawing.
        dark: the network was trained on dark ink on light paper.
        centre: bring the ink into the middle and to the size that a digit has in MNIST: its longer side 20/28 of the picture, the centre of
            mass in the middle (LeCun, Cortes and Burges, "The MNIST database").

    Raises:
        UsageError: sizes or bytes that do not agree.
    """
    import torch

    channels, rows, columns = _image_shape(model)
    if not (1 <= width <= LARGEST_PAD and 1 <= height <= LARGEST_PAD):
        raise UsageError("the drawing is too large", got=f"{width}×{height}", expected=f"at most {LARGEST_PAD} a side")
    content = unpacked(pixels, width * height)
    if len(content) != width * height:
        raise UsageError("the drawing is incomplete", got=f"{len(content)} bytes", expected=f"{width * height}")
    ink = np.frombuffer(content, dtype=np.uint8).reshape(height, width)
    brought = centred(ink, rows, columns) if centre else resized(ink, rows, columns)
    if dark:
        brought = 255 - brought
    return torch.from_numpy(np.repeat(brought[None, None], channels, axis=1).copy())


def uploaded(model: Model, content: str, most: int) -> Tensor:
    """A picture file as one raw input, uint8 (1, channels, height, width).

    Args:
        model: whose schema says the size.
        content: base64 of the file.
        most: bytes that are taken.

    Raises:
        DataError: it is no picture, damaged, or has too many pixels.
        UsageError: it is no base64, or longer.
    """
    import torch

    from glassnet.data.decode import BadImage, decode, header

    channels, rows, columns = _image_shape(model)
    file = unpacked(content, most)
    try:
        size = header(file)
        if size.width * size.height > LARGEST_UPLOAD:
            raise BadImage(f"it has {size.width:,} × {size.height:,} pixels; at most {LARGEST_UPLOAD:,} are read")
        pixels = decode(file, channels, (rows, columns))
    except BadImage as error:
        raise DataError(
            "this file cannot be read as a picture",
            got=str(error),
            expected="a PNG, JPEG, GIF, BMP, WebP, TIFF or PPM file",
        ) from error
    return torch.from_numpy(pixels[None].copy())


def answers(model: Model, raw: Tensor) -> dict[str, Any]:
    """Every layer's answer to one raw input, and the most probable classes.

    Args:
        model: reads images.
        raw: uint8 (1, channels, height, width).

    Returns:
        ``input``: the picture as the network was given it; ``layers``: name, kind, shape and either ``maps`` or ``units``; ``top``: classes
        with probabilities, or values by name; ``sentence``: what is to be seen.
    """
    from glassnet.explain import feature_maps

    seen = feature_maps(model, raw, "all")
    layers = [layer for layer in seen.layers if layer.values.ndim in (2, 4)]
    if len(layers) > MOST_LAYERS:
        layers = [layers[round(i * (len(layers) - 1) / (MOST_LAYERS - 1))] for i in range(MOST_LAYERS)]
    told = [_layer(layer.name, layer.kind, layer.values[0]) for layer in layers]
    top = _top(model, seen.outputs[0])
    silent = max(told, key=lambda layer: layer["silent"], default=None)
    sentence = _sentence(model, top)
    if silent is not None and silent["silent"] > 0.02:
        sentence += f" In {silent['name']} {100 * silent['silent']:.0f} % of the units say nothing to this picture."
    return {"input": _picture(raw), "layers": told, "top": top, "sentence": sentence}


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
        "map": _map(values),
        "target": told.targets[0],
        "sentence": f"Bright pixels move the output for {told.targets[0]} most: half of all that moves it lies in {half / values.size:.0%} of the pixels.",
    }


def window(model: Model, raw: Tensor, layer: str, channel: int, row: int, column: int) -> dict[str, Any]:
    """One pixel of a convolution's map taken apart: value = Σ over input channels and the k × k window of weight · input, + bias.

    Args:
        model: reads images.
        raw: uint8 (1, channels, height, width).
        layer: name of a 2D convolution.
        channel: of its output.
        row: of the pixel.
        column: of the pixel.

    Returns:
        ``channels``: of the input channels that add most, their window, weights, products and sum; ``rest``: what all others add; ``bias``;
        ``value``: the pixel as the network computed it.

    Raises:
        UsageError: no such convolution or pixel.
    """
    import torch
    from torch import nn
    from torch.nn.functional import pad

    from glassnet.explain.looking import looking
    from glassnet.explain.subject import subject

    module = dict(model.net.named_modules()).get(layer)
    if not isinstance(module, nn.Conv2d):
        raise UsageError("this layer is no convolution", where="layer", got=layer[:80])
    if module.padding_mode != "zeros":
        raise UsageError("only convolutions that pad with zeros are taken apart", got=module.padding_mode)
    told = subject(model, raw)
    kept: list[Tensor] = []
    handle = module.register_forward_hook(lambda _, given, out: kept.extend((given[0].detach(), out.detach())))
    try:
        with looking(model.net), torch.no_grad():
            told.answer(told.x)
    finally:
        handle.remove()
    given, out = kept[0][0], kept[1][0]  # (in, height, width), (out, height, width)
    if not (0 <= channel < out.shape[0] and 0 <= row < out.shape[1] and 0 <= column < out.shape[2]):
        raise UsageError(
            "there is no such pixel", got=f"map {channel}, row {row}, column {column}", expected=str(tuple(out.shape))
        )
    weights = module.weight[channel].detach()  # (in / groups, k, k)
    each = weights.shape[0]
    first = channel // (out.shape[0] // module.groups) * each
    padded = pad(given[first : first + each], module._reversed_padding_repeated_twice)
    (down, right), (dy, dx) = module.stride, module.dilation
    rows = row * down + dy * torch.arange(weights.shape[1])
    columns = column * right + dx * torch.arange(weights.shape[2])
    patch = padded[:, rows][:, :, columns]  # (in / groups, k, k)
    products = (patch * weights).double()
    sums = products.sum((1, 2))
    order = sums.abs().argsort(descending=True)[:4].tolist()
    bias = 0.0 if module.bias is None else float(module.bias[channel].detach())
    return {
        "layer": layer,
        "channel": channel,
        "row": row,
        "column": column,
        "channels": [
            {
                "input": first + at,
                "window": _rounded(patch[at]),
                "weights": _rounded(weights[at]),
                "products": _rounded(products[at]),
                "sum": float(sums[at]),
            }
            for at in order
        ],
        "count": each,
        "rest": float(sums.sum() - sums[order].sum()),
        "bias": bias,
        "value": float(out[channel, row, column]),
    }


def centred(ink: Bytes, rows: int, columns: int) -> Bytes:
    """Ink brought to 20/28 of the smaller side, its centre of mass in the middle; an empty drawing stays empty."""
    from PIL import Image

    used_rows, used_columns = np.flatnonzero(ink.max(axis=1) > 20), np.flatnonzero(ink.max(axis=0) > 20)
    canvas = np.zeros((rows, columns), dtype=np.uint8)
    if len(used_rows) == 0:
        return canvas
    cut = ink[used_rows[0] : used_rows[-1] + 1, used_columns[0] : used_columns[-1] + 1]
    scale = DIGIT_SHARE * min(rows, columns) / max(cut.shape)
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    small = np.asarray(
        Image.fromarray(cut).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    )
    mass = small.astype(np.float64)
    total = max(mass.sum(), 1.0)
    middle_row = (mass.sum(axis=1) * np.arange(len(mass))).sum() / total
    middle_column = (mass.sum(axis=0) * np.arange(mass.shape[1])).sum() / total
    top = int(np.clip(round((rows - 1) / 2 - middle_row), 0, rows - size[1]))
    left = int(np.clip(round((columns - 1) / 2 - middle_column), 0, columns - size[0]))
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def resized(ink: Bytes, rows: int, columns: int) -> Bytes:
    """Ink at the network's size, as it lies."""
    from PIL import Image

    return np.asarray(Image.fromarray(ink).resize((columns, rows), Image.Resampling.BOX))


def unpacked(text: str, most: int) -> bytes:
    """Bytes from base64.

    Raises:
        UsageError: it is none, or of more than ``most`` bytes.
    """
    if len(text) > 4 * (most // 3 + 1):
        raise UsageError("too many bytes were sent", got=f"about {len(text) * 3 // 4:,}", expected=f"at most {most:,}")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError("this is no base64", got=type(error).__name__) from error


def _image_shape(model: Model) -> tuple[int, int, int]:
    if model.schema.kind != "image":
        raise UsageError("this network reads no pictures", got=model.schema.kind)
    channels, rows, columns = model.schema.shape
    return channels, rows, columns


def _layer(name: str, kind: str, values: Floats) -> dict[str, Any]:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    flat = values.reshape(len(values), -1)
    layer: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "shape": list(values.shape),
        "low": _number(low),
        "high": _number(high),
        "silent": float((flat == 0).all(axis=1).mean()) if flat.size else 0.0,
    }
    if values.ndim == 3 and min(values.shape[1:]) > 1:
        order = np.abs(values).mean(axis=(1, 2)).argsort(kind="stable")[::-1][:MOST_MAPS]
        layer["maps"] = [{"channel": int(at)} | _map(values[at]) for at in order]
    else:
        layer["units"] = [_number(float(each)) for each in flat.reshape(-1)[:MOST_UNITS]]
    return layer


def _map(values: Floats) -> dict[str, Any]:
    """One map as bytes from its smallest to its largest value. Larger ones are averaged over blocks, and say by how much."""
    low, high = float(values.min()), float(values.max())
    step = -(-max(values.shape) // LARGEST_MAP)
    if step > 1:
        rows, columns = values.shape[0] // step, values.shape[1] // step
        values = values[: rows * step, : columns * step].reshape(rows, step, columns, step).mean(axis=(1, 3))
    span = high - low
    share = (values - low) / span if np.isfinite(span) and span > 0 else np.zeros_like(values)
    shown = np.nan_to_num(255 * share).clip(0, 255).astype(np.uint8)
    return {
        "width": shown.shape[1],
        "height": shown.shape[0],
        "step": step,
        "low": _number(low),
        "high": _number(high),
        "pixels": base64.b64encode(shown.tobytes()).decode(),
    }


def _picture(raw: Tensor) -> dict[str, Any]:
    """A raw image as bytes, channel after channel; of other numbers of channels than 3 the first."""
    pixels = raw[0].numpy()
    chosen = pixels if len(pixels) == 3 else pixels[:1]
    return {
        "channels": len(chosen),
        "width": chosen.shape[2],
        "height": chosen.shape[1],
        "pixels": base64.b64encode(np.ascontiguousarray(chosen).tobytes()).decode(),
    }


def _top(model: Model, outputs: Floats) -> list[dict[str, Any]]:
    if model.task == "values":
        import torch

        values = torch.from_numpy(outputs.copy())[None]
        scaled = values if model.target_scale is None else model.target_scale.decode(values)
        return [
            {"name": name, "value": _number(float(value))}
            for name, value in zip(model.outputs, scaled[0].tolist(), strict=True)
        ]
    logits = outputs.astype(np.float64) / model.temperature
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")[:TOP]
    return [{"name": model.classes[at], "share": _number(float(shares[at]))} for at in order.tolist()]


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


def _rounded(values: Tensor) -> list[list[float]]:
    return [[float(f"{each:.4g}") for each in row] for row in values.tolist()]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
