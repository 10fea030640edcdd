"""Models as ONNX files: what ONNX Runtime and ONNX's own reference say beside what the model says, for every network whose inputs have one size."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

import glassnet
from glassnet import cli, export, layers, zoo
from glassnet.combined import Answering
from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import InMemory, Part
from glassnet.data.image_schema import ImageSchema
from glassnet.data.opening import open_data
from glassnet.data.preprocess import fit
from glassnet.data.text_schema import TextSchema
from glassnet.errors import ModelError, UsageError
from glassnet.joining import ensemble
from glassnet.model import Model, load, probabilities

onnxruntime = pytest.importorskip("onnxruntime")

CLASSES = ("a", "b", "c")
DEEP = {
    "alexnet-single",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
}
LARGE = DEEP | {"googlenet", "alexnet", "vgg11", "vgg13", "vgg16", "vgg16-c", "vgg19"}
FIXED = [name for name, entry in zoo.ZOO.items() if {"image", "table", "array", "series"} & set(entry.kinds)]


def sizes(name: str) -> tuple[int, ...]:
    """A small input that the network reads."""
    entry = zoo.ZOO[name]
    if "image" in entry.kinds:
        side = max(entry.minimum, 12)
        return (1 if name.startswith("lenet") else 3, side, side)
    return {"conv1d": (2, 64), "conv3d": (1, 12, 12, 12)}.get(name, (4, 9))


def model_of(net: nn.Module, shape: tuple[int, ...], image: bool = True, classes: tuple[str, ...] = CLASSES) -> Model:
    """An untrained network with a preparation fitted on random inputs."""
    schema = ImageSchema(*shape) if image else ArraySchema(shape)
    inputs = torch.randint(0, 256, (40, *shape), dtype=torch.uint8) if image else 3 * torch.randn(40, *shape) + 1
    part = Part(InMemory(inputs), torch.zeros(40, dtype=torch.int64), tuple(map(str, range(40))))
    return Model(
        net.eval(), {}, fit("standardise", part, schema), schema, "classes", classes, ("class",), temperature=0.7
    )


def asked(path: Path, inputs: Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    said: np.ndarray = session.run(None, {"inputs": inputs.numpy()})[0]
    return said


@pytest.fixture(autouse=True)
def _same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(export, "COMPARED", 72)  # batches of 1, 7 and 64


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in FIXED]
)
def test_every_network_of_one_size_says_the_same_in_batches_of_any_size(name: str, tmp_path: Path) -> None:
    shape, image = sizes(name), "image" in zoo.ZOO[name].kinds
    net = zoo.build(name, shape, len(CLASSES))
    for module in net.modules():  # averages that are not those of a fresh network
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    model = model_of(net, shape, image)
    done = export.export(model, tmp_path / "net.onnx")
    assert done.difference <= done.allowed
    assert (done.takes, done.gives) == (
        f"{'uint8' if image else 'float32'} (samples, {', '.join(map(str, shape))})",
        "probabilities (samples, 3)",
    )
    inputs = export.invented(model, 64)
    for count in (1, 7, 64):
        own = probabilities(model.raw_outputs(inputs[:count])).numpy()
        said = asked(done.path, inputs[:count])
        assert np.abs(said - own).max() <= max(1e-5, done.allowed)
        assert (said.argmax(1) == own.argmax(1)).all()


@pytest.mark.parametrize("name", ["lenet5-1998", "small-vgg", "lstm"])
def test_onnx_s_own_reference_says_the_same(name: str, tmp_path: Path) -> None:
    shape, image = sizes(name), "image" in zoo.ZOO[name].kinds
    model = model_of(zoo.build(name, shape, len(CLASSES)), shape, image)
    path = export.export(model, tmp_path / "net.onnx").path
    onnx.checker.check_model(str(path), full_check=True)
    inputs = export.invented(model, 3)
    (said,) = ReferenceEvaluator(str(path)).run(None, {"inputs": inputs.numpy()})
    assert np.abs(said - model.predict_proba(inputs).numpy()).max() <= 1e-5


OWN: dict[str, Callable[[], nn.Module]] = {
    "maxout": lambda: nn.Sequential(layers.MaxoutConv2d(2, 3, 3), nn.Flatten(), layers.MaxoutLinear(48, 5)),
    "locally connected": lambda: layers.LocallyConnected2d(2, 3, (6, 6), 3, stride=2, padding=1),
    "Lp norms": lambda: layers.NormPool2d(2, 3, 2, 1),
    "a Gaussian pool": lambda: layers.GaussianPool2d(2, 3),
    "LRN": layers.LocalResponseNorm,
    "subsampling": lambda: layers.Subsampling(2, 3),
    "dropout": lambda: layers.ClassicDropout(0.5),
    "noise": lambda: layers.GaussianNoise(0.5),
    "a shortcut": lambda: layers.SubsampleAndPad(2, 4, 2),
}


@pytest.mark.parametrize("name", OWN)
def test_every_layer_of_our_own_says_the_same(name: str, tmp_path: Path) -> None:
    own = OWN[name]()
    outputs = own.eval()(torch.zeros(1, 2, 6, 6)).numel()
    model = model_of(nn.Sequential(own, nn.Flatten(), nn.Linear(outputs, 3)), (2, 6, 6))
    inputs = export.invented(model, 40)
    said = asked(export.export(model, tmp_path / "net.onnx").path, inputs)
    np.testing.assert_allclose(said, model.predict_proba(inputs).numpy(), atol=1e-5)


@pytest.mark.parametrize("base", ["mean", "last", "season", "season-and-change"])
def test_a_forecast_around_what_the_window_says(base: str, tmp_path: Path) -> None:
    net = zoo.Around(zoo.build("lstm", (2, 12), 6), 2, (0, 1), 3, base, 4)
    plain = model_of(net, (2, 12), image=False)
    model = replace(plain, task="values", classes=(), outputs=tuple("abcdef"), temperature=1.0)
    inputs = export.invented(model, 40)
    done = export.export(model, tmp_path / "net.onnx")
    assert done.gives == "values (samples, 6)"
    np.testing.assert_allclose(asked(done.path, inputs), model.raw_outputs(inputs).numpy(), atol=1e-4)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with numbers, categories and what is missing."""
    draws = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    lines = ["age,colour,height,price"]
    for _ in range(120):
        age, colour, height = draws.integers(18, 80), draws.choice(["red", "green", ""]), draws.normal(170, 9)
        lines.append(f"{age if draws.random() > 0.1 else ''},{colour},{height:.1f},{3 * age + height:.2f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("preprocess", ["standardise", "quantile"])
def test_rows_of_a_table_give_values_in_their_own_units(preprocess: str, rows: Path, tmp_path: Path) -> None:
    result = glassnet.train(
        rows,
        target="price",
        task="values",
        out=tmp_path / "run",
        epochs=2,
        check=False,
        measure="never",
        settings={"preprocess.name": preprocess},
    )
    model = result.model
    raw = export.invented(model, 50)
    assert raw.isnan().any()
    assert set(raw[:, 1][~raw[:, 1].isnan()].tolist()) <= {0.0, 1.0, 2.0}
    done = export.export(model, tmp_path / "price.onnx", raw)
    assert (done.takes, done.gives) == ("float32 (samples, 3)", "values (samples, 1)")
    own = model.raw_outputs(raw).numpy()
    np.testing.assert_allclose(asked(done.path, raw), own, rtol=1e-5, atol=1e-4 * own.std())


def test_the_file_says_what_it_is_of(tmp_path: Path) -> None:
    model = model_of(zoo.build("mlp", (3, 4, 4), 3), (3, 4, 4))
    told = {
        entry.key: json.loads(entry.value)
        for entry in onnx.load(export.export(model, tmp_path / "net.onnx").path).metadata_props
    }
    assert told["glassnet.classes"] == ["a", "b", "c"]
    assert told["glassnet.task"] == "classes"
    assert told["glassnet.schema"] == json.loads(json.dumps(model.schema.to_json()))


def test_one_logit_gives_the_probabilities_of_two_classes(tmp_path: Path) -> None:
    model = model_of(zoo.build("mlp", (1, 3, 3), 1), (1, 3, 3), classes=("no", "yes"))
    inputs = export.invented(model, 5)
    said = asked(export.export(model, tmp_path / "net.onnx").path, inputs)
    s = model.net(model.preprocess(inputs)).detach().double().numpy()[:, 0] / 0.7
    np.testing.assert_allclose(said[:, 1], 1 / (1 + np.exp(-s)), atol=1e-6)


def test_an_ensemble_is_a_model_here_too(tmp_path: Path) -> None:
    members = [
        replace(model_of(zoo.build("mlp", (1, 4, 4), 3, seed=seed), (1, 4, 4)), net_json={"zoo": "mlp"})
        for seed in (1, 2)
    ]
    joined = ensemble([replace(each, preprocess=members[0].preprocess) for each in members])
    inputs = export.invented(joined, 9)
    said = asked(export.export(joined, tmp_path / "both.onnx").path, inputs)
    np.testing.assert_allclose(said, joined.predict_proba(inputs).numpy(), atol=1e-5)


class Folded(nn.Module):
    """A network that a user may write."""

    def __init__(self, answer: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.dense, self.answer = nn.Linear(4, 3), answer

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.dense(x))


def numpy_inside(x: Tensor) -> Tensor:
    return torch.from_numpy(np.sort(x.detach().numpy(), axis=1))


def another_size(x: Tensor) -> Tensor:
    return x.reshape(len(x), 3) + torch.zeros(len(x), 3)


@pytest.mark.parametrize("answer", [numpy_inside, another_size])
def test_a_network_without_a_form_in_onnx_is_told_and_leaves_nothing(
    answer: Callable[[Tensor], Tensor], tmp_path: Path
) -> None:
    model = model_of(Folded(answer), (4,), image=False)
    with pytest.raises(ModelError, match=r"no form in ONNX|cannot run this network"):
        export.export(model, tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_says_something_else_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(zoo.build("mlp", (4,), 3), (4,), image=False)
    honest = export._asked
    monkeypatch.setattr(export, "_asked", lambda session, batch: honest(session, batch) + np.float32(1e-4))
    with pytest.raises(ModelError, match="something else than the model") as caught:
        export.export(model, tmp_path / "net.onnx")
    assert "0.0001" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_each_value_is_compared_by_its_own_spread() -> None:
    told = torch.tensor([[1.0, 1000.0], [3.0, 5000.0]])
    assert export._spread(told).tolist() == [1.0, 2000.0]
    assert export._spread(torch.tensor([[5.0, 0.0]])).tolist() == [0.05, 1e-12]  # one sample, and nothing at all


def test_a_missing_number_on_one_side_is_a_difference() -> None:
    whole, holed = torch.ones(2, 2), torch.tensor([[1.0, math.nan], [1.0, 1.0]])
    assert export._apart(whole, holed) == math.inf
    assert export._apart(holed, holed) == 0


def test_what_has_no_size_of_its_own_is_refused() -> None:
    model = Model(
        nn.Identity(), {}, nn.Identity(), TextSchema("words", "line", None, 30), "classes", CLASSES, ("class",)
    )  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="one size") as caught:
        export.export(model, "net.onnx")
    assert "text data" in str(caught.value)


def test_without_the_packages_the_way_to_them_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "NEEDED", ("onnx", "no_such_package"))
    with pytest.raises(UsageError, match=r"no_such_package not installed") as caught:
        export.export(model_of(zoo.build("mlp", (4,), 3), (4,), image=False), "net.onnx")
    assert "glassnet[export]" in str(caught.value)


def test_a_copy_made_for_answering_is_exported_too(tmp_path: Path) -> None:
    model = model_of(zoo.build("small-vgg", (3, 16, 16), 3), (3, 16, 16))
    inputs = export.invented(model, 9)
    folded = replace(model, net=Answering(model.net, model.preprocess(inputs)))
    said = asked(export.export(folded, tmp_path / "net.onnx").path, inputs)
    np.testing.assert_allclose(said, model.predict_proba(inputs).numpy(), atol=1e-5)


def test_the_command_writes_compares_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    glassnet.train("digits", "mlp", out=tmp_path / "run", epochs=1, check=False, measure="never")
    capsys.readouterr()
    assert cli.run(["export", "run"]) == 0
    told = capsys.readouterr().out
    assert "run.onnx" in told
    assert "takes uint8 (samples, 1, 8, 8), gives probabilities (samples, 10)" in told
    assert "of its validation part" in told
    digits = open_data("digits").train.inputs.take(torch.arange(20))
    assert (asked(tmp_path / "run.onnx", digits).argmax(1) == load("run").predict_proba(digits).argmax(1).numpy()).all()
    assert cli.run(["export", "run/model", "--out", "deep/er/net.onnx"]) == 0
    assert "made up" in capsys.readouterr().out
    assert (tmp_path / "deep/er/net.onnx").is_file()
    assert cli.run(["export", "nowhere"]) == 4
