"""The sentences of a report: what was trained on what, how good it is, and whether something simpler is better."""

from __future__ import annotations

from collections.abc import Sequence

from glassnet.data.kinds import KINDS
from glassnet.evaluate import ClassificationFigures, Figures, LanguageFigures, Rival, TranslationFigures
from glassnet.plots.style import number
from glassnet.report import language_words
from glassnet.report.headline import explained, headline, percent
from glassnet.report.report_story import ReportStory

MOST_LISTED = 8
PARTS = {"train": "training", "val": "validation", "test": "test"}


def judged_on(story: ReportStory) -> str:
    """What the figures are of."""
    return "all folds together" if story.folds else f"the {PARTS[story.part]} part"


def counted(count: int, noun: str) -> str:
    """``1 row``, ``1,238 images``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def noun(story: ReportStory) -> str:
    """What one sample is called."""
    kind = KINDS.get(story.data.kind)
    return "sample" if kind is None else kind.sample


def judged(story: ReportStory, figures: Figures) -> str:
    """How many answers the figures are made of: words of sentences, tokens of a text, or samples."""
    if isinstance(figures, LanguageFigures):
        return counted(figures.samples, figures.unit.removesuffix("s"))
    return counted(figures.samples, "word" if story.data.kind == "tags" else noun(story))


def summary(story: ReportStory) -> str:
    """What was trained on what."""
    if story.folds:
        return _of_folds(story)
    size = "" if story.parameters is None else f" with {counted(story.parameters, 'parameter')}"
    return f"{story.net}{size} was trained on {counted(story.data.samples.get('train', 0), noun(story))} of {story.data.name} {goal(story)}."


def _of_folds(story: ReportStory) -> str:
    count, all_of_them = story.folds["count"], counted(story.data.samples.get("train", 0), noun(story))
    on = (
        f"on what came before one of {count} stretches of {story.data.name}, and judged on that stretch"
        if story.data.kind == "series"
        else f"on all but one of {count} folds of {all_of_them} of {story.data.name}, and judged on the one that was left out"
    )
    return f"{story.net} was trained {count} times {goal(story)}, each time {on}."


def goal(story: ReportStory) -> str:
    """What was to be learned."""
    data = story.data
    return (
        language_words.goal(data.outputs[0].removeprefix("next "))
        if data.task == "language"
        else f"to translate into {data.outputs[0]}"
        if data.task == "translation"
        else f"to tell {len(data.classes):,} classes apart"
        if data.task == "classes"
        else f"to predict {listed(data.outputs)}"
    )


def result(story: ReportStory) -> str:
    """How good it is, with the interval."""
    if story.figures is None:
        return "The run has no result yet."
    figures, samples = story.figures, judged(story, story.figures)
    where = (
        f"On {samples} of the test part, which it had never seen,"
        if story.part == "test"
        else f"On these {samples}"
        if story.folds
        else f"On the {samples} of the validation part,"
    )
    if isinstance(figures, LanguageFigures):
        return language_words.result(figures, where)
    if isinstance(figures, TranslationFigures):
        low, high = figures.exact_interval
        return f"{where} it is exactly right on {percent(figures.exact)} (95 % interval {percent(low)} to {percent(high)})."
    if isinstance(figures, ClassificationFigures):
        low, high = figures.accuracy_interval
        return f"{where} it is right on {percent(figures.accuracy)} (95 % interval {percent(low)} to {percent(high)})."
    low, high = figures.r2_interval
    return (
        f"{where} its predictions of {listed(figures.outputs)} are off by {number(figures.mae)} on average; "
        f"R² is {explained(figures.r2)} (95 % interval {explained(low)} to {explained(high)}; 1 is perfect, 0 is always saying the mean)."
    )


def verdict(story: ReportStory) -> str:
    """The comparison with baseline and rivals in words, fair to the rivals."""
    if isinstance(story.figures, LanguageFigures):
        return language_words.verdict(story, story.figures)
    if story.figures is None or not story.rivals:
        return ""
    _, figure, low, high, *_ = headline(story.figures)
    text = "; ".join(f"{named(rival)} {reaches(rival)} {told(rival)}" for rival in story.rivals)
    text = text[0].upper() + text[1:] + "."
    best = max(story.rivals, key=lambda rival: rival.figure)
    if best.figure > high:
        return f"{text} {capital(named(best))} {be(best)} clearly better here: use it, or see below what holds the network back."
    if best.figure > figure:
        return f"{text} {capital(named(best))} {be(best)} a little better here, though by no more than the interval: the simpler method is the safer choice."
    if best.figure >= low:
        return f"{text} The network's lead over {named(best)} is within its interval, and may be chance."
    return f"{text} The network is ahead by more than its interval."


def caution(story: ReportStory) -> str:
    """What the figure must not be taken for."""
    if story.figures is None:
        return ""
    if story.part != "test":
        there = (
            "The test part was left alone, for the end of the story that this run belongs to."
            if "test" in story.data.samples
            else "There is no test part."
        )
        if story.folds:
            return (
                f"{there} Each fold also chose the epoch whose network judged it, so these figures are somewhat better than what new data will show; "
                "a network trained on all of the samples may be somewhat better than these were."
            )
        return (
            f"{there} The validation part also chose the epoch that was kept, so these figures are somewhat "
            "better than what new data will show."
        )
    if story.test_uses > 1:
        return (
            f"The test part has been looked at {story.test_uses} times in this run. Each choice made after a look makes the "
            "figure a little better than what new data will show."
        )
    return ""


def ending(story: ReportStory) -> str:
    """How long training took and why it ended."""
    seconds = sum(timing.seconds + timing.evaluation_seconds for timing in story.timings)
    parts = []
    if story.finished is not None:
        reasons = {
            "completed": "as planned",
            "early stop": "stopped early, because the validation figure no longer improved",
            "budget": "stopped when the time budget was spent",
            "interrupted": "interrupted",
            "diverged": "stopped because the loss grew without bound",
        }
        why = reasons.get(story.finished.reason, story.finished.reason)
        parts.append(f"{counted(story.finished.epoch, 'epoch')}, {why}")
        if story.finished.best_epoch is not None:
            parts.append(f"the weights of epoch {story.finished.best_epoch + 1} were kept")
    elif story.epochs:
        parts.append(counted(len(story.epochs), "epoch"))
    if seconds:
        parts.append(f"{duration(seconds)} of training and validation")
    text = "; ".join(parts)
    return text and text[0].upper() + text[1:] + "."


def named(rival: Rival) -> str:
    """A rival within a sentence."""
    if rival.name.startswith("same as"):
        return f"“{rival.name}”"
    if rival.name.startswith("most"):
        return f"the {rival.name}"
    return rival.name if rival.name.startswith("always") or rival.name.endswith("s") else f"a {rival.name}"


def reaches(rival: Rival) -> str:
    """The verb after a rival's name."""
    return "reach" if _plural(rival) else "reaches"


def _plural(rival: Rival) -> bool:
    return rival.name.endswith("s") and not rival.name.startswith("always")


def be(rival: Rival) -> str:
    """``is`` or ``are`` after a rival's name."""
    return "are" if _plural(rival) else "is"


def told(rival: Rival) -> str:
    """A rival's figure as people write it."""
    return percent(rival.figure) if rival.metric in ("accuracy", "exact") else f"R² {explained(rival.figure)}"


def duration(seconds: float) -> str:
    """``8.4 s``, ``3 min 12 s``, ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"


def listed(words: tuple[str, ...]) -> str:
    """``a, b and c``; of many the first two and the last."""
    if len(words) > MOST_LISTED:
        return f"{words[0]}, {words[1]}, … and {words[-1]}"
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "values"


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def one_sample(kind: str, shape: Sequence[int]) -> str:
    """What a sample is: ``image, 1 × 28 × 28``, ``row of 14 columns``, ``text of at most 61 tokens``; for kinds without a shape the kind alone."""
    if not shape:
        return kind
    longest = {"text": "tokens", "sound": "samples"}.get(kind)
    if longest:
        return f"{kind} of at most {shape[0]:,} {longest}"
    if kind == "table":
        return f"row of {shape[0]:,} columns"
    return f"{kind}, {' × '.join(map(str, shape))}"
