"""An objective that costs nothing, for the tests of the workers: the figure is known by hand, and it can hang or die."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glassnet.errors import DataError


def maker(config: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    if config.get("broken"):
        raise DataError("the data are gone", where="here")

    def make(job: Any, report: Callable[[int, float], bool]) -> dict[str, Any]:
        with (Path(config["folder"]) / "made.txt").open("a") as file:
            file.write(f"{job.stage}-{job.number}\n")
        if config.get("dies") == job.number and not (Path(config["folder"]) / "died").exists():
            (Path(config["folder"]) / "died").touch()
            os._exit(9)
        x = job.settings["x"]
        for epoch in range(1, 6):
            if not report(epoch, -((x - 0.3) ** 2) + epoch / 1000):
                return {"end": "pruned", "value": -((x - 0.3) ** 2), "epochs": epoch, "seconds": 0.0, "why": "worse"}
            time.sleep(config.get("pause", 0.0))
        return {"end": "done", "value": -((x - 0.3) ** 2), "epochs": 5, "seconds": 0.0, "why": ""}

    return make
