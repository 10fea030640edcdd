"""Augmentation: every change against its definition, and chance that comes from the generator alone."""

from __future__ import annotations

import colorsys
import gzip
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform, gaussian_filter
from torch import Tensor

from glassnet.data.augment import (
    AUGMENTATIONS,
    Affine,
    Augment,
    ColourJitter,
    Compose,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Noise,
    PcaNoise,
    ScaleCrop,
    SignalShift,
    SignalStretch,
    Warp,
    auto_augment,
    build_augment,
    principal_colours,
)
from glassnet.errors import UsageError

SETTINGS: list[dict[str, object]] = [
    {"flip": True},
    {"shift": 2},
    {"rotate": 15},
    {"scale": 0.2},
    {"shear": 10},
    {"stretch": 0.2},
    {"translate": 0.1},
    {"elastic": 20, "elastic_sigma": 3},
    {"scale_crop": (16, 24)},
    {"brightness": 0.4},
    {"contrast": 0.4},
    {"saturation": 0.5},
    {"hue": 0.2},
    {"pca_noise": 0.1},
    {"noise": 0.05},
    {"cutout": 5},
    {"flip": True, "shift": 2, "rotate": 10, "elastic": 9, "hue": 0.1, "brightness": 0.1, "noise": 0.01, "cutout": 4},
]
KEEP_THE_TYPE = {"flip", "shift", "cutout"}


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 6, channels: int = 3, height: int = 16, width: int = 18, seed: int = 5) -> Tensor:
    return torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8, generator=chance(seed))


def built(settings: dict[str, object], shape: tuple[int, ...] = (3, 16, 18), kind: str = "image") -> Augment:
    augment = build_augment(settings, shape=shape, kind=kind)
    assert augment is not None
    return augment


# What holds for every augmentation.


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "+".join(s))
def test_chance_comes_from_the_generator_alone(settings: dict[str, object]) -> None:
    augment, images = built(settings), pictures(32)
    torch.manual_seed(1)
    first = augment(images, chance(7))
    torch.manual_seed(2)
    assert torch.equal(first, augment(images, chance(7)))
    assert not torch.equal(first, augment(images, chance(8)))


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "+".join(s))
def test_shape_type_range_and_the_input_left_alone(settings: dict[str, object]) -> None:
    augment, images = built(settings), pictures()
    before = images.clone()
    changed = augment(images, chance())
    assert torch.equal(images, before)
    assert changed.shape == images.shape
    assert changed.dtype == (torch.uint8 if set(settings) <= KEEP_THE_TYPE else torch.float32)
    assert changed.min() >= 0
    assert changed.max() <= 255
    floats = augment(images.float(), chance())
    assert floats.dtype == torch.float32
    # Only a mean that fills a square is rounded for bytes.
    assert (floats - changed.float()).abs().max() <= (0.5 if "cutout" in settings else 1e-3)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "+".join(s))
def test_memory_format_does_not_matter(settings: dict[str, object]) -> None:
    augment, images = built(settings), pictures()
    last = images.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(augment(images, chance()).float(), augment(last, chance()).float(), atol=1e-3)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "+".join(s))
def test_a_sample_does_not_depend_on_its_batch_mates(settings: dict[str, object]) -> None:
    augment, images = built(settings), pictures()
    draws = augment.draw(images.shape, chance())
    assert len(draws) == augment.drawn
    together = augment.change(images, *draws)
    for i in range(len(images)):
        alone = augment.change(images[i : i + 1], *(drawn[i : i + 1] for drawn in draws))
        assert torch.allclose(together[i].float(), alone[0].float(), atol=1e-4)


def test_samples_are_changed_differently() -> None:
    same = pictures(1).expand(64, -1, -1, -1).contiguous()
    for settings in SETTINGS:
        changed = built(settings)(same, chance())
        distinct = {image.numpy().tobytes() for image in changed}
        assert len(distinct) >= (2 if set(settings) == {"flip"} else 15), settings


def test_the_table_and_these_tests_name_the_same_settings() -> None:
    assert {name for settings in SETTINGS for name in settings} == set(AUGMENTATIONS) - {
        "word_dropout"
    }  # of texts: test_texts.py


# Moving pixels.


def test_flip_is_a_mirror_and_twice_is_nothing() -> None:
    images, flip = pictures(64), Flip()
    (chosen,) = flip.draw(images.shape, chance())
    once = flip.change(images, chosen)
    assert torch.equal(once[chosen], images[chosen].flip(3))
    assert torch.equal(once[~chosen], images[~chosen])
    assert torch.equal(flip.change(once, chosen), images)
    (many,) = flip.draw((20_000,), chance(1))
    assert abs(many.float().mean().item() - 0.5) < 0.02


@pytest.mark.parametrize(("border", "mode"), [("reflect", "reflect"), ("edge", "edge")])
def test_crop_is_a_window_of_the_padded_image(border: str, mode: str) -> None:
    images, crop = pictures(40), Crop(3, border)  # type: ignore[arg-type]
    (corner,) = crop.draw(images.shape, chance())
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (3, 3), (3, 3)), mode=mode)  # type: ignore[call-overload]
    for layout in (torch.contiguous_format, torch.channels_last):
        changed = crop.change(images.contiguous(memory_format=layout), corner)
        for i, (down, right) in enumerate(corner.tolist()):
            assert np.array_equal(changed[i].numpy(), padded[i, :, down : down + 16, right : right + 18])


def test_crop_moves_a_known_pixel() -> None:
    image = torch.zeros(1, 1, 7, 7, dtype=torch.uint8)
    image[0, 0, 3, 3] = 200
    for down, right in ((0, 0), (2, 2), (4, 1)):
        changed = Crop(2, "dark").change(image, torch.tensor([[down, right]]))
        assert changed.nonzero().tolist() == [[0, 0, 3 + 2 - down, 3 + 2 - right]]


def test_all_crops_are_as_likely() -> None:
    (corner,) = Crop(2).draw((50_000,), chance())
    counts = torch.bincount(corner[:, 0] * 5 + corner[:, 1], minlength=25)
    assert len(counts) == 25
    chi_square = ((counts - 2000.0) ** 2 / 2000).sum()
    assert chi_square < 52  # 99.9 % of chi-square with 24 degrees of freedom


def test_the_ground_is_found_behind_strokes() -> None:
    image = torch.zeros(2, 1, 9, 9, dtype=torch.uint8)
    image[0, 0, :, 2:] = 255  # so broad a stroke that most of the border is bright, on a dark ground
    image[1] = 255 - image[0]
    up = torch.zeros(1, 2, dtype=torch.int64)
    assert (Crop(2, "dark").change(image[:1], up)[0, 0, :2] == 0).all()
    assert (Crop(2, "bright").change(image[1:], up)[0, 0, :2] == 255).all()
    turned = Warp(Affine(), border="bright").change(image[1:], torch.tensor([[0.0, 1, 0, 0, 0, 0.5]]))
    assert (turned[0, 0, :4] == 255).all()


# Bending.


def params(**given: float) -> Tensor:
    names = ("angle", "scale", "slant", "aspect", "right", "down")
    return torch.tensor([[given.get(name, 1.0 if name == "scale" else 0.0) for name in names]])


def bent(images: Tensor, drawn: Tensor, border: str = "reflect") -> Tensor:
    return Warp(Affine(), border=border).change(images, drawn.expand(len(images), -1))  # type: ignore[arg-type]


@pytest.mark.parametrize("border", ["reflect", "edge", "dark", "bright"])
def test_identity_parameters_change_nothing(border: str) -> None:
    images = pictures()
    assert torch.allclose(bent(images, params(), border), images.float(), atol=1e-3)
    none = Warp(None, ScaleCrop(16, 16), Elastic(0, 2), border)  # type: ignore[arg-type]
    assert torch.allclose(none(images, chance()), images.float(), atol=1e-3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_rot90(quarters: int) -> None:
    images = pictures(height=15, width=15)
    turned = bent(images, params(angle=quarters * math.pi / 2))
    assert torch.allclose(turned, torch.rot90(images, quarters, (2, 3)).float(), atol=0.01)


def test_whole_pixel_translation() -> None:
    images = pictures()
    moved = bent(images, params(right=3 / 18, down=-2 / 16))
    assert torch.allclose(moved[:, :, :14, 3:], images[:, :, 2:, :15].float(), atol=0.01)


def test_affine_equals_an_independent_resampler() -> None:
    image = pictures(1, 1, 21, 25)
    angle, scale, slant, aspect, right, down = 0.3, 1.2, 0.2, 0.25, 0.06, -0.04
    got = bent(image, torch.tensor([[angle, scale, slant, aspect, right, down]]))[0, 0].double().numpy()
    # The forward map, written down from the definition with y upwards, then inverted and handed to SciPy in (row, column) order.
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    lean = np.array([[1, -math.tan(slant)], [0, 1]])  # x += tan(φ)·y with y downwards
    size = scale * np.diag([math.exp(aspect / 2), math.exp(-aspect / 2)])
    flip_y = np.diag([1.0, -1.0])
    forward = flip_y @ turn @ lean @ size @ flip_y
    back = np.linalg.inv(forward)
    middle, swap = np.array([12.0, 10.0]), np.array([[0, 1], [1, 0]])
    offset = middle - back @ (middle + np.array([right * 25, down * 21]))
    want = affine_transform(
        image[0, 0].double().numpy(), swap @ back @ swap, (swap @ offset), order=1, mode="constant", cval=-1e9
    )
    inside = want >= 0
    assert inside.mean() > 0.4
    assert np.abs(got - want)[inside].max() < 0.01


def test_affine_parameters_are_uniform_in_their_ranges() -> None:
    drawn = Affine(rotate=30, scale=0.2, shear=10, stretch=0.25, translate=0.1).draw(20_000, chance())
    slant, aspect = math.radians(10), math.log(1.25)
    most = torch.tensor([math.radians(30), 1.2, slant, aspect, 0.1, 0.1])
    least = torch.tensor([-math.radians(30), 0.8, -slant, -aspect, -0.1, -0.1])
    assert (drawn >= least - 1e-6).all()
    assert (drawn <= most + 1e-6).all()
    share = ((drawn - least) / (most - least)).sort(0).values
    uniform = torch.linspace(0, 1, 20_000)[:, None]
    assert (share - uniform).abs().max() < 1.95 / math.sqrt(20_000)  # Kolmogorov-Smirnov, 99.9 %
    assert torch.corrcoef(drawn.T).fill_diagonal_(0).abs().max() < 0.03


def test_switching_one_change_on_leaves_the_others() -> None:
    first, second = Affine(rotate=9).draw(8, chance()), Affine(rotate=9, scale=0.3).draw(8, chance())
    assert torch.equal(first[:, 0], second[:, 0])
    assert not torch.equal(first[:, 1], second[:, 1])


def test_scale_crop_cuts_windows_of_the_enlarged_image() -> None:
    ramp = torch.arange(20.0).expand(1, 1, 10, 20) * 10  # value 10 · column
    crop = ScaleCrop(10, 20)
    # The shorter side to 20: twice as large; the left, middle and right cuts. Result column j lies at source (j + 0.5) / 2 − 0.5 + start.
    for place, start in ((-1.0, 0.0), (0.0, 5.0), (1.0, 10.0)):
        got = Warp(crop=crop, border="edge").change(ramp, torch.tensor([[20.0, 0.0, place]]))
        want = 10 * ((torch.arange(20) + 0.5) / 2 - 0.5 + start).clamp(0, 19)
        assert torch.allclose(got[0, 0, 5], want, atol=1e-3)
    drawn = crop.draw(20_000, chance())
    assert drawn[:, 0].min() >= 10
    assert drawn[:, 0].max() <= 20
    assert abs(drawn[:, 0].mean().item() - 15) < 0.1


def test_several_changes_in_one_resampling_equal_one_after_the_other() -> None:
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    smooth = (120 + 60 * torch.sin(x / 9) + 50 * torch.cos(y / 7))[None, None]
    window, turn = torch.tensor([[52.0, 0.4, -0.3]]), params(angle=0.2, scale=1.1, right=0.02)
    at_once = Warp(Affine(), ScaleCrop(40, 60)).change(smooth, window, turn)
    one_by_one = bent(Warp(crop=ScaleCrop(40, 60)).change(smooth, window), turn)
    assert (at_once - one_by_one)[:, :, 6:-6, 6:-6].abs().max() < 1.5  # twice interpolated is a little flatter


def test_elastic_displacement_is_simards() -> None:
    elastic = Elastic(alpha=34, sigma=4)
    drawn = elastic.draw((400, 1, 28, 30), chance())
    field = elastic.displacement(drawn)
    assert field.shape == (400, 2, 28, 30)
    shaking = (drawn[3].double().numpy() + 0.5) / 128
    assert abs(shaking).max() <= 1
    want = np.stack([34 * gaussian_filter(component, 4, mode="constant", truncate=4) for component in shaking])
    assert np.abs(field[3].numpy() - want).max() < 1e-4
    assert field.abs().max() < 34
    neighbours = max(field.diff(dim=2).abs().max().item(), field.diff(dim=3).abs().max().item())
    assert neighbours < 0.3 * field.abs().max().item()  # smooth
    inner = field[:, :, 12:16, 12:18]
    assert inner.square().mean().sqrt().item() == pytest.approx(34 / (2 * math.sqrt(3 * math.pi) * 4), rel=0.07)


def test_elastic_moves_what_it_says() -> None:
    class Steady(Elastic):
        def displacement(self, drawn: Tensor) -> Tensor:
            return torch.stack([torch.full((16, 18), 2.0), torch.full((16, 18), -1.0)])[None].expand(
                len(drawn), -1, -1, -1
            )

    images = pictures()
    moved = Warp(elastic=Steady(1, 1))(images, chance())
    assert torch.allclose(
        moved[:, :, 1:, :16], images[:, :, :15, 2:].float(), atol=0.01
    )  # read 2 to the right, 1 above


# Colours and noise.


def jitter(images: Tensor, b: float = 1, c: float = 1, s: float = 1, h: float = 0) -> Tensor:
    return ColourJitter().change(images, torch.tensor([[b, c, s, h]]).expand(len(images), -1))


def test_colour_jitter_by_its_formulas_in_float64() -> None:
    images = pictures(3) // 3 + 60  # far from the ends, so that nothing is clamped
    x = images.double()
    luma = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)[:, None, None]
    for b, c, s in ((1, 1, 1), (1.3, 1, 1), (1, 0.6, 1), (1, 1, 0.3), (0.8, 1.2, 1.1)):
        want = b * x
        want = c * want + (1 - c) * (want * luma).sum(1).mean((1, 2))[:, None, None, None]
        want = s * want + (1 - s) * (want * luma).sum(1, keepdim=True)
        assert torch.allclose(jitter(images, b, c, s).double(), want, atol=1e-3)
    grey = images[:, :1]
    want = 0.7 * (1.2 * grey.double()) + 0.3 * 1.2 * grey.double().mean((1, 2, 3), keepdim=True)
    assert torch.allclose(jitter(grey, 1.2, 0.7).double(), want, atol=1e-3)


def test_hue_turns_the_circle_and_keeps_the_brightness() -> None:
    images = pictures(3) // 3 + 60
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    turned = jitter(images, h=0.13)
    assert torch.allclose((turned * luma).sum(1), (images * luma).sum(1), atol=0.01)
    assert torch.allclose(jitter(turned, h=-0.13), images.float(), atol=0.01)
    assert torch.allclose(jitter(jitter(images, h=0.5), h=0.5), images.float(), atol=0.01)
    grey = images[:, :1].expand(-1, 3, -1, -1)
    assert torch.allclose(jitter(grey, h=0.3), grey.float(), atol=0.01)
    reddish = torch.tensor([150.0, 110.0, 110.0])[None, :, None, None]
    hues = [colorsys.rgb_to_hsv(*(jitter(reddish, h=h).flatten() / 255).tolist())[0] for h in (0.25, 0.5, 0.75)]
    assert hues == pytest.approx([0.25, 0.5, 0.75], abs=0.08) or hues == pytest.approx([0.75, 0.5, 0.25], abs=0.08)


def test_jitter_is_uniform_in_its_ranges() -> None:
    (drawn,) = ColourJitter(0.4, 0.3, 0.2, 0.1).draw((20_000, 3, 1, 1), chance())
    middle, reach = torch.tensor([1.0, 1, 1, 0]), torch.tensor([0.4, 0.3, 0.2, 0.1])
    assert torch.allclose(drawn.amin(0), middle - reach, atol=1e-3)
    assert torch.allclose(drawn.amax(0), middle + reach, atol=1e-3)
    assert torch.allclose(drawn.std(0), reach / math.sqrt(3), rtol=0.02)
    (still,) = ColourJitter().draw((5, 3, 1, 1), chance())
    assert torch.equal(still, middle.expand(5, 4))


def test_pca_noise_by_hand_in_float64() -> None:
    images = pictures(40) // 2 + 60
    values, vectors = principal_colours(images)
    pixels = images.double().permute(0, 2, 3, 1).reshape(-1, 3).numpy() / 255
    covariance = np.cov(pixels.T)
    want_values = np.linalg.eigvalsh(covariance)[::-1]
    assert np.allclose(values, want_values, rtol=1e-4)
    assert np.allclose(
        vectors.double().numpy() @ np.diag(want_values) @ vectors.double().numpy().T, covariance, atol=1e-6
    )
    noise = PcaNoise(0.1, values, vectors)
    (alpha,) = noise.draw(images.shape, chance())
    assert alpha.shape == (40, 3)
    got = noise.change(images, alpha * 5).double()  # enlarged to be seen
    for i in range(40):
        shift = sum(vectors[:, k].double() * 5 * alpha[i, k].double() * values[k].double() for k in range(3))
        assert torch.allclose(got[i], (images[i].double() + 255 * shift[:, None, None]).clamp(0, 255), atol=1e-3)
    (many,) = noise.draw((20_000, 3, 1, 1), chance(1))
    assert many.std().item() == pytest.approx(0.1, rel=0.02)


def test_noise_has_the_size_asked_for() -> None:
    flat = torch.full((50, 1, 20, 20), 128, dtype=torch.uint8)
    got = Noise(0.05)(flat, chance())
    assert (got - 128).std().item() == pytest.approx(0.05 * 255, rel=0.03)
    signal = (
        torch.randn(50, 2, 200, generator=chance(1)) * torch.tensor([1.0, 1000.0])[:, None].repeat(25, 1)[:, :, None]
    )
    added = Noise(0.1, relative=True)(signal, chance()) - signal
    ratio = added.flatten(1).std(1) / signal.flatten(1).std(1)
    assert torch.allclose(ratio, torch.full((50,), 0.1), rtol=0.2)


def test_cutout_blanks_one_square() -> None:
    images = pictures(2, 3, 12, 12)
    for layout in (torch.uint8, torch.float32):
        got = Cutout(4).change(images.to(layout), torch.tensor([[6, 5], [0, 11]]))
        want = images.float()
        want[0, :, 4:8, 3:7] = images[0].float().mean((1, 2))[:, None, None]
        want[1, :, 0:2, 9:12] = images[1].float().mean((1, 2))[:, None, None]
        assert (got.float() - want).abs().max() <= (0.5 if layout == torch.uint8 else 1e-3)
    black = torch.zeros(1, 1, 12, 12, dtype=torch.uint8)
    black[:, :, 3:9, 3:9] = 90
    assert Cutout(4, "dark").change(black, torch.tensor([[6, 6]]))[0, 0, 4:8, 4:8].sum() == 0
    (centre,) = Cutout(4).draw((5000, 1, 10, 14), chance())
    assert centre.amin(0).tolist() == [0, 0]
    assert centre.amax(0).tolist() == [9, 13]


# Signals.


def test_signal_shift_and_stretch() -> None:
    signal = torch.arange(20.0).expand(1, 2, 20).contiguous()
    moved = SignalShift(5).change(signal, torch.tensor([3]))
    assert moved[0, 1].tolist() == [3, 2, 1, *range(17)]
    back = SignalShift(5).change(signal, torch.tensor([-2]))
    assert back[0, 0].tolist() == [*range(2, 20), 18, 17]
    assert torch.allclose(SignalStretch(0.1).change(signal, torch.tensor([[1.0]])), signal)
    slow = SignalStretch(0.5).change(signal, torch.tensor([[1.5]]))[0, 0]
    assert torch.allclose(slow, (torch.arange(20) - 9.5) / 1.5 + 9.5, atol=1e-4)
    (factors,) = SignalStretch(0.2).draw((5000, 1, 8), chance())
    assert factors.min() >= 0.8
    assert factors.max() <= 1.2
    assert factors.std().item() == pytest.approx(0.4 / math.sqrt(12), rel=0.05)


def test_signals_are_augmented_in_fixed_order() -> None:
    augment = built({"shift": 4, "stretch": 0.1, "noise": 0.05}, (2, 50), "array")
    assert isinstance(augment, Compose)
    assert [type(part) for part in augment.parts] == [SignalStretch, SignalShift, Noise]
    signals = torch.randn(8, 2, 50, generator=chance()) * 1e4
    changed = augment(signals, chance())
    assert changed.shape == signals.shape
    assert torch.equal(changed, augment(signals, chance()))
    assert changed.abs().max() > 300  # signals have no range to be clamped to


# Settings.


def test_nothing_asked_is_none() -> None:
    off = dict.fromkeys(AUGMENTATIONS, 0) | {"flip": False, "scale_crop": None, "elastic_sigma": 3.0, "rotate": None}
    assert build_augment(off, shape=(3, 32, 32), kind="image") is None
    assert build_augment({}, shape=(5,), kind="table") is None


def test_all_mistakes_at_once_with_the_nearest_spelling() -> None:
    wrong = {
        "rotat": 3,
        "flip": "yes",
        "shift": 1.5,
        "scale": -0.1,
        "noise": float("nan"),
        "hue": 0.2,
        "cutout": 99,
        "scale_crop": (8, 9),
        "shear": True,
    }
    with pytest.raises(UsageError) as caught:
        build_augment(wrong, shape=(1, 28, 28), kind="image")
    told = str(caught.value)
    assert told.startswith("9 mistakes:")
    for part in (
        "did you mean 'rotate'?",
        *(f"augment.{name}" for name in wrong),
        "3 channels",
        "less than 28",
        "[28, 36]",
    ):
        assert part in told, part


@pytest.mark.parametrize(
    ("settings", "shape", "kind", "says"),
    [
        ({"flip": True}, (2, 50), "array", "one of shift, stretch, noise"),
        ({"noise": 0.1}, (14,), "table", "cannot be done on tables"),
        ({"shift": 2}, (20, 3), "tags", "cannot be done on sentences"),
        ({"noise": 0.1}, (2, 30), "pairs", "cannot be done on pairs"),
        ({"noise": 0.1}, (100,), "stream", "cannot be done on windows"),
        ({"flip": True}, (400,), "tree", "cannot be done on trees"),
        ({"brightness": 0.1}, (3, 16, 16), "array", "without a range of 0 to 255"),
        ({"elastic": 3, "elastic_sigma": 0}, (1, 28, 28), "image", "above 0"),
        ({"scale_crop": (40, 30)}, (3, 28, 28), "image", "the smaller first"),
    ],
)
def test_what_the_data_do_not_allow(settings: dict[str, object], shape: tuple[int, ...], kind: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        build_augment(settings, shape=shape, kind=kind)


def test_modules_keep_their_own_apply() -> None:
    seen: list[str] = []
    augment = built({"flip": True, "pca_noise": 0.1})
    augment.apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Flip", "PcaNoise", "ModuleList", "Compose"]
    assert {name for name, _ in augment.named_buffers()} == {"parts.1.values", "parts.1.vectors"}


# The choice by looking.


def glyphs(count: int = 40, side: int = 28, *, inverted: bool = False) -> Tensor:
    images = torch.zeros(count, 1, side, side, dtype=torch.uint8)
    for i in range(count):
        images[i, 0, side // 5 : -side // 5, 2 + i % (side // 2) : 5 + i % (side // 2)] = 255
    return 255 - images if inverted else images


def scenes(channels: int, side: int) -> Tensor:
    coarse = torch.rand(40, channels, 5, 5, generator=chance()) * 255
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear").round().to(torch.uint8)


def test_the_choice_for_each_look() -> None:
    for inverted in (False, True):
        settings, reason = auto_augment((1, 28, 28), 60_000, glyphs(inverted=inverted))
        assert "flip" not in settings
        assert {"rotate", "scale", "translate"} <= set(settings)
        assert "glyphs" in reason
    settings, reason = auto_augment((3, 32, 32), 50_000, scenes(3, 32))
    assert settings["flip"] is True
    assert settings["shift"] == 2
    assert "photographs" in reason
    settings, _ = auto_augment((1, 96, 96), 500, scenes(1, 96))
    assert settings["flip"] is True
    assert "saturation" not in settings
    assert "flip" not in auto_augment((1, 8, 8), 1797, glyphs(side=8))[0]
    assert auto_augment((14,), 100, torch.zeros(3, 14))[0] == {}
    for shape, sample in (((1, 28, 28), glyphs()), ((3, 32, 32), scenes(3, 32)), ((1, 96, 96), scenes(1, 96))):
        chosen, _ = auto_augment(shape, 500, sample)
        assert build_augment(chosen, shape=shape, kind="image", sample=sample) is not None


def test_the_border_is_chosen_by_the_sample() -> None:
    for sample, border in ((glyphs(), "dark"), (glyphs(inverted=True), "bright"), (scenes(1, 28), "reflect")):
        augment = build_augment({"shift": 2}, shape=(1, 28, 28), kind="image", sample=sample)
        assert isinstance(augment, Crop)
        assert augment.border == border


@pytest.mark.parametrize("name", ["mnist", "notmnist"])
def test_real_characters_are_seen_as_glyphs(shared_data: Path, name: str) -> None:
    with gzip.open(shared_data / name / "train-images-idx3-ubyte.gz") as file:
        header = file.read(16)
        raw = file.read(500 * 28 * 28)
    assert header[3] == 3
    images = torch.frombuffer(bytearray(raw), dtype=torch.uint8).reshape(500, 1, 28, 28)
    settings, reason = auto_augment((1, 28, 28), 60_000, images)
    assert "flip" not in settings
    assert reason.startswith("glyphs")
    augment = build_augment(settings, shape=(1, 28, 28), kind="image", sample=images)
    assert isinstance(augment, Warp)
    assert augment.border == "dark"
    # Small changes keep most of the ink.
    before, after = images.float().mean(), augment(images, chance()).mean()
    assert abs(after - before) < 0.1 * before
