"""How good translations are: exactly right, by token, and by how much they share with what was wanted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from glassnet.errors import DataError
from glassnet.evaluate.interval import Interval, wilson
from glassnet.evaluate.rival import Rival

MOST_MISTAKES = 12
MOST_COMPARED = 20_000
RUNS = (1, 4)  # lengths of the runs of characters by which texts are compared


@dataclass(frozen=True, slots=True)
class Mistranslation:
    """What was read, what was said, and what was wanted."""

    read: str
    said: str
    wanted: str


@dataclass(frozen=True, slots=True)
class TranslationFigures:
    """The figures of merit of a translator.

    Attributes:
        samples: how many were translated.
        exact: share that is exactly as wanted, 0 to 1.
        exact_interval: its 95 % Wilson interval.
        token_accuracy: share of tokens that are held to be the most probable behind the right beginning.
        loss: mean cross-entropy of a token behind the right beginning, in nats.
        bleu: of the whole part, 0 to 100 (Papineni and others 2002, by sacrebleu); None without sacrebleu.
        chrf: likewise by runs of characters (Popović 2015).
        beam: how many beginnings were followed at once.
        mistakes: some that are not as wanted.
    """

    samples: int
    exact: float
    exact_interval: Interval
    token_accuracy: float
    loss: float
    bleu: float | None
    chrf: float | None
    beam: int
    mistakes: tuple[Mistranslation, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, with ``kind`` first, for :meth:`from_json`."""
        return {"kind": "translation"} | asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TranslationFigures:
        """The figures that :meth:`to_json` described, also after JSON made lists of tuples."""
        fields = {key: value for key, value in values.items() if key != "kind"}
        return cls(
            **fields
            | {
                "exact_interval": Interval(*fields["exact_interval"]),
                "mistakes": tuple(Mistranslation(**each) for each in fields["mistakes"]),
            }
        )


def translation_report(
    read: Sequence[str],
    said: Sequence[str],
    wanted: Sequence[str],
    *,
    token_accuracy: float,
    loss: float,
    beam: int,
) -> TranslationFigures:
    """The figures of some translations.

    Raises:
        DataError: there are none.
    """
    if not said:
        raise DataError("there is nothing to judge", got="0 translations", expected="at least 1")
    right = sum(one == other for one, other in zip(said, wanted, strict=True))
    bleu, chrf = shared(said, wanted)
    mistakes = [Mistranslation(*each) for each in zip(read, said, wanted, strict=True) if each[1] != each[2]][
        :MOST_MISTAKES
    ]
    return TranslationFigures(
        samples=len(said),
        exact=right / len(said),
        exact_interval=wilson(right, len(said)),
        token_accuracy=token_accuracy,
        loss=loss,
        bleu=bleu,
        chrf=chrf,
        beam=beam,
        mistakes=tuple(mistakes),
    )


def shared(said: Sequence[str], wanted: Sequence[str]) -> tuple[float | None, float | None]:
    """BLEU and chrF of all translations together; None where sacrebleu is not installed (``pip install 'glassnet[translate]'``)."""
    try:
        import sacrebleu
    except ImportError:
        return None, None
    references = [list(wanted)]
    bleu = sacrebleu.corpus_bleu(list(said), references, force=True)
    return float(bleu.score), float(sacrebleu.corpus_chrf(list(said), references).score)


def nearest_translations(known: Sequence[tuple[str, str]], read: Sequence[str], wanted: Sequence[str]) -> list[Rival]:
    """What two simple ways reach: always the most frequent translation, and that of the most similar text that was learned from.

    Args:
        known: texts with their translations.
        read: texts to translate.
        wanted: their translations.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    begin = time.monotonic()
    written = [translation for _, translation in known]
    often = max(dict.fromkeys(written), key=written.count) if len(set(written)) < len(written) // 2 else written[0]
    right = sum(often == one for one in wanted)
    rivals = [
        Rival(
            f"always “{often[:40]}”",
            right / len(wanted),
            "exact",
            time.monotonic() - begin,
            "a frequent translation of the training part",
            wilson(right, len(wanted)),
        )
    ]
    begin = time.monotonic()
    some = list(known[:MOST_COMPARED])
    bag = TfidfVectorizer(analyzer="char", ngram_range=RUNS, sublinear_tf=True).fit([text for text, _ in some])
    rows = bag.transform([text for text, _ in some])
    hits = 0
    for start in range(0, len(read), 500):
        alike = bag.transform(read[start : start + 500]) @ rows.T
        best = np.asarray(alike.argmax(axis=1)).ravel()
        hits += sum(
            some[place][1] == one for place, one in zip(best.tolist(), wanted[start : start + 500], strict=True)
        )
    note = f"the translation of the most similar of {len(some):,} training texts, by runs of 1 to 4 characters"
    rivals.append(
        Rival(
            "nearest known text", hits / len(wanted), "exact", time.monotonic() - begin, note, wilson(hits, len(wanted))
        )
    )
    return rivals
