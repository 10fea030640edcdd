"""One training step of every large network at its paper's size, and the memory that it takes against the estimate in docs/zoo.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import glassnet
from glassnet.zoo import ZOO

LARGE = [name for name, entry in ZOO.items() if entry.references[0].shape[-1] >= 200]
BATCH = 2
# A process of its own, whose peak is the network's; prints what PyTorch and Glassnet had taken before, and the peak.
STEP = """
import json, sys, torch
from torch.nn.functional import cross_entropy
from glassnet.layer_table import layer_table
from glassnet.training.losses import with_auxiliary
from glassnet.zoo import ZOO, build
torch.set_num_threads(1)
reference = ZOO[sys.argv[1]].references[0]
with torch.device("meta"):
    estimate = layer_table(build(sys.argv[1], reference.shape, reference.outputs, reference.options), reference.shape)
# not getrusage: its peak is handed on from the process that started this one
def peak():
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
before = peak()
net = build(sys.argv[1], reference.shape, reference.outputs, reference.options, seed=0)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
x, targets = torch.randn(int(sys.argv[2]), *reference.shape), torch.arange(int(sys.argv[2]))
loss = with_auxiliary(cross_entropy, 0.3)
first = loss(net(x), targets)
first.backward()
optimizer.step()
moved = all(bool(p.grad is not None and p.grad.isfinite().all()) for p in net.parameters())
print(json.dumps({"taken": peak() - before, "estimate": estimate.backward_bytes(len(x)), "loss": float(first), "moved": moved}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from Linux's /proc")
@pytest.mark.parametrize("name", LARGE)
def test_a_step_at_the_papers_size_takes_the_memory_that_the_table_says(name):
    done = subprocess.run(
        [sys.executable, "-c", STEP, name, str(BATCH)],
        env=os.environ | {"PYTHONPATH": str(Path(glassnet.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    print(f"{name}: {seen['taken'] / 2**20:,.0f} MiB, estimated {seen['estimate'] / 2**20:,.0f} MiB")
    assert seen["moved"]
    assert 0 < seen["loss"] < 100
    assert 0.7 < seen["taken"] / seen["estimate"] < 2
