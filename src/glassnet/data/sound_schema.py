"""How a sound looks to a network, and how to read new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from glassnet.data.dataset import Source
from glassnet.data.given import left_out_told
from glassnet.data.ragged import Ragged
from glassnet.data.sound_file import OTHER_SOUNDS, SOUND_EXTENSIONS, NoSound, Samples, read_wav, resampled
from glassnet.data.walk import files_below, shown
from glassnet.errors import DataError, GlassnetError, all_at_once, fix_to_read

SILENCE = 1 << 16  # the code of a sample of 0; padding, which is 0, is so told from silence


@dataclass(frozen=True)
class SoundSchema:
    """Sounds of one channel and one rate.

    A raw input is int32 (samples,): the 16-bit sample plus 65,536.

    Attributes:
        rate: samples a second; sounds of other rates are resampled.
        longest: samples of the longest sound of the training file.
    """

    rate: int
    longest: int

    @property
    def kind(self) -> str:
        """``sound``."""
        return "sound"

    @property
    def shape(self) -> tuple[int, ...]:
        """(samples of the longest sound,); others are shorter."""
        return (self.longest,)

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Sounds for prediction: WAV files, and folders of them.

        Returns:
            Names and inputs. Of folders, sounds that cannot be read are left out where others can, and the source's ``notes`` name them.

        Raises:
            DataError: a path is absent or no sound that can be read; all such at once.
        """
        files: list[Path] = []
        named: set[Path] = set()
        wrong: list[GlassnetError] = []
        left_out: list[GlassnetError] = []
        for given in paths:
            path = Path(given)
            if path.is_dir():
                found = [
                    file for file in files_below(path) if file.suffix.lower() in (*SOUND_EXTENSIONS, *OTHER_SOUNDS)
                ]
                files += found
                if not found:
                    wrong.append(
                        DataError(
                            "there is no WAV file in this folder",
                            where=shown(path),
                            expected="files that end in .wav or .wave",
                        )
                    )
            elif path.is_file():
                files.append(path)
                named.add(path)
            else:
                wrong.append(DataError("no such file", where=shown(path), expected="a WAV file or a folder of them"))
        pieces: list[Samples] = []
        read: list[Path] = []
        for file in files:
            try:
                sound = read_wav(file)
                pieces.append(resampled(sound.samples, sound.rate, self.rate))
                read.append(file)
            except NoSound as error:
                (wrong if file in named else left_out).append(
                    DataError(
                        "this is no sound that can be read",
                        where=shown(file),
                        got=error,
                        fix=fix_to_read(
                            error,
                            shown(file),
                            "copy it again from where it came from, or save it anew as WAV of 16 bits a sample",
                        ),
                    )
                )
        if wrong or not pieces:
            nothing = DataError("no sound was given", expected="at least one WAV file")
            raise all_at_once([*wrong, *left_out] or [nothing])
        return [shown(file) for file in read], replace(ragged_sounds(pieces), notes=left_out_told(left_out))

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"kind": "sound", "rate": self.rate, "longest": self.longest}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SoundSchema:
        """The schema that :meth:`to_json` described."""
        return cls(int(values["rate"]), int(values["longest"]))


def ragged_sounds(pieces: Sequence[Samples]) -> Ragged:
    """Sounds as a source of raw inputs."""
    lengths = torch.tensor([len(piece) for piece in pieces], dtype=torch.int64)
    values = torch.cat([torch.from_numpy(piece).to(torch.int32) for piece in pieces]) + SILENCE
    return Ragged(values, torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)]))
