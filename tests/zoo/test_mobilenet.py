"""MobileNet v1 against the paper's tables, TensorFlow's padding worked out by a loop, and a plain forward pass of the published weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import ModelError, UsageError
from glassnet.layer_table import layer_table
from glassnet.pretrained import load_into, model_from, read_weights
from glassnet.zoo import ZOO, build
from glassnet.zoo.mobilenet import PaddedConv

FILE = "pretrained/mobilenet_v1_quant/mobilenet_v1_0.25_128_float32.npz"
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)  # of the depthwise convolutions, table 1
SMALL = {"width": 0.25, "batch_norm": False}


@pytest.mark.parametrize("reference", ZOO["mobilenet-v1"].references, ids=lambda row: row.stated)
def test_parameters_and_multiply_adds_are_the_paper_s(reference):
    with torch.device("meta"):
        net = build("mobilenet-v1", reference.shape, reference.outputs, reference.options)
    table = layer_table(net, reference.shape)
    assert f"{table.parameters / 1e6:.1f}M" == reference.stated
    assert f"{table.multiply_adds / 1e6:.0f}M" == reference.stated_multiply_adds


def test_smaller_images_cost_what_table_7_says():
    with torch.device("meta"):
        net = build("mobilenet-v1", (3, 224, 224), 1000)
    costs = {side: layer_table(net, (3, side, side)).multiply_adds / 1e6 for side in (192, 160, 128)}
    assert costs == {192: pytest.approx(418, abs=1), 160: pytest.approx(290, abs=1), 128: pytest.approx(186, abs=1)}


def test_twenty_eight_layers_and_the_maps_of_table_1():
    net = build("mobilenet-v1", (3, 224, 224), 10, {"width": 0.25}, seed=0).eval()
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in net.modules()) == 28
    x = torch.randn(1, 3, 224, 224)
    sides = []
    for stage in net.stages:
        x = net.get_submodule(stage)(x)
        sides.append(x.shape[-1])
    assert sides == [112, 112, 56, 56, 28, 28, 14, 14, 14, 14, 14, 14, 7, 7]


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_padding_puts_the_odd_zero_last(size, stride):
    """TensorFlow's rule, one window after the other."""
    conv = PaddedConv(2, 3, 3, stride=stride, bias=True).double()
    x = torch.randn(1, 2, size, size, dtype=torch.float64)
    out = conv(x)
    count = -(-size // stride)
    assert out.shape == (1, 3, count, count)
    before = max(0, (count - 1) * stride + 3 - size) // 2
    for row in range(count):
        for column in range(count):
            expected = conv.bias.clone()
            for i in range(3):
                for j in range(3):
                    y, z = row * stride + i - before, column * stride + j - before
                    if 0 <= y < size and 0 <= z < size:
                        expected = expected + conv.weight[:, :, i, j] @ x[0, :, y, z]
            torch.testing.assert_close(out[0, :, row, column], expected)


def test_the_two_paddings_differ_on_even_sizes_with_stride_2_alone():
    for size, stride, equal in ((8, 2, False), (7, 2, True), (8, 1, True)):
        same = PaddedConv(1, 1, 3, stride=stride)
        symmetric = PaddedConv(1, 1, 3, stride=stride, way="symmetric")
        symmetric.load_state_dict(same.state_dict())
        x = torch.randn(1, 1, size, size)
        assert symmetric(x).shape == same(x).shape
        assert torch.allclose(symmetric(x), same(x)) == equal


def test_a_block_is_the_formula():
    block = build("mobilenet-v1", (3, 32, 32), 10, {"width": 0.25}, seed=0).get_submodule("block2").eval()
    x = torch.randn(2, 16, 8, 8)
    inner = F.conv2d(F.pad(x, (0, 1, 0, 1)), block.depthwise.conv.weight, stride=2, groups=16)
    inner = (inner / (1 + 1e-5) ** 0.5).clamp(0, 6)
    inner = F.conv2d(inner, block.pointwise.conv.weight) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(block(x), inner.clamp(0, 6))


def test_folding_batch_norm_leaves_the_function_unchanged():
    """The option batch_norm=false is the form that published weights have after γ / √(σ² + ε) went into the convolutions."""
    net = build("mobilenet-v1", (3, 64, 64), 10, {"width": 0.25}, seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for numbers in (module.weight, module.bias, module.running_mean, module.running_var):
                    numbers.copy_(0.5 + torch.rand(numbers.shape, generator=generator))
    folded = build("mobilenet-v1", (3, 64, 64), 10, {"width": 0.25, "batch_norm": False}, seed=1)
    state = {"head.weight": net.head.weight, "head.bias": net.head.bias}
    for name, layer in net.named_modules():
        if hasattr(layer, "norm"):
            factor = layer.norm.weight / (layer.norm.running_var + layer.norm.eps).sqrt()
            state[f"{name}.conv.weight"] = layer.conv.weight * factor[:, None, None, None]
            state[f"{name}.conv.bias"] = layer.norm.bias - layer.norm.running_mean * factor
    folded.load_state_dict(state)
    x = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(folded.eval()(x), net.eval()(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("width", [0, -1])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(UsageError, match="option width"):
        build("mobilenet-v1", (3, 32, 32), 10, {"width": width})


def plain(weights: dict[str, Tensor], pixels: Tensor) -> Tensor:
    """The published network, from its weights alone: nothing of ours."""

    def conv(x: Tensor, name: str, stride: int, groups: int = 1) -> Tensor:
        weight = weights[f"{name}.weight"]
        size, kernel = x.shape[-1], weight.shape[-1]
        missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
        x = F.pad(x, (missing // 2, missing - missing // 2) * 2)
        return F.conv2d(x, weight, weights[f"{name}.bias"], stride, groups=groups).clamp(0, 6)

    x = conv(pixels.float() / 128 - 1, "Conv2d_0", 2)
    for number, stride in enumerate(STRIDES, start=1):
        x = conv(x, f"Conv2d_{number}_depthwise", stride, groups=x.shape[1])
        x = conv(x, f"Conv2d_{number}_pointwise", 1)
    x = x.mean((2, 3), keepdim=True)
    return F.conv2d(x, weights["Conv2d_1c_1x1.weight"], weights["Conv2d_1c_1x1.bias"]).flatten(1)


def published(shared_data: Path) -> dict[str, Tensor]:
    with np.load(shared_data / FILE, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def test_published_weights_give_what_a_plain_forward_pass_gives(shared_data: Path):
    labels = (shared_data / FILE).with_name("imagenet_labels.txt").read_text().splitlines()
    model = model_from(
        shared_data / FILE, "mobilenet-v1", classes=labels, image_size=128, scale=128, mean=(1,), options=SMALL
    )
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (2, 3, 128, 128), dtype=torch.uint8, generator=generator)
    torch.testing.assert_close(model.raw_outputs(pixels), plain(published(shared_data), pixels), rtol=1e-4, atol=1e-4)


def test_photos_of_ants_and_bees_are_mostly_called_insects(shared_data: Path):
    labels = (shared_data / FILE).with_name("imagenet_labels.txt").read_text().splitlines()
    insects = set(range(labels.index("tiger beetle"), labels.index("lycaenid, lycaenid butterfly") + 1))
    assert {labels.index("ant, emmet, pismire"), labels.index("bee"), labels.index("fly")} < insects
    model = model_from(
        shared_data / FILE, "mobilenet-v1", classes=labels, image_size=128, scale=128, mean=(1,), options=SMALL
    )
    weights = published(shared_data)
    for kind, own, share_own, share_insect in (("ants", "ant, emmet, pismire", 0.35, 0.65), ("bees", "bee", 0.6, 0.75)):
        folder = shared_data / "small-photos" / "hymenoptera_data" / "val" / kind
        names, source = model.schema.read([str(folder)])
        best = model.raw_outputs(source).topk(5).indices
        assert (best == labels.index(own)).any(1).float().mean() > share_own
        assert sum(bool(insects & set(row)) for row in best.tolist()) / len(names) > share_insect
        # Much the same answers as from pixels that Pillow alone has cropped and scaled.
        few = [np.asarray(ImageOps.fit(Image.open(name).convert("RGB"), (128, 128))) for name in names[:8]]
        said = plain(weights, torch.from_numpy(np.stack(few)).permute(0, 3, 1, 2)).topk(5).indices
        agreeing = [len(set(a) & set(b)) for a, b in zip(said.tolist(), best[:8].tolist(), strict=True)]
        assert sum(agreeing) / len(agreeing) > 4


def test_the_trainable_form_refuses_folded_weights_in_words(shared_data: Path):
    net = build("mobilenet-v1", (3, 128, 128), 1001, {"width": 0.25}, seed=0)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ModelError, match=r"in the network but not in the file: stem\.norm\.weight"):
        load_into(net, read_weights(shared_data / FILE))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
