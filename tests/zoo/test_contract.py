"""What every network of the zoo promises, checked for each one on inputs of several shapes."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import ModelError, UsageError
from glassnet.zoo import ZOO, Net
from glassnet.zoo import build as build_in_full

OUTPUTS = 7
SHAPES = {"image": [(1, 28, 28), (3, 32, 32), (2, 17, 23)], "array": [(5, 4)], "table": [(14,)], "series": [(3, 24)]}
# The large nets are held to the contract at an eighth of their width (a quarter, where an eighth leaves two channels, both of which
# may be dead), and one of each family, or of each kind of block, in the quick tests.
NARROW = {
    name: {"width": 0.25 if name in ("googlenet", "all-conv") else 0.125}
    for name, entry in ZOO.items()
    if (entry.minimum > 28 or name == "all-conv") and "width" in entry.options
}
QUICK = ("all-conv", "alexnet", "vgg11", "googlenet", "resnet18", "resnet50", "mobilenet-v1")
SLOW = ("resnet32", "resnet44", "resnet56", "resnet110", *(name for name in NARROW if name not in QUICK))
SHAPES_OF = {name: [(3, 63, 66) if name.startswith("alexnet") else (3, 32, 32)] for name in NARROW}
SHAPES_OF |= {"rnn": [(3, 12)], "lstm": [(3, 12)], "gru": [(3, 12)]}
SHAPES_OF |= {"conv1d": [(3, 40), (1, 7)], "conv3d": [(1, 8, 9, 10), (2, 3, 3, 3)]}


def marked(name: str, *rest: object) -> object:
    """A case, marked as slow where it is."""
    return pytest.param((name, *rest) if rest else name, marks=[pytest.mark.slow] if name in SLOW else [])


CASES = [
    marked(name, shape)
    for name, entry in ZOO.items()
    for kind in entry.kinds
    # The others read whole numbers and have tests of their own.
    if kind not in ("text", "tags", "graph", "graphs", "tree", "stream", "pairs")
    and (kind != "series" or name not in SHAPES_OF)
    for shape in SHAPES_OF.get(name, SHAPES[kind])
]


def build(
    name: str,
    shape: tuple[int, ...],
    outputs: int,
    options: Mapping[str, object] | None = None,
    seed: int | None = None,
) -> nn.Module:
    """A network of the zoo, the large ones narrowed."""
    return build_in_full(name, shape, outputs, {**NARROW.get(name, {}), **(options or {})}, seed)


def each(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs in training, of which there are several where a network has auxiliary classifiers."""
    return outputs if isinstance(outputs, tuple) else (outputs,)


@pytest.fixture(autouse=True)
def _untouched_random_state() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{'x'.join(map(str, case[1]))}")
def case(request: pytest.FixtureRequest) -> tuple[str, tuple[int, ...]]:
    return request.param


def ready(name: str, shape: tuple[int, ...], batch: int = 4) -> tuple[nn.Module, Tensor]:
    """A network after its data-dependent start, and a batch of inputs."""
    net = build(name, shape, OUTPUTS, seed=1)
    x = torch.randn(batch, *shape)
    if hasattr(net, "initialise_from"):
        net.initialise_from(torch.randn(32, *shape))
    return net, x


def test_output_has_one_row_a_sample_and_one_column_an_output(case):
    net, x = ready(*case)
    assert all(out.shape == (4, OUTPUTS) for out in each(net(x)))
    assert net.eval()(x).shape == (4, OUTPUTS)
    assert all(out.shape == (4, 1) for out in each(build(*case, 1, seed=1)(x)))


def test_features_then_head_is_forward(case):
    net, x = ready(*case)
    net.eval()
    assert isinstance(net, Net)
    features = net.features(x)
    assert features.dim() == 2
    assert torch.equal(net.head(features), net(x))


def test_every_trainable_parameter_gets_a_gradient(case):
    net, x = ready(*case, batch=16)
    sum(out.square().sum() for out in each(net(x))).backward()
    without = [name for name, p in net.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())]
    assert without == []
    assert all(p.grad is None for p in net.parameters() if not p.requires_grad)


def test_evaluation_does_not_depend_on_batch_mates(case):
    net, x = ready(*case)
    net(x)  # so that running averages differ from their start
    net.eval()
    together = net(x)
    torch.testing.assert_close(net(x[:1]), together[:1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(net(torch.cat([x[2:], 100 * x[:2]]))[:2], together[2:], rtol=1e-4, atol=1e-5)


def test_seed_decides_the_weights_and_the_global_random_state_stays(case):
    before = torch.random.get_rng_state()
    first, again, other = (build(*case, OUTPUTS, seed=seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.keys() == again.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_without_a_seed_the_global_random_state_decides(case):
    torch.manual_seed(5)
    first = build(*case, OUTPUTS).state_dict()
    after = torch.random.get_rng_state()
    torch.manual_seed(5)
    again = build(*case, OUTPUTS).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    torch.manual_seed(5)
    assert not torch.equal(torch.random.get_rng_state(), after)


def test_state_dict_carries_everything(case):
    net, x = ready(*case)
    net(x)
    other = build(*case, OUTPUTS, seed=2)
    other.load_state_dict(net.state_dict())
    assert torch.equal(other.eval()(x), net.eval()(x))


def test_deep_copy_is_independent(case):
    net, x = ready(*case)
    twin = copy.deepcopy(net)
    before = net.eval()(x)
    assert torch.equal(twin.eval()(x), before)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1)
    assert torch.equal(net(x), before)


def test_stages_are_submodules_in_the_order_of_the_pass(case):
    net, x = ready(*case)
    seen: list[str] = []
    for stage in net.stages:
        net.get_submodule(stage).register_forward_hook(lambda module, args, out, stage=stage: seen.append(stage))
    net(x)
    assert net.stages
    assert seen == list(net.stages)


def test_bfloat16_autocast_stays_near_float32(case):
    net, x = ready(*case)
    net(x)
    net.eval()
    exact = net(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(x)
    assert rough.isfinite().all()
    assert F.cosine_similarity(rough.float().flatten(), exact.flatten(), dim=0) > 0.99


def test_channels_last_gives_the_same_answer(case):
    net, x = ready(*case)
    net(x)
    net.eval()
    exact = net(x)
    if x.dim() == 4:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(net(x), exact, rtol=1e-4, atol=1e-5 * max(1, exact.detach().abs().max()))


@pytest.mark.parametrize("name", [marked(name) for name, entry in ZOO.items() if not entry.reads_tokens])
def test_learns_eight_samples_by_heart(name):
    shape = SHAPES_OF.get(name, [(1, 16, 16)])[0]
    net, x = ready(name, shape, batch=8)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    targets = torch.arange(8) % OUTPUTS
    lr, steps = (1e-3 if name in NARROW else 3e-3), 60
    if name.startswith("alexnet"):  # starts from weights so small that its signal must first be found
        lr, steps = 5e-4, 180
    optimizer = torch.optim.Adam((p for p in net.parameters() if p.requires_grad), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = sum(F.cross_entropy(out, targets) for out in each(net(x)))
        loss.backward()
        optimizer.step()
    assert all((out.argmax(1) == targets).all() for out in each(net(x)))
    assert loss < 0.2


@pytest.mark.parametrize(
    ("name", "reference"),
    [(name, reference) for name, entry in ZOO.items() for reference in entry.references],
    ids=lambda value: value if isinstance(value, str) else str(value.parameters),
)
def test_parameter_count(name, reference):
    with torch.device("meta"):
        net = build_in_full(name, reference.shape, reference.outputs, reference.options, seed=0)
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == reference.parameters


@pytest.mark.parametrize("name", ZOO)
def test_row_is_complete(name):
    entry = ZOO[name]
    assert entry.name == name
    assert entry.title
    assert entry.paper
    assert entry.references
    assert set(entry.kinds) <= {*SHAPES, "text", "tags", "graph", "graphs", "tree", "stream", "pairs"}
    for option in entry.options.values():
        assert option.description, option.name
        assert option.convert(option.default) == option.default


@pytest.mark.parametrize("name", [name for name, entry in ZOO.items() if entry.minimum > 1])
def test_smallest_image_fits_and_a_smaller_one_is_refused_by_layer(name):
    side = ZOO[name].minimum
    net = build(name, (1, side, side), OUTPUTS, seed=0)
    assert all(out.shape == (2, OUTPUTS) for out in each(net(torch.randn(2, 1, side, side))))
    with pytest.raises(ModelError, match=f"at least {side}×{side}") as told:
        build(name, (1, side + 5, side - 1), OUTPUTS, seed=0)
    assert told.value.where.startswith(f"{name}.")
    assert net.get_submodule(told.value.where.split(" ")[0].removeprefix(f"{name}."))
    with pytest.raises(ModelError, match="reads images"):
        build(name, (14,), OUTPUTS, seed=0)


def test_unknown_name_gets_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'lenet5'"):
        build("lenet-5", (1, 28, 28), 10)
    with pytest.raises(UsageError, match="at least one output"):
        build("linear", (3,), 0)


def test_all_mistakes_in_options_are_told_at_once():
    with pytest.raises(UsageError) as told:
        build("mlp", (3,), 1, {"hiden": 3, "dropout": "much", "batch_norm": 1.5, "hidden": [3.5]})
    message = str(told.value)
    assert message.startswith("4 mistakes")
    assert "did you mean 'hidden'" in message
    assert "option dropout\n  got:      'much'\n  expected: a number" in message
    assert "true or false" in message
    assert "[3.5]" in message
    with pytest.raises(UsageError, match="linear has no options"):
        build("linear", (3,), 1, {"hidden": 3})
    with pytest.raises(UsageError, match="one of max, average"):
        build("lenet5", (1, 28, 28), 1, {"pooling": "min"})


def test_options_are_read_as_on_a_command_line():
    net = build("mlp", (3,), 1, {"hidden": "5, 4", "batch_norm": "yes", "dropout": "0.5", "activation": "tanh"}, seed=0)
    same = build("mlp", (3,), 1, {"hidden": [5, 4], "batch_norm": True, "dropout": 0.5, "activation": "tanh"}, seed=0)
    assert repr(net) == repr(same)
    assert [type(module).__name__ for module in net.get_submodule("hidden1")] == [
        "Linear",
        "BatchNorm1d",
        "Tanh",
        "Dropout",
    ]
    assert net.get_submodule("hidden2.linear").weight.shape == (4, 5)


@pytest.mark.parametrize(
    "name", [name for name, entry in ZOO.items() if "dropout" in entry.options and not entry.reads_tokens]
)
def test_dropout_acts_in_training_alone(name):
    shape = SHAPES_OF.get(name, [(1, 16, 16)])[0]
    net = build(name, shape, OUTPUTS, {"dropout": 0.5}, seed=0)
    plain = build(name, shape, OUTPUTS, {"dropout": 0}, seed=0)
    plain.load_state_dict(net.state_dict())
    x = torch.randn(4, *shape)
    assert torch.equal(net.eval()(x), plain.eval()(x))
    net.train()
    assert not torch.equal(each(net(x))[0], each(net(x))[0])
    for impossible in (1.0, -0.1, "nan", float("inf")):
        with pytest.raises(UsageError, match="option dropout"):
            build(name, shape, OUTPUTS, {"dropout": impossible}, seed=0)


IMAGES = [name for name, entry in ZOO.items() if len(entry.references[0].shape) == 3 and name not in {"mlp", "linear"}]
ANY_SIZE = {
    *("small-vgg", "all-conv", "googlenet", "mobilenet-v1"),
    *(name for name in ZOO if name.startswith("resnet")),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_of_another_size_are_read_where_the_head_averages_and_refused_in_words_where_it_does_not(name):
    channels, side, _ = ZOO[name].references[0].shape
    with torch.device("meta"):
        net = build(name, (channels, side, side), 10).eval()
    larger = torch.empty(2, channels, 2 * side, 2 * side + 8, device="meta")
    if name in ANY_SIZE:
        assert net(larger).shape == (2, 10)
        return
    with pytest.raises(
        ModelError, match=f"built for images of {side}×{side} pixels, and these have another size"
    ) as told:
        net(larger)
    assert "global average pooling" in told.value.fix


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_dense_net_names_the_size_it_was_built_for(name):
    net = build(name, (1, 8, 8), OUTPUTS)
    with pytest.raises(ModelError, match="built for inputs of 64 numbers") as told:
        net(torch.zeros(3, 1, 9, 9))
    assert told.value.got == "81 numbers, 1×9×9"
