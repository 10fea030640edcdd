"""``glassnet check`` as people meet it, and the quick look that ``glassnet train`` takes first."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import glassnet
from glassnet import checks, cli
from glassnet.checks import CHECKS
from glassnet.cli.check_command import ending, explained, tell_trials, typed
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.diagnose import RULES
from glassnet.errors import DivergedError, ModelError, UsageError
from glassnet.events import Checked, Finding, Step, Tried, from_json
from glassnet.runs import RunFolder
from glassnet.training import Plan

Capture = pytest.CaptureFixture[str]
TINY = ["--net", "mlp", "--set", "net.hidden=[16]", "--epochs", "2", "--threads", "1", "--precision", "float32"]
SETTINGS: dict[str, Any] = {"epochs": 2, "threads": 1, "precision": "float32", "measure": "never", "lr": 0.01}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_checks_pass_on_the_digits_and_the_evidence_is_kept(tmp_path: Path, capsys: Capture) -> None:
    assert cli.run(["check", "digits", *TINY, "--lr", "0.003", "--out", "seen"]) == 0
    lines = capsys.readouterr().out.splitlines()
    marked = [line for line in lines if line[:1] in "✓!✗-" and line[1:2] == " "]
    assert [line.split()[1] for line in marked] == [check.id for check in CHECKS]
    assert all(line.startswith("✓") for line in marked[:-1])
    assert all(re.search(r"\(\d+\.\d\ss\)$", line) for line in marked)
    assert lines[-1].startswith("next   glassnet train digits --net mlp")
    about = json.loads((tmp_path / "seen" / "checks.json").read_text())
    assert [found["check"] for found in about["checks"]] == [check.id for check in CHECKS]
    assert about["verdict"] in ("passed", "warning")
    curve = json.loads((tmp_path / "seen" / "lr_bracket.json").read_text())
    assert len(curve["lrs"]) == len(curve["losses"]) > 10
    assert curve["lr"] == 0.003
    assert (tmp_path / "seen" / "lr_bracket.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert (tmp_path / "seen" / "recipe.toml").exists()


def test_a_failed_check_ends_with_its_own_code_and_says_what_to_do(capsys: Capture) -> None:
    assert cli.run(["check", "digits", *TINY, "--init", "normal1", "--only", "initial-loss,sane-sizes"]) == 1
    out = capsys.readouterr().out
    assert "✗ initial-loss" in out
    assert "why: " in out
    assert "do:  " in out
    assert "sane-sizes" not in out  # it comes after
    assert "glassnet check --explain initial-loss" in out
    assert Path("checks/digits-1/checks.json").exists()


def test_trying_says_so_where_there_is_nothing_to_try(capsys: Capture) -> None:
    assert cli.run(["check", "digits", *TINY, "--lr", "0.003", "--only", "trial-run", "--try"]) == 0
    assert "nothing to try: the diagnosis has found nothing in the first steps\n" in capsys.readouterr().out
    finding = Finding("leaking-input", "warning", 0, "input 3 tells it", "why", "take it away", {}, [])
    trial = Tried("lr-too-low", {}, 0, 50, 1.0, 2.0, None, None, 0.1, "optimizer.lr = 1: this helps")
    tell_trials([finding, replace(finding, rule="lr-too-low"), trial, finding], as_json=False)
    untried = [
        "leaking-input: input 3 tells it",
        "  nothing tried: no setting of the recipe would mend it; do: take it away",
    ]
    tried = ["lr-too-low: input 3 tells it", "  tried optimizer.lr = 1: this helps"]
    assert capsys.readouterr().out.splitlines() == [*untried, *tried, *untried]


def test_a_quick_run_says_that_nobody_looks_inside(capsys: Capture) -> None:
    assert cli.run(["train", "digits", *TINY, "--effort", "quick"]) == 0
    assert "\nwatch  nobody looks inside meanwhile (quick)" in capsys.readouterr().out
    assert cli.run(["train", "digits", *TINY]) == 0
    assert "\nwatch " not in capsys.readouterr().out


def test_json_is_a_line_for_each_check_and_one_for_the_verdict(capsys: Capture) -> None:
    assert cli.run(["check", "digits", *TINY, "--only", "initial-loss", "--only", "gradients-reach", "--json"]) == 0
    *found, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["check"] for each in found] == ["initial-loss", "gradients-reach"]
    assert isinstance(from_json(json.dumps(found[0])), Checked)
    assert last == {"event": "verdict", "verdict": "passed", "folder": "checks/digits-1"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "which data?"),
        (["check", "digits", "--only", "inital-loss"], "did you mean 'initial-loss'?"),
        (["check", "digits", "--only", "xyzzy,inital-loss"], "2 mistakes"),
        (["check", "digits", "--net", "mpl"], "did you mean 'mlp'?"),
        (["check", "digits", "--out", " "], "the folder has no name"),
        (["check", "nowhere"], "nowhere"),
        (["check", "--explain", "gradient-chekc"], "did you mean 'gradient-check'?"),
        (["check", "digits", "--lrr", "1"], "--lrr"),
    ],
)
def test_mistakes_are_told_and_leave_nothing_behind(
    arguments: list[str], words: str, tmp_path: Path, capsys: Capture
) -> None:
    assert cli.run(arguments) in (2, 3)
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert list(tmp_path.iterdir()) == []


def test_all_rules_and_checks_are_listed(capsys: Capture) -> None:
    assert cli.run(["check", "--rules"]) == 0
    out = capsys.readouterr().out
    assert all(each.id in out and each.title in out for each in (*CHECKS, *RULES))
    assert cli.run(["check", "--rules", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == [each.id for each in (*CHECKS, *RULES)]
    assert {row["kind"] for row in rows} == {"check", "rule"}


@pytest.mark.parametrize("about", [*CHECKS, *RULES], ids=lambda about: about.id)
def test_everything_can_be_explained(about: Any) -> None:
    text = " ".join(explained(about.id).split())
    for part in (about.title, about.explanation, about.threshold, about.why, about.advice, about.source):
        assert part
        assert " ".join(part.split()) in text
    assert all(len(line) <= 90 for line in explained(about.id).splitlines()[2:])


def test_no_rule_and_no_check_share_an_id() -> None:
    ids = [each.id for each in (*CHECKS, *RULES)]
    assert len(set(ids)) == len(ids)
    with pytest.raises(UsageError, match="unknown check or rule"):
        explained("nothing")


def test_the_next_command_is_what_was_typed() -> None:
    flags = {"net_name": "mlp", "train_batch_size": "32", "settings": ("net.hidden=[2, 3]",)}
    again = typed("my data/a b.csv", None, flags)
    assert shlex.split(again) == ["my data/a b.csv", "--net", "mlp", "--batch-size", "32", "--set", "net.hidden=[2, 3]"]


def test_the_next_command_goes_on_with_what_helped() -> None:
    flags = {"net_name": "mlp", "optimizer_lr": "8", "settings": ("optimizer.weight_decay=0.1", "net.hidden=[2, 3]")}
    changes = {"optimizer.lr": 0.2, "optimizer.weight_decay": 0.01, "regularise.dropout": 0.5}
    again = shlex.split(typed("digits", None, flags, changes))
    given, changed = again[:7], again[7:]
    assert given == ["digits", "--net", "mlp", "--lr", "0.2", "--set", "net.hidden=[2, 3]"]
    assert changed == ["--set", "optimizer.weight_decay=0.01", "--set", "regularise.dropout=0.5"]
    seen = [Checked("a", "warning", "", "", "", {}, {})]
    assert "what helped most" in list(ending(seen, "warning", Path("x"), "digits --lr 0.2", better=True))[-1]
    assert "glassnet check digits" in list(ending(seen, "failed", Path("x"), "digits --lr 0.2", better=True))[-1]


def test_a_rate_outside_the_bracket_is_tried_against_the_one_proposed(capsys: Capture) -> None:
    assert cli.run(["check", "digits", *TINY, "--lr", "1e-7", "--only", "lr-bracket", "--try"]) == 0
    out = capsys.readouterr().out
    assert "lr-bracket: below" in out
    assert "instead of 1e-07" in out
    again = re.search(r"glassnet train .*--lr (\S+)", out)
    assert again is not None
    assert float(again[1]) > 1e-3
    assert "were not asked for" not in out.splitlines()[-1]


def test_checks_that_were_not_asked_for_are_no_praise(capsys: Capture) -> None:
    assert cli.run(["check", "digits", *TINY, "--only", "data-sane"]) == 0
    out = capsys.readouterr().out
    assert "8 of 9 checks were not asked for" in out
    assert "Nothing speaks against" not in out


def test_the_verdict_is_told_in_words() -> None:
    seen = [Checked("a", "passed", "", "", "", {}, {}), Checked("b", "warning", "", "", "", {}, {})]
    told = list(ending(seen, "warning", Path("x"), "digits"))
    assert told[0].startswith("1 passed, 1 warned")
    assert "--explain b" in told[-1]
    assert "glassnet train digits" in told[-1]


# from Python


def test_check_from_python_takes_what_train_takes_and_leaves_the_net_alone() -> None:
    data = open_data("digits", ReadOptions())
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    before, threads, state = (
        [p.detach().clone() for p in net.parameters()],
        torch.get_num_threads(),
        torch.get_rng_state(),
    )
    seen: list[str] = []
    found = glassnet.check(
        data, net, only=["initial-loss", "gradient-check"], listen=lambda e: seen.append(e.check), **SETTINGS
    )
    assert [each.check for each in found] == seen == ["initial-loss", "gradient-check"]
    assert all(each.verdict == "passed" for each in found)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    assert float(torch.tensor([1e-39]) * 0.5) != 0  # denormal numbers are treated as before
    assert list(Path.cwd().iterdir()) == []


def test_other_peoples_batches_are_taken() -> None:
    inputs, targets = torch.randn(120, 6), torch.arange(120) % 3
    net = nn.Linear(6, 3)
    plan = Plan(loss=nn.functional.cross_entropy, optimizer=lambda n: torch.optim.SGD(n.parameters(), lr=0.1), epochs=1)
    set_of = torch.utils.data.TensorDataset(inputs, targets)
    loader = torch.utils.data.DataLoader(set_of, batch_size=32, shuffle=True)
    pairs = list(zip(inputs.split(40), targets.split(40), strict=True))
    for batches in (loader, pairs, (inputs, targets)):
        state = torch.get_rng_state()
        found = list(checks.run_checks(net, batches, plan, validation=pairs, only=["initial-loss", "gradients-reach"]))
        assert [each.verdict for each in found] == ["passed", "passed"]
        assert torch.equal(state, torch.get_rng_state())
    for wrong in ([inputs], [], iter(pairs), [(inputs, targets[:3])], 3):
        with pytest.raises(glassnet.GlassnetError):
            list(checks.run_checks(net, wrong, plan))
    with pytest.raises(ModelError, match="fails on these samples"):
        list(checks.run_checks(nn.Linear(7, 3), pairs, plan))


# before a training


class Odd(nn.Module):
    """A net for digits with a fault of one's choice."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault, self.first, self.last = fault, nn.Linear(64, 16), nn.Linear(16, 10)
        self.spare = nn.Linear(2, 2) if fault == "spare" else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.last(self.first(x.flatten(1)).relu())
        if self.fault == "cut":
            return y.detach().requires_grad_() if torch.is_grad_enabled() else y
        return y / 0 if self.fault == "infinite" else y


def test_training_is_bit_for_bit_the_same_with_and_without_the_look(tmp_path: Path) -> None:
    shared = ["train", "digits", *TINY, "--lr", "0.01", "--dropout", "0.3", "--quiet"]
    assert cli.run([*shared, "--out", "with"]) == 0
    assert cli.run([*shared, "--out", "without", "--no-check"]) == 0
    weights = [(tmp_path / out / "model/weights.safetensors").read_bytes() for out in ("with", "without")]
    assert weights[0] == weights[1]
    lines = [(tmp_path / out / "metrics.jsonl").read_text().splitlines() for out in ("with", "without")]
    looked = [line for line in lines[0] if '"event": "checked"' in line]
    assert [json.loads(line)["check"] for line in looked] == [
        "initial-loss",
        "gradients-reach",
        "gradient-check",
        "sane-sizes",
    ]
    assert [line for line in lines[0] if line not in looked] == lines[1]
    assert "check = false" in (tmp_path / "without" / "recipe.toml").read_text()


def test_the_look_is_told_in_one_line(capsys: Capture) -> None:
    assert cli.run(["train", "digits", *TINY, "--lr", "0.01", "--out", "run"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("check "))
    expected = r"check  initial loss 2\.\d+ \(ln 10 = 2\.30\), gradients reach all 4 parameters and agree with numerical ones, sizes sane; \d+\.\d s"
    assert re.fullmatch(expected, line)


def test_a_resumed_run_does_not_look_twice() -> None:
    steps = 0

    def stop() -> bool:
        return steps > 20

    def listen(event: Any) -> None:
        nonlocal steps
        steps += isinstance(event, Step)

    from glassnet.recipe import Recipe
    from glassnet.runs import new_run
    from glassnet.story import run

    recipe = Recipe().changed(
        {
            "data.path": "digits",
            "net.name": "mlp",
            "optimizer.lr": 0.01,
            **{f"train.{k}": v for k, v in SETTINGS.items() if k != "lr"},
        }
    )
    assert run(recipe, new_run("a", "stopped"), listen=listen, stop=stop).model is None
    glassnet.resume("stopped")
    glassnet.train("digits", "mlp", out="whole", **SETTINGS)
    stopped, whole = (Path(out, "metrics.jsonl").read_bytes() for out in ("stopped", "whole"))
    assert stopped == whole
    assert sum(isinstance(event, Checked) for event in RunFolder(Path("stopped")).events()) == 4


def test_what_is_amiss_is_told_and_training_goes_on(capsys: Capture) -> None:
    assert cli.run(["train", "digits", *TINY, "--lr", "0.001", "--init", "normal1", "--out", "run"]) == 0
    out = capsys.readouterr().out
    assert "warning: initial loss" in out
    assert "why: the net is confidently wrong" in out
    assert "glassnet check --explain initial-loss" in out


def test_a_parameter_without_a_gradient_does_not_stop_a_training() -> None:
    result = glassnet.train("digits", Odd("spare"), out="run", **SETTINGS)
    assert result.model is not None
    found = [event for event in result.folder.events() if isinstance(event, Checked)]
    assert [each.verdict for each in found if each.check == "gradients-reach"] == ["failed"]


@pytest.mark.parametrize(("fault", "kind"), [("cut", ModelError), ("infinite", DivergedError)])
def test_where_nothing_can_be_learned_training_is_not_begun(fault: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="training was not begun") as error:
        glassnet.train("digits", Odd(fault), out="run", **SETTINGS)
    assert error.value.fix  # type: ignore[attr-defined]
    assert not any(isinstance(event, Step) for event in RunFolder(Path("run")).events())
