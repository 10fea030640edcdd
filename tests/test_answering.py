"""Networks made for answering: batch norms folded, and lower precision only where asked for, told with how far it differs."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

import glassnet
from glassnet import cli, zoo
from glassnet.combined import Answering
from glassnet.combined.folded import fold
from glassnet.data.image_schema import ImageSchema
from glassnet.data.opening import open_data
from glassnet.data.preprocess import AsIs
from glassnet.errors import UsageError
from glassnet.model import MANY, load


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lowered") / "run"
    glassnet.train("digits", "small-vgg", out=folder, epochs=1, check=False, measure="never", precision="float32")
    return folder


class Joined(nn.Module):
    """A convolution and what follows it, of several kinds."""

    def __init__(self, kind: str = "plain") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm = nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5)
        self.dense, self.norm1 = nn.Linear(5 * 36, 4), nn.BatchNorm1d(4, affine=False)
        if kind == "no averages":
            self.norm, self.norm1 = nn.BatchNorm2d(5, track_running_stats=False), nn.BatchNorm1d(4, affine=False)
        self.kind = kind
        for norm in (self.norm, self.norm1):
            if norm.running_mean is not None and norm.running_var is not None:
                norm.running_mean.normal_()
                norm.running_var.uniform_(0.2, 3)
        nn.init.uniform_(self.norm.weight, -2, 2)
        nn.init.normal_(self.norm.bias)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        made = self.conv(x)
        if self.kind == "rectified in place":
            made = made.relu_()
        if self.kind == "twice":
            made = self.conv(x + made[:, :3])
        normed = self.norm(made)
        if self.kind == "asks":
            normed = normed * self.norm.eps
        if self.kind == "around":
            normed = normed + made
        return self.norm1(self.dense(normed.relu().flatten(1)))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("kind", "folded"),
    [("plain", 2), ("rectified in place", 1), ("twice", 1), ("no averages", 1), ("around", 0), ("asks", 0)],
)
def test_batch_norms_are_folded_where_nothing_else_reads_what_they_read(kind: str, folded: int) -> None:
    net, x = Joined(kind), torch.rand(12, 3, 6, 6)
    wanted = copy.deepcopy(net).double()(x.double()) if kind != "no averages" else net(x[:8]).double()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    assert fold(net, x) == folded
    assert fold(copy.deepcopy(Joined(kind)).double(), x.double()) == folded, "whatever numbers the network has"
    norms = sum(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in net.modules())
    assert norms == 2 - folded
    torch.testing.assert_close(net(x if len(wanted) == 12 else x[:8]).double(), wanted, rtol=1e-5, atol=1e-5)
    if not folded:
        assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_in_training_mode_and_of_parametrised_layers_nothing_is_folded() -> None:
    net = Joined()
    net.norm.train()
    weight_norm(net.dense)
    assert fold(net, torch.rand(12, 3, 6, 6)) == 0


def test_every_image_network_that_has_batch_norms_behind_convolutions_is_folded() -> None:
    for name, count in {"resnet20": 19, "resnet50": 53, "mobilenet-v1": 27}.items():
        net = zoo.build(name, (3, 64, 64), 10).eval()
        assert fold(net, torch.rand(2, 3, 64, 64)) == count, name


def test_int8_of_a_dense_layer_is_what_its_formula_says() -> None:
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(8, 1), nn.Linear(1, 1)).eval(), torch.rand(2000, 8) * 2 - 0.7
    nn.init.ones_(net[1].weight)
    nn.init.zeros_(net[1].bias)  # the last layer stays in float32 and hands on what the first one said
    found, exact = Answering(net, x, "int8")(x).detach(), net(x).detach()
    assert len(found.unique()) <= 256 < len(exact.unique())
    step = float((exact.max() - exact.min()) / 100)  # 7 or 8 bits, by the processor
    weight, spread = net[0].weight.detach().abs(), float(x.max() - x.min())
    # half a step of the outputs, of every input, and of every weight
    bound = step + float(weight.sum()) * spread / 127 + 8 * float(weight.max()) / 127 * float(x.abs().max())
    assert 0 < float((found - exact).abs().max()) <= bound


def test_many_images_are_answered_by_a_folded_copy_as_they_are_one_by_one(trained: Path) -> None:
    model = load(trained)
    torch.manual_seed(0)
    images = torch.randint(0, 17, (MANY * 500 + 7, 1, 8, 8), dtype=torch.uint8)
    alone = torch.cat([model.raw_outputs(images[start : start + 100]) for start in range(0, len(images), 100)])
    torch.testing.assert_close(model.raw_outputs(images), alone, rtol=1e-4, atol=1e-4)
    assert not isinstance(model.net, Answering)


@pytest.mark.parametrize(("shape", "size"), [((1, 8, 8), 500), ((3, 32, 32), 85), ((3, 224, 224), 16)])
def test_images_are_answered_in_batches_that_stay_near_the_processor(
    shape: tuple[int, ...], size: int, trained: Path
) -> None:
    sizes: list[int] = []

    class Counting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            return torch.zeros(len(x), 10)

    schema = ImageSchema(*shape)
    model = replace(load(trained), net=Counting(), schema=schema, preprocess=AsIs(shape))
    model.raw_outputs(torch.zeros(size + 1, *shape, dtype=torch.uint8))
    assert sizes == [size, 1]


def test_answers_in_bfloat16_are_those_of_autocast_and_the_model_stays_as_it_is(trained: Path) -> None:
    model = load(trained)
    torch.manual_seed(0)
    images = torch.randint(0, 17, (40, 1, 8, 8), dtype=torch.uint8)
    before = model.raw_outputs(images)
    fast = model.answering_in("bfloat16", images).raw_outputs(images)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        wanted = model.net(model.preprocess(images)).float() / model.temperature
    assert fast.dtype == torch.float32
    torch.testing.assert_close(fast, wanted, rtol=2e-2, atol=2e-2)  # another layout sums in another order
    assert not torch.equal(fast, before)
    assert torch.equal(model.raw_outputs(images), before)
    assert model.answering_in("float32", images) is model


def test_answers_in_int8_are_near_those_in_float32(trained: Path) -> None:
    model, digits = load(trained), open_data("digits").train.inputs
    exact, fast = model.raw_outputs(digits), model.answering_in("int8", digits).raw_outputs(digits)
    assert (exact.argmax(1) == fast.argmax(1)).float().mean() > 0.95
    assert not torch.equal(exact, fast)


class Choosy(nn.Module):
    """What it does depends on what it is given, so its steps cannot be listed."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.flatten(1) if x.mean() > 0 else -x.flatten(1))  # type: ignore[no-any-return]


def test_what_cannot_be_answered_in_a_precision_is_told(trained: Path) -> None:
    model, images = load(trained), torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(UsageError, match="float16"):
        model.answering_in("float16", images)
    with pytest.raises(UsageError, match="float32 alone"):
        replace(model, task="translation").answering_in("bfloat16", images)
    with pytest.raises(UsageError, match=r"int8[\s\S]*TraceError[\s\S]*--precision bfloat16"):
        replace(model, net=Choosy()).answering_in("int8", images)


def test_the_commands_take_it(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for precision in ("bfloat16", "int8"):
        assert cli.run(["evaluate", str(trained), "--precision", precision]) == 0
        assert "accuracy" in capsys.readouterr().out
    np.save(tmp_path / "some.npy", np.zeros((3, 1, 8, 8), np.uint8))
    assert cli.run(["predict", str(trained), str(tmp_path / "some.npy"), "--precision", "bfloat16"]) == 0
    told = capsys.readouterr()
    assert "bfloat16: of the first 3 answers 0.0% differ" in told.err
    assert len(told.out.splitlines()) == 3
