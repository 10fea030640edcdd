"""A recipe is data: one frozen value that holds everything a run is decided by.

It is the same thing as a TOML file, as command-line flags and in Python. ``auto`` means that the value is chosen when the data are known
(:mod:`glassnet.resolve`); the resolved recipe, with every default filled in and the reason beside each choice, is written into the run
folder and repeats the run.
"""

from __future__ import annotations

import json
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from glassnet.errors import GlassnetError, UsageError, all_at_once, nearest, unknown

Auto = Literal["auto"]
Fraction = typing.Annotated[float, Field(ge=0, le=1)]
Positive = typing.Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = typing.Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = typing.Annotated[int, Field(ge=1)]
Threads = typing.Annotated[int, Field(ge=1, le=256)]  # far more make OpenMP crash
Share = typing.Annotated[float, Field(gt=0, lt=1)]
BelowOne = typing.Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A table of the recipe: frozen, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class OpenSection(Section):
    """A table whose further keys belong to what its ``name`` chooses, such as ``hidden`` of the net ``mlp``.

    They are kept in ``options`` and checked by whoever builds the named thing.
    """

    options: dict[str, Any] = Field(default_factory=dict, description="what the named thing lets one vary")

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, tree: Any) -> Any:
        if not isinstance(tree, Mapping):
            return tree
        own = {key: value for key, value in tree.items() if key in cls.model_fields and key != "options"}
        further = {key: value for key, value in tree.items() if key not in cls.model_fields}
        given = tree.get("options", {})
        return own | {"options": {**given, **further} if isinstance(given, Mapping) else given}


class DataSettings(Section):
    """Which data, and how they are divided."""

    path: str = Field("digits", description="a folder, a file, or the name of a built-in or well-known set")
    target: str | None = Field(None, description="column or key to learn; the last column without it")
    task: Literal["auto", "classes", "values", "language", "translation"] = Field(
        "auto",
        description="classes, values, language (what comes next in a text) or translation; auto looks at the data",
    )
    image_size: Count | None = Field(None, description="side in pixels to which images are brought")
    tokens: Literal["words", "characters"] | None = Field(None, description="what texts are cut into")
    text: str | None = Field(None, description="column of a table that holds texts")
    time: str | None = Field(
        None,
        description="column with the times of a series; none reads the file as a table; without it, seen from the data",
    )
    window: Count | None = Field(None, description="steps of a series that the network sees")
    horizon: Count | None = Field(None, description="steps of a series that are forecast")
    val: str | None = Field(None, description="a separate file or folder with the validation part")
    test: str | None = Field(None, description="a separate file or folder with the test part")
    test_names: str | None = Field(None, description="pattern of names that make the test part, such as *_[0-4].wav")
    val_fraction: Share | Auto = Field("auto", description="share of the training part kept back for validation")
    test_fraction: Share | Auto = Field("auto", description="share kept back for the test where none is given")
    split_seed: int | None = Field(
        None, ge=0, lt=2**32, description="seed of the division into parts; train.seed without it"
    )
    judge: Literal["test", "val"] = Field(
        "test", description="part whose figures are told at the end; val leaves the test part, and rivals, for later"
    )
    folds: int | None = Field(
        None, ge=2, description="cross-validation: into how many folds what is not the test part is cut"
    )
    fold: Count | None = Field(None, description="cross-validation: the fold that is validated on, counted from 1")


class PreprocessSettings(Section):
    """What is done to every input, fitted on the training part alone (requirement P)."""

    name: str = Field(
        "auto",
        description="standardise, none, mean-image, channel-mean, pca, whiten, imagenet, centred, quantile, tree-bins, vocabulary, every-token, log-mel, log-mel-steps, waveform, relative, word-features, every-word",
    )


class AugmentSettings(Section):
    """Random changes of the training images (requirement D3)."""

    auto: bool = Field(True, description="choose what is not given below by looking at the images")
    flip: bool | None = Field(None, description="mirror left and right")
    shift: int | None = Field(None, ge=0, description="random crop after padding by this many pixels")
    translate: NotNegative | None = Field(None, description="move by up to this share of the side")
    rotate: NotNegative | None = Field(None, description="turn by up to this many degrees")
    scale: NotNegative | None = Field(None, description="enlarge or shrink by up to this share")
    shear: NotNegative | None = Field(None, description="slant by up to this many degrees")
    stretch: NotNegative | None = Field(None, description="change the aspect by up to this share")
    elastic: NotNegative | None = Field(None, description="elastic distortion, Simard's alpha in pixels")
    elastic_sigma: Positive | None = Field(
        None, description="smoothness of the elastic distortion, Simard's alpha in pixels"
    )
    brightness: NotNegative | None = Field(None, description="by up to this share")
    contrast: NotNegative | None = Field(None, description="by up to this share")
    saturation: NotNegative | None = Field(None, description="by up to this share")
    hue: NotNegative | None = Field(None, description="by up to this share of the colour circle")
    pca_noise: NotNegative | None = Field(None, description="AlexNet's colour noise, standard deviation")
    noise: NotNegative | None = Field(None, description="Gaussian noise, standard deviation in units of the full range")
    cutout: int | None = Field(None, ge=0, description="side of a square that is blanked out, in pixels")
    word_dropout: Fraction | None = Field(None, description="share of a text's words that are made unknown")
    scale_crop: tuple[float, float] | None = Field(None, description="shorter side drawn from this range, then a crop")

    def given(self) -> dict[str, Any]:
        """The settings that are not left open."""
        return {name: value for name, value in self if name != "auto" and value is not None}


class NetSettings(OpenSection):
    """The network."""

    name: str = Field("auto", description="an entry of 'glassnet nets'")
    init: str = Field(
        "default",
        description="starting weights: zero, normal001, normal1, uniform, xavier, glorot, he, orthogonal, lsuv, data-dependent, between-layer; default is the net's own",
    )
    init_bias: float | None = Field(None, allow_inf_nan=False, description="value of all biases at the start")
    pretrained: str | None = Field(None, description="a file with weights to start from")


class LossSettings(Section):
    """The loss (requirements O1, O2)."""

    name: str = Field("auto", description="cross-entropy, binary, hinge, map, squared, absolute, huber")
    label_smoothing: Fraction | Auto = Field("auto", description="share of the target spread over all classes")
    j: Positive | None = Field(None, description="map: the distance beyond which a wrong class is left alone")


class OptimizerSettings(Section):
    """The optimiser, under torch.optim's names (requirement S1)."""

    name: str = Field("auto", description="sgd, adagrad, rmsprop, adam, adamw, lbfgs")
    lr: Positive | Literal["auto", "find"] = Field("auto", description="a number; find makes a range test")
    momentum: Fraction | None = Field(None, description="sgd and rmsprop")
    nesterov: bool | None = Field(None, description="sgd")
    weight_decay: NotNegative | Auto = Field("auto", description="on weights, not on biases and norm parameters")
    betas: tuple[float, float] | None = Field(None, description="adam and adamw")
    eps: Positive | None = Field(None, description="adagrad, rmsprop, adam, adamw")
    bias_lr: Positive | Auto = Field("auto", description="biases and norm parameters learn at lr times this")


class ScheduleSettings(OpenSection):
    """How the learning rate changes (requirement S2)."""

    name: str = Field("auto", description="constant, step, exponential, inverse, cosine, one-cycle, cyclic, ...")
    warmup: NotNegative | None = Field(None, description="epochs of linear rise before it")


class ClipSettings(Section):
    """Gradient clipping (requirement G6)."""

    norm: Positive | None = Field(None, description="largest Euclidean norm of the whole gradient")
    value: Positive | None = Field(None, description="largest size of any one component")


class RegulariseSettings(Section):
    """What keeps the network from learning by heart (requirement R)."""

    l2: NotNegative = Field(0.0, description="penalty l2 * sum of w^2")
    l1: NotNegative = Field(0.0, description="penalty l1 * sum of |w|")
    on: tuple[str, ...] = Field((), description="patterns of parameter names that are penalised; weights without it")
    dropout: Fraction | None = Field(None, description="probability to drop, in nets that have dropout")
    noise: NotNegative = Field(0.0, description="Gaussian noise on every hidden activation in training")
    weight_noise: NotNegative = Field(0.0, description="Gaussian noise on the weights in training")
    max_norm: Positive | None = Field(None, description="largest norm of the weights into one unit")
    average: Literal["auto", "none", "ema", "swa", "polyak"] = Field(
        "auto", description="average of the weights: none, ema (of all steps), swa (of epochs), polyak (of late steps)"
    )
    ema_decay: Fraction = Field(0.999, description="decay of the exponential average")
    average_from: BelowOne | None = Field(
        None, description="swa and polyak: share of the run before the average begins (0.75 and 0.5 without it)"
    )


class StopSettings(Section):
    """Which weights are kept, and when hope is given up."""

    monitor: str = Field("auto", description="figure of the validation part that decides: loss, accuracy, r2")
    patience: Count | Literal["auto", "never"] = Field("auto", description="epochs without improvement before stopping")
    min_delta: NotNegative = Field(0.0, description="smallest change that counts as an improvement")


class EnsembleSettings(Section):
    """Several networks that answer together (requirement E)."""

    members: Count = Field(1, description="networks trained from different seeds on the same parts of the data")
    snapshots: int | None = Field(
        None,
        ge=2,
        description="cycles of a cosine rate in one training, whose last weights are kept (Huang et al. 2017)",
    )
    last: Count | None = Field(None, description="snapshots that answer, the last ones; all of them without it")
    answer: Literal["mean", "votes"] = Field("mean", description="average the probabilities, or count the classes")
    of: tuple[str, ...] = Field((), description="finished runs that are joined instead of training any")
    workers: Count | None = Field(
        None, description="members trained at once, each in a process with one thread; as many as cores without it"
    )


class TrainSettings(Section):
    """The training itself."""

    epochs: Count | Auto = Field("auto", description="how often every sample is seen")
    budget: Positive | None = Field(None, description="seconds of training; epochs are chosen to fit")
    effort: Literal["full", "quick"] = Field(
        "full", description="quick: a smaller net and a third of the epochs, for a good net soon rather than the best"
    )
    batch_size: Count | Literal["auto", "full"] = Field("auto", description="samples in a step; full takes all")
    through_time: Count | None = Field(
        None,
        description="tokens of a text that the gradient goes back through, 100 without it; the state goes on beyond",
    )
    micro_batches: Count = Field(1, description="pieces a batch is cut into to save memory")
    seed: int = Field(0, ge=0, lt=2**32, description="decides splits, weights, order, augmentation and dropout")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1")
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto measures what pays")
    threads: Threads | Auto = Field("auto", description="threads inside an operation")
    layout: Literal["auto", "channels-last", "channels-first"] = Field(
        "auto", description="of images in memory; auto measures what pays"
    )
    remember: bool = Field(True, description="keep what was measured of precision and layout for runs of the same net")
    record_every: Count | Auto = Field("auto", description="steps between two recorded losses")
    measure: Count | Literal["auto", "never"] = Field(
        "auto",
        description="steps between two looks inside (activations, gradients, updates); auto measures what they cost",
    )
    check: bool = Field(True, description="look over loss, gradients and sizes before the first step; some seconds")
    try_advice: bool = Field(
        False, description="try what a finding proposes on a fork of the run, and tell what it did"
    )
    checkpoint_seconds: NotNegative = Field(20.0, description="seconds between checkpoints; 0 makes one at every step")


class Recipe(Section):
    """Everything a run is decided by.

    Example:
        >>> Recipe().changed({"train.epochs": 3, "optimizer.lr": 0.01}).train.epochs
        3
    """

    data: DataSettings = DataSettings()
    preprocess: PreprocessSettings = PreprocessSettings()
    augment: AugmentSettings = AugmentSettings()
    net: NetSettings = NetSettings()
    loss: LossSettings = LossSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    clip: ClipSettings = ClipSettings()
    regularise: RegulariseSettings = RegulariseSettings()
    stop: StopSettings = StopSettings()
    ensemble: EnsembleSettings = EnsembleSettings()
    train: TrainSettings = TrainSettings()

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any], *, where: str | None = None) -> Self:
        """A recipe from nested tables.

        Raises:
            UsageError: unknown keys (with the nearest spelling) and wrong values, all of them at once.
        """
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise all_at_once([_told(problem, where) for problem in _distinct(error.errors())]) from None

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """A recipe from a file.

        Raises:
            UsageError: the file is missing, is not TOML, or holds mistakes.
        """
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError("cannot read the recipe", where=path, got=error.strerror) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError("the recipe is not valid TOML", where=path, got=error) from error
        return cls.from_tree(tree, where=str(path))

    def changed(self, settings: Mapping[str, Any], *, where: str | None = None) -> Self:
        """The same recipe with some values replaced, addressed by dotted keys such as ``optimizer.lr``.

        Raises:
            UsageError: unknown keys and wrong values, all of them at once.
        """
        tree = self.model_dump()
        mistakes: list[GlassnetError] = []
        for key, value in settings.items():
            *tables, last = key.split(".")
            table: Any = tree
            for name in tables:
                table = table.get(name) if isinstance(table, dict) else None
            if len(tables) == 0 or not isinstance(table, dict):
                mistakes.append(unknown("recipe key", key, known_keys(), where=where))
            else:
                table[last] = value
        try:
            changed = type(self).from_tree(tree, where=where)
        except GlassnetError as error:
            raise all_at_once([*mistakes, error]) from None
        if mistakes:
            raise all_at_once(mistakes)
        return changed

    def to_toml(self, reasons: Mapping[str, str] | None = None) -> str:
        """The recipe as a file that can be read, changed and used again; reasons become comments. Open values are left out."""
        lines: list[str] = []
        for section, settings in self:
            lines.append(f"[{section}]")
            for name, value in _flat(settings):
                if value is None:
                    continue
                comment = (reasons or {}).get(f"{section}.{name}")
                lines.append(f"{_key(name)} = {_toml(value)}" + (f"  # {_one_line(comment)}" if comment else ""))
            lines.append("")
        return "\n".join(lines)


def known_keys() -> list[str]:
    """Every key of a recipe, dotted."""
    return [
        f"{section}.{name}" for section, field in Recipe.model_fields.items() for name in _section(field).model_fields
    ]


def key_of(name: str, *, where: str | None = None, further: Iterable[str] = (), fix: str = "give the whole key") -> str:
    """The key that ends in a name: ``lr`` -> ``optimizer.lr``.

    Args:
        name: the last part of a key.
        where: the name was given, for the error.
        further: other names that may be given there, for the nearest spelling.
        fix: what to do about a name that several keys end in.

    Raises:
        UsageError: no key, or more than one, ends so.
    """
    keys = known_keys()
    fitting = [key for key in keys if key.rpartition(".")[2] == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"'{name}' could mean {' or '.join(fitting)}", where=where, fix=fix)
    raise unknown("setting", name, {*further, *keys, *(key.rpartition(".")[2] for key in keys)}, where=where)


def describe() -> Iterator[tuple[str, str, Any]]:
    """(dotted key, what it means, default) of every key, for help and documentation."""
    for section, field in Recipe.model_fields.items():
        for name, setting in _section(field).model_fields.items():
            yield f"{section}.{name}", setting.description or "", setting.get_default(call_default_factory=True)


def parse_value(text: str) -> Any:
    """A value as typed after ``--set key=``: TOML where it is TOML, and otherwise the text itself."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return text if isinstance(value, date | time) else value  # no setting is a date, but a column may be called so


def _flat(settings: Section) -> Iterator[tuple[str, Any]]:
    for name, value in settings:
        if name != "options":
            yield name, value
    if isinstance(settings, OpenSection):
        yield from settings.options.items()


def _section(field: Any) -> type[Section]:
    section: type[Section] = field.annotation
    return section


def _distinct(problems: list[Any]) -> list[Any]:
    """One problem per place: pydantic tells one for each member of a union."""
    seen: dict[tuple[Any, ...], Any] = {}
    for problem in problems:
        seen.setdefault(problem["loc"][:2], problem)
    return list(seen.values())


def _told(problem: Any, where: str | None) -> UsageError:
    key = ".".join(str(part) for part in problem["loc"][:2])
    if problem["type"] == "extra_forbidden":
        near = nearest(key, known_keys() + list(Recipe.model_fields))
        return UsageError(
            f"unknown recipe key '{key}'",
            where=where,
            fix=f"did you mean '{near}'?" if near else "'glassnet train --keys' lists them all",
        )
    section, name = (*problem["loc"], "")[:2]
    setting = (
        _section(Recipe.model_fields[section]).model_fields.get(str(name)) if section in Recipe.model_fields else None
    )
    if setting is None:
        return UsageError(f"'{key}' must be a table", where=where, got=repr(problem.get("input")))
    expected = _words(setting.annotation, setting.metadata)
    return UsageError(f"wrong value for '{key}'", where=where, got=repr(problem.get("input")), expected=expected)


def _words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What a setting takes, in words, such as ``a number > 0 or auto``."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " or ".join(_words(member) for member in typing.get_args(annotation) if member is not type(None))
    if typing.get_origin(annotation) is Literal:
        return " or ".join(str(choice) for choice in typing.get_args(annotation))
    if typing.get_origin(annotation) is typing.Annotated:
        kind, field = typing.get_args(annotation)
        return _words(kind, field.metadata)
    kind = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}.get(
        annotation, "a list or table"
    )
    bounds = [
        f" {sign} {getattr(limit, name):g}"
        for limit in metadata
        for name, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if hasattr(limit, name)
    ]
    return kind + " and".join(bounds)


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)  # the shortest text that reads back as the same number
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items() if v is not None) + " }"
            if value
            else "{}"
        )
    return "[" + ", ".join(_toml(item) for item in value) + "]"
