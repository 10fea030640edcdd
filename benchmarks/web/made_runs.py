"""Run folders as ``glassnet train`` writes them, made at once."""

from __future__ import annotations

import json
import random
from pathlib import Path


def make_runs(root: Path, count: int, *, finished: bool = True) -> None:
    """Run folders as ``glassnet train`` writes them, as far as the page reads them, with recipes of the usual length."""
    chance = random.Random(0)
    for number in range(count):
        folder = root / f"digits-{number}"
        folder.mkdir(parents=True)
        lr, net = 10 ** chance.uniform(-4, -1), chance.choice(("mlp", "small-vgg", "lenet5"))
        recipe = RECIPE.format(lr=lr, net=net, seed=number, optimizer=chance.choice(("adam", "sgd", "adamw")))
        (folder / "asked.toml").write_text('[data]\npath = "digits"\n')
        (folder / "recipe.toml").write_text(recipe)
        (folder / "data.json").write_text(
            json.dumps(
                {
                    "name": "digits",
                    "kind": "image",
                    "classes": list("0123456789"),
                    "samples": {"train": 1238, "val": 200, "test": 359},
                    "class_counts": {part: [120] * 10 for part in ("train", "val", "test")},
                }
            )
        )
        events = [{"event": "started", "samples": 1238, "steps_per_epoch": 20, "epochs": 20, "parameters": 9610}]
        for epoch in range(20):
            events += [
                {
                    "event": "step",
                    "epoch": epoch,
                    "step": 20 * epoch + step + 1,
                    "lr": lr,
                    "samples": 64,
                    "loss": chance.random(),
                    "penalty": 0.0,
                    "grad_norm": None,
                }
                for step in range(0, 20, 2)
            ]
            figures = {"loss": chance.random(), "accuracy": chance.random()}
            events.append(
                {
                    "event": "epoch",
                    "epoch": epoch,
                    "step": 20 * epoch + 20,
                    "lr": lr,
                    "running_loss": 1.0,
                    "penalty": 0.0,
                    "clipped": 0.0,
                    "train": figures,
                    "val": figures,
                    "best": False,
                }
            )
        if finished:
            accuracy = chance.random()
            each = {"name": "0", "precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 36}
            result = {
                "part": "test",
                "samples": 359,
                "figures": {
                    "kind": "classification",
                    "accuracy": accuracy,
                    "accuracy_interval": [accuracy - 0.02, accuracy + 0.02],
                    "per_class": [each] * 10,
                    "confusion": [[1] * 10] * 10,
                },
            }
            (folder / "result.json").write_text(json.dumps(result, indent=1))
        (folder / "metrics.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


RECIPE = """[data]
path = "digits"
task = "classes"  # seen from the targets
val_fraction = "auto"
test_fraction = "auto"

[preprocess]
name = "standardise"  # the usual for data of kind image

[augment]
auto = false  # resolved: what is written here is all there is
shift = 1  # tiny images (8 pixels): moved by one pixel

[net]
name = "{net}"  # suits 1,238 grey images of 1×8×8
init = "default"

[loss]
name = "cross-entropy"  # the targets are classes
label_smoothing = 0.2

[optimizer]
name = "{optimizer}"  # learns fastest
lr = {lr}
weight_decay = 0.0013

[schedule]
name = "one-cycle"  # high rates early, zero at the end

[regularise]
l2 = 0.0
l1 = 0.0
on = []
average = "none"

[stop]
monitor = "accuracy"
patience = "never"

[train]
epochs = 20  # for 1,238 samples
batch_size = 64
seed = {seed}
precision = "float32"
"""
