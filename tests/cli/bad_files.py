"""Files as people have them and as they should not be, small and quick to make."""

from __future__ import annotations

import json
import struct
import wave
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def table(path: Path, *, header: str = "a,b,c,target", rows: int = 60, more: tuple[str, ...] = ()) -> Path:
    generator = np.random.default_rng(0)
    lines = [
        f"{x:.4f},{y:.4f},{'uv'[i % 2]},{'yes' if i % 3 else 'no'}"
        for i, (x, y) in enumerate(generator.normal(size=(rows, 2)))
    ]
    path.write_text("\n".join([header, *lines, *more] if header else lines) + "\n", encoding="utf-8")
    return path


def values(path: Path, *more: str) -> Path:
    lines = [",".join(f"{x:.4f}" for x in row) for row in np.random.default_rng(1).normal(size=(60, 3))]
    path.write_text("\n".join(["a,b,y", *lines, *more]) + "\n", encoding="utf-8")
    return path


def images(root: Path, **counts: int) -> Path:
    generator = np.random.default_rng(2)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(generator.integers(0, 255, (12, 12, 3), dtype=np.uint8)).save(root / name / f"{number}.png")
    return root


def bomb(path: Path, side: int = 65_535) -> None:
    """A PNG of a few bytes that says it holds side × side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )


def idx(folder: Path, *, magic: int = 2051, labels: int = 40, declared: int = 40) -> Path:
    folder.mkdir()
    pixels = np.zeros((40, 8, 8), dtype=np.uint8).tobytes()
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">IIII", magic, declared, 8, 8) + pixels)
    (folder / "train-labels-idx1-ubyte").write_bytes(
        struct.pack(">II", 2049, labels) + bytes(i % 4 for i in range(labels))
    )
    return folder


def npz(path: Path, x: object, y: object) -> Path:
    np.savez(path, x=np.asarray(x), y=np.asarray(y))
    return path


def spoil(model: Path, change: str) -> None:
    about = json.loads((model / "model.json").read_text(encoding="utf-8"))
    match change:
        case "no weights":
            (model / "weights.safetensors").unlink()
        case "short weights":
            (model / "weights.safetensors").write_bytes((model / "weights.safetensors").read_bytes()[:100])
        case "half a json":
            (model / "model.json").write_text('{"format": 1, ', encoding="utf-8")
        case "deep json":
            (model / "model.json").write_text("[" * 100_000, encoding="utf-8")
        case "a list":
            (model / "model.json").write_text("[1, 2]", encoding="utf-8")
        case _:
            key, value = {
                "newer": ("format", 99),
                "temperature": ("temperature", "warm"),
                "classes": ("classes", ["a", "b", "c"]),
            }[change]
            (model / "model.json").write_text(json.dumps(about | {key: value}), encoding="utf-8")


def text(path: Path, content: str | bytes) -> Path:
    """A file with this content, in a folder that is made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cifar(folder: Path, *, label: int = 1, cut: int = 0) -> Path:
    """A batch of CIFAR-10 in the binary version: 20 records of a label and 3072 pixels."""
    return text(folder / "data_batch_1.bin", (bytes([label]) + bytes(3072)) * 20 + bytes(cut)).parent


def sounds(root: Path, **counts: int) -> Path:
    """Short WAV files in a folder for each class."""
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            with wave.open(str(root / name / f"{number}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(np.random.default_rng(number).integers(-999, 999, 800, dtype=np.int16).tobytes())
    return root


def series(path: Path, steps: int = 120) -> Path:
    """A monthly series of one value."""
    months = "".join(f"{2000 + i // 12}-{i % 12 + 1:02d}-01,{i % 12}\n" for i in range(steps))
    return text(path, "t,v\n" + months)
