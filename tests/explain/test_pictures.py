"""Pictures with their sentences, and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from explain.nets import images, patch_net, random_net
from glassnet import explain
from glassnet.cli import run
from glassnet.cli.explain_command import block_map, page
from glassnet.explain.methods import METHODS
from glassnet.plots import png, svg
from glassnet.plots.explain_attributions import attribution_plot
from glassnet.plots.explain_maps import feature_maps_plot, filters_plot, maximised_plot
from glassnet.plots.explain_space import equivariance_plot, loss_slice_plot


def test_every_picture_can_be_written_and_its_sentence_follows_the_data() -> None:
    net, x, y = random_net().eval(), images(), torch.tensor([0, 1, 2, 0])
    made = [
        filters_plot(explain.filters(net)),
        feature_maps_plot(explain.feature_maps(net, x)),
        attribution_plot(explain.grad_cam(net, x)),
        maximised_plot(explain.maximise(net, x, [0], steps=2)),
        equivariance_plot(explain.equivariance(net, x)),
        loss_slice_plot(explain.loss_slice(net, x, y, points=3)),
    ]
    for drawing in made:
        assert png(drawing).startswith(b"\x89PNG")
        assert svg(drawing, "a").startswith("<svg")
    assert "the first" not in made[0].caption
    assert "4 filters of 0 (3×3 pixels)" in made[0].caption
    half = attribution_plot(explain.saliency(patch_net(), images().abs() + 0.1, 1)).caption
    assert "half of it lies in 3%" in half, "5 of the 9 planted pixels of 144"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    arguments = ["train", "digits", "--out", str(folder), "--epochs", "1"]
    assert run(arguments) == 0
    return folder


def test_the_command_writes_a_picture_and_says_what_is_in_it(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(trained), "--method", "grad-cam", "--out", str(tmp_path / "a"), "--target", "3"]) == 0
    told = capsys.readouterr().out
    assert (tmp_path / "a" / "grad-cam.png").read_bytes().startswith(b"\x89PNG")
    assert "Grad-CAM for the class above each image" in told
    assert "%" in told.splitlines()[1], "the most probable classes as bars"


def test_the_command_tells_what_does_not_apply(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(trained), "--method", "boundary"]) == 2
    assert "boundary does not apply" in capsys.readouterr().err
    assert run(["explain", str(trained), "--method", "grad-cm"]) == 2
    assert "did you mean 'grad-cam'?" in capsys.readouterr().err
    assert run(["explain", str(trained), "--method", "saliency", "--target", "cat"]) == 2
    assert "unknown class 'cat'" in capsys.readouterr().err


def test_the_methods_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--methods"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(METHODS)


def test_names_from_data_are_escaped_on_the_page() -> None:
    assert "<b>" not in page("<b>", [("a", "b", "<b>.png", "<b>")], ["<b>"])


def test_a_coarse_map_is_dark_where_the_map_is_large() -> None:
    assert block_map([[0.0, 1.0], [0.5, 0.0]]) == ["    ██", "  ▒▒  "]
    assert max(map(len, block_map(torch.rand(224, 224).numpy()))) <= 66
