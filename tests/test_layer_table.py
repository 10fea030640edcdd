"""The layer table: against figures of the papers, sums by hand, PyTorch's flop counter, and gradients."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from math import prod

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from glassnet.errors import ModelError
from glassnet.layer_table import counts, field_rules, layer_table
from glassnet.layers import LocallyConnected2d
from glassnet.zoo import ZOO, build


def rows_of(table):
    return {row.path: row for row in table.rows}


def test_lenet5_figures_of_the_paper():
    table = layer_table(build("lenet5", (1, 32, 32), 10, seed=0), (1, 32, 32))
    rows = rows_of(table)
    figures = {path: (rows[path].output, rows[path].parameters, rows[path].connections) for path in rows}
    assert figures["block1.0"] == ((6, 28, 28), 156, 122_304)  # C1
    assert figures["dense1.0"] == ((120,), 48_120, 48_120)  # C5
    assert figures["dense2.0"] == ((84,), 10_164, 10_164)  # F6
    # C3 sees all six maps here: 16·(6·25 + 1) parameters, each used at 10×10 places
    assert figures["block2.0"] == ((16, 10, 10), 2_416, 241_600)
    assert rows["block1.2"].output == (6, 14, 14)
    assert rows["block1.2"].connections == 6 * 14 * 14 * 4
    assert rows["block1.0"].multiply_adds == 122_304 - 6 * 28 * 28
    assert [rows[path].kernel for path in ("block1.0", "block1.2", "dense1.0")] == [(5, 5), (2, 2), ()]
    assert table.parameters == table.trainable == 61_706
    assert table.failed is None
    assert table.unused == ()


def test_lenet5_receptive_fields_by_hand():
    rows = rows_of(layer_table(build("lenet5", (1, 32, 32), 10, seed=0), (1, 32, 32)))
    # 5; 5 + 1 = 6 and steps of 2; 6 + 4·2 = 14; 14 + 2 = 16 and steps of 4; C5 sees 16 + 4·4 = 32
    seen = [rows[path].receptive_field for path in ("block1.0", "block1.2", "block2.0", "block2.2", "dense1.0", "head")]
    assert seen == [(5, 5), (6, 6), (14, 14), (16, 16), (32, 32), (32, 32)]


def test_resnet20_figures():
    table = layer_table(build("resnet20", (3, 32, 32), 10, seed=0), (3, 32, 32))
    rows = rows_of(table)
    assert sum(row.multiply_adds for row in table.rows if row.kind == "Conv2d") == 40_550_400
    assert table.multiply_adds == 40_550_400 + 640
    assert table.parameters == 269_722
    # 3; six convolutions of 3×3 add 2 each; then one adds 2, five add 4; then one adds 4, five add 8
    ends = [rows[f"{group}.2.relu2"].receptive_field for group in ("group1", "group2", "group3")]
    assert ends == [(15, 15), (37, 37), (81, 81)]
    assert rows["group2.0.shortcut"].receptive_field == (15, 15)
    assert rows["head"].receptive_field == (32, 32)


# PyTorch's counter passes over the LSTM as a whole; it is counted by hand below.
@pytest.mark.parametrize(
    "name", [name for name, entry in ZOO.items() if not entry.reads_tokens and not name.endswith("lstm")]
)
def test_multiply_adds_are_half_of_pytorch_s_flops(name):
    fits = "image" in ZOO[name].kinds and ZOO[name].minimum <= 32
    shape = (3, 32, 32) if fits else ZOO[name].references[0].shape
    net = build(name, shape, 10, seed=0).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, *shape))
    assert 2 * layer_table(net, shape).multiply_adds == counter.get_total_flops() > 0


def test_multiply_adds_of_attention_and_recurrence():
    attention = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    projections, scores, feedforward = 4 * 10 * 32 * 32, 2 * 10 * 10 * 32, 2 * 10 * 32 * 64
    assert layer_table(attention, (10, 32)).multiply_adds == projections + scores + feedforward
    assert layer_table(nn.LSTM(8, 16, batch_first=True), (20, 8)).multiply_adds == 20 * 4 * 16 * (8 + 16)


def test_transposed_and_grouped_convolutions_by_hand():
    net = nn.Sequential(nn.Conv2d(4, 8, 3, groups=2, padding=1), nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False))
    rows = rows_of(layer_table(net, (4, 6, 6)))
    assert rows["0"].multiply_adds == 8 * 36 * 2 * 9
    assert rows["1"].multiply_adds == 8 * 36 * 3 * 16  # every input pixel is spread over 3 maps of 4×4
    assert rows["1"].output == (3, 12, 12)
    assert rows["1"].connections == rows["1"].multiply_adds


class Branches(nn.Module):
    """Two paths over the same maps, summed or concatenated."""

    def __init__(self, first: nn.Module, second: nn.Module, concatenate: bool) -> None:
        super().__init__()
        self.first, self.second, self.concatenate = first, second, concatenate

    def forward(self, x):
        paths = [self.first(x), self.second(x)]
        if self.concatenate:
            return torch.cat(paths, 1).mean(1, keepdim=True)
        return paths[0] + paths[1]


def measured(net: nn.Module, side: int) -> list[int]:
    """Receptive field of the middle output as its gradient shows it, along each axis."""
    x = torch.zeros(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(1)
    y = net(x)
    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()
    touched = x.grad[0, 0].nonzero()
    return (touched.amax(0) - touched.amin(0) + 1).tolist()


sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))
layers = st.one_of(
    st.builds(
        lambda k, s, p, d: nn.Conv2d(1, 1, k, s, (min(p, k[0] - 1), min(p, k[1] - 1)), d, bias=False),
        sizes,
        st.integers(1, 2),
        st.integers(0, 2),
        st.integers(1, 2),
    ),
    st.builds(lambda k, s: nn.AvgPool2d(k, s), sizes, st.integers(1, 3)),
    st.builds(lambda k: nn.AvgPool2d(k, padding=k // 2), st.integers(2, 3)),
    st.builds(
        lambda k, d, cat: Branches(
            nn.Sequential(nn.Conv2d(1, 1, k, padding="same", dilation=d, bias=False)),
            nn.Sequential(nn.Conv2d(1, 1, (1, 3), padding="same", bias=False), nn.Identity()),
            cat,
        ),
        st.sampled_from([1, 3, 5]),
        st.integers(1, 3),
        st.booleans(),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(layers, min_size=1, max_size=4))
def test_receptive_field_is_where_the_gradient_reaches(stack):
    net = nn.Sequential(*stack).double()
    table = layer_table(net, (1, 200, 200), torch.float64)
    assert table.failed is None
    # The last row is that of the last layer called; a closing branch ends in its own code, which has no row.
    probe = nn.Sequential(net, nn.Identity())
    seen = layer_table(probe, (1, 200, 200), torch.float64).rows[-1].receptive_field
    assume(max(seen) <= 80)  # well inside the image, so that its border hides nothing
    assert list(seen) == measured(net, 200)


@pytest.mark.parametrize(
    ("net", "shape", "expected"),
    [
        (nn.Sequential(nn.Conv1d(2, 4, 5), nn.MaxPool1d(2), nn.Conv1d(4, 4, 3, dilation=2)), (2, 64), (14,)),
        (nn.Sequential(nn.Conv3d(1, 2, 3), nn.AvgPool3d(2)), (1, 8, 8, 8), (4, 4, 4)),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)), (1, 9, 7), (9, 7)),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3, 3), nn.Flatten(), nn.Linear(8, 1)),
            (1, 8, 8),
            (6, 6),
        ),  # two rows are never read
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(3)), (1, 8, 8), (4, 4)),
        (nn.Sequential(nn.ZeroPad2d(2), nn.Conv2d(1, 2, 5)), (1, 8, 8), (5, 5)),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(2), nn.Linear(36, 36)), (1, 8, 8), (8, 8)),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(2), nn.Conv1d(2, 2, 1)), (1, 8, 8), (8, 8)),
        (nn.Sequential(nn.Linear(4, 3)), (4,), ()),
    ],
)
def test_receptive_fields_by_hand(net, shape, expected):
    assert layer_table(net, shape).rows[-1].receptive_field == expected


class Unfolded(nn.Module):
    """Windows as columns, as in many a hand-written layer; a convolution on the maps put together again."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, 9))
        self.last = nn.Conv2d(1, 1, 3)

    def forward(self, x):
        columns = F.unfold(x, 3, padding=1, stride=2)
        return self.last(torch.einsum("of,bfl->bol", self.weight, columns).view(len(x), 1, 10, 9))


@pytest.mark.parametrize(
    ("net", "height", "width"),
    [
        (nn.Sequential(LocallyConnected2d(1, 1, (20, 17), (3, 2))), 20, 17),
        (nn.Sequential(nn.Conv2d(1, 1, 3, bias=False), LocallyConnected2d(1, 1, (18, 15), 3, stride=(2, 1))), 20, 17),
        (
            nn.Sequential(
                LocallyConnected2d(1, 1, (20, 17), 3, padding=1),
                nn.MaxPool2d(2),
                LocallyConnected2d(1, 1, (10, 8), (3, 1)),
                nn.Conv2d(1, 1, 2),
            ),
            20,
            17,
        ),
        (Unfolded(), 20, 18),
    ],
    ids=["alone", "with a stride", "stacked", "unfold and einsum"],
)
def test_receptive_field_without_shared_weights_is_where_the_gradient_reaches(net, height, width):
    net = net.double()
    seen = layer_table(net, (1, height, width), torch.float64).rows[-1].receptive_field
    x = torch.rand(1, 1, height, width, dtype=torch.float64, requires_grad=True)  # not even, so that poolings choose
    reached = torch.zeros(height, width, dtype=torch.bool)
    for _ in range(60):  # a maximum passes the gradient to one pixel of its window alone: other weights, other pixels
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.uniform_(-1, 1)
        y = net(x)
        (gradient,) = torch.autograd.grad(y[0, 0, y.shape[2] // 2, y.shape[3] // 2], x)
        reached |= gradient[0, 0] != 0
    touched = reached.nonzero()
    assert list(seen) == (touched.amax(0) - touched.amin(0) + 1).tolist()


def test_a_batch_of_products_among_what_comes_from_the_input_is_no_layer_with_weights():
    class Gram(nn.Module):
        def forward(self, x):
            maps = x.flatten(2)
            return torch.bmm(maps, maps.transpose(1, 2))

    rows = layer_table(nn.Sequential(nn.Conv2d(1, 2, 3), Gram()), (1, 9, 7)).rows
    assert rows[-1].receptive_field == (9, 7)


def test_field_that_no_rule_covers_is_not_guessed():
    class Sorted(nn.Module):
        def forward(self, x):
            return x.sort(-1).values

    rows = layer_table(nn.Sequential(nn.Conv2d(1, 1, 3), Sorted(), nn.Conv2d(1, 1, 3)), (1, 9, 9)).rows
    assert [row.receptive_field for row in rows] == [(3, 3), None, None]


def test_map_times_its_own_mean_sees_everything():
    class Excite(nn.Module):
        def forward(self, x):
            return x * x.mean((2, 3), keepdim=True).sigmoid()

    rows = layer_table(nn.Sequential(nn.Conv2d(1, 1, 3), Excite(), nn.Conv2d(1, 1, 3)), (1, 9, 9)).rows
    assert [row.receptive_field for row in rows] == [(3, 3), (9, 9), (9, 9)]


def test_operation_called_in_an_unforeseen_way_is_no_misfit(monkeypatch):
    def surprised(*arguments):
        return arguments[99]

    monkeypatch.setitem(field_rules.RULES, "convolution", surprised)
    monkeypatch.setitem(counts.COUNTS, "convolution", surprised)
    table = layer_table(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten()), (1, 9, 9))
    assert table.failed is None
    assert [row.receptive_field for row in table.rows] == [None, None]
    assert table.rows[0].multiply_adds == 0


class OwnCode(nn.Module):
    """A user's network: functions in ``forward``, weights of its own, a layer used twice and one never."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.kernel = nn.Parameter(torch.ones(4, 4, 3, 3))
        self.twice = nn.Conv2d(4, 4, 1)
        self.never = nn.Linear(3, 3)
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        x = self.twice(self.twice(F.conv2d(x, self.kernel)))
        return self.out(x.mean((2, 3)))


def test_functions_and_weights_of_a_network_s_own_code():
    table = layer_table(OwnCode(), (1, 28, 28))
    told = [(row.path, row.kind, row.output, row.parameters) for row in table.rows]
    assert told == [
        ("conv", "Conv2d", (4, 26, 26), 40),
        ("", "max_pool2d", (4, 13, 13), 0),
        ("", "convolution", (4, 11, 11), 0),
        ("twice", "Conv2d", (4, 11, 11), 20),
        ("twice", "Conv2d", (4, 11, 11), 0),
        ("", "mean", (4,), 0),
        ("out", "Linear", (2,), 10),
        ("", "OwnCode", (2,), 144),
    ]
    assert [row.receptive_field for row in table.rows][:4] == [(3, 3), (4, 4), (8, 8), (8, 8)]
    assert table.rows[2].multiply_adds == 4 * 11 * 11 * 36
    assert table.unused == ("never.weight", "never.bias")
    assert table.parameters == 40 + 144 + 20 + 12 + 10
    assert "not used: never.weight" in table.text()


def test_network_that_looks_at_its_values_is_run_for_real():
    class Looks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)
            self.scale = [torch.ones(2)]  # not registered
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            y = self.layer(x) * self.scale[0]
            return y if y.sum().item() > 0 else -y

    net = Looks()
    table = layer_table(net, (3,))
    assert table.failed is None
    assert [row.path for row in table.rows] == ["layer"]
    assert table.rows[0].multiply_adds == 6
    assert (table.rows[0].parameters, table.parameters) == (8, 8)
    assert table.unused == ()  # the copy that was run has other tensors, of which the network's own are told


def test_network_is_left_as_it_was():
    net = build("resnet20", (3, 32, 32), 10, seed=0)
    net.get_submodule("group1").eval()
    flags = {name: module.training for name, module in net.named_modules()}
    state = copy.deepcopy(net.state_dict())
    random_state = torch.random.get_rng_state()
    layer_table(net, (3, 32, 32))
    layer_table(net, (4, 32, 32))  # does not fit
    assert {name: module.training for name, module in net.named_modules()} == flags
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), random_state)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert all(parameter.grad is None and parameter.device.type == "cpu" for parameter in net.parameters())


def test_large_network_costs_no_memory():
    # 2^40 multiply-adds and 4 TiB of weights, which no machine at hand could hold
    with torch.device("meta"):
        net = nn.Sequential(nn.Linear(2**20, 2**20, bias=False))
    table = layer_table(net, (2**20,))
    assert table.multiply_adds == 2**40
    assert table.weight_bytes == 2**42


def test_memory_by_hand():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 36, 2))
    table = layer_table(net, (1, 8, 8))
    assert [row.activation_bytes for row in table.rows] == [4 * 4 * 36, 0, 0, 4 * 2]
    assert table.activation_bytes == 576 + 8
    assert table.largest_step_bytes == 4 * 64 + 576  # the convolution; the ReLU writes where it reads
    weights = 4 * (40 + 290)
    assert table.forward_bytes(10) == weights + 10 * table.largest_step_bytes
    assert table.backward_bytes(10) == 2 * weights + 10 * 584


@pytest.mark.parametrize(
    ("net", "shape", "layer", "told"),
    [
        (
            nn.Sequential(nn.Conv2d(1, 16, 5), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(400, 10)),
            (1, 32, 32),
            "3",
            "3 (Linear) expects 400 features, got 784: use nn.Linear(784, 10)",
        ),
        (nn.Sequential(nn.Conv2d(3, 6, 5)), (1, 28, 28), "0", "expects 3 channels, got 1: use nn.Conv2d(1, 6, 5, …)"),
        (nn.Sequential(nn.Conv2d(1, 6, 5, padding=1)), (1, 2, 28), "0", "maps of at least 3×3, got 2×28"),
        (
            nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(5)),
            (1, 8, 8),
            "1",
            "5 channels, got 6: use nn.BatchNorm2d(6)",
        ),
        (nn.Sequential(nn.Linear(4, 6), nn.BatchNorm2d(6)), (4,), "1", "of 3 dimensions, got 6: use nn.BatchNorm1d(6)"),
        (
            nn.Sequential(nn.Conv2d(1, 6, 3), nn.MaxPool2d(9)),
            (1, 8, 8),
            "1",
            "MaxPool2d) expects larger maps, got maps of 6×6",
        ),
        (nn.Linear(64, 2), (1, 8, 8), "", "got 1×8×8, not flattened: put nn.Flatten() before it"),
        (nn.LSTM(5, 4), (7, 8), "", "LSTM expects 5 features, got 8: use nn.LSTM(8, 4, …)"),
        (nn.LayerNorm(5), (8,), "", "end in 5, got 8: use nn.LayerNorm(8)"),
        (nn.Conv2d(1, 6, 3), (8,), "", "expects inputs of channels×height×width, got 8"),
    ],
)
def test_misfit_is_told_with_layer_and_numbers(net, shape, layer, told):
    table = layer_table(net, shape)
    assert table.failed is not None
    assert table.failed.path == layer
    assert told in str(table.failed)
    assert len(table.rows) == int(layer or 0)
    assert told.split(" ")[-1] in " ".join(table.text(300).split())
    error = table.failed.error()
    assert isinstance(error, ModelError)
    assert error.where == table.failed.layer


def test_suggested_layer_fits():
    net = nn.Sequential(nn.Conv2d(1, 16, 5), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(400, 10))
    net[3] = nn.Linear(784, 10)
    assert layer_table(net, (1, 32, 32)).failed is None


def test_error_in_a_network_s_own_code_is_told_not_raised():
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            raise KeyError(f"no {self.layer(x).shape}")

    table = layer_table(nn.Sequential(Broken()), (3,))
    assert [row.path for row in table.rows] == ["0.layer"]
    assert table.failed is not None
    assert table.failed.layer == "0 (Broken)"
    assert "no torch.Size([1, 2])" in table.failed.got


def test_text_fits_its_width_and_folds_repeated_blocks():
    table = layer_table(build("resnet20", (3, 32, 32), 10, seed=0), (3, 32, 32))
    for width in (50, 70, 90, 110, 200):
        lines = table.text(width).splitlines()
        assert max(map(len, lines)) <= width
    text = table.text(140)
    assert "the 7 layers above 3 times, up to group1.2.relu2" in text
    assert "the 7 layers above 2 times, up to group3.2.relu2" in text
    assert "group1.1" not in text
    assert "5×5…13×13" in text
    assert "40,551,040" in text
    assert "269,722 parameters" in text


def test_only_blocks_that_are_equal_are_folded():
    net = build("mlp", (8,), 2, {"hidden": (8, 8, 8, 4)}, seed=0)
    text = layer_table(net, (8,)).text(120)
    assert "the 2 layers above 3 times, up to hidden3.activation" in text
    assert "hidden4.linear" in text
    longer = nn.Sequential(
        nn.Sequential(nn.Linear(8, 8), nn.ReLU()), nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    )
    assert "times" not in layer_table(longer, (8,)).text(120)
    varied = nn.Sequential(*(nn.Sequential(nn.Conv2d(1, 1, 3, dilation=d)) for d in (1, 2)))
    assert "times" not in layer_table(varied, (1, 20, 20)).text(120)


def test_lazy_layers_get_their_weights():
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))
    table = layer_table(net, (1, 5, 5))
    assert table.parameters == 40 + 74
    assert table.failed is None


def test_integer_inputs_and_json():
    table = layer_table(nn.Sequential(nn.Embedding(100, 8), nn.Flatten(), nn.Linear(80, 3)), (10,), torch.int64)
    assert table.failed is None
    assert [row.output for row in table.rows] == [(10, 8), (80,), (3,)]
    assert json.loads(json.dumps(asdict(table)))["rows"][0]["parameters"] == 800


# Nets whose every sum and product is made by a layer; and one with residual blocks, to know what these add.
SUMMED = ("linear", "mlp", "lenet5", "small-vgg", "resnet20", "all-conv", "conv1d", "conv3d")


@pytest.mark.parametrize("name", SUMMED)
def test_sums_are_those_of_the_rows(name):
    shape = (3, 32, 32) if "image" in ZOO[name].kinds else ZOO[name].references[0].shape
    table = layer_table(build(name, shape, 10, seed=0), shape)
    assert table.parameters == sum(row.parameters for row in table.rows)
    # the sums of residual blocks are made by the blocks' own code, which has no row
    sums = 3 * 4 * (16 * 32 * 32 + 32 * 16 * 16 + 64 * 8 * 8) if name == "resnet20" else 0
    assert table.activation_bytes == sum(row.activation_bytes for row in table.rows) + sums
    assert all(prod(row.output) > 0 for row in table.rows)
