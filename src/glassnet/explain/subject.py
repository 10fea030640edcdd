"""What is to be explained: a network, some inputs as it reads them, and the names of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glassnet.data.dataset import Source, as_tensor
from glassnet.data.preprocess.sound import SoundInputs
from glassnet.data.preprocess.vocabulary import OWN, Vocabulary
from glassnet.data.ragged import PADDING, ragged_of
from glassnet.errors import UsageError, unknown
from glassnet.explain.looking import device_of, first_tensor
from glassnet.model import Model

Array = NDArray[np.float32]
Inputs = object  # files, arrays, tensors or a part of a data set
Target = int | str | Sequence[int | str] | Tensor | None


@dataclass(frozen=True)
class Subject:
    """A network with inputs.

    Attributes:
        net: the module.
        x: inputs as the network reads them (batch, …).
        raw: inputs as they came, before any preprocessing (batch, …).
        names: what to call each input.
        classes: names of the classes, in the order of the logits; empty where they are not known or the network predicts values.
        outputs: names of predicted values; empty for classes.
        model: the model, where it is one of Glassnet's.
        tokens: the words (or characters) of each text, where the inputs are texts; one that is not in the vocabulary stands in ⟨⟩.
    """

    net: nn.Module
    x: Tensor
    raw: Tensor
    names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    model: Model | None = None
    tokens: tuple[tuple[str, ...], ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether an input has channels, height and width, as images and the spectrograms of sounds do."""
        return self.x.ndim == 4

    @property
    def is_text(self) -> bool:
        """Whether an input is a row of whole numbers, which stand for tokens."""
        return self.x.ndim == 2 and not self.x.is_floating_point()

    @property
    def seconds(self) -> float:
        """How long a sound is that the network hears; 0 for all that is no sound."""
        heard = None if self.model is None else self.model.preprocess
        return heard.samples / heard.rate if isinstance(heard, SoundInputs) else 0.0

    @property
    def drawn(self) -> Array:
        """The inputs as they are drawn: images 0…1, sounds as the network hears them (spectrograms 0…1 with the lowest band first), others as they came."""
        if self.seconds:
            heard = self.x.unsqueeze(1) if self.x.ndim == 3 and self.x.shape[1] > 1 else self.x
            return pictures(heard)
        return pictures(self.raw) if self.is_image else array(self.raw)

    def drawn_of(self, index: NDArray[np.int64]) -> Array:
        """:attr:`drawn` of some of the inputs, of the index's shape and each more than once if it is asked for so; of images the others need not be drawn."""
        if not self.is_image or self.seconds or self.raw.dtype != torch.uint8:  # what is stretched is stretched by all
            drawn: Array = self.drawn[index]
            return drawn
        some = pictures(self.raw[torch.from_numpy(index.ravel())])
        return some.reshape(*index.shape, *some.shape[1:])

    def answer(self, x: Tensor) -> Tensor:
        """Logits or values (batch, outputs); the single logit s of two classes becomes the two logits −s/2 and s/2, of which each says its own class."""
        out = first_tensor(self.net(x))
        if out is None:
            raise UsageError(
                "the network returns no tensor",
                where=type(self.net).__name__,
                expected="a tensor of outputs, or a tuple, list or dict that holds one",
            )
        out = out.reshape(len(out), -1)
        if out.shape[1] == 1 and len(self.classes) == 2:
            out = torch.cat((-out / 2, out / 2), dim=1)
        return out

    def chosen(self, outputs: Tensor, target: Target) -> Tensor:
        """Indices of the outputs to be explained, int64 (batch,).

        Args:
            outputs: of :meth:`answer`.
            target: names or indices, one for all inputs or one for each; None takes what the network says (the largest output).

        Raises:
            UsageError: no such class or output, or another number of them than inputs.
        """
        if target is None:
            return outputs.argmax(1)
        if isinstance(target, Tensor):
            target = target.tolist()
        each = [target] * len(outputs) if isinstance(target, int | str) else list(target)
        if len(each) != len(outputs):
            raise UsageError("the targets do not match the inputs", got=len(each), expected=f"1 or {len(outputs)}")
        return torch.tensor([self._index(one, outputs.shape[1]) for one in each], device=outputs.device)

    def output_name(self, index: int) -> str:
        """What an output is called; its number where it has no name."""
        names = self.classes or self.outputs
        return names[index] if index < len(names) else str(index)

    def _index(self, target: int | str, count: int) -> int:
        names = self.classes or self.outputs
        if str(target) in names:
            return names.index(str(target))
        if isinstance(target, int) or (not names and str(target).isdecimal()):
            if 0 <= int(target) < count:
                return int(target)
            raise UsageError("no such output", where="target", got=target, expected=f"0 to {count - 1}")
        raise unknown("class" if self.classes else "output", str(target), names or map(str, range(count)))


def subject(model: Model | nn.Module, inputs: Inputs, limit: int | None = None) -> Subject:
    """Bring a model or a module and inputs together.

    Args:
        model: a model of Glassnet, or any module that takes one tensor.
        inputs: for a model files, a part of a data set, or raw inputs with a batch dimension, as ``predict`` takes them; for a module a tensor
            or array as its ``forward`` takes it.
        limit: at most so many inputs, the first ones.

    Raises:
        UsageError: the inputs do not fit, or there are none.
        DataError: files that cannot be read.
    """
    if isinstance(model, Model):
        return _of_model(model, inputs, limit)
    if not isinstance(model, nn.Module):
        raise UsageError(
            "this is no model",
            got=type(model).__name__,
            expected="a model of Glassnet or a torch.nn.Module",
            fix="load a run with glassnet.load(path)",
        )
    x = as_tensor(inputs)[:limit]
    if not len(x):
        raise UsageError("there is nothing to explain", got="no input", expected="one input or more")
    x = x.detach().to(device_of(model))
    own = next(model.parameters(), None)
    if own is not None and x.is_floating_point() and own.is_floating_point():
        x = x.to(own.dtype)
    return Subject(model, x.clone(), x.cpu(), tuple(f"[{i}]" for i in range(len(x))))


def _of_model(model: Model, inputs: Inputs, limit: int | None) -> Subject:
    names, source = model.source(inputs)
    raw = source.take(torch.arange(len(source) if limit is None else min(limit, len(source))))
    if not len(raw):
        raise UsageError("there is nothing to explain", got="no input", expected="one input or more")
    with torch.no_grad():
        x = model.preprocess(raw.to(device_of(model.net))).detach().clone()
    values = model.task == "values"
    return Subject(
        model.net,
        x,
        raw,
        tuple(names[: len(raw)]),
        () if values else model.classes,
        model.outputs if values else (),
        model,
        _tokens(model.preprocess, source, raw, x),
    )


def _tokens(preprocess: nn.Module, source: Source, raw: Tensor, x: Tensor) -> tuple[tuple[str, ...], ...]:
    """The words of texts, as long as the network reads; empty for all that is no text."""
    if not isinstance(preprocess, Vocabulary):
        return ()
    found = ragged_of(source)
    lexicon = {} if found is None else found[0].lexicon

    def told(number: int, code: int) -> str:
        known = number - OWN
        return preprocess.known[known] if known >= 0 else f"⟨{lexicon.get(code, 'unknown')}⟩"

    rows = zip(x.tolist(), raw[:, : x.shape[1]].tolist(), strict=True)
    return tuple(
        tuple(told(number, code) for number, code in zip(numbers, codes, strict=True) if number != PADDING)
        for numbers, codes in rows
    )


def array(tensor: Tensor) -> Array:
    """As float32 NumPy, detached from everything."""
    return tensor.detach().float().cpu().numpy().copy()


def pictures(raw: Tensor) -> Array:
    """Images (n, channels, height, width) as they are drawn, 0…1: bytes over 255, other numbers stretched from their smallest to their largest."""
    values = array(raw)
    if raw.dtype == torch.uint8:
        return values / np.float32(255)
    low, high = float(values.min()), float(values.max())
    return (values - np.float32(low)) / np.float32(max(high - low, 1e-12))
