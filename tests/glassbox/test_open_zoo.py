"""Every network of the zoo as gates, in evaluation and in training, against autograd."""

from __future__ import annotations

import pytest
import torch
from autograd_reference import same_as_autograd
from torch import Tensor
from torch.nn import functional as F

from glassnet.gates import Graph
from glassnet.zoo import ZOO, build

OUTPUTS = 7
NARROW = {"googlenet": 0.25, "all-conv": 0.25}
SHAPES = {
    "linear": (5,),
    "mlp": (1, 6, 6),
    "lenet5": (1, 16, 16),
    "lenet5-1998": (1, 28, 28),
    "lenet4": (1, 28, 28),
    "lenet1": (1, 28, 28),
    "small-vgg": (3, 16, 16),
    "conv1d": (2, 40),
    "rnn": (3, 6),
    "lstm": (3, 6),
    "gru": (3, 6),
    "conv3d": (1, 6, 7, 8),
    "resnet101": (
        3,
        64,
        64,
    ),  # on smaller images the statistics of a batch are those of two numbers, and all is rounding
    "resnet152": (3, 64, 64),
    "alexnet": (3, 63, 66),
    "alexnet-single": (3, 63, 66),
}
SLOW = {
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "vgg13",
    "vgg16",
    "vgg16-c",
    "vgg19",
    "resnet34",
    "resnet101",
    "resnet152",
}


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name, entry in ZOO.items()
        if not entry.reads_tokens
    ],
)
def test_output_loss_and_all_gradients_are_those_of_autograd(name: str, training: bool) -> None:
    options: dict[str, object] = {"width": NARROW.get(name, 0.125)} if "width" in ZOO[name].options else {}
    if name in ("rnn", "lstm", "gru"):
        options = {"hidden": 4, "dropout": 0.0}
    shape = SHAPES.get(name, (3, 32, 32))
    net = build(name, shape, OUTPUTS, options, seed=3)
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(2, *shape, generator=generator)
    weight = float(getattr(net, "auxiliary_weight", 0.0))

    def loss(outputs: Tensor | tuple[Tensor, ...], targets: Tensor) -> Tensor:
        first, *further = (outputs,) if isinstance(outputs, Tensor) else outputs
        total = F.cross_entropy(first, targets)
        for each in further:
            total = total + weight * F.cross_entropy(each, targets)
        return total

    opened = same_as_autograd(net, x, torch.tensor([0, 6]), training=training, loss=loss)
    assert set(opened.graph.parameters) <= {name for name, _ in net.named_parameters()}
    of_net = {node.name for node in Graph(*opened.outputs).nodes if node.kind == "gate"}
    assert set(opened.module_of) >= of_net
    assert {opened.module_of[name] for name in of_net} <= {name for name, _ in net.named_modules()}


def test_gates_are_called_after_the_modules_that_they_belong_to() -> None:
    net = build("resnet20", (3, 32, 32), 10, {}, seed=0)
    opened = same_as_autograd(net, torch.randn(1, 3, 32, 32), torch.tensor([4]))
    names = {node.name: node for node in opened.graph.nodes}
    assert repr(names["group1.0.conv1"].gate).startswith("Convolution")
    assert [each.name for each in names["group1.0.norm1"].inputs][:1] == ["group1.0.conv1"]
    assert names["group1.0.add"].gate is not None, "the residual addition stands in the forward of its block"
    assert names["group1.0.add"].gate.name == "add"
    assert opened.module_of["group1.0.add"] == "group1.0"
    assert opened.module_of["group1.0.conv1"] == "group1.0.conv1"
