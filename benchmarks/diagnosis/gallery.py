"""The pages of the gallery: a fault each, with its curve, its finding, the rule's own words and the cases that were planted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.diagnosis.health import headline
from benchmarks.diagnosis.recording import Recorded
from benchmarks.diagnosis.scoring import Verdict
from glassnet.diagnose import Doctor, Rule
from glassnet.events import Finding


def rule_words(rule: Rule) -> list[str]:
    """What a page takes from a rule word by word; the tests compare."""
    return [
        rule.title,
        rule.explanation,
        _sentence(rule.why),
        _sentence(rule.advice),
        _sentence(rule.threshold),
        _sentence(rule.source),
    ]


def example_of(rule: Rule, verdicts: dict[str, Verdict]) -> str | None:
    """The first case of a rule that ran to its end, one with the right diagnosis where there is one."""
    own = [name for name, one in verdicts.items() if one.case["fault"] == rule.id and not one.case["crashed"]]
    own = [name for name in own if verdicts[name].case["like"] in verdicts]
    named = [name for name in own if verdicts[name].first and verdicts[name].first.rule == rule.id]  # type: ignore[union-attr]
    return next(iter(named or own), None)


def finding_of(rule: Rule, one: Recorded, verdict: Verdict) -> Finding | None:
    """The rule's own finding in this run; where another was told first, as it would have been told alone."""
    for finding in verdict.findings:
        if finding.rule == rule.id:
            return finding
    alone = Doctor(rules=(rule,))
    return next((finding for event in one.events() for finding in alone.see(event)), None)


def page(
    rule: Rule,
    verdict: Verdict,
    runs: dict[str, Recorded],
    verdicts: dict[str, Verdict],
    finding: Finding | None,
    caption: str,
) -> str:
    """The page of a rule.

    Args:
        rule: whose words are on it.
        verdict: on the run that is shown.
        runs: all recorded cases by name.
        verdicts: on all of them, by name.
        finding: the rule's own in the run that is shown.
        caption: what its picture shows.
    """
    case = verdict.case
    title, explanation, why, advice, threshold, source = rule_words(rule)
    lines = [
        f"# {title}",
        "",
        f"`{rule.id}` · [all faults](README.md) · [how well they are told apart](../diagnosis.md)",
        "",
        f"![training loss and validation figures with the fault and without it](images/{rule.id}.png)",
        "",
        f"**What was broken here.** {_setting(case)}: {case['how']}. {_worth(case, runs[case['like']].case)}",
        "",
        f"**What one sees.** {caption}",
        "",
        f"**Why.** {explanation}",
        "",
        f"{why}",
        "",
        f"**What to change.** {advice}",
        "",
        "**The finding as told.**",
        "",
        *_told(finding, verdict),
        "",
        f"**When it is found.** {threshold} Source: {source}",
        "",
        "## The planted cases",
        "",
        "| broken | in | on fresh samples | without the fault | first diagnosis | at |",
        "|---|---|---:|---:|---|---:|",
    ]
    for name, other in verdicts.items():
        if other.case["fault"] == rule.id and other.case["like"] in runs:
            lines.append(_case_row(runs[name], other, runs[other.case["like"]].case))
    accepted = {tuple(other.case["accepted"]) for other in verdicts.values() if other.case["fault"] == rule.id}
    for ids in sorted(accepted):
        if len(ids) > 1:
            because = next(v.case["because"] for v in verdicts.values() if tuple(v.case["accepted"]) == ids)
            lines += ["", f"Where the first diagnosis `{ids[1]}` is accepted too: {because}."]
    return "\n".join(lines) + "\n"


def _told(finding: Finding | None, verdict: Verdict) -> list[str]:
    if finding is None:
        said = f"`{verdict.first.rule}`" if verdict.first else "nothing"
        return [f"In this run the rule stays silent; the doctor says {said}."]
    when = "before the first step" if finding.step == 0 else f"at step {finding.step} of {verdict.total}"
    lines = [
        f"> {finding.severity}, {when}: {finding.what}  ",
        f"> {_sentence(finding.why)}  ",
        f"> → {_sentence(finding.advice)}",
    ]
    if verdict.first and verdict.first.rule != finding.rule:
        lines += ["", f"In this run `{verdict.first.rule}` was told first."]
    return lines


def _case_row(one: Recorded, verdict: Verdict, whole: dict[str, Any]) -> str:
    case = one.case
    first = f"`{verdict.first.rule}`" + ("" if verdict.right else " ✗") if verdict.first else "none ✗"
    at = f"{verdict.share:.0%}" if verdict.first else "–"
    return f"| {case['how']} | {_setting(case, short=True)} | {_figure(case)} | {_figure(whole)} | {first} | {at} |"


def _figure(case: dict[str, Any]) -> str:
    if case["crashed"]:
        return "broke off"
    figures = case["test"]
    if "balanced" in figures:
        return f"{100 * figures['balanced']:.1f} %"
    worth = headline({key: float("nan") if value is None else value for key, value in figures.items()})
    return f"R² {worth:.2f}" if worth > -1 else "R² below −1"


def _worth(case: dict[str, Any], whole: dict[str, Any]) -> str:
    if case["crashed"]:
        return "The training breaks off."
    words = "accuracy averaged over the classes" if "balanced" in case["test"] else "R²"
    text = f"On samples that neither training nor validation has seen, {words} is {_figure(case).removeprefix('R² ')}"
    text += f" instead of {_figure(whole).removeprefix('R² ')}."
    return text + (f" The harm is {case['elsewhere']}." if case["elsewhere"] else "")


def _setting(case: dict[str, Any], short: bool = False) -> str:
    setup = case["setup"]
    text = f"{setup['net']} on {setup['data']}"
    return text if short else f"`{case['name']}`, {setup['samples']:,} samples, {setup['optimizer']} ({text})"


def overview(shown: Sequence[tuple[Rule, dict[str, Any]]]) -> str:
    """The page with all faults: for each the rule, and the case that is shown of it."""
    lines = [
        "# A gallery of broken trainings",
        "",
        (
            "Written by `python -m benchmarks.diagnosis --pages`. Every picture shows a run that was really made: in orange with the fault, in blue the same run"
            " without it; the dashed line is where the fault was found. [How well they are told apart](../diagnosis.md)."
        ),
        "",
        "| | trouble | what was broken |",
        "|---|---|---|",
    ]
    for rule, case in shown:
        image = f'<img src="images/{rule.id}.png" width="360" alt="">'
        lines.append(f"| [{image}]({rule.id}.md) | [{rule.title}]({rule.id}.md)<br>`{rule.id}` | {case['how']} |")
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    text = text.strip()
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return text.replace("|", "\\|")
