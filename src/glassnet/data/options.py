"""What a reader may be told about a data set that the files themselves do not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GIB = 1 << 30


@dataclass(frozen=True)
class ReadOptions:
    """How to read a data set. The defaults fit most; a reader ignores what does not concern its format.

    Attributes:
        target: name of the column (tables) or key (npz archives) to learn; None chooses by convention.
        task: ``classes``, ``values``, or ``auto`` to decide by the targets themselves.
        image_size: side in pixels to which images are brought; None keeps images of one size and takes 96 for mixed sizes.
        channels: 1 for grey, 3 for RGB; None takes 1 where every image file is grey.
        test: a separate file or folder with the test part.
        val: a separate file or folder with the validation part.
        in_memory_limit: images that need more bytes than this when decoded are not held in memory, but in a scratch file.
        like: shape of one input of the training part, when another part is read by itself; set by ``open_data``.
        tokens: what texts are cut into; ``auto`` takes words where blanks divide them.
        text: column of a table that holds texts; None takes the only one where no other column could be an input, or few beside sentences; ``none`` reads all columns, and of texts single words.
        time: column of a table that holds times, which makes it a series; ``none`` reads it as a table. None looks whether it is one.
        window: steps of a series that a network sees; None chooses by its season and length.
        horizon: steps of a series that are forecast; None likewise.
        sequence: a task that the files alone do not tell: to say what comes next in a text, or to translate; None looks at the files.
        rate: samples a second that sounds are brought to; None takes the rate of most.
    """

    target: str | None = None
    task: Literal["auto", "classes", "values"] = "auto"
    image_size: int | None = None
    channels: Literal[1, 3] | None = None
    test: str | None = None
    val: str | None = None
    in_memory_limit: int = 2 * GIB
    like: tuple[int, ...] | None = None
    tokens: Literal["auto", "words", "characters"] = "auto"
    text: str | None = None
    rate: int | None = None
    time: str | None = None
    window: int | None = None
    horizon: int | None = None
    sequence: Literal["language", "translation"] | None = None
