"""Looking at several views of an image, against a slow reference that cuts and shifts one image at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import glassnet
from glassnet.combined import Views
from glassnet.data.image_schema import ImageSchema
from glassnet.data.preprocess import Normalise
from glassnet.errors import UsageError
from glassnet.joining import ensemble
from glassnet.model import Model
from glassnet.test_time import harmless, many_views, told

SIDE = 8


class Looks(nn.Module):
    """Answers that depend on where every pixel lies, for images of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.head = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        x = x * torch.linspace(-1, 2, height)[:, None] * torch.linspace(1, 3, width)
        return self.head(torch.tanh(self.conv(x)).mean((2, 3)))  # type: ignore[no-any-return]


def model(channels: int = 3, **card: Any) -> Model:
    torch.manual_seed(0)
    return Model(
        net=Looks().eval(),
        net_json={"class": "x:Looks"},
        preprocess=Normalise(
            "fixed", 255.0, torch.full((3, 1, 1), 0.4), torch.full((3, 1, 1), 0.3), (channels, SIDE, SIDE)
        ),
        schema=ImageSchema(channels, SIDE, SIDE),
        task="classes",
        classes=("a", "b", "c", "d"),
        outputs=("class",),
        temperature=0.7,
        card=dict(card),
    )


def pixels(count: int = 5, side: int = SIDE) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def slowly(one: Model, views: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The mean over views (channels, height, width) of one image of the softmax, in float64."""
    total = np.zeros(4)
    net = Looks().double()
    net.load_state_dict(one.net.state_dict())
    for view in views:
        x = torch.tensor((view.astype(np.float64) / 255 - 0.4) / 0.3)[None]
        height, width = x.shape[2:]
        x = x * torch.linspace(-1, 2, height).double()[:, None] * torch.linspace(1, 3, width).double()
        logits = net.head(torch.tanh(net.conv(x)).mean((2, 3))).detach().numpy()[0] / one.temperature
        total += np.exp(logits) / np.exp(logits).sum()
    return total / len(views)


def moved(image: np.ndarray[Any, Any], down: int, right: int, border: str) -> np.ndarray[Any, Any]:
    """The image moved, pixel by pixel; what comes in from beyond the edge is reflected, or the last row."""
    made = np.empty_like(image)
    for row in range(SIDE):
        for column in range(SIDE):
            place = []
            for index in (row - down, column - right):
                if border == "edge":
                    index = min(max(index, 0), SIDE - 1)
                elif index < 0:
                    index = -index
                elif index >= SIDE:
                    index = 2 * (SIDE - 1) - index
                place.append(index)
            made[:, row, column] = image[:, place[0], place[1]]
    return made


@pytest.mark.parametrize("border", ["reflect", "edge"])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("shift", [0, 1, 3])
def test_shifts_and_mirrors(shift: int, flip: bool, border: Any) -> None:
    one, images = model(), pixels()
    said = many_views(one, Views(flip=flip, shift=shift, border=border)).predict_proba(images)
    for sample, image in enumerate(images.numpy()):
        moves = [(0, 0), *((d, r) for d in (-shift, shift) for r in (-shift, shift))] if shift else [(0, 0)]
        views = [moved(image, down, right, border) for down, right in moves]
        if flip:
            views += [view[:, :, ::-1].copy() for view in views]
        assert said[sample].numpy() == pytest.approx(slowly(one, views), abs=2e-6)


def test_ten_crops_at_several_scales() -> None:
    one = model()
    many = many_views(one, "flip,scales=8+11+16")
    images = pixels(side=16)  # as large as the largest scale: what is read from files
    said = many.predict_proba(images)
    assert many.schema.shape == (3, 16, 16)
    for sample, image in enumerate(images):
        views = []
        for side in (8, 11, 16):
            # Pillow's bilinear is another implementation of the same antialiased filter; it rounds to whole numbers unless asked in floats.
            planes = [
                np.asarray(
                    Image.fromarray(plane.numpy().astype(np.float32)).resize((side, side), Image.Resampling.BILINEAR)
                )
                for plane in image
            ]
            scaled = np.stack(planes)
            rest = side - SIDE
            corners = [(0, 0), (0, rest), (rest, 0), (rest, rest), (rest // 2, rest // 2)] if rest else [(0, 0)]
            views += [scaled[:, top : top + SIDE, left : left + SIDE] for top, left in corners]
        views += [view[:, :, ::-1].copy() for view in views]
        assert len(views) == 2 * (1 + 5 + 5) == Views(flip=True, scales=(8, 11, 16)).count((SIDE, SIDE))
        assert said[sample].numpy() == pytest.approx(slowly(one, views), abs=1e-5)


def test_a_network_of_any_size_looks_at_the_whole_image() -> None:
    one, image = model(), pixels(1, side=12)
    said = many_views(one, "whole,scales=8+12").predict_proba(image)
    half = torch.nn.functional.interpolate(image.float(), (8, 8), mode="bilinear", antialias=True)[0].numpy()
    assert said[0].numpy() == pytest.approx(slowly(one, [half, image[0].numpy()]), abs=2e-6)


def test_the_network_is_looked_through_once_for_each_view_and_no_more() -> None:
    seen: list[tuple[int, ...]] = []
    many = many_views(model(), "d4,shift=1" if SIDE > 300 else "flip,shift=1")
    many.net.member.net.register_forward_hook(lambda net, inputs, output: seen.append(tuple(inputs[0].shape)))  # type: ignore[union-attr]
    many.predict_proba(pixels())
    assert seen == [(5, 3, SIDE, SIDE)] * 10
    assert "10 views of each image" in told(many)


@pytest.mark.parametrize(
    ("augment", "size", "views"),
    [
        ({"flip": True, "shift": 4}, 32, Views(flip=True, shift=2)),
        ({"shift": 2}, 32, Views(shift=1)),
        ({"shift": 1}, 8, Views(shift=1)),
        ({"rotate": 10.0, "translate": 0.07, "scale": 0.1}, 28, Views(shift=1)),
        ({"rotate": 10.0, "brightness": 0.2}, 28, Views()),
        ({"flip": True, "scale_crop": (64, 83)}, 64, Views(flip=True, scales=(64, 74))),
        ({"flip": True, "scale_crop": (256, 480), "shift": 4}, 224, Views(flip=True, scales=(224, 256, 384, 480))),
        ({"flip": None, "shift": 0}, 32, Views()),
    ],
)
def test_what_training_declared_harmless(augment: dict[str, Any], size: int, views: Views) -> None:
    assert harmless(augment, (size, size)) == views


def test_letters_and_digits_are_not_mirrored(tmp_path: Path) -> None:
    result = glassnet.train(
        "digits", "linear", epochs=1, out=tmp_path / "run", check=False, threads=1, precision="float32"
    )
    assert result.model is not None
    many = many_views(result.model)
    net: Any = many.net
    assert net.views == Views(shift=1, border="dark")
    many.save(tmp_path / "many")
    again = glassnet.load(tmp_path / "many")
    part = result.data.val
    assert torch.equal(again.raw_outputs(part.inputs), many.raw_outputs(part.inputs))
    assert not torch.equal(many.raw_outputs(part.inputs), result.model.raw_outputs(part.inputs))


def test_an_ensemble_may_look_at_several_views() -> None:
    models = [model(), replace(model(), temperature=2.0)]
    torch.manual_seed(3)
    models[1].net.load_state_dict(Looks().state_dict())
    together = many_views(ensemble(models), "flip")
    apart = ensemble([many_views(each, "flip") for each in models])
    assert torch.allclose(together.predict_proba(pixels()), apart.predict_proba(pixels()), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flop", "did you mean 'flip'"),
        ("shift=a,flip=1", "2 mistakes"),
        ("", "no views"),
        ("scales=4", "smaller than what the network reads"),
        ("shift=8", "so far"),
        ("shift=-1", "0 to 999"),
        ("scales=99999", "4096"),
    ],
)
def test_views_that_cannot_be_are_told(text: str, words: str) -> None:
    with pytest.raises(UsageError) as told:
        many_views(model(), text)
    assert words in told.value.message()


def test_nothing_known_to_be_harmless_is_no_reason_to_guess() -> None:
    with pytest.raises(UsageError, match="known to be harmless"):
        many_views(model(augment={"brightness": 0.2}))
