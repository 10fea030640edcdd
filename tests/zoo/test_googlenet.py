"""GoogLeNet against table 1 of its paper, its auxiliary classifiers, and the Inception block's arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.assembly import assemble
from glassnet.data.readers.arrays import data_from_arrays
from glassnet.data.split import split
from glassnet.events import Epoch
from glassnet.layer_table import layer_table
from glassnet.layers import Inception, InceptionWidths
from glassnet.recipe import Recipe
from glassnet.resolve import resolve
from glassnet.training import train
from glassnet.training.losses import cross_entropy, with_auxiliary
from glassnet.zoo import build
from glassnet.zoo.googlenet import Auxiliary

FULL = (3, 224, 224)
SMALL = (3, 64, 64)
# Table 1: output of each block, and the parameters that the paper gives for it.
TABLE = {
    "3a": ((256, 28, 28), 159e3),
    "3b": ((480, 28, 28), 380e3),
    "4a": ((512, 14, 14), 364e3),
    "4b": ((512, 14, 14), 437e3),
    "4c": ((512, 14, 14), 463e3),
    "4d": ((528, 14, 14), 580e3),
    "4e": ((832, 14, 14), 840e3),
    "5a": ((832, 7, 7), 1072e3),
    "5b": ((1024, 7, 7), 1388e3),
}


@pytest.fixture(scope="module")
def unmade() -> nn.Module:
    with torch.device("meta"):
        return build("googlenet", FULL, 1000, seed=0)


def test_maps_of_table_1(unmade):
    rows = layer_table(unmade, FULL).rows
    outputs = {row.path: row.output for row in rows}
    assert outputs["stem.conv1.conv"] == (64, 112, 112)
    assert outputs["stem.pool1"] == (64, 56, 56)
    assert outputs["stem.conv2.conv"] == (192, 56, 56)
    assert outputs["stem.pool2"] == (192, 28, 28)
    assert outputs["pool"] == (1024, 1, 1)
    for name, (shape, _) in TABLE.items():
        widths = [outputs[f"inception{name}.{branch}.conv"][0] for branch in ("branch1", "branch3.1", "branch5.1")]
        assert sum(widths) + outputs[f"inception{name}.branch_pool.1.conv"][0] == shape[0]
        assert outputs[f"inception{name}.branch1.conv"][1:] == shape[1:]


def test_twenty_two_layers_deep(unmade):
    def depth(module: nn.Module) -> int:
        if isinstance(module, Inception):
            return 2
        if isinstance(module, nn.Conv2d | nn.Linear):
            return 1
        return sum(depth(child) for name, child in module.named_children() if not name.startswith("auxiliary"))

    assert depth(unmade) == 22


def test_parameters_of_every_block_near_the_papers(unmade):
    # Not equal: the rows of table 1 do not follow from its own widths, as a sum by hand shows.
    for name, (_, stated) in TABLE.items():
        ours = sum(p.numel() for p in unmade.get_submodule(f"inception{name}").parameters())
        assert abs(ours / stated - 1) < 0.11, name
    by_hand = 480 * 192 + 192 + 480 * 96 + 96 + 96 * 9 * 208 + 208 + 480 * 16 + 16 + 16 * 25 * 48 + 48 + 480 * 64 + 64
    assert sum(p.numel() for p in unmade.inception4a.parameters()) == by_hand


def test_reduction_by_1x1_saves_what_the_lectures_say():
    block = Inception(480, InceptionWidths(192, 96, 208, 16, 48, 64))
    work = {row.path: row.multiply_adds for row in layer_table(block, (480, 14, 14)).rows}
    assert work["branch5.0.conv"] == 1_505_280  # 1.5 million
    assert work["branch5.1.conv"] == 3_763_200  # 3.8 million
    direct = layer_table(nn.Conv2d(480, 48, 5, padding=2), (480, 14, 14)).multiply_adds
    assert direct == 112_896_000  # 112.9 million


@pytest.mark.parametrize("batch_norm", [False, True])
def test_inception_is_its_branches_side_by_side(batch_norm):
    block = Inception(5, InceptionWidths(2, 3, 4, 2, 3, 1), batch_norm).double().eval()
    x = torch.randn(2, 5, 6, 7, dtype=torch.float64)

    def conv(y: Tensor, layers: nn.Sequential) -> Tensor:
        padding = layers.conv.kernel_size[0] // 2
        y = F.conv2d(y, layers.conv.weight, layers.conv.bias, padding=padding)
        return F.relu(y / (1 + 1e-5) ** 0.5 if batch_norm else y)

    wanted = torch.cat(
        [
            conv(x, block.branch1),
            conv(conv(x, block.branch3[0]), block.branch3[1]),
            conv(conv(x, block.branch5[0]), block.branch5[1]),
            conv(F.max_pool2d(x, 3, 1, 1), block.branch_pool[1]),
        ],
        1,
    )
    assert [block.branch3[1].conv.kernel_size, block.branch5[1].conv.kernel_size] == [(3, 3), (5, 5)]
    torch.testing.assert_close(block(x), wanted)


def test_three_outputs_in_training_one_in_evaluation():
    net = build("googlenet", SMALL, 5, {"width": 0.25}, seed=0)
    x = torch.randn(2, *SMALL)
    outputs = net(x)
    assert [tuple(out.shape) for out in outputs] == [(2, 5)] * 3
    assert net.auxiliary_weight == 0.3
    assert net.eval()(x).shape == (2, 5)
    alone = build("googlenet", SMALL, 5, {"width": 0.25, "auxiliary": False}, seed=0)
    assert alone(x).shape == (2, 5)
    assert alone.auxiliary_weight == 0
    assert not any("auxiliary" in name for name, _ in alone.named_parameters())


def test_auxiliary_outputs_come_from_blocks_4a_and_4d():
    net = build("googlenet", SMALL, 5, {"width": 0.25}, seed=0)
    for block, auxiliary in (("inception4a", "auxiliary4a"), ("inception4d", "auxiliary4d")):
        seen = {}
        net.get_submodule(block).register_forward_hook(lambda module, args, out, seen=seen: seen.update(made=out))
        net.get_submodule(auxiliary).register_forward_hook(
            lambda module, args, out, seen=seen: seen.update(got=args[0])
        )
        net(torch.randn(1, *SMALL))
        assert seen["made"] is seen["got"]


def test_auxiliary_pools_5x5_at_a_distance_of_3():
    head = Auxiliary(3, 4, 8, 5, batch_norm=False)
    x = torch.randn(1, 3, 14, 14)
    seen = {}
    head.conv.register_forward_hook(lambda module, args, out: seen.update(maps=args[0]))
    head(x)
    assert seen["maps"].shape == (1, 3, 4, 4)
    torch.testing.assert_close(seen["maps"][0, 1, 2, 3], x[0, 1, 6:11, 9:14].mean())
    for side in (2, 5, 6, 20):
        assert head(torch.randn(2, 3, side, side)).shape == (2, 5)


def test_loss_counts_auxiliary_outputs_by_their_weight():
    loss = with_auxiliary(cross_entropy, 0.3)
    outputs = tuple(torch.randn(4, 5) for _ in range(3))
    targets = torch.tensor([0, 3, 1, 4])
    own, first, second = (F.cross_entropy(out, targets) for out in outputs)
    torch.testing.assert_close(loss(outputs, targets), own + 0.3 * first + 0.3 * second)
    torch.testing.assert_close(loss(outputs[0], targets), own)


def test_local_response_normalisation_and_batch_norm_can_be_switched():
    def kinds(options: dict[str, object]) -> list[str]:
        net = build("googlenet", SMALL, 5, {"width": 0.25, **options}, seed=0)
        return [name for name, _ in net.stem.named_children()]

    assert kinds({}) == ["conv1", "pool1", "lrn1", "reduce2", "conv2", "lrn2", "pool2"]
    assert kinds({"lrn": False}) == ["conv1", "pool1", "reduce2", "conv2", "pool2"]
    net = build("googlenet", SMALL, 5, {"width": 0.25, "batch_norm": True}, seed=0)
    convolutions = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == 3 + 9 * 6 + 2
    assert all(module.bias is None for module in convolutions)
    assert sum(isinstance(module, nn.BatchNorm2d) for module in net.modules()) == len(convolutions)


def test_training_counts_the_auxiliary_losses_and_evaluation_does_not() -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, size=(80, 1, 32, 32), dtype=np.uint8)
    data = split(data_from_arrays(pixels, np.arange(80) % 4), seed=0)
    asked = {
        "net.name": "googlenet",
        "net.options": {"width": 0.25},
        "train.epochs": 1,
        "train.threads": 1,
        "train.precision": "float32",
    }
    recipe, _ = resolve(Recipe().changed(asked), data)
    made = assemble(recipe, data)
    batch = next(iter(made.batches.epoch(0)))
    outputs = made.net.train()(batch.inputs)
    wanted = sum(w * F.cross_entropy(out, batch.targets) for w, out in zip((1, 0.3, 0.3), outputs, strict=True))
    torch.testing.assert_close(made.plan.loss(outputs, batch.targets), wanted)
    events = list(train(made.net, made.batches, made.plan, validation=made.validation, sample=made.sample))
    epoch = next(event for event in events if isinstance(event, Epoch))
    # Three classifiers that know nothing yet: (1 + 2 · 0.3) · ln 4 in training, ln 4 in evaluation.
    assert abs(epoch.running_loss / (1.6 * np.log(4)) - 1) < 0.2
    assert abs(epoch.val["loss"] / np.log(4) - 1) < 0.2
