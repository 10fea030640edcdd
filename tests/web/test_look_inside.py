"""Looking inside from a page: what is sent agrees with the model's own forward pass, and hostile questions get reasons."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from glassnet import zoo
from glassnet.data.image_schema import ImageSchema
from glassnet.data.preprocess import Normalise
from glassnet.errors import DataError, UsageError
from glassnet.model import Model
from glassnet.web import drawing, inside
from glassnet.web.window import window

NAMES = (*"abcdefgh", "<img src=x onerror=canary()>", "j")


def of_net(net: nn.Module, side: int = 28, net_json: dict[str, Any] | None = None) -> Model:
    return Model(
        net=net.eval(),
        net_json=net_json or {},
        preprocess=Normalise(
            "standardise", 255.0, torch.full((1, 1, 1), 0.3), torch.full((1, 1, 1), 0.2), (1, side, side)
        ),
        schema=ImageSchema(1, side, side),
        task="classes",
        classes=NAMES,
        outputs=("class",),
        temperature=1.7,
    )


@pytest.fixture(scope="module")
def model() -> Model:
    """An untrained LeNet for 28×28 grey pictures."""
    return of_net(
        zoo.build("lenet5", (1, 28, 28), 10, seed=0),
        net_json={"zoo": "lenet5", "shape": [1, 28, 28], "outputs": 10, "options": {}},
    )


@pytest.fixture(scope="module")
def raw() -> Tensor:
    return torch.randint(0, 256, (1, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def unpacked(told: dict[str, Any]) -> np.ndarray:
    content = np.frombuffer(base64.b64decode(told["pixels"]), dtype=np.uint8)
    return content.reshape(told["height"], told["width"])


def ink(*strokes: tuple[slice, slice], side: int = 280) -> str:
    drawn = np.zeros((side, side), dtype=np.uint8)
    for stroke in strokes:
        drawn[stroke] = 255
    return base64.b64encode(drawn.tobytes()).decode()


def test_probabilities_are_those_of_the_model(model: Model, raw: Tensor) -> None:
    expected = model.predict_proba(raw)[0]
    top = inside.answers(model, raw)["top"]
    assert [each["name"] for each in top] == [NAMES[i] for i in expected.argsort(descending=True)[:5].tolist()]
    np.testing.assert_allclose([each["share"] for each in top], expected.sort(descending=True).values[:5], rtol=1e-5)


def test_maps_are_those_of_the_layers(model: Model, raw: Tensor) -> None:
    """Against hooks of the test's own: each byte is the value's place between its map's smallest and largest."""
    told = {layer["name"]: layer for layer in inside.answers(model, raw)["layers"]}
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_: nn.Module, given: object, out: Tensor) -> None:
            seen[name] = out.detach()[0]

        return hook

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in model.net.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    with torch.no_grad():
        model.net(model.preprocess(raw))
    for handle in handles:
        handle.remove()
    assert set(seen) <= set(told)
    for name, out in seen.items():
        layer = told[name]
        assert layer["shape"] == list(out.shape)
        if out.ndim == 1:
            np.testing.assert_allclose(layer["units"], out[:256], rtol=1e-4, atol=1e-6)
            continue
        assert (layer["low"], layer["high"]) == pytest.approx((float(out.min()), float(out.max())), rel=1e-5)
        for each in layer["maps"]:
            values = out[each["channel"]].numpy()
            expected = 255 * (values - values.min()) / (values.max() - values.min())
            assert np.abs(unpacked(each) - expected).max() <= 1.01


def test_the_most_excited_maps_come_first_and_large_maps_are_averaged() -> None:
    net = nn.Sequential(nn.Conv2d(1, 3, 1, bias=False), nn.Flatten(), nn.LazyLinear(10))
    net(torch.zeros(1, 1, 128, 128))
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([1.0, 3.0, -2.0]).reshape(3, 1, 1, 1)
    raw = torch.randint(0, 256, (1, 1, 128, 128), dtype=torch.uint8)
    layer = inside.answers(of_net(net, 128), raw)["layers"][0]
    assert [each["channel"] for each in layer["maps"]] == [1, 2, 0]
    assert (layer["maps"][0]["width"], layer["maps"][0]["step"]) == (64, 2)


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(1, 4, 5, padding=2),
        nn.Conv2d(1, 4, 3, stride=2, padding=(1, 0), bias=False),
        nn.Conv2d(1, 4, (3, 5), dilation=2, padding="same"),
    ],
    ids=["padded", "stride", "same"],
)
@pytest.mark.parametrize("place", [(0, 0, 0), (3, 5, 7), (1, 11, 2)])
def test_a_pixel_is_the_sum_of_its_products(conv: nn.Conv2d, place: tuple[int, int, int]) -> None:
    model = of_net(nn.Sequential(conv, nn.Flatten(), nn.LazyLinear(10)))
    raw = torch.randint(0, 256, (1, 1, 28, 28), dtype=torch.uint8)
    with torch.no_grad():
        model.net(model.preprocess(raw))
        expected = conv(model.preprocess(raw))[0]
    told = window(model, raw, "0", *place)
    assert told["value"] == pytest.approx(float(expected[place]), rel=1e-5, abs=1e-6)
    assert told["bias"] + told["rest"] + sum(each["sum"] for each in told["channels"]) == pytest.approx(
        told["value"], rel=1e-4, abs=1e-5
    )
    for each in told["channels"]:
        np.testing.assert_allclose(np.multiply(each["window"], each["weights"]), each["products"], rtol=2e-3, atol=1e-3)


def test_a_grouped_convolution_reads_its_own_group() -> None:
    conv = nn.Conv2d(4, 4, 3, groups=2, padding=1)
    model = of_net(nn.Sequential(nn.Conv2d(1, 4, 1), conv, nn.Flatten(), nn.LazyLinear(10)))
    raw = torch.randint(0, 256, (1, 1, 28, 28), dtype=torch.uint8)
    with torch.no_grad():
        model.net(model.preprocess(raw))
        given = model.net[0](model.preprocess(raw))
        expected = functional.conv2d(given, conv.weight, conv.bias, padding=1, groups=2)[0, 3, 4, 4]
    told = window(model, raw, "1", 3, 4, 4)
    assert {each["input"] for each in told["channels"]} == {2, 3}
    assert told["bias"] + sum(each["sum"] for each in told["channels"]) == pytest.approx(
        float(expected), rel=1e-4, abs=1e-5
    )


def test_what_is_no_pixel_of_a_convolution_is_told(model: Model, raw: Tensor) -> None:
    convolution = next(name for name, module in model.net.named_modules() if isinstance(module, nn.Conv2d))
    for layer, place in [(convolution, (99, 0, 0)), (convolution, (0, 28, 0)), ("nothing", (0, 0, 0)), ("", (0, 0, 0))]:
        with pytest.raises(UsageError):
            window(model, raw, layer, *place)


def test_saliency_is_the_slope_of_the_output(model: Model, raw: Tensor) -> None:
    told = inside.saliency_of(model, raw, "c")
    x = model.preprocess(raw).clone().requires_grad_()
    (slope,) = torch.autograd.grad(model.net(x)[0, 2], x)
    values = slope.abs()[0, 0].numpy()
    expected = 255 * (values - values.min()) / (values.max() - values.min())
    assert np.abs(unpacked(told["map"]) - expected).max() <= 1.01
    with pytest.raises(UsageError):
        inside.saliency_of(model, raw, "no such class")


def test_a_small_drawing_in_a_corner_is_brought_to_the_middle_and_to_size(model: Model) -> None:
    drawn = drawing.drawing(model, ink((slice(10, 50), slice(5, 25))), 280, 280)[0, 0].numpy()
    rows, columns = np.flatnonzero(drawn.max(1)), np.flatnonzero(drawn.max(0))
    assert len(rows) == 20  # 20/28 of the side, as in MNIST
    assert len(columns) == 10
    assert (rows.mean(), columns.mean()) == pytest.approx((13.5, 13.5), abs=0.5)
    assert drawn.max() == 255
    as_it_lies = drawing.drawing(model, ink((slice(10, 50), slice(5, 25))), 280, 280, centre=False)[0, 0].numpy()
    assert np.flatnonzero(as_it_lies.max(1)).tolist() == [1, 2, 3, 4]
    dark = drawing.drawing(model, ink((slice(10, 50), slice(5, 25))), 280, 280, dark=True)[0, 0].numpy()
    np.testing.assert_array_equal(dark, 255 - drawn)
    assert drawing.drawing(model, ink(), 280, 280).max() == 0  # an empty drawing stays empty


def test_an_uploaded_picture_is_read_as_in_training(model: Model) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    given = drawing.uploaded(model, base64.b64encode(written.getvalue()).decode(), 1 << 20)
    np.testing.assert_array_equal(given[0, 0], pixels)


def test_damaged_uploads_and_bombs_are_told(model: Model) -> None:
    bomb = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(bomb, "PNG")
    for content in (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(50), bomb.getvalue()):
        with pytest.raises(DataError):
            drawing.uploaded(model, base64.b64encode(content).decode(), 1 << 24)
    with pytest.raises(UsageError):
        drawing.uploaded(model, "A" * 4000, 100)
    with pytest.raises(UsageError):
        drawing.uploaded(model, "not base64!", 100)


@pytest.fixture(scope="module")
def page(served: Any, model: Model, tmp_path_factory: pytest.TempPathFactory, run_maker: Any) -> Iterator[Any]:
    """A page of its own, over a run with a finished network, one without, and one whose model is a prepared file."""
    place = tmp_path_factory.mktemp("inside")
    model.save(run_maker(place / "runs" / "with-net") / "model")
    run_maker(place / "runs" / "without")
    damaged = run_maker(place / "runs" / "damaged") / "model"
    damaged.mkdir()
    (damaged / "model.json").write_text('{"schema": {"kind": "image", "channels": "x"}, "classes": 5, "card": 7}')
    (damaged / "weights.safetensors").write_bytes(b"\x80\x04no weights")
    with served.another(place) as made:
        yield made


QUESTION = {"pixels": ink((slice(60, 220), slice(130, 150))), "width": 280, "height": 280}


def test_the_page_answers_as_the_functions_do(page: Any, model: Model) -> None:
    run = f"/run/{page.key('with-net')}"
    status, _, body = page.post(f"{run}/inside.json", QUESTION)
    expected = inside.answers(model, drawing.drawing(model, QUESTION["pixels"], 280, 280))
    assert status == 200
    assert [each["name"] for each in json.loads(body)["top"]] == [each["name"] for each in expected["top"]]
    assert [each["maps"][0]["pixels"] for each in json.loads(body)["layers"] if "maps" in each] == [
        each["maps"][0]["pixels"] for each in expected["layers"] if "maps" in each
    ]
    convolution = next(layer["name"] for layer in expected["layers"] if layer["kind"] == "Conv2d")
    for end, more in (
        ("saliency.json", {"target": "c"}),
        ("window.json", {"layer": convolution, "channel": 0, "row": 3, "column": 3}),
        ("stepper.json", {"target": "b"}),
    ):
        assert page.post(f"{run}/{end}", QUESTION | more)[0] == 200, end


def test_pages_stand_for_every_run_and_hold_no_script_of_their_own(page: Any) -> None:
    for name, words in (
        ("with-net", 'id="pad"'),
        ("without", "no finished network"),
        ("damaged", "no finished network"),
    ):
        for view in ("inside", "stepper"):
            status, _, body = page.ask(f"/run/{page.key(name)}/{view}")
            assert status == 200, (name, view)
            if view == "inside":
                assert words in body.decode()
            assert "<img src=x" not in body.decode()
            assert "style=" not in body.decode()
    assert page.ask("/stepper")[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"pixels": "!"},
        {"pixels": 5},
        {"pixels": None},
        {"width": 10**9},
        {"width": -1},
        {"width": 279},
        {"height": 1.5},
        {"height": True},
        {"width": 10**400},
        {"file": "AAAA"},
        {"file": {}},
        {"target": "x" * 5000},
        {"target": 7},
        {"layer": "../../etc/passwd", "channel": 0, "row": 0, "column": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("end", ["inside.json", "saliency.json", "window.json", "stepper.json"])
def test_w14_questions_that_make_no_sense_get_a_reason(page: Any, end: str, change: dict[str, Any]) -> None:
    harmless = "target" in change or "layer" in change
    status, _, body = page.post(f"/run/{page.key('with-net')}/{end}", QUESTION | change)
    assert status == 422 or (harmless and end == "inside.json") or ("layer" in change and end == "saliency.json")
    assert b"Traceback" not in body
    assert b"/tmp" not in body


def test_w7_large_uploads_are_refused_before_they_are_read(page: Any) -> None:
    run = f"/run/{page.key('with-net')}/inside.json"
    headers = {"Content-Type": "application/json", "X-Glassnet": "1", "Content-Length": str(10 << 30)}
    assert page.ask(run, "POST", headers=headers, body=b"{}")[0] == 413


def test_runs_without_a_network_or_with_a_damaged_one_are_told(page: Any) -> None:
    assert page.post(f"/run/{page.key('without')}/inside.json", QUESTION)[0] == 404
    status, _, body = page.post(f"/run/{page.key('damaged')}/inside.json", QUESTION)
    assert status == 422
    assert b"/" not in body.replace(b"\\/", b"")
    assert page.post("/run/..%2f..%2fetc/inside.json", QUESTION)[0] == 404
