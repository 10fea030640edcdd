"""Snapshots of one training: the weights at the end of each cycle of a cyclic cosine rate (Huang et al. 2017)."""

from __future__ import annotations

import math
from pathlib import Path

import safetensors
from safetensors.torch import load_file
from torch import Tensor, nn

from glassnet.errors import ModelError
from glassnet.files import make_folder
from glassnet.tensor_file import write_tensors


def cycle_ends(total_steps: int, cycles: int) -> list[int]:
    """The steps, counted from 1, after which a cycle is over.

    Cycles are ⌈T/M⌉ steps long, as in equation 2 of the paper, so that the last one may be shorter; there are fewer than M where T
    is so small that the others have used it up.

    Args:
        total_steps: T, of the whole training.
        cycles: M.
    """
    length = math.ceil(total_steps / cycles)
    return [*range(length, total_steps, length), total_steps]


class Snapshots:
    """Keeps the weights at the cycles' ends, each as a file of its own in a run folder.

    The file is written before any checkpoint of the same step, and a training that is resumed before that step writes the same bytes
    again: nothing is lost by a kill, and nothing about snapshots has to be remembered.

    Args:
        folder: where the files go.
        ends: the steps that are kept, as :func:`cycle_ends` tells them.
    """

    def __init__(self, folder: Path, ends: list[int]) -> None:
        self.folder = folder
        self.ends = ends

    def keep(self, net: nn.Module, step: int) -> None:
        """Write the weights, if a cycle ends with this step (counted from 1)."""
        if step not in self.ends:
            return
        make_folder(self.folder)
        write_tensors(self._path(step), net.state_dict())

    def read(self, last: int, until: int) -> list[dict[str, Tensor]]:
        """Snapshots in their order.

        Args:
            last: how many, the last ones.
            until: the step that the training came to.

        Raises:
            ModelError: one is missing or damaged.
        """
        reached = [step for step in self.ends if step <= until]
        if not reached:
            raise ModelError(
                "training ended before its first snapshot",
                where=self.folder,
                got=f"{until} steps",
                expected=f"{self.ends[0]} or more",
                fix="more patience (--patience never), or fewer snapshots",
            )
        found = []
        for step in reached[-last:]:
            try:
                found.append(load_file(self._path(step)))
            except (OSError, safetensors.SafetensorError) as error:
                raise ModelError(
                    "a snapshot is missing or damaged", where=self._path(step), got=error, fix="train again"
                ) from error
        return found

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}.safetensors"
