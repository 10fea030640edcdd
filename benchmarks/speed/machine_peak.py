"""What this machine can do at most: matrix products in float32 and bfloat16, and moving memory."""

from __future__ import annotations

import torch

from benchmarks.speed.contenders.timed import now


def peaks(size: int = 2048, rounds: int = 7) -> dict[str, float]:
    """GFLOP/s of products of square matrices, and GB/s of ``a = b + 2 c`` over arrays larger than the caches: the best of some rounds."""
    found = {}
    for name in ("float32", "bfloat16"):
        a, b = (torch.randn(size, size).to(getattr(torch, name)) for _ in range(2))
        found[name] = 2 * size**3 / _best(lambda a=a, b=b: a @ b, rounds) / 1e9
    b, c = torch.randn(32 << 20), torch.randn(32 << 20)
    out = torch.empty_like(b)
    found["memory"] = 3 * 4 * b.numel() / _best(lambda: torch.add(b, c, alpha=2, out=out), rounds) / 1e9
    return found


def _best(call: object, rounds: int) -> float:
    assert callable(call)
    call()
    seconds = []
    for _ in range(rounds):
        begin = now()
        call()
        seconds.append(now() - begin)
    return min(seconds)
