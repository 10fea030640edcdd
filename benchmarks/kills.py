"""Kill a training with SIGKILL at random instants, resume it, and compare with a run that was never stopped.

    python -m benchmarks.kills --count 50

Half of the kills fall at random instants, half while a checkpoint is being written. A kill counts as survived when ``glassnet resume``
ends well and weights, optimiser, random states and metrics equal those of the uninterrupted run byte for byte. With no failure among N
kills the failure rate lies below 3/N with 95 % confidence.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRAIN = [
    *(
        "train",
        "digits",
        "--net",
        "mlp",
        "--epochs",
        "20",
        "--seed",
        "7",
        "--threads",
        "1",
        "--precision",
        "float32",
        "--set",
        "train.measure=10",
    ),
    *("--set", "net.hidden=[256,128]", "--set", "net.dropout=0.2", "--average", "ema", "--clip-norm", "1"),
    *("--set", "train.checkpoint_seconds=0.1", "--quiet"),
]


def glassnet(*arguments: str) -> list[str]:
    """The command line, run by this Python."""
    return [sys.executable, "-c", "from glassnet.cli import main; main()", *arguments]


def fingerprint(run: Path) -> dict[str, str]:
    """What must be equal: the last checkpoint's tensors and values, the metrics, the finished model."""
    last = max((run / "checkpoints").glob("step-*"))
    return {
        "tensors": digest((last / "tensors.safetensors").read_bytes()),
        "state": digest((last / "state.json").read_bytes()),
        "metrics": digest((run / "metrics.jsonl").read_bytes()),
        "model": digest((run / "model" / "weights.safetensors").read_bytes()),
        "checkpoint": last.name,
    }


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def kill_while_saving(process: subprocess.Popen[bytes], run: Path, after: float) -> str:
    """Kill at the sight of a checkpoint without a manifest, once ``after`` seconds have passed since the first one."""
    first: float | None = None
    while process.poll() is None:
        folders = sorted((run / "checkpoints").glob("step-*")) if (run / "checkpoints").exists() else []
        if folders and first is None:
            first = time.monotonic()
        unfinished = folders and not (folders[-1] / "manifest.json").exists()
        if unfinished and first is not None and time.monotonic() - first >= after:
            process.send_signal(signal.SIGKILL)
            return f"while writing {folders[-1].name}"
        time.sleep(0.0005)
    raise RuntimeError(
        "the run ended before a checkpoint was seen half written; this is no kill, so nothing is counted"
    )


def kill_at(process: subprocess.Popen[bytes], run: Path, after: float) -> str:
    """Kill ``after`` seconds after the run folder has appeared."""
    while not (run / "asked.toml").exists() and process.poll() is None:
        time.sleep(0.001)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    return f"{after:.2f} s after the run folder appeared"


def main() -> int:
    """Kill, resume, compare; 1 when any run differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    failures = 0
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place) / "whole"
        begin = time.monotonic()
        subprocess.run(glassnet(*TRAIN, "--out", str(whole)), check=True)
        seconds = time.monotonic() - begin
        expected = fingerprint(whole)
        print(f"uninterrupted: {seconds:.1f} s, {expected['checkpoint']}")
        for number in range(arguments.count):
            run = Path(place) / f"killed-{number}"
            process = subprocess.Popen(glassnet(*TRAIN, "--out", str(run)))
            if number % 2:
                how = kill_while_saving(process, run, generator.uniform(0, 0.1 * seconds))
            else:
                how = kill_at(process, run, generator.uniform(0, 0.8 * seconds))
            process.wait()
            resumed = subprocess.run(glassnet("resume", str(run), "--quiet"), capture_output=True, text=True)
            found = fingerprint(run) if resumed.returncode == 0 else {}
            equal = found == expected
            failures += not equal
            told = "equal" if equal else f"DIFFERS {json.dumps(found)} {resumed.stderr}"
            print(f"{number + 1:>3}/{arguments.count}  killed {how}: {told}", flush=True)
    print(f"{arguments.count - failures} of {arguments.count} resumed byte for byte")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
