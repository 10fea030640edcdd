"""A finished model as one ONNX file: preparation, network and the way back to probabilities or values in one graph, which counts only where it says the same.

The graph takes raw inputs as the model does, any number of them, and needs nothing of Glassnet to be run.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import math
import warnings
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from glassnet.data.dataset import InMemory, Source
from glassnet.data.kinds import KINDS
from glassnet.data.preprocess.table import TableInputs
from glassnet.data.table_schema import TableSchema
from glassnet.errors import ModelError, UsageError
from glassnet.files import make_folder, write_file
from glassnet.layers.twin import twin
from glassnet.model import Model, probabilities

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped,unused-ignore]

NEEDED = ("onnx", "onnxscript", "onnxruntime")
INPUT, PROBABILITIES, VALUES = "inputs", "probabilities", "values"
COMPARED, MOST_NUMBERS = 1000, 1 << 24  # samples that are compared; numbers in them, where these are large
BATCHES = (1, 7, 64)  # sizes of the first batches that are compared; the rest comes in batches of the last size
CLOSE = 1e-5  # of a probability; of values, of their spread
ROUNDING = 4.0  # times what float32 itself is away from float64, where that is more
MISSING = 0.05  # of invented rows


@dataclass(frozen=True)
class Exported:
    """A file that was written, and how far it agrees.

    Attributes:
        path: of the file.
        size: in bytes.
        takes: type and shape of the inputs, such as ``uint8 (samples, 1, 28, 28)``.
        gives: name and shape of the outputs, such as ``probabilities (samples, 10)``.
        samples: inputs that both were asked about.
        difference: the largest one between the two: of probabilities, or of values as a share of their spread.
        allowed: what it may be.
        other_answers: of classes, inputs for which the most probable one is another; 0 for values.
    """

    path: Path
    size: int
    takes: str
    gives: str
    samples: int
    difference: float
    allowed: float
    other_answers: int


class _Whole(nn.Module):
    """From raw inputs to probabilities or values, as :meth:`Model.predict` gives them."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.preprocess, self.net = deepcopy(model.preprocess), twin(model.net)
        self.target_scale = deepcopy(model.target_scale)
        self.model = replace(model, preprocess=self.preprocess, net=self.net, target_scale=self.target_scale)
        self.to("cpu").eval()

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = self.model.in_words(self.net(self.preprocess(inputs)))
        return torch.softmax(outputs, dim=1) if self.model.task == "classes" else outputs


def export(model: Model, path: Path | str, like: Source | Tensor | None = None) -> Exported:
    """Write a model as an ONNX file and compare what ONNX Runtime says with what the model says; where they differ nothing is written.

    Both are asked about up to :data:`COMPARED` inputs, in batches of 1, 7 and 64. They may be :data:`CLOSE` apart, or as far as rounding explains: :data:`ROUNDING` times what
    the model itself in float32 is away from itself in float64.

    Args:
        model: tells classes or values of inputs of one size: images, rows, arrays, windows of a series. Trained in any precision, it is written in float32.
        path: of the file; its folder is made where it is not there.
        like: raw inputs to compare by; None for invented ones.

    Raises:
        UsageError: a package is missing, or inputs of this kind have no fixed size.
        ModelError: the network has no form in ONNX, or the file says something else.
        SpaceError: the file cannot be written.

    Example:
        ``export(glassnet.load("runs/digits-1"), "digits.onnx")``
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            "writing ONNX needs other packages",
            got=f"{', '.join(missing)} not installed",
            fix="pip install 'glassnet[export]'",
        )
    if not KINDS[model.schema.kind].places or model.task not in ("classes", "values"):
        raise UsageError(
            "only networks whose inputs have one size are written as ONNX",
            got=f"a model for {model.schema.kind} data, task {model.task}",
            expected=f"one that tells classes or values of {', '.join(name for name, kind in KINDS.items() if kind.places)} data",
        )
    path, inputs = Path(path), _some(model, like)
    whole = _Whole(model)
    content = _written(whole, model, inputs)
    said, told = _said(whole, content, inputs), _told(model, inputs)
    scale = torch.ones(()) if model.task == "classes" else _spread(told)
    difference, allowed = _apart(said / scale, told / scale), CLOSE
    if not difference <= CLOSE:
        allowed = max(CLOSE, ROUNDING * _apart(told / scale, _in_float64(whole, inputs) / scale))
    if not difference <= allowed:
        raise ModelError(
            "the ONNX file would say something else than the model, so it was not written",
            where=path,
            got=f"answers up to {difference:.1g} apart, by {len(inputs):,} inputs",
            expected=f"at most {allowed:.1g}",
        )
    make_folder(path.parent)
    write_file(path, content)
    kind, shape = str(inputs.dtype).removeprefix("torch."), ", ".join(map(str, ("samples", *inputs.shape[1:])))
    return Exported(
        path=path,
        size=len(content),
        takes=f"{kind} ({shape})",
        gives=f"{_name(model)} (samples, {told.shape[1]})",
        samples=len(inputs),
        difference=difference,
        allowed=allowed,
        other_answers=int((said.argmax(1) != told.argmax(1)).sum()) if model.task == "classes" else 0,
    )


def _name(model: Model) -> str:
    return PROBABILITIES if model.task == "classes" else VALUES


def _some(model: Model, like: Source | Tensor | None) -> Tensor:
    """Raw inputs to compare by: evenly of those given, or invented."""
    count = max(sum(BATCHES[:2]), min(COMPARED, MOST_NUMBERS // max(math.prod(model.schema.shape), 1)))
    if like is None or not len(like):
        return invented(model, count)
    source = InMemory(like) if isinstance(like, Tensor) else like
    count = min(count, len(source))
    return source.take(torch.arange(count) * len(source) // count)


def invented(model: Model, count: int) -> Tensor:
    """Raw inputs of the model's kind and shape with numbers in the range that it knows, the same ones each time."""
    draws, shape = torch.Generator().manual_seed(0), (count, *model.schema.shape)
    if model.schema.kind == "image":
        contrast = torch.rand(count, 1, 1, 1, generator=draws)
        return (torch.rand(shape, generator=draws) * contrast * 255).to(torch.uint8)
    normal = torch.randn(shape, generator=draws)
    if isinstance(model.schema, TableSchema):
        return _rows(model.schema, model.preprocess, normal, draws)
    mean, std = (getattr(model.preprocess, name, None) for name in ("mean", "std"))
    if isinstance(mean, Tensor) and isinstance(std, Tensor):
        with contextlib.suppress(RuntimeError):  # figures of another shape than an input's
            normal = normal * std.cpu() + mean.cpu()
    return normal


def _rows(schema: TableSchema, prepared: nn.Module, normal: Tensor, draws: torch.Generator) -> Tensor:
    """Rows of a table: numbers around those that were trained on, levels of each category, some of both missing."""
    for place, column in enumerate(schema.columns):
        if column.kind == "category":
            normal[:, place] = torch.randint(len(column.levels), (len(normal),), generator=draws).float()
        elif isinstance(prepared, TableInputs) and place in prepared.numbers:
            at = prepared.numbers.index(place)
            normal[:, place] = normal[:, place] * prepared.std[at].cpu() + prepared.mean[at].cpu()
    return normal.masked_fill_(torch.rand(normal.shape, generator=draws) < MISSING, math.nan)


def _written(whole: _Whole, model: Model, inputs: Tensor) -> bytes:
    """The file's content."""
    example = inputs[:3] if len(inputs) >= 3 else inputs.repeat(3, *[1] * (inputs.ndim - 1))
    try:
        with _quietly(), torch.no_grad():
            made = torch.onnx.export(
                whole,
                (example,),
                input_names=[INPUT],
                output_names=[_name(model)],
                dynamic_shapes=({0: torch.export.Dim("samples", min=1)},),
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # whatever the exporter cannot do, it says in an exception of its own
        raise ModelError(
            "this network has no form in ONNX",
            where=type(whole.net).__name__,
            got=(str(error).strip().splitlines() or [type(error).__name__])[0],
            fix="where it is a class of your own, use operations that torch.onnx.export knows and no Python numbers in place of sizes",
        ) from error
    assert made is not None, "the exporter gives a program"
    proto = made.model_proto
    about = {"task": model.task, "classes": model.classes, "outputs": model.outputs, "schema": model.schema.to_json()}
    for key, value in about.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = f"glassnet.{key}", json.dumps(value, ensure_ascii=False)
    proto.producer_name = "glassnet"
    return bytes(proto.SerializeToString())


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's progress and its warnings about what it is made of."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _told(model: Model, inputs: Tensor) -> Tensor:
    """What the model itself says, by its own way."""
    outputs = model.raw_outputs(inputs)
    return probabilities(outputs).float() if model.task == "classes" else outputs


def _said(whole: _Whole, content: bytes, inputs: Tensor) -> Tensor:
    """What ONNX Runtime says, in batches of several sizes."""
    import onnxruntime  # type: ignore[import-untyped,unused-ignore]

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    said, begin = [], 0
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        for size in _sizes(len(inputs)):
            batch = inputs[begin : begin + size]
            said.append(torch.from_numpy(_asked(session, batch)))
            begin += size
    except Exception as error:  # of many kinds, none of which is a base of the others
        raise ModelError(
            "ONNX Runtime cannot run this network",
            where=type(whole.net).__name__,
            got=(str(error).strip().splitlines() or [type(error).__name__])[0],
            fix="where it is a class of your own, use no Python numbers in place of the size of a batch",
        ) from error
    return torch.cat(said)


def _asked(session: onnxruntime.InferenceSession, batch: Tensor) -> Any:
    return session.run(None, {INPUT: batch.contiguous().numpy()})[0]


def _sizes(count: int) -> list[int]:
    """Sizes of batches that sum to so many samples."""
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(min(BATCHES[min(len(sizes), len(BATCHES) - 1)], count - sum(sizes)))
    return sizes


def _in_float64(whole: _Whole, inputs: Tensor) -> Tensor:
    exact = deepcopy(whole).double()
    with torch.inference_mode():
        numbers = inputs.double() if inputs.is_floating_point() else inputs
        return torch.cat([exact(batch) for batch in torch.split(numbers, BATCHES[-1])])


def _spread(values: Tensor) -> Tensor:
    """Of each output (outputs,); of one that hardly changes a hundredth of its size, since float32 is no finer."""
    exact = values.double()
    return torch.maximum(exact.std(0, correction=0), 0.01 * exact.abs().mean(0)).clamp_min(1e-12)


def _apart(one: Tensor, other: Tensor) -> float:
    """The largest difference; infinite where a number is missing in one of them only."""
    if one.shape != other.shape or not torch.equal(one.isnan(), other.isnan()):
        return math.inf
    return float((one.double() - other.double()).abs().nan_to_num(0.0).max()) if one.numel() else 0.0
