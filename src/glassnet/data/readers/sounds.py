"""Sounds in a folder for each class: ``root/<class>/*.wav`` or ``root/{train,val,test}/<class>/*.wav``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch

from glassnet.data.class_folders import find_layout
from glassnet.data.dataset import Data, Part, divided
from glassnet.data.options import ReadOptions
from glassnet.data.sound_file import MOST_SECONDS, OTHER_SOUNDS, SOUND_EXTENSIONS, NoSound, Sound, read_wav, resampled
from glassnet.data.sound_schema import SoundSchema, ragged_sounds
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import files_below, files_in, shown
from glassnet.errors import DataError

PEEKED = 20
BYTES_A_SAMPLE = 4


def recognises(path: Path) -> bool:
    """Whether most files in the class folders are sounds."""
    if not path.is_dir():
        return False
    try:
        some = [
            file for folder in find_layout(path).parts.get("train", {}).values() for file in files_in(folder)[:PEEKED]
        ]
    except OSError:
        return False
    return sum(file.suffix.lower() in (*SOUND_EXTENSIONS, *OTHER_SOUNDS) for file in some) > len(some) / 2


def read(path: Path, options: ReadOptions) -> Data:
    """Read WAV files from class folders. All are brought to the rate that most of them have, and channels are averaged.

    Raises:
        DataError: fewer than two classes, a class without a readable sound, or more sounds than memory is allowed for.
    """
    layout = find_layout(path)
    classes = tuple(sorted(layout.parts.get("train", {})))
    if len(classes) < (2 if options.like is None else 1):
        raise DataError(
            "there is only one class", where=shown(path), got=", ".join(classes), expected="two or more folders"
        )
    sounds: list[Sound] = []
    names: list[str] = []
    labels: list[int] = []
    parts: list[str] = []
    left_out: list[Unreadable] = []
    for part, folders in layout.parts.items():
        for label, folder in sorted(folders.items()):
            if label not in classes:
                raise DataError(
                    f"a class in '{part}' that does not occur in 'train'",
                    where=shown(folder),
                    expected=", ".join(classes),
                )
            before = len(sounds)
            for file in files_below(folder):
                name = shown(file.relative_to(layout.root) if file.is_relative_to(layout.root) else file)
                suffix = file.suffix.lower()
                if suffix in OTHER_SOUNDS:
                    left_out.append(Unreadable(name, f"{suffix} files are not read; save it as WAV"))
                if suffix not in SOUND_EXTENSIONS:
                    continue
                try:
                    sounds.append(read_wav(file))
                except NoSound as error:
                    left_out.append(Unreadable(name, str(error)))
                    continue
                names.append(name)
                labels.append(classes.index(label))
                parts.append(part)
            if part == "train" and len(sounds) == before:
                raise DataError(
                    f"class '{shown(label)}' has no readable sound",
                    where=shown(folder),
                    got="; ".join(f"{item.name}: {item.reason}" for item in left_out[-3:]) or "no WAV file",
                    fix="add sounds to it, or remove the folder",
                )
            if sum(len(sound.samples) for sound in sounds) * BYTES_A_SAMPLE > options.in_memory_limit:
                raise DataError(
                    "these sounds do not fit into memory together",
                    where=shown(path),
                    expected=f"at most {options.in_memory_limit / BYTES_A_SAMPLE / 3.6e7 / 1.6:,.0f} hours at 16 kHz",
                )
    rates = Counter(sound.rate for sound in sounds)
    rate = options.rate or rates.most_common(1)[0][0]
    source = ragged_sounds([resampled(sound.samples, sound.rate, rate) for sound in sounds])
    whole = Part(source, torch.tensor(labels, dtype=torch.int64), names)
    in_train = torch.tensor([part == "train" for part in parts])
    longest = options.like[0] if options.like else int(source.lengths[in_train].max())
    return Data(
        name=path.resolve().name,
        origin=str(path),
        task="classes",
        classes=classes,
        outputs=("class",),
        schema=SoundSchema(rate, longest),
        parts=divided(whole, parts),
        notes=(*layout.notes, *_notes(sounds, rates, rate)),
        unreadable=tuple(left_out),
    )


def _notes(sounds: list[Sound], rates: Counter[int], rate: int) -> list[str]:
    shortest, longest = min(s.seconds for s in sounds), max(s.seconds for s in sounds)
    notes = [f"Sounds of {shortest:.2f} to {longest:.2f} s at {rate:,} samples a second."]
    other = sum(count for own, count in rates.items() if own != rate)
    if other:
        notes.append(f"{other:,} {'was' if other == 1 else 'were'} brought to that rate from another.")
    several = sum(sound.channels > 1 for sound in sounds)
    if several:
        notes.append(f"{several:,} had several channels, which were averaged.")
    cut = sum(sound.seconds > MOST_SECONDS for sound in sounds)
    if cut:
        notes.append(f"Of {cut:,} the first {MOST_SECONDS:.0f} s were read.")
    return notes
