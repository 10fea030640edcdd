"""What a report says of a language model: how sure it is of what comes next, beside counting."""

from __future__ import annotations

from glassnet.evaluate import LanguageFigures
from glassnet.report.report_story import ReportStory


def goal(unit: str) -> str:
    """What it was trained for, as the end of a sentence."""
    return f"to say which {unit.removesuffix('s')} comes next"


def result(figures: LanguageFigures, where: str) -> str:
    """How good it is, with the interval."""
    unit = figures.unit.removesuffix("s")
    low, high = figures.loss_interval
    return (
        f"{where} it costs {figures.loss:.3f} nats a {unit} (95 % interval {low:.3f} to {high:.3f}): it is as unsure as among "
        f"{figures.perplexity:.1f} equally likely {figures.unit}."
    )


def verdict(story: ReportStory, figures: LanguageFigures) -> str:
    """The comparison with counting, fair to it."""
    if not story.rivals:
        return ""
    unit = figures.unit.removesuffix("s")
    text = "; ".join(f"{rival.name} costs {rival.figure:.3f} nats a {unit}" for rival in story.rivals)
    text = text[0].upper() + text[1:] + "."
    best = min(story.rivals, key=lambda rival: rival.figure)
    low, high = figures.loss_interval
    if best.figure < low:
        return f"{text} Counting is clearly better here: more text, or more epochs, would be needed."
    if best.figure <= high:
        return f"{text} The difference to the best of them is within the interval, and may be chance."
    return f"{text} The network is ahead by more than its interval."


def facts(figures: LanguageFigures) -> list[tuple[str, str]]:
    """The further figures by name."""
    unit = figures.unit.removesuffix("s")
    found = [
        ("loss", f"{figures.loss:.4f} nats a {unit}"),
        ("perplexity", f"{figures.perplexity:.3f}"),
        ("bits", f"{figures.bits:.3f} a {unit}"),
    ]
    if unit == "word":
        found.append(("bits", f"{figures.bits_per_character:.3f} a character"))
    return [*found, (f"likeliest {unit} is the right one", f"{figures.accuracy:.1%}")]
