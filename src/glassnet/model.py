"""The finished thing: a network with its preprocessing, its classes and its input schema. Saves, loads, predicts.

``model/`` holds ``weights.safetensors`` and ``model.json``; nothing is pickled, and no training data is needed to load it.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from glassnet.combined import PRECISIONS, Answering
from glassnet.data.batches import answered_at_once
from glassnet.data.dataset import InMemory, Part, Schema, Source, as_tensor, notes_of
from glassnet.data.kinds import schema_from_json
from glassnet.data.pair_schema import PairSchema
from glassnet.data.preprocess import Preprocess, TargetScale, preprocess_from_json
from glassnet.data.ragged import PADDING, lengths_of
from glassnet.errors import ModelError, UsageError, fix_to_read, unknown
from glassnet.files import make_folder, write_file
from glassnet.rebuilding import rebuild, temperature_of
from glassnet.tensor_file import write_tensors
from glassnet.translating import translations

FORMAT = 1
MANY = 3  # batches from which on a copy made for answering is worth its making
EXAMPLES = 256  # inputs that show what ranges int8 must span


@dataclass(frozen=True)
class Prediction:
    """What a model says of one input.

    Attributes:
        name: the file or row.
        label: the most probable class, or the translation; None for values.
        probability: its probability; None for values.
        probabilities: of every class, in the model's order; empty for values.
        values: one number for each output; empty for classes.
        tags: of a sentence (word, tag, probability) for each word; empty for others.
    """

    name: str
    label: str | None
    probability: float | None
    probabilities: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    tags: tuple[tuple[str, str, float], ...] = ()

    def top(self, classes: Sequence[str], count: int = 5) -> list[tuple[str, float]]:
        """The most probable classes with their probabilities, best first."""
        return sorted(zip(classes, self.probabilities, strict=True), key=lambda pair: -pair[1])[:count]


@dataclass(frozen=True)
class Model:
    """A network that knows what it was trained on.

    Attributes:
        net: maps preprocessed inputs to logits (classes) or scaled values.
        net_json: how ``net`` is built again: a zoo entry with its options, or the name of a user's own class.
        preprocess: raw inputs to the network's.
        schema: how raw inputs look and how new ones are read.
        task: what it has learned: ``classes``, ``values``, ``language`` or ``translation``.
        classes: names, in the order of the logits.
        outputs: names of the target columns.
        target_scale: undoes the scaling of values; None for classes.
        temperature: what logits are divided by, fitted on the validation part, so that probabilities mean what they say.
        card: where the model comes from: data fingerprint, figures, versions.
    """

    net: nn.Module
    net_json: dict[str, Any]
    preprocess: Preprocess
    schema: Schema
    task: str
    classes: tuple[str, ...]
    outputs: tuple[str, ...]
    target_scale: TargetScale | None = None
    temperature: float = 1.0
    card: dict[str, Any] = field(default_factory=dict)

    def raw_outputs(self, inputs: Source | Tensor, *, batch_size: int | None = None) -> Tensor:
        """Logits over the temperature (samples, classes), or values in their own units (samples, outputs), for raw inputs.

        Where every token of a sentence is told something, a row is a token, one sentence behind the other. Of many images a copy of the network made for
        answering (:class:`~glassnet.combined.Answering`) says the same to rounding, and sooner.

        Args:
            inputs: raw, as the schema reads them.
            batch_size: how many are answered at once; None for as many as processors like best.
        """
        source = InMemory(inputs) if isinstance(inputs, Tensor) else inputs
        device = next((p.device for p in self.net.parameters()), torch.device("cpu"))
        size = batch_size or answered_at_once(self.schema, device)
        net = self.net.eval()
        made = []
        with torch.inference_mode():
            for start in range(0, len(source), size):
                index = torch.arange(start, min(start + size, len(source)))
                prepared = self.preprocess(source.take(index).to(device))
                if not start and len(source) >= MANY * size and self._gains_by_a_copy():
                    net = Answering(net, prepared)
                outputs = net(prepared).float()
                if outputs.ndim == 3:  # of every token
                    outputs = outputs[prepared[..., 0] != PADDING]
                made.append(self.in_words(outputs.cpu()))
        if not made:
            return torch.empty(0, max(len(self.classes), len(self.outputs)))
        return torch.cat(made)

    def _gains_by_a_copy(self) -> bool:
        """Whether the network reads images by convolutions, and is not such a copy already."""
        convolutions = any(isinstance(module, nn.Conv2d) for module in self.net.modules())
        return self.schema.kind == "image" and convolutions and not isinstance(self.net, Answering)

    def answering_in(self, precision: str, like: Source | Tensor) -> Model:
        """The same model with its answers computed in another precision; it is for answering, not for saving.

        Args:
            precision: ``float32``; ``bfloat16``: several times as fast on processors and cards that have instructions for it; or ``int8``: on processors,
                faster still, and coarser.
            like: raw inputs like those that will be asked; the first :data:`EXAMPLES` show what ranges of numbers int8 must span.

        Raises:
            UsageError: an unknown precision, a network that answers step by step, whose small differences would add up, or one without a form in int8.
        """
        if precision not in PRECISIONS:
            raise unknown("precision", precision, PRECISIONS, where="--precision")
        if precision == "float32":
            return self
        if self.task not in ("classes", "values") or self.schema.kind in ("tags", "graph", "graphs", "tree"):
            raise UsageError(
                "this network answers in float32 alone",
                where="--precision",
                got=precision,
                expected=f"{precision} of networks that tell classes or values of pictures, rows, arrays, texts and sounds",
            )
        source = InMemory(like) if isinstance(like, Tensor) else like
        example = self.preprocess(source.take(torch.arange(min(len(source), EXAMPLES))))
        return replace(self, net=Answering(self.net, example, precision))

    def in_words(self, outputs: Tensor) -> Tensor:
        """A network's outputs in the model's terms: values in their units, or logits over the temperature, one for each class."""
        if self.target_scale is not None:
            return self.target_scale.decode(outputs)
        if outputs.shape[1] == 1:  # one logit s for two classes is the same as the two logits 0 and s
            outputs = torch.cat((torch.zeros_like(outputs), outputs), dim=1)
        return outputs / self.temperature

    def predict_proba(self, inputs: object) -> Tensor:
        """Probabilities (samples, classes) of files, arrays or raw tensors.

        Raises:
            UsageError: the model predicts values.
        """
        if self.task != "classes":
            raise UsageError("this model predicts values and has no probabilities", fix="use predict")
        return probabilities(self.raw_outputs(self.source(inputs)[1]))

    def predict(self, inputs: object, *, beam: int = 1) -> list[Prediction]:
        """What the model says of each input.

        Args:
            inputs: a path, a list of paths (files or folders), or an array or tensor of raw inputs with a batch dimension.
            beam: of a translator: beginnings that are followed at once.

        Raises:
            DataError: inputs that cannot be read or do not fit; all of them at once.

        Warns:
            UserWarning: images of a folder are left out, or cells of a table count as missing although something stands there.
        """
        names, source = self.source(inputs)
        for note in notes_of(source):
            warnings.warn(note, stacklevel=2)
        return self.answers(names, source, beam=beam)

    def answers(self, names: Sequence[str], source: Source, *, beam: int = 1) -> list[Prediction]:
        """What the model says of inputs that :meth:`source` has read."""
        if self.schema.kind == "tags":
            return list(self._tagged(names, source))
        if isinstance(self.schema, PairSchema):
            said = translations(self.net, self.preprocess, self.schema, source, beam)
            return [Prediction(name, one.text, one.probability) for name, one in zip(names, said, strict=True)]
        return list(self.told(names, self.raw_outputs(source)))

    def _tagged(self, names: Sequence[str], source: Source) -> Iterator[Prediction]:
        """Sentences with a tag for each word; words are numbered where a name does not hold them."""
        lengths = lengths_of(source)
        assert lengths is not None, "sentences differ in length"
        shares = torch.split(probabilities(self.raw_outputs(source)), lengths.tolist())
        for name, own in zip(names, shares, strict=True):
            words = name.split(" ") if len(name.split(" ")) == len(own) else [str(i + 1) for i in range(len(own))]
            best = own.max(dim=1)
            told = zip(words, best.indices.tolist(), best.values.tolist(), strict=True)
            yield Prediction(name, None, None, tags=tuple((word, self.classes[i], share) for word, i, share in told))

    def told(self, names: Sequence[str], outputs: Tensor) -> Iterator[Prediction]:
        """Outputs as predictions."""
        if self.task == "values":
            for name, row in zip(names, outputs.tolist(), strict=True):
                yield Prediction(name, None, None, values=tuple(row))
            return
        shares = probabilities(outputs)
        best = shares.argmax(1)
        for name, row, said in zip(names, shares.tolist(), best.tolist(), strict=True):
            yield Prediction(name, self.classes[said], row[said], tuple(row))

    def source(self, inputs: object) -> tuple[list[str], Source]:
        """Names and raw inputs of what a user gives: files, a part of a data set, or numbers with a batch dimension.

        Raises:
            UsageError: numbers of another shape than the model was trained on, or no numbers at all.
            DataError: files that cannot be read.
        """
        if isinstance(inputs, Part):
            return list(inputs.names), inputs.inputs
        if isinstance(inputs, str | Path):
            return self.schema.read([str(inputs)])
        if isinstance(inputs, Sequence) and all(isinstance(each, str | Path) for each in inputs):
            return self.schema.read([str(path) for path in inputs])
        raw = as_tensor(inputs)
        if tuple(raw.shape[1:]) != self.schema.shape:
            raise UsageError(
                "the inputs have another shape than this model was trained on",
                got=f"{tuple(raw.shape)}",
                expected=f"(samples, {', '.join(map(str, self.schema.shape))})",
            )
        return [f"[{number}]" for number in range(len(raw))], InMemory(raw)

    def save(self, folder: Path | str) -> None:
        """Write ``weights.safetensors`` and ``model.json``; the latter last, so that a folder with it is whole."""
        folder = Path(folder)
        make_folder(folder)
        modules = {"net": self.net, "preprocess": self.preprocess, "target": self.target_scale}
        values = {
            f"{name}.{key}": value
            for name, module in modules.items()
            if module is not None
            for key, value in module.state_dict().items()
        }
        tensors = {key: value for key, value in values.items() if isinstance(value, Tensor)}
        told = {key: value for key, value in values.items() if key not in tensors}  # by a module's get_extra_state
        write_tensors(folder / "weights.safetensors", tensors)
        about = {
            "format": FORMAT,
            "net": self.net_json,
            **({"extra": told} if told else {}),
            "preprocess": self.preprocess.to_json(),
            "schema": self.schema.to_json(),
            "task": self.task,
            "classes": self.classes,
            "outputs": self.outputs,
            "temperature": self.temperature,
            "card": self.card,
        }
        write_file(folder / "model.json", json.dumps(about, indent=1, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path | str, *, net: nn.Module | None = None) -> Self:
        """Read a model folder.

        Args:
            folder: holds ``model.json`` and ``weights.safetensors``.
            net: the module to load the weights into, needed for a user's own class; an ensemble of such takes copies of it.

        Raises:
            ModelError: the folder is missing, damaged, or does not fit the network.
        """
        folder = Path(folder)
        try:
            about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "weights.safetensors")
            if about["format"] > FORMAT:
                raise ModelError(
                    "written by a newer Glassnet", where=folder, got=f"format {about['format']}", fix="upgrade glassnet"
                )
            made = cls(
                net=rebuild(about["net"], folder, net),
                net_json=about["net"],
                preprocess=preprocess_from_json(about["preprocess"]),
                schema=schema_from_json(about["schema"]),
                task=about["task"],
                classes=tuple(about["classes"]),
                outputs=tuple(about["outputs"]),
                target_scale=TargetScale(*(tensors[f"target.{k}"] for k in ("mean", "std")))
                if "target.mean" in tensors
                else None,
                temperature=temperature_of(about["temperature"]),
                card=about["card"],
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            missing = [name for name in ("model.json", "weights.safetensors") if not (folder / name).exists()]
            raise ModelError(
                "there is no model here",
                where=folder,
                got=f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
                if folder.is_dir()
                else None,
                expected="a run folder whose training has come to its end, or its model folder",
                fix=f"a cross-validation keeps a model for each fold: take {folder / 'folds' / '1'}, or train once more without folds"
                if (folder / "folds").is_dir()
                else None,
            ) from error
        except UsageError as error:  # what would be a user's mistake elsewhere is a damaged file here
            raise ModelError(
                "the model folder is damaged", where=folder, got=error.problem, expected=error.expected
            ) from error
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            safetensors.SafetensorError,
        ) as error:
            raise ModelError(
                "the model folder cannot be read" if isinstance(error, OSError) else "the model folder is damaged",
                where=folder,
                got=f"{type(error).__name__}: {error}",
                fix=fix_to_read(
                    error,
                    folder,
                    "copy the model folder again from where it came from, or train again with 'glassnet train --recipe' and the recipe.toml of its run",
                ),
            ) from error
        for name, module in (("net", made.net), ("preprocess", made.preprocess)):
            values = tensors | about.get("extra", {})
            own = {key.removeprefix(f"{name}."): value for key, value in values.items() if key.startswith(f"{name}.")}
            _load_into(module, own, folder)
        made.net.eval()
        answers, told = about["net"].get("outputs"), len(made.outputs) if made.task == "values" else len(made.classes)
        if answers not in (None, told) and (answers, told) != (1, 2):  # one logit tells two classes apart
            raise ModelError(
                "the model folder is damaged",
                where=folder,
                got=f"{told} names",
                expected=f"{answers}, one for each output",
            )
        return made


def probabilities(logits: Tensor) -> Tensor:
    """Softmax of (samples, classes), in float64 so that rows sum to 1 as closely as a reader would check."""
    return torch.softmax(logits.double(), dim=1)


def load(path: str | Path, *, net: nn.Module | None = None) -> Model:
    """The model of a run folder or of a model folder, ready to predict.

    Example:
        ``glassnet.load("runs/digits-1").predict("digit.png")``
    """
    folder = Path(path)
    # Not Path.exists, which raises where a name is too long to be a file's.
    if not os.path.exists(folder / "model.json") and os.path.exists(folder / "model" / "model.json"):  # noqa: PTH110
        folder = folder / "model"
    return Model.load(folder, net=net)


def _load_into(module: nn.Module, tensors: dict[str, Any], where: Path) -> None:
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(
            "the weights do not fit the network",
            where=where,
            got=str(error).replace("\n\t", "; "),
            fix="give a network of your own class as it was trained; otherwise copy the model folder again from where it came from",
        ) from error
