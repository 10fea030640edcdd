"""Files of tensors written piece by piece are those of the library, and need no memory of their own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

import glassnet
from glassnet.errors import ModelError, SpaceError
from glassnet.tensor_file import TYPES, write_tensors

STATUS = Path("/proc/self/status")


def every_type() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    made = {str(kind): (100 * torch.rand(3, 5, generator=generator)).to(kind) for kind in TYPES}
    return made | {
        'größe."名"': torch.arange(4),
        "scalar": torch.tensor(2.5),
        "empty": torch.empty(0, 3),
        "another": torch.ones(7, dtype=torch.float16),
    }


def test_the_bytes_are_those_of_the_library(tmp_path: Path) -> None:
    size, digest = write_tensors(tmp_path / "a", every_type())
    written = (tmp_path / "a").read_bytes()
    assert written == safetensors.torch.save(every_type())
    assert (size, digest) == (len(written), hashlib.sha256(written).hexdigest())


def test_whatever_their_layout_tensors_read_back_as_they_were(tmp_path: Path) -> None:
    whole = torch.arange(24.0)
    kept = {
        "channels last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "transposed": whole.reshape(4, 6).T,
        "a part": whole[3:9:2],
        "another part of the same": whole[2:8],
        "learned": torch.nn.Parameter(torch.randn(3)),
        "no": torch.tensor(0.0),
    }
    write_tensors(tmp_path / "a", kept)
    read = safetensors.torch.load_file(tmp_path / "a")
    assert read.keys() == kept.keys()
    assert all(torch.equal(read[name], tensor) for name, tensor in kept.items())


def test_no_tensors_are_a_file_too(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a", {})
    assert safetensors.torch.load_file(tmp_path / "a") == {}


def test_types_that_the_format_does_not_know_are_told_all_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    kept = {"phase": torch.ones(2, dtype=torch.complex128), "fine": torch.ones(2), "q": torch.ones(1, dtype=torch.complex128)}  # fmt: skip
    with pytest.raises(ModelError) as told:
        write_tensors(tmp_path / "a", kept)
    assert told.value.got == "phase: torch.complex128, q: torch.complex128"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tensors(tmp_path / "a", {"old": torch.ones(3)})
    real, written = os.write, list[int]()

    def full(descriptor: int, data: memoryview) -> int:
        written.append(len(data))
        if len(written) == 2:  # the header is there, the numbers are not
            raise OSError(28, "no space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SpaceError) as told:
        write_tensors(tmp_path / "a", {"new": torch.ones(1000)})
    assert told.value.expected == f"{written[0] + 4000:,} bytes for this file"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert list(safetensors.torch.load_file(tmp_path / "a")) == ["old"]


PROGRAM = """
import sys, torch
from pathlib import Path
from glassnet.training import checkpoint
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024
tree = {"net": {"a": torch.ones(24 * 2**20), "b": torch.ones(24 * 2**20)}, "step": 1}
checkpoint.save(Path(sys.argv[1]), 1, {"x": torch.ones(1)})
before = peak()
checkpoint.save(Path(sys.argv[1]), 2, tree)
print(peak() - before)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="the most memory that a process had is read from /proc")
def test_a_checkpoint_of_192_mib_needs_no_copy_of_them(tmp_path: Path) -> None:
    """Written as one piece it took three: some 600 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(Path(glassnet.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 40
