"""Sentences made by a hidden Markov chain of tags, for which the best possible tagger is known: ``python -m benchmarks.hidden_tags FOLDER [SEED]``.

A tag follows a tag and a word follows from its tag, both by chance, so that many words can have several tags. Whoever knows the chain says of each word the tag that is most
probable given the whole sentence (forward–backward: Rabiner, "A tutorial on hidden Markov models", 1989, section III); no tagger can be right more often on average. That
share is printed; a network is trained on the files with ``glassnet train FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
FIRST = np.array([0.70, 0.15, 0.00, 0.15, 0.00])
FOLLOWS = np.array(
    [
        [0.78, 0.12, 0.00, 0.10, 0.00],
        [0.45, 0.02, 0.50, 0.03, 0.00],
        [0.70, 0.05, 0.20, 0.05, 0.00],
        [0.50, 0.05, 0.00, 0.02, 0.43],
        [0.60, 0.05, 0.00, 0.05, 0.30],
    ]
)
WORDS = 600
PEAKED = 0.1  # of the Dirichlet distribution that each tag's words are drawn from
SIZES = {"train": 4_000, "dev": 500, "test": 1_000}
LENGTHS = (5, 31)

Floats = npt.NDArray[np.float64]


def sentence(random: np.random.Generator, says: Floats) -> tuple[list[int], list[int]]:
    """Words and tags, 5 to 30 of them."""
    words, tags = [], []
    count, tag = int(random.integers(*LENGTHS)), int(random.choice(len(TAGS), p=FIRST))
    for _ in range(count):
        tags.append(tag)
        words.append(int(random.choice(WORDS, p=says[tag])))
        tag = int(random.choice(len(TAGS), p=FOLLOWS[tag]))
    return words, tags


def best(words: list[int], says: Floats) -> npt.NDArray[np.int64]:
    """The most probable tag of each word given all of them."""
    forward, backward = np.zeros((len(words), len(TAGS))), np.ones((len(words), len(TAGS)))
    for place, word in enumerate(words):
        before = FIRST if place == 0 else forward[place - 1] @ FOLLOWS
        forward[place] = before * says[:, word]
        forward[place] /= forward[place].sum()
    for place in range(len(words) - 2, -1, -1):
        backward[place] = FOLLOWS @ (says[:, words[place + 1]] * backward[place + 1])
        backward[place] /= backward[place].sum()
    return np.asarray((forward * backward).argmax(axis=1))


def main() -> None:
    """Write the files and print what the best tagger reaches on the test part."""
    folder, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    folder.mkdir(parents=True, exist_ok=True)
    says = np.random.default_rng(seed).dirichlet(np.full(WORDS, PEAKED), size=len(TAGS))
    random = np.random.default_rng(100 + seed)
    for part, count in SIZES.items():
        made = [sentence(random, says) for _ in range(count)]
        blocks = ["\n".join(f"w{word} {TAGS[tag]}" for word, tag in zip(*one, strict=True)) for one in made]
        (folder / f"{part}.conll").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    right = sum(int((best(words, says) == np.array(tags)).sum()) for words, tags in made)
    total = sum(len(tags) for _, tags in made)
    print(f"the best possible tagger is right on {right / total:.2%} of {total:,} words of the test part")


if __name__ == "__main__":
    main()
