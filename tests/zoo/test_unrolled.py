"""One-to-many: by the formula, and trained from the command line on pictures and vectors that stand for curves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import glassnet
from glassnet.cli import run
from glassnet.errors import UsageError
from glassnet.zoo import build

STEPS = 20


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_it_is_the_loop_of_its_formula(cell):
    net = build(f"unrolled-{cell}", (3, 2), 10, {"hidden": 6, "values": 2, "layers": 1}, seed=1).double().eval()
    x = torch.randn(4, 3, 2, dtype=torch.float64)
    single = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}[cell](6, 6).double()
    single.load_state_dict({name[:-3]: value for name, value in net.recurrent.state_dict().items()})
    told = torch.tanh(x.flatten(1) @ net.start.weight.T + net.start.bias)
    state = (told, torch.zeros_like(told)) if cell == "lstm" else told
    said = []
    for _ in range(5):
        state = single(told, state)
        h = state[0] if cell == "lstm" else state
        said.append(h @ net.head.linear.weight.T + net.head.linear.bias)
    torch.testing.assert_close(net(x), torch.cat(said, dim=1))


def test_steps_must_come_out_even():
    with pytest.raises(UsageError, match="whole number of steps"):
        build("unrolled-gru", (3,), 10, {"values": 3}, seed=0)


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    """A rate and a frequency in, 20 values of a damped swing out."""
    generator = np.random.default_rng(0)
    told = generator.uniform([0.02, 0.2], [0.2, 0.8], size=(1200, 2)).astype(np.float32)
    t = np.arange(STEPS)
    said = np.exp(-told[:, :1] * t) * np.cos(told[:, 1:] * t)
    path = tmp_path_factory.mktemp("curves") / "curves.npz"
    np.savez(path, x=told, y=said.astype(np.float32))
    return path


def test_from_a_vector_to_a_curve_on_the_command_line(curves, tmp_path, capsys):
    out = tmp_path / "run"
    arguments = ["--net", "unrolled-gru", "--epochs", "16", "--set", "net.hidden=48", "--set", "train.check=false"]
    assert run(["train", str(curves), *arguments, "--out", str(out), "--threads", "1"]) == 0
    told = capsys.readouterr().out
    assert "unrolled-gru" in told
    model = glassnet.load(out)
    some = np.array([[0.05, 0.5], [0.15, 0.3]], dtype=np.float32)
    t = np.arange(STEPS)
    wanted = np.exp(-some[:, :1] * t) * np.cos(some[:, 1:] * t)
    said = np.array([answer.values for answer in model.predict(some)])
    assert said.shape == wanted.shape
    assert np.abs(said - wanted).mean() < 0.05
    np.save(tmp_path / "new.npy", some)
    assert run(["predict", str(out), str(tmp_path / "new.npy")]) == 0
    assert run(["evaluate", str(out)]) == 0


def test_from_a_picture_to_a_sequence(tmp_path):
    """A bright column in a picture, or none; said is where it is, step by step: 0 before it, 1 from it on."""
    generator = np.random.default_rng(1)
    place = generator.integers(0, 9, size=1000)
    pictures = generator.normal(scale=0.1, size=(1000, 8, 8)).astype(np.float32)
    pictures += np.eye(9, 8, dtype=np.float32)[place][:, None]
    said = (np.arange(8) >= place[:, None]).astype(np.float32)
    np.savez(tmp_path / "columns.npz", x=pictures, y=said)
    settings = {
        "train.epochs": 20,
        "train.check": False,
        "train.threads": 1,
        "net.hidden": 32,
        "train.measure": "never",
    }
    done = glassnet.train(str(tmp_path / "columns.npz"), "unrolled-lstm", out=tmp_path / "run", settings=settings)
    assert done.figures["figures"]["r2"] > 0.9


def test_one_answer_is_no_sequence(tmp_path):
    x = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    for name, y in (("classes", np.arange(100) % 3), ("values", x.sum(axis=1))):
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
        with pytest.raises(UsageError, match="one answer is asked for"):
            glassnet.train(str(tmp_path / f"{name}.npz"), "unrolled-gru", out=tmp_path / name)
