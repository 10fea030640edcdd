"""Other people's weights: reading them safely, renaming them, fitting them in, and the figures they are known to reach."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

import glassnet
from glassnet.cli import run as cli
from glassnet.data.cifar_files import OBJECTS
from glassnet.data.options import ReadOptions
from glassnet.data.readers import cifar
from glassnet.errors import ModelError, UsageError
from glassnet.pretrained import NAMINGS, Weights, load_into, model_from, naming_of, read_weights
from glassnet.zoo import build

STATISTICS = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
RESNETS = {"resnet20": ("resnet20-12fca82f.th", 0.8103), "resnet56": ("resnet56-4bfd9763.th", 0.8320)}


def small_net(classes: int = 10) -> nn.Module:
    return build("resnet20", (3, 32, 32), classes, seed=3)


def weights_of(net: nn.Module, path: str = "file") -> Weights:
    return Weights(dict(net.state_dict()), path, "safetensors")


def same(net: nn.Module, other: nn.Module) -> bool:
    mine, theirs = net.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


# Reading


def safetensors_file(path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(tensors, path)


def torch_file(path: Path, tensors: dict[str, Tensor]) -> None:
    torch.save(OrderedDict(tensors), path)


def old_torch_file(path: Path, tensors: dict[str, Tensor]) -> None:
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


def npz_file(path: Path, tensors: dict[str, Tensor]) -> None:
    np.savez(path, **{name: tensor.numpy() for name, tensor in tensors.items()})
    path.with_name(path.name + ".npz").rename(path)


@pytest.mark.parametrize(
    ("write", "form"),
    [(safetensors_file, "safetensors"), (torch_file, "PyTorch"), (old_torch_file, "PyTorch"), (npz_file, "npz")],
)
def test_every_readable_form_gives_the_same_network(tmp_path: Path, write: Callable[..., None], form: str) -> None:
    source = small_net()
    file = tmp_path / "weights.of_whatever_ending"
    write(file, {name: tensor.clone() for name, tensor in source.state_dict().items()})
    weights = read_weights(file)
    assert weights.form == form
    net = build("resnet20", (3, 32, 32), 10, seed=4)
    assert not same(net, source)
    loaded = load_into(net, weights)
    assert same(net, source)
    assert (loaded.left, loaded.unused) == ((), ())


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: {"state_dict": state, "epoch": 3, "best_prec1": 91.7},
        lambda state: {"model": {"state_dict": state}, "optimizer": {"state": {}}},
        lambda state: {"model_state_dict": {f"module.{name}": value for name, value in state.items()}},
        lambda state: {f"_orig_mod.module.{name}": value for name, value in state.items()},
        lambda state: {"state_dict": {f"model.{name}": value for name, value in state.items()}, "hparams": {"lr": 0.1}},
    ],
)
def test_wrappings_and_prefixes_are_taken_off(tmp_path: Path, wrapped: Callable[[Any], Any]) -> None:
    source = small_net()
    torch.save(wrapped(source.state_dict()), tmp_path / "checkpoint.pth")
    net = build("resnet20", (3, 32, 32), 10, seed=4)
    load_into(net, read_weights(tmp_path / "checkpoint.pth"))
    assert same(net, source)


def test_a_network_whose_own_names_begin_with_a_prefix_keeps_them(tmp_path: Path) -> None:
    def nested() -> nn.Module:
        return nn.Sequential(OrderedDict(net=nn.Sequential(OrderedDict(model=nn.Linear(3, 2)))))

    source = nested()
    state = source.state_dict()
    assert list(state) == ["net.model.weight", "net.model.bias"]
    statistics = {"preprocess.mean": torch.ones(3), "target.mean": torch.ones(1)}  # as in a model folder of ours
    for wrapped in (state, {f"net.{name}": value for name, value in state.items()} | statistics):
        save_file(wrapped, tmp_path / "w.safetensors")
        net = nested()
        assert load_into(net, read_weights(tmp_path / "w.safetensors")).count == 8
        assert same(net, source)


class Canary:
    """Pickled, this is a command that makes a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


def hostile_files(folder: Path, canary: Path) -> dict[str, bytes]:
    """Files that must be refused, by name."""
    buffers: dict[str, bytes] = {}

    def torch_bytes(content: Any, *, new: bool = True) -> bytes:
        buffer = io.BytesIO()
        torch.save(content, buffer, _use_new_zipfile_serialization=new)
        return buffer.getvalue()

    good = torch_bytes({"a.weight": torch.ones(3)})
    trap = Canary(canary)
    for protocol in range(6):
        buffers[f"pickle{protocol}.pkl"] = pickle.dumps({"a.weight": trap}, protocol=protocol)
        buffers[f"pickle{protocol}.pth"] = buffers[f"pickle{protocol}.pkl"]
        buffers[f"pickle{protocol}.safetensors"] = buffers[f"pickle{protocol}.pkl"]
    buffers["canary.pt"] = torch_bytes({"a.weight": torch.ones(3), "args": trap})
    buffers["canary_old.pt"] = torch_bytes({"a.weight": torch.ones(3), "args": trap}, new=False)
    buffers["module.pt"] = torch_bytes(nn.Linear(2, 2))
    buffers["module_old.pt"] = torch_bytes(nn.Linear(2, 2), new=False)
    buffers["list.pt"] = torch_bytes([torch.ones(3)])
    buffers["nothing.pt"] = torch_bytes({})
    buffers["numbers.pt"] = torch_bytes({"epoch": 3})
    buffers["one.pt"] = torch_bytes(torch.ones(3))
    buffers["sparse.pt"] = torch_bytes({"a": torch.eye(3).to_sparse()})
    buffers["complex.pt"] = torch_bytes({"a": torch.ones(3, dtype=torch.complex64)})
    itself: dict[str, Any] = {}
    itself["state_dict"] = itself
    buffers["circle.pt"] = torch_bytes(itself)
    for share in (0.02, 0.3, 0.9, 0.999):
        buffers[f"cut{share}.pt"] = good[: int(len(good) * share)]
    script = io.BytesIO()
    with zipfile.ZipFile(script, "w") as archive:
        archive.writestr("archive/constants.pkl", pickle.dumps(trap))
        archive.writestr("archive/data.pkl", pickle.dumps(trap))
        archive.writestr("archive/code/__torch__.py", "import os")
    buffers["script.pt"] = script.getvalue()
    swapped = io.BytesIO()
    with zipfile.ZipFile(swapped, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"a": trap}, protocol=2))
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    buffers["swapped.pt"] = swapped.getvalue()
    keras = io.BytesIO()
    with zipfile.ZipFile(keras, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Lambda"}))
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    buffers["model.keras"] = keras.getvalue()
    objects = io.BytesIO()
    np.savez(objects, a=np.array([trap], dtype=object), allow_pickle=True)
    buffers["objects.npz"] = objects.getvalue()
    words = io.BytesIO()
    np.savez(words, a=np.array(["x"]))
    buffers["words.npz"] = words.getvalue()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("archive/data.pkl", "w") as member:
        for _ in range(300):
            member.write(bytes(1 << 20))
    buffers["bomb.pt"] = bomb.getvalue()
    empty_zip = io.BytesIO()
    zipfile.ZipFile(empty_zip, "w").close()
    buffers["empty.zip"] = empty_zip.getvalue()
    other_zip = io.BytesIO()
    with zipfile.ZipFile(other_zip, "w") as archive:
        archive.writestr("../../readme.txt", "hello")
    buffers["other.zip"] = other_zip.getvalue()
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            info = tarfile.TarInfo(name)
            info.size = 64
            archive.addfile(info, io.BytesIO(pickle.dumps(trap).ljust(64, b" ")[:64]))
    buffers["tar.pt"] = tar.getvalue()
    buffers["weights.h5"] = b"\x89HDF\r\n\x1a\n" + bytes(100)
    buffers["net.onnx"] = b"\x08\x07\x12\x07pytorch" + bytes(50)
    buffers["net.tflite"] = b"\x1c\x00\x00\x00TFL3" + bytes(50)
    buffers["array.npy"] = b"\x93NUMPY\x01\x00" + bytes(50)
    buffers["model.joblib"] = b"x\x9c" + bytes(50)
    buffers["page.safetensors"] = b"<!DOCTYPE html><html>404</html>"
    buffers["pointer.safetensors"] = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"
    buffers["empty.pth"] = b""
    buffers["text.pth"] = b"hello, I am no file of weights"
    header = json.dumps({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}).encode()
    for name, length, text, data in (
        ("long", 1 << 60, header, bytes(12)),
        ("short", len(header), header, bytes(4)),
        ("garbled", len(header), b"{" + bytes(len(header) - 1), bytes(12)),
        ("out", 0, b"{", b""),
        ("overlong", len(header), header.replace(b"12]", b"99]"), bytes(12)),
        ("shape", len(header), header.replace(b"[3]", b"[9]"), bytes(12)),
        ("kind", len(header), header.replace(b"F32", b"OBJ"), bytes(12)),
    ):
        buffers[f"{name}.safetensors"] = struct.pack("<Q", length) + text + data
    for name, content in buffers.items():
        (folder / name).write_bytes(content)
    return buffers


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, bytes]]:
    """The folder of the files, the canary's place, and the files."""
    folder = tmp_path_factory.mktemp("hostile")
    canary = tmp_path_factory.mktemp("place") / "canary"
    return folder, canary, hostile_files(folder, canary)


def test_hostile_and_damaged_files_are_refused_with_a_reason_and_never_run(
    hostile: tuple[Path, Path, dict[str, bytes]],
) -> None:
    folder, canary, names = hostile
    assert len(names) >= 50
    for name in names:
        with pytest.raises(ModelError) as told:
            read_weights(folder / name)
        message = str(told.value)
        assert name in message, message
        assert "weights_only" not in message, "no advice to read it unsafely"
        assert "add_safe_globals" not in message
        assert not canary.exists(), name
    pickle.loads(names["pickle4.pkl"])
    assert canary.exists(), "the canary can sing"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pickle4.pth", "could run a program"),
        ("canary.pt", r"an object posix.mkdir|an object nt.mkdir"),
        ("module.pt", "an object torch.nn.modules.linear.Linear"),
        ("script.pt", "TorchScript"),
        ("model.keras", "Keras"),
        ("weights.h5", "HDF5"),
        ("net.onnx", "ONNX"),
        ("net.tflite", "TensorFlow Lite"),
        ("model.joblib", "joblib"),
        ("objects.npz", "Python objects"),
        ("bomb.pt", "zip bomb"),
        ("page.safetensors", "web page"),
        ("pointer.safetensors", "git lfs pull"),
        ("empty.pth", "empty"),
        ("numbers.pt", "a table of epoch"),
        ("sparse.pt", "no plain tensors"),
        ("cut0.3.pt", "damaged"),
        ("long.safetensors", "damaged"),
    ],
)
def test_the_reason_is_the_right_one(hostile: tuple[Path, Path, dict[str, bytes]], name: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read_weights(hostile[0] / name)


def test_whatever_bytes_are_changed_only_our_error_escapes(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    tensors = {"conv1.weight": torch.arange(12.0).reshape(3, 4), "fc.bias": torch.ones(2)}
    outcomes = {"read": 0, "refused": 0}
    for write in (safetensors_file, torch_file, old_torch_file, npz_file):
        write(tmp_path / "good", tensors)
        good = (tmp_path / "good").read_bytes()
        for _ in range(100):
            spoilt = bytearray(good)
            for place in generator.integers(0, len(good), generator.integers(1, 5)):
                spoilt[place] = generator.integers(0, 256)
            file = tmp_path / "spoilt"
            file.write_bytes(spoilt[: generator.integers(1, len(good))] if generator.random() < 0.1 else spoilt)
            try:
                read_weights(file)
                outcomes["read"] += 1
            except ModelError:
                outcomes["refused"] += 1
    assert min(outcomes.values()) > 20


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_weights(tmp_path / "nowhere.pth")
    with pytest.raises(ModelError, match="a folder"):
        read_weights(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"give the file in it: .*model/weights.safetensors"):
        read_weights(tmp_path)
    with pytest.raises(ModelError):
        read_weights("a" * 5000)
    with pytest.raises(ModelError):
        read_weights("a\0b")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ModelError, match="no plain file"):
            read_weights(tmp_path / "pipe")


# Naming: each library's network is written out here by its own names, so that a wrong row of a table gives other outputs.


def random_state(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes.items():
        fan_in = int(np.prod(shape[1:])) or 1
        noise = torch.randn(shape, generator=generator) / fan_in**0.5
        state[name] = (
            noise.abs() + 0.5 if "running_var" in name else noise + (name.endswith("weight") and len(shape) == 1)
        )
    return state


def norm_shapes(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}


def conv_norm(state: dict[str, Tensor], x: Tensor, conv: str, norm: str, stride: int = 1, groups: int = 1) -> Tensor:
    weight = state[f"{conv}.weight"]
    x = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2, groups=groups)
    mean, var, gain, bias = (state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, mean, var, gain, bias)


def torchvision_resnet(depth: int, width: int) -> tuple[dict[str, Tensor], Callable[[Tensor], Tensor]]:
    """torchvision's ResNet-18 or -50 (its bottlenecks have their stride in the 3×3 convolution)."""
    counts = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}[depth]
    bottleneck = depth == 50
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (width, 3, 7, 7), **norm_shapes("bn1", width)}
    blocks = []
    below = width
    for group, count in enumerate(counts, start=1):
        inside = width * 2 ** (group - 1)
        outside = 4 * inside if bottleneck else inside
        for place in range(count):
            name, stride = f"layer{group}.{place}", 2 if group > 1 and place == 0 else 1
            widths = ((below, inside, 1), (inside, inside, 3), (inside, outside, 1))
            for number, (a, b, k) in enumerate(widths if bottleneck else ((below, inside, 3), (inside, inside, 3)), 1):
                shapes |= {f"{name}.conv{number}.weight": (b, a, k, k), **norm_shapes(f"{name}.bn{number}", b)}
            if stride != 1 or below != outside:
                shapes |= {f"{name}.downsample.0.weight": (outside, below, 1, 1)}
                shapes |= norm_shapes(f"{name}.downsample.1", outside)
            blocks.append((name, stride))
            below = outside
    shapes |= {"fc.weight": (5, below), "fc.bias": (5,)}
    state = random_state(shapes)

    def forward(x: Tensor) -> Tensor:
        x = F.max_pool2d(conv_norm(state, x, "conv1", "bn1", 2).relu(), 3, 2, 1)
        for name, stride in blocks:
            if bottleneck:
                y = conv_norm(state, x, f"{name}.conv1", f"{name}.bn1").relu()
                y = conv_norm(state, y, f"{name}.conv2", f"{name}.bn2", stride).relu()
                y = conv_norm(state, y, f"{name}.conv3", f"{name}.bn3")
            else:
                y = conv_norm(state, x, f"{name}.conv1", f"{name}.bn1", stride).relu()
                y = conv_norm(state, y, f"{name}.conv2", f"{name}.bn2")
            if f"{name}.downsample.0.weight" in state:
                x = conv_norm(state, x, f"{name}.downsample.0", f"{name}.downsample.1", stride)
            x = (x + y).relu()
        return F.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])

    return state, forward


@pytest.mark.parametrize(("depth", "options"), [(18, {}), (50, {"strided": "3x3"})])
def test_torchvision_s_resnets(depth: int, options: dict[str, Any]) -> None:
    state, forward = torchvision_resnet(depth, 8)
    net = build(f"resnet{depth}", (3, 64, 64), 5, {"width": 0.125, **options}, seed=0)
    loaded = load_into(net, Weights(state, "file", "PyTorch"))
    assert "torchvision" in loaded.origin
    assert loaded.caution == ""
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(net.eval()(x), forward(x), rtol=1e-3, atol=1e-4)


def test_another_stride_than_torchvision_s_is_told_since_no_shape_tells_it() -> None:
    state, _ = torchvision_resnet(50, 8)
    net = build("resnet50", (3, 64, 64), 5, {"width": 0.125}, seed=0)
    assert "net.strided=3x3" in load_into(net, Weights(state, "file", "PyTorch")).sentence()


VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")
VGG11 = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")


@pytest.mark.parametrize(("name", "row"), [("vgg16", VGG16), ("vgg11", VGG11)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_torchvision_s_vgg(name: str, row: tuple[int | str, ...], batch_norm: bool) -> None:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    below = 3
    for entry in row:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(2))
            continue
        norm = [nn.BatchNorm2d(entry // 16)] if batch_norm else []
        layers += [nn.Conv2d(below, entry // 16, 3, padding=1), *norm, nn.ReLU()]
        below = entry // 16
    theirs = nn.Module()
    theirs.features = nn.Sequential(*layers)
    dense = (
        nn.Linear(32, 256),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(256, 256),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(256, 5),
    )
    theirs.classifier = nn.Sequential(*dense)
    theirs.eval()
    net = build(name, (3, 32, 32), 5, {"width": 0.0625, "batch_norm": batch_norm}, seed=0)
    assert load_into(net, weights_of(theirs)).left == ()
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(net.eval()(x), theirs.classifier(theirs.features(x).flatten(1)), rtol=1e-3, atol=1e-5)


def test_a_convolution_over_the_whole_map_fits_a_dense_layer_as_in_timm_s_vgg() -> None:
    source = build("vgg11", (3, 64, 64), 5, {"width": 0.0625}, seed=1)
    state = {}
    for name, value in source.state_dict().items():
        if name.startswith("block"):
            continue
        theirs = name.replace("dense1.linear", "pre_logits.fc1").replace("dense2.linear", "pre_logits.fc2")
        theirs = theirs.replace("head", "head.fc")
        convolution = {"pre_logits.fc1.weight": (256, 32, 2, 2), "pre_logits.fc2.weight": (256, 256, 1, 1)}
        state[theirs] = value.reshape(convolution.get(theirs, value.shape))
    numbers = {"block1.conv1": 0, "block2.conv1": 3, "block3.conv1": 6, "block3.conv2": 8}
    numbers |= {"block4.conv1": 11, "block4.conv2": 13, "block5.conv1": 16, "block5.conv2": 18}
    for name, number in numbers.items():
        for part in ("weight", "bias"):
            state[f"features.{number}.{part}"] = source.state_dict()[f"{name}.{part}"]
    net = build("vgg11", (3, 64, 64), 5, {"width": 0.0625}, seed=2)
    load_into(net, Weights(state, "file", "PyTorch"))
    assert same(net, source)


def test_torchvision_s_alexnet_has_other_widths_and_that_is_said() -> None:
    shapes: dict[str, tuple[int, ...]] = {"features.0.weight": (64, 3, 11, 11), "features.0.bias": (64,)}
    shapes |= {"features.3.weight": (192, 64, 5, 5), "features.3.bias": (192,)}
    with torch.device("meta"):
        net = build("alexnet-single", (3, 224, 224), 1000)
    with pytest.raises(ModelError, match=r"block1.conv.weight \(features.0.weight\) 64×3×11×11 instead of 96×3×11×11"):
        load_into(net, Weights(random_state(shapes), "file", "PyTorch"))


def test_timm_s_mobilenet() -> None:
    widths = (8, 16, 32, 32, 64, 64, *(128,) * 6, 256, 256)
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    stages = ((1, 1), (2, 2), (3, 2), (4, 6), (5, 2))  # (number, blocks)
    places = [f"blocks.{stage - 1}.{place}" for stage, count in stages for place in range(count)]
    shapes: dict[str, tuple[int, ...]] = {"conv_stem.weight": (8, 3, 3, 3), **norm_shapes("bn1", 8)}
    for name, below, width in zip(places, widths[:-1], widths[1:], strict=True):
        shapes |= {f"{name}.conv_dw.weight": (below, 1, 3, 3), **norm_shapes(f"{name}.bn1", below)}
        shapes |= {f"{name}.conv_pw.weight": (width, below, 1, 1), **norm_shapes(f"{name}.bn2", width)}
    shapes |= {"classifier.weight": (5, 256), "classifier.bias": (5,)}
    state = random_state(shapes)

    def forward(x: Tensor) -> Tensor:
        x = conv_norm(state, x, "conv_stem", "bn1", 2).clamp(0, 6)
        for name, stride in zip(places, strides, strict=True):
            x = conv_norm(state, x, f"{name}.conv_dw", f"{name}.bn1", stride, groups=x.shape[1]).clamp(0, 6)
            x = conv_norm(state, x, f"{name}.conv_pw", f"{name}.bn2").clamp(0, 6)
        return F.linear(x.mean((2, 3)), state["classifier.weight"], state["classifier.bias"])

    weights = Weights(state, "file", "PyTorch")
    net = build("mobilenet-v1", (3, 64, 64), 5, {"width": 0.25, "padding": "symmetric"}, seed=0)
    assert load_into(net, weights).caution == ""
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(net.eval()(x), forward(x), rtol=1e-3, atol=1e-4)
    tensorflow = build("mobilenet-v1", (3, 64, 64), 5, {"width": 0.25}, seed=0)
    assert "net.padding=symmetric" in load_into(tensorflow, weights).sentence()


@pytest.mark.parametrize("auxiliary", [True, False])
def test_torchvision_s_googlenet_differs_from_the_paper_in_its_third_branch_alone(auxiliary: bool) -> None:
    """Every name of theirs finds its place; the shapes that differ are those of the windows 5×5, which are 3×3 there."""
    with torch.device("meta"):
        net = build("googlenet", (3, 224, 224), 1000, {"batch_norm": True, "auxiliary": auxiliary})
    names = {f"conv{number}": kernel for number, kernel in ((1, 7), (2, 1), (3, 3))}
    for block in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        for branch, kernel in (("1", 1), ("2.0", 1), ("2.1", 3), ("3.0", 1), ("3.1", 3), ("4.1", 1)):
            names[f"inception{block}.branch{branch}"] = kernel
    theirs = [f"{name}.{part}" for name in names for part in ("conv.weight", "bn.weight", "bn.running_var")]
    theirs += [f"aux{n}.{part}.weight" for n in (1, 2) for part in ("conv.conv", "conv.bn", "fc1", "fc2")]
    theirs += ["fc.weight", "fc.bias"]
    naming, prefix = naming_of(theirs, net.state_dict())
    assert prefix == ""
    assert naming.origin == "torchvision's GoogLeNet"
    homeless = [name for name in theirs if naming.ours(name) not in net.state_dict() and not naming.is_unused(name)]
    assert homeless == []
    kernels = {name: net.state_dict()[naming.ours(f"{name}.conv.weight")].shape[-1] for name in names}
    assert {name for name in names if kernels[name] != names[name]} == {n for n in names if n.endswith("branch3.1")}


def test_no_two_names_of_a_table_fall_together() -> None:
    for naming in NAMINGS:
        plain = [pattern for pattern, _ in naming.names if "#" not in pattern]
        assert len(plain) == len(set(plain)), naming.origin


# Fitting


def test_everything_that_does_not_fit_is_listed_at_once_and_nothing_is_changed() -> None:
    net, source = build("resnet20", (3, 32, 32), 10, seed=4), small_net()
    tensors = dict(source.state_dict())
    del tensors["group1.0.conv1.weight"]
    tensors["group4.0.conv1.weight"] = torch.ones(3)
    tensors["group2.0.conv1.weight"] = torch.ones(7, 16, 3, 3)
    tensors["group3.0.norm1.bias"] = torch.tensor([float("nan")] + [0.0] * 63)
    tensors["group3.0.norm2.bias"] = torch.tensor([1e300] + [0.0] * 63, dtype=torch.float64)  # infinite in float32
    tensors["head.weight"] = tensors["head.weight"].T  # as other libraries lay dense weights out
    tensors["group3.1.norm1.weight"] = torch.ones(64, dtype=torch.int8)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ModelError) as told:
        load_into(net, Weights(tensors, "some.pth", "PyTorch"))
    message = str(told.value)
    for words in (
        "some.pth",
        "1 in the network but not in the file: group1.0.conv1.weight",
        "1 in the file but not in the network: group4.0.conv1.weight",
        "2 of another shape: group2.0.conv1.weight 7×16×3×3 instead of 32×16×3×3, head.weight 64×10 instead of 10×64",
        "1 of whole numbers (quantised?): group3.1.norm1.weight",
        "2 with NaN or infinite numbers: group3.0.norm1.bias, group3.0.norm2.bias",
    ):
        assert words in message, message
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_two_names_that_mean_the_same_are_no_guess() -> None:
    state, _ = torchvision_resnet(18, 8)
    net = build("resnet20", (3, 32, 32), 10, seed=0)
    names = {"linear.weight": torch.ones(10, 64), "fc.weight": torch.zeros(10, 64)}
    with pytest.raises(ModelError, match=r"1 twice in the file, under names that mean the same: fc\.weight"):
        load_into(net, Weights({**names, "layer1.0.conv1.weight": state["layer1.0.conv1.weight"]}, "file", "PyTorch"))


def test_a_head_for_other_classes_stays_at_its_start() -> None:
    net, source = small_net(3), small_net(10)
    start = net.head.weight.clone()
    with torch.no_grad():
        source.stem[0].weight.add_(1)
    loaded = load_into(net, weights_of(source))
    assert loaded.left == ("head.weight", "head.bias")
    assert (
        "head.weight, head.bias left at the start, because the file has 10 outputs and this network 3"
        in loaded.sentence()
    )
    assert torch.equal(net.head.weight, start)
    assert torch.equal(net.stem[0].weight, source.stem[0].weight)
    assert loaded.count == sum(
        value.numel() for name, value in source.state_dict().items() if "head" not in name and "num_batches" not in name
    )


def test_a_file_without_a_head_is_a_start_too_but_half_a_head_is_none() -> None:
    tensors = {name: value for name, value in small_net().state_dict().items() if not name.startswith("head")}
    loaded = load_into(small_net(4), Weights(tensors, "file", "npz"))
    assert loaded.left == ("head.weight", "head.bias")
    assert "the file has no head" in loaded.sentence()
    with pytest.raises(ModelError, match=r"not in the file: head.bias"):
        load_into(small_net(), Weights({**tensors, "head.weight": torch.ones(10, 64)}, "file", "npz"))
    with pytest.raises(
        ModelError, match=r"of another shape: head.weight 10×64 instead of 4×64, head.bias 9 instead of 4"
    ):
        load_into(
            small_net(4),
            Weights({**tensors, "head.weight": torch.ones(10, 64), "head.bias": torch.ones(9)}, "f", "npz"),
        )
    head = {"head.weight": torch.ones(10, 63), "head.bias": torch.ones(10)}
    with pytest.raises(ModelError, match=r"of another shape: head.weight 10×63 instead of 4×64"):
        load_into(small_net(4), Weights({**tensors, **head}, "file", "npz"))


def test_number_types_are_converted_and_batch_counters_need_not_be_there() -> None:
    source = small_net()
    tensors = {name: value.half() for name, value in source.state_dict().items() if "num_batches" not in name}
    net = build("resnet20", (3, 32, 32), 10, seed=4)
    load_into(net, Weights(tensors, "file", "safetensors"))
    assert net.head.weight.dtype == torch.float32
    torch.testing.assert_close(net.head.weight, source.head.weight, rtol=1e-3, atol=1e-6)


def test_a_shape_that_claims_too_much_is_told_without_the_memory_for_it() -> None:
    tensors = {**small_net().state_dict(), "group1.0.conv1.weight": torch.ones(1).expand(1 << 20, 1 << 20, 3, 3)}
    with pytest.raises(ModelError, match="1048576×1048576×3×3 instead of"):
        load_into(small_net(), Weights(tensors, "file", "PyTorch"))


# Models


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ["a", "b"]}, "2 names of classes; the file has 10 outputs"),
        ({"net": "resnet21"}, "did you mean 'resnet"),
        ({"std": (0.2, 0, 0.2)}, "std and scale above 0"),
        ({"mean": (0.2, 0.1)}, "one number or three"),
    ],
)
def test_a_model_that_cannot_be_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    save_file(dict(small_net().state_dict()), tmp_path / "w.safetensors")
    given = {"net": "resnet20", "classes": [str(n) for n in range(10)], "image_size": 32, **changes}
    with pytest.raises((ModelError, UsageError), match=words):
        model_from(tmp_path / "w.safetensors", given.pop("net"), **given)


def test_the_model_folder_predicts_and_is_measured_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = [f"class {n}" for n in range(10)]
    save_file(dict(small_net().state_dict()), tmp_path / "w.safetensors")
    model = model_from(tmp_path / "w.safetensors", "resnet20", classes=classes, image_size=32, **STATISTICS)
    model.save(tmp_path / "model")
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    by_hand = (torch.tensor(images).permute(0, 3, 1, 2) / 255 - torch.tensor(STATISTICS["mean"]).view(3, 1, 1)) / (
        torch.tensor(STATISTICS["std"]).view(3, 1, 1)
    )
    with torch.no_grad():
        said = small_net().eval()(by_hand).argmax(1).tolist()
    for number, (image, best) in enumerate(zip(images, said, strict=True)):
        for folder in (f"class {best}", "class 7" if best != 7 else "class 2"):  # each once rightly and once wrongly
            place = tmp_path / "photos" / folder / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place)
    assert cli(["predict", str(tmp_path / "model"), str(tmp_path / "photos")]) == 0
    told = capsys.readouterr().out
    assert all(f"class {best}" in told for best in said)
    assert cli(["evaluate", str(tmp_path / "model"), str(tmp_path / "photos"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["samples"] == 12
    assert figures["figures"]["accuracy"] == 0.5
    assert cli(["evaluate", str(tmp_path / "model")]) == 2
    assert "has no data of its own" in capsys.readouterr().err
    (tmp_path / "photos" / "class 7").rename(tmp_path / "photos" / "class 70")
    assert cli(["evaluate", str(tmp_path / "model"), str(tmp_path / "photos")]) == 3
    assert "class 70" in capsys.readouterr().err


# Training from a file


TRAIN = ["--net", "mlp", "--set", "net.hidden=[16]", "--lr", "0.01", "--threads", "1", "--precision", "float32"]


def test_training_starts_from_the_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli(["train", "digits", *TRAIN, "--epochs", "8", "--out", "first", "--quiet"]) == 0
    file = "first/model/weights.safetensors"
    capsys.readouterr()
    again = ["train", "digits", *TRAIN, "--lr", "1e-7", "--epochs", "1", "--pretrained", file, "--out", "second"]
    assert cli(again) == 0
    told = capsys.readouterr().out
    # 64·16 + 16 + 16·10 + 10
    assert "start  weights.safetensors (1,210 numbers loaded, with the names of Glassnet)" in told
    recipe = (tmp_path / "second" / "recipe.toml").read_text()
    assert f'pretrained = "{tmp_path / file}"  # 1,210 numbers loaded' in recipe
    first, second = (glassnet.load(tmp_path / name).net.state_dict() for name in ("first", "second"))
    assert all(torch.allclose(first[name], second[name], atol=1e-4) for name in first)


def test_a_file_that_does_not_fit_ends_training_with_exit_code_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_file({"a.weight": torch.ones(3)}, "other.safetensors")
    assert cli(["train", "digits", *TRAIN, "--pretrained", "other.safetensors", "--out", "run"]) == 4
    assert "in the file but not in the network: a.weight" in capsys.readouterr().err
    assert cli(["train", "digits", *TRAIN, "--pretrained", "nowhere.pth", "--out", "run"]) == 4
    assert "no such file" in capsys.readouterr().err


def photos(folder: Path, colours: str = "RGB") -> Path:
    generator = np.random.default_rng(0)
    for name in ("ants", "bees"):
        (folder / name).mkdir(parents=True)
        for number in range(24):
            pixels = generator.integers(0, 256, size=(32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(colours).save(folder / name / f"{number}.png")
    return folder


TINY = ["--epochs", "1", "-b", "16", "--lr", "1e-3", "--threads", "1", "--precision", "float32", "--image-size", "32"]


def test_what_a_library_s_files_expect_of_the_inputs_is_taken_over_and_a_resumed_run_needs_the_file_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "photos")
    state, _ = torchvision_resnet(18, 8)
    torch.save(state, "resnet18.pth")
    train = ["train", "photos", "--net", "resnet18", "--set", "net.width=0.125", *TINY, "--pretrained", "resnet18.pth"]
    assert cli([*train, "--out", "run", "--set", "train.checkpoint_seconds=0"]) == 0
    recipe = (tmp_path / "run" / "recipe.toml").read_text()
    assert "name = \"imagenet\"  # what torchvision's and timm's ResNets were trained with" in recipe
    preprocess = glassnet.load(tmp_path / "run").preprocess
    assert preprocess.mean.flatten().tolist() == pytest.approx(STATISTICS["mean"])
    assert preprocess.std.flatten().tolist() == pytest.approx(STATISTICS["std"])

    weights = (tmp_path / "run" / "model" / "weights.safetensors").read_bytes()
    steps = sorted((tmp_path / "run" / "checkpoints").glob("step-*"))
    assert len(steps) == 2
    for path in steps[1].iterdir():
        path.unlink()  # as if it had been killed a step earlier
    steps[1].rmdir()
    (tmp_path / "run" / "result.json").unlink()
    (tmp_path / "resnet18.pth").unlink()
    capsys.readouterr()
    assert cli(["resume", "run"]) == 0
    assert "going on from" in capsys.readouterr().out
    assert (tmp_path / "run" / "model" / "weights.safetensors").read_bytes() == weights


def test_another_preparation_of_the_inputs_than_the_file_s_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "photos")
    state, _ = torchvision_resnet(18, 8)
    torch.save(state, "resnet18.pth")
    train = ["train", "photos", "--net", "resnet18", "--set", "net.width=0.125", *TINY]
    assert cli([*train, "--pretrained", "resnet18.pth", "--preprocess", "none", "--out", "first"]) == 0
    assert "trained on inputs prepared by imagenet, these are prepared by none" in capsys.readouterr().out
    file = "first/model/weights.safetensors"
    assert cli([*train, "--pretrained", file, "--out", "second"]) == 0
    assert "trained on inputs prepared by none, these are prepared by standardise" in capsys.readouterr().out
    assert cli([*train, "--pretrained", file, "--preprocess", "none", "--out", "third"]) == 0
    assert "prepared by" not in capsys.readouterr().out


def test_a_module_of_one_s_own_and_another_number_of_classes(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    inputs, targets = generator.normal(size=(60, 5)).astype(np.float32), generator.integers(0, 3, 60)
    torch.manual_seed(0)
    net = nn.Sequential(OrderedDict(body=nn.Linear(5, 4), relu=nn.ReLU(), head=nn.Linear(4, 3)))
    body = torch.full((4, 5), 0.25)
    file = tmp_path / "w.safetensors"
    head = {"head.weight": torch.ones(9, 4), "head.bias": torch.ones(9)}
    save_file({"body.weight": body, "body.bias": torch.zeros(4), **head}, file)
    settings = {"net.pretrained": str(file), "train.threads": 1, "train.precision": "float32"}
    result = glassnet.train((inputs, targets), net, out=tmp_path / "run", epochs=1, lr=1e-7, settings=settings)
    assert result.model is not None
    torch.testing.assert_close(result.model.net.get_parameter("body.weight"), body, atol=1e-3, rtol=0)
    assert "the file has 9 outputs and this network 3" in (tmp_path / "run" / "recipe.toml").read_text()


# The published CIFAR-10 weights


def cifar10_test(shared_data: Path, each: int) -> tuple[Tensor, Tensor]:
    """The first ``each`` test images of every class, uint8, and their classes; from the binary files or from the packed images."""
    folder = shared_data / "cifar10"
    if cifar.recognises(folder):
        part = cifar.read(folder, ReadOptions()).parts["test"]
        chosen = torch.cat([(part.targets == number).nonzero().flatten()[:each] for number in range(10)])
        return part.inputs.take(chosen), part.targets[chosen]
    archive = folder / "cifar10-jpg.tar.xz"
    if not archive.is_file():
        pytest.skip(f"CIFAR-10 not found in {folder}")
    images, targets = [], []
    with tarfile.open(archive, "r:xz") as members:
        for member in members:
            part, kind, *_ = [*member.name.split("/"), "", ""]
            if part == "test" and member.isfile() and targets.count(OBJECTS.index(kind)) < each:
                content = members.extractfile(member)
                assert content is not None
                images.append(np.asarray(Image.open(content)))
                targets.append(OBJECTS.index(kind))
            if len(targets) == 10 * each:
                break
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(), torch.tensor(targets)


def accuracy_of(name: str, shared_data: Path, images: Tensor, targets: Tensor) -> float:
    file = shared_data / "pretrained" / RESNETS[name][0]
    model = model_from(file, name, classes=OBJECTS, image_size=32, **STATISTICS)
    return (model.raw_outputs(images).argmax(1) == targets).double().mean().item()


def test_published_resnet20_knows_its_classes(shared_data: Path) -> None:
    images, targets = cifar10_test(shared_data, 40)
    # 81.03 % of all 10,000; three standard deviations of a share of 400 are 5.9 %.
    assert accuracy_of("resnet20", shared_data, images, targets) == pytest.approx(0.81, abs=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("name", RESNETS)
def test_published_resnets_reach_their_figures_on_the_whole_test_part(name: str, shared_data: Path) -> None:
    images, targets = cifar10_test(shared_data, 1000)
    assert torch.bincount(targets).tolist() == [1000] * 10
    assert accuracy_of(name, shared_data, images, targets) == pytest.approx(RESNETS[name][1], abs=0.001)
