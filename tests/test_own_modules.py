"""Modules of a user's own, as people write them: with hidden states, locks, counters and dice of their own; and what cannot be trained is told before anything is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import glassnet
from glassnet.data.readers.in_memory import data_given
from glassnet.errors import DataError, GlassnetError, ModelError, UsageError
from glassnet.events import Epoch, Event
from glassnet.layers.twin import twin
from glassnet.members.from_seeds import drawn_anew
from glassnet.model import load
from glassnet.training import Plan
from glassnet.training import train as loop
from glassnet.training.losses import cross_entropy

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 8)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)


class Keeping(nn.Module):
    """Keeps its hidden state, as a module for looking at it does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 2)
        self.hidden: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.hidden = [torch.relu(self.first(x))]
        return self.last(self.hidden[0])  # type: ignore[no-any-return]


class Locked(Keeping):
    """Holds what cannot be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class Normed(nn.Module):
    """Weight normalisation of the old kind, whose weight is no leaf."""

    def __init__(self) -> None:
        super().__init__()
        with pytest.warns(FutureWarning):
            self.first = torch.nn.utils.weight_norm(nn.Linear(8, 16))
        self.last = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(x)))  # type: ignore[no-any-return]


class Remembering(nn.Module):
    """Noise by NumPy, a buffer that PyTorch does not save, and a count that it hands over by ``get_extra_state``; each changes what is learned."""

    drift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 2)
        self.register_buffer("drift", torch.zeros(16), persistent=False)
        self.register_buffer("mask", torch.ones(16), persistent=False)
        self.seen = 0

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        if self.training:
            self.seen += 1
            with torch.no_grad():
                self.drift.mul_(0.9).add_(h.mean(0), alpha=0.1)
            h = h + 0.1 * self.drift + 0.1 * torch.from_numpy(np.random.normal(size=16).astype(np.float32))
            h = h * (1 + 0.01 * np.sin(self.seen))
        return self.last(h)  # type: ignore[no-any-return]

    def get_extra_state(self) -> dict[str, int]:
        return {"seen": self.seen}

    def set_extra_state(self, state: dict[str, int]) -> None:
        self.seen = state["seen"]


def train(net: nn.Module, out: Path, data: Any = (X, Y), epochs: int = 2, **more: Any) -> glassnet.Result:
    settings = {
        "train.epochs": epochs,
        "train.threads": 1,
        "train.measure": "never",
        "stop.patience": "never",
        "train.checkpoint_seconds": 0,
    }
    return glassnet.train(data, net, out=out / "run", settings=settings | more.pop("settings", {}), **more)


@pytest.mark.parametrize("make", [Keeping, Locked, Normed])
def test_modules_that_python_does_not_copy_are_trained(make: Callable[[], nn.Module], tmp_path: Path) -> None:
    """With all that a run does beside the steps: looks inside, a range test, trials of its advice."""
    settings = {"train.measure": "auto", "optimizer.lr": "find", "train.try_advice": True}
    result = train(make(), tmp_path, epochs=8, settings=settings)
    assert result.model is not None
    torch.testing.assert_close(
        load(tmp_path / "run", net=make()).predict_proba(X[:9]), result.model.predict_proba(X[:9])
    )


@pytest.mark.parametrize("make", [Keeping, Locked, Normed])
def test_a_twin_answers_alike_and_shares_nothing_that_learns(make: Callable[[], nn.Module]) -> None:
    net, inputs = make(), torch.from_numpy(X[:5])
    before = net(inputs)
    other = twin(net)
    torch.testing.assert_close(other(inputs), before, rtol=0, atol=0)
    places = {tensor.data_ptr() for tensor in net.parameters()}
    assert not places & {tensor.data_ptr() for tensor in other.parameters()}
    other(inputs).sum().backward()
    assert all(parameter.grad is None for parameter in net.parameters())
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    torch.testing.assert_close(net(inputs), before, rtol=0, atol=0)


def test_a_twin_never_shares_a_module_for_the_sake_of_a_lock() -> None:
    net = nn.Linear(2, 2)
    net.others = [nn.Linear(2, 2), threading.Lock()]  # type: ignore[assignment]
    with pytest.raises(ModelError, match="cannot be copied"):
        twin(net)


class Stop(Exception):
    """As a process that is killed."""


def test_what_a_module_remembers_is_resumed_bit_for_bit(tmp_path: Path) -> None:
    def made() -> nn.Module:
        torch.manual_seed(1)
        return Remembering()

    def killed(event: Event) -> None:
        if isinstance(event, Epoch) and event.epoch == 3:
            raise Stop

    whole = train(made(), tmp_path / "whole", epochs=6)
    with pytest.raises(Stop):
        train(made(), tmp_path / "cut", epochs=6, listen=killed)
    np.random.seed(99)  # as another process would have it
    resumed = glassnet.resume(tmp_path / "cut" / "run", net=made(), data=(X, Y))
    assert whole.model is not None
    assert resumed.model is not None
    for (name, one), other in zip(
        whole.model.net.state_dict().items(), resumed.model.net.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other) if isinstance(one, Tensor) else one == other, name
    again = load(tmp_path / "cut" / "run", net=made()).net
    assert again.seen == resumed.model.net.seen > 0  # type: ignore[operator]


def test_a_buffer_that_never_changes_takes_no_room_in_checkpoints(tmp_path: Path) -> None:
    from glassnet.training.checkpoint import load_newest

    train(Remembering(), tmp_path, epochs=1)
    newest = load_newest(tmp_path / "run" / "checkpoints")
    assert newest is not None
    assert set(newest[0]["state"]["passing"]) == {"drift"}


def test_the_callers_settings_of_torch_do_not_matter_and_are_kept(tmp_path: Path) -> None:
    net = nn.Linear(8, 2)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            assert train(net, tmp_path).model is not None
            assert not torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def inference() -> nn.Module:
    with torch.inference_mode():
        return nn.Linear(8, 2)


class Holding(nn.Linear):
    """Tells a set, which no format of ours holds."""

    def get_extra_state(self) -> dict[str, set[int]]:
        return {"a": {1, 2}}


def scripted() -> nn.Module:
    with pytest.warns(DeprecationWarning, match="jit"):
        return torch.jit.script(nn.Linear(8, 2))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nn.Flatten(), ["nothing to learn", "no parameter"]),
        (lambda: nn.Linear(8, 2).requires_grad_(False), ["nothing to learn", "all frozen", "requires_grad_()"]),
        (lambda: nn.Linear(8, 2).double(), ["another type", "weight: torch.float64", "net.float()"]),
        (lambda: nn.Linear(8, 2).half().requires_grad_(False), ["2 mistakes", "float16", "all frozen"]),
        (inference, ["inference_mode", "outside of it"]),
        (lambda: Holding(8, 2), ["get_extra_state", "set is not JSON serializable"]),
        (scripted, ["scripted network"]),
        (lambda: nn.Linear, ["this is no network", "net=Linear(...)"]),
        (lambda: nn.Linear(8, 1), ["one logit", "'loss.name': 'binary'"]),
        (lambda: nn.Sequential(nn.Embedding(9, 2), nn.Flatten(), nn.Linear(16, 2)), ["whole numbers", "x.long()"]),
    ],
)
def test_what_cannot_be_trained_is_told_with_what_to_do(make: Any, told: list[str], tmp_path: Path) -> None:
    with pytest.raises(GlassnetError) as caught:
        train(make(), tmp_path)
    for words in told:
        assert words in str(caught.value)


SAMPLES = TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))


def test_a_dataset_of_tensors_is_its_tensors(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = nn.Linear(8, 2)
    second = twin(first)
    one, other = train(first, tmp_path / "a", SAMPLES), train(second, tmp_path / "b", (X, Y))
    assert one.figures["figures"] == other.figures["figures"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (DataLoader(SAMPLES), ["a DataLoader", "glassnet.training.train"]),
        ([1, 2, 3], ["a list of 3"]),
        ({"train": (X, Y), "val": X}, ["val data", "a ndarray"]),
        ((X, Y, Y), ["a tuple of 3", "one pair"]),
        ({"x": X}, ["a dict", "a pair (inputs, targets) of arrays"]),
        ((torch.from_numpy(X).to_sparse(), Y), ["sparse", "inputs.to_dense()"]),
        ((np.ma.masked_greater(X, 2.0), Y), ["masked", "of 1,600", "filled"]),
    ],
)
def test_data_of_another_form_are_told_with_what_to_do(data: Any, told: list[str], tmp_path: Path) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        train(nn.Linear(8, 2), tmp_path, data)
    for words in told:
        assert words in str(caught.value)


class Items(Dataset[Any]):
    """A dataset as people write it, of images that Pillow has opened."""

    def __init__(self, *, shaken: bool = False, odd: int = -1, length: int = 40) -> None:
        self.shaken, self.odd, self.length, self.calls = shaken, odd, length, 0
        self.pixels = np.random.default_rng(5).integers(0, 256, (40, 6, 6, 3), dtype=np.uint8)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: int) -> tuple[Any, int]:
        pixels = self.pixels[place]
        if self.shaken:
            self.calls += 1
            pixels = np.roll(pixels, self.calls % 6, axis=0)
        return Image.fromarray(pixels[:5] if place == self.odd else pixels), place % 3


def test_a_dataset_is_read_once(tmp_path: Path) -> None:
    items = Items()
    data = data_given({"train": items, "test": Items(length=6)})
    assert data.schema.shape == (3, 6, 6)
    assert torch.equal(data.train.inputs.take(torch.arange(40)), torch.from_numpy(items.pixels).permute(0, 3, 1, 2))
    assert data.train.targets.tolist() == [place % 3 for place in range(40)]
    assert data.test is not None
    assert len(data.test) == 6
    assert not any("otherwise each time" in note for note in data.notes)
    assert any(
        "The dataset gives sample 0 otherwise each time" in note for note in data_given(Items(shaken=True)).notes
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (Items(odd=7), ["the dataset, sample 7", "(5, 6, 3)", "(6, 6, 3)"]),
        ({"train": Items(), "val": Items(odd=7)}, ["the val dataset, sample 7"]),
        (Items(length=0), ["no sample"]),
        (TensorDataset(torch.zeros(4, 2)), ["a tuple of 1"]),
    ],
)
def test_what_is_wrong_with_a_dataset_is_told(data: Any, told: list[str]) -> None:
    with pytest.raises(GlassnetError) as caught:
        data_given(data)
    for words in told:
        assert words in str(caught.value)


class Pairs(nn.Linear):
    """Hands out its hidden state too."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        return super().forward(x), x


class Detached(nn.Linear):
    """Of which nothing can be learned."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).detach()


def test_more_of_what_is_told(tmp_path: Path) -> None:
    with pytest.raises(GlassnetError, match=r"(?s)hang on nothing that learns.*\.detach\(\)"):
        train(Detached(8, 2), tmp_path)
    with pytest.raises(GlassnetError, match="let forward return the outputs alone"):
        train(Pairs(8, 2), tmp_path)
    with pytest.raises(GlassnetError, match="set where it is made"):
        train(nn.Linear(8, 2), tmp_path, settings={"regularise.dropout": 0.5})
    plan = Plan(cross_entropy, lambda net: torch.optim.SGD(net.parameters(), lr=0.1), epochs=1)
    with pytest.raises(GlassnetError, match=r"(?s)no batches.*a DataLoader without samples"):
        next(iter(loop(nn.Linear(8, 2), DataLoader(SAMPLES), plan)))  # type: ignore[arg-type]


class Half(nn.Module):
    """With a parameter that no layer draws."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 4), nn.Parameter(torch.ones(4, 2))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.first(x)) @ self.last


def test_what_members_do_not_draw_anew_is_named() -> None:
    net = Half()
    assert torch.equal(drawn_anew(net, 3, 0).first.weight, net.first.weight)
    with pytest.warns(UserWarning, match=r"begin as they are: last$"):
        other = drawn_anew(net, 3, 1)
    assert not torch.equal(other.first.weight, net.first.weight)
    assert torch.equal(other.last, net.last)


def test_a_result_is_told_in_a_line(tmp_path: Path) -> None:
    result = train(nn.Linear(8, 2), tmp_path)
    for one in (result, result.data, result.data.train):
        assert len(repr(one)) < 250
    assert "accuracy" in repr(result)


def test_arrays_must_be_given_again(tmp_path: Path) -> None:
    train(nn.Linear(8, 2), tmp_path)
    with pytest.raises(UsageError, match=r"give them again, from Python: data="):
        glassnet.resume(tmp_path / "run", net=nn.Linear(8, 2))


def test_what_autograd_cannot_go_back_through_is_told_before_anything_is_trained(tmp_path):
    class Overwrites(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(64, 32), nn.Linear(32, 10)

        def forward(self, x):
            hidden = torch.sigmoid(self.first(x.flatten(1)))
            answer = self.last(hidden)
            hidden += 1  # the gradient of the sigmoid, and of what multiplies it, is computed from its result
            return answer

    net = Overwrites()
    with pytest.raises(GlassnetError, match=r"(?s)no gradient can be taken.*Overwrites.*inplace operation.*y = y \+ 1"):
        glassnet.train("digits", net=net, out=tmp_path / "run", settings={"train.epochs": 1})
    assert all(p.grad is None for p in net.parameters())
