"""The tables of a recipe: every key with its type, its range, its default and what it means."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    text: str | None = Field(None, description="column of a table that holds texts; none reads all columns")
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
        None,
        ge=2,
        description="cross-validation: a training for each of so many folds into which what is not the test part is cut",
    )
    fold: Count | None = Field(
        None, description="cross-validation: one training alone, validated on this fold, counted from 1"
    )


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
    steps: Literal["last", "all"] = Field(
        "last",
        description="of a recurrent net that reads a sequence: the loss of its answer, or the mean over its answers behind every step",
    )
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

    def given(self) -> dict[str, Any]:
        """What is said beside name, rate and decay, under torch.optim's names."""
        names = ("momentum", "nesterov", "betas", "eps")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


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
    together: Literal["auto", "processes", "in-turn", "stacked"] = Field(
        "auto",
        description="how members are trained: in processes (on the CPU), in-turn, or stacked, with one pass for the gradients of all; auto takes processes on the CPU and measures on a GPU",
    )
    workers: Count | None = Field(
        None, description="members trained at once, each in a process with one thread; as many as cores without it"
    )


class TrainSettings(Section):
    """The training itself."""

    epochs: Count | Auto = Field("auto", description="how often every sample is seen")
    budget: Positive | None = Field(None, description="seconds of training; epochs are chosen to fit")
    effort: Literal["full", "quick"] = Field(
        "full", description="quick: a smaller net and a quarter of the epochs, for a good net soon rather than the best"
    )
    batch_size: Count | Literal["auto", "full"] = Field("auto", description="samples in a step; full takes all")
    through_time: Count | None = Field(
        None,
        description="steps that the gradient goes back through, while states go on: 100 tokens of one long text without it, all steps of a sequence",
    )
    micro_batches: Count = Field(1, description="pieces a batch is cut into to save memory")
    seed: int = Field(0, ge=0, lt=2**32, description="decides splits, weights, order, augmentation and dropout")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1")
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto measures what pays")
    threads: Threads | Auto = Field("auto", description="threads inside an operation")
    layout: Literal["auto", "channels-last", "channels-first"] = Field(
        "auto", description="of images in memory; auto measures what pays"
    )
    weight_gradients: Literal["auto", "library", "products"] = Field(
        "auto", description="how those of convolutions in bfloat16 are computed; auto measures what pays"
    )
    remember: bool = Field(True, description="keep what was measured of the ways to compute for runs of the same net")
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
