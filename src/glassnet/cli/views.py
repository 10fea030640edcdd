"""``--tta``: what looking at several views of each image gains and costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

from torch import Tensor

from glassnet.cli.gain_lines import difference, over, table
from glassnet.combined import ManyViews
from glassnet.data.dataset import Data, Part
from glassnet.gain import against
from glassnet.model import Model
from glassnet.test_time import many_views, told


def looked_again(
    model: Model,
    views: str | None,
    part: Part,
    once: Tensor | None,
    seconds: float,
    larger: Callable[[int], Data] | None,
    name: str,
) -> tuple[Tensor, dict[str, Any]]:
    """What the model says of a part when it looks at several views, and what that gained.

    Args:
        model: as it was trained.
        views: as typed after ``--views``; None takes what the training declared harmless.
        part: the samples.
        once: what it said of them as they are; None of models that are not of images, which are refused.
        seconds: that this took.
        larger: reads the same data at another size, where they can be read again; for views larger than the images.
        name: of the part.

    Returns:
        The outputs, and a record: ``what``, ``count``, ``seconds`` and ``seconds_once`` for the part, and what :func:`glassnet.gain.against` tells.
    """
    again = many_views(model, views)
    assert once is not None, "a model of images answers each of them"
    net, inputs = cast(ManyViews, again.net), part.inputs
    note = ""
    if again.schema.shape != model.schema.shape:
        whole = None if larger is None else larger(again.schema.shape[1])
        if whole is not None and name in whole.parts and list(whole.parts[name].names) == list(part.names):
            inputs = whole.parts[name].inputs
        else:
            note = "; enlarged from what the network reads, since the images cannot be read again in the same parts"
    begun = time.monotonic()
    outputs = again.raw_outputs(inputs)
    spent = time.monotonic() - begun
    record = {
        "what": told(again) + note,
        "views": net.views.to_json(),
        "count": net.views.count(net.size),
        "seconds": spent,
        "seconds_once": seconds,
    }
    return outputs, record | against(outputs, once, part, classes=model.task == "classes")


def view_lines(looked: dict[str, Any]) -> list[str]:
    """The record of :func:`looked_again` as lines."""
    classes = looked["metric"] == "accuracy"
    lines = ["what looking several times gains", f"  {looked['what']}"]
    lines += table([("one look", looked["one"], None), ("all views", looked["all"], None)], classes)
    gain = difference(looked["gain"], looked["interval"], classes)
    lines.append(
        f"  gain: {gain}" if not classes else f"  gain: {gain}; {over(looked['over'], True).partition(': ')[2]}"
    )
    times = looked["seconds"] / max(looked["seconds_once"], 1e-9)
    each = 1000 * looked["seconds"] / looked["samples"]
    lines.append(f"  cost: {times:.1f} times the time of one look, {each:.2g} ms an image")
    return lines
