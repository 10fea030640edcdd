"""``glassnet check DATA``: what can be known before hours are spent."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glassnet.cli.flags import FLAGS, no_data, places_of, recipe_flags, settings_of
from glassnet.cli.garbage import look_as_usual
from glassnet.cli.terminal import for_people, is_live, say
from glassnet.errors import UsageError, unknown
from glassnet.recipe import Recipe

if TYPE_CHECKING:
    from glassnet.checks import Check
    from glassnet.checkup import Checkup
    from glassnet.diagnose import Rule
    from glassnet.events import Checked, Finding, Tried

FAILED_CODE = 1  # of the command, where a check has failed
MARKS = {"passed": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red"), "skipped": ("-", "bright_black")}
WIDEST = 110


@click.command("check")
@click.argument("data", required=False)
@click.option("--recipe", "recipe_file", metavar="FILE", help="a recipe file, such as the recipe.toml of a run")
@click.option("--only", metavar="ID,ID", multiple=True, help="these checks alone, such as initial-loss,lr-bracket")
@recipe_flags
@click.option("--out", metavar="FOLDER", help="where the evidence is kept (default: checks/DATA-N)")
@click.option(
    "--try",
    "try_advice",
    is_flag=True,
    help="try what the findings propose, on forks of the training; DATA may then be a run folder",
)
@click.option("--json", "as_json", is_flag=True, help="print every check as a line of JSON")
@click.option("--rules", is_flag=True, help="list all checks and all rules of diagnosis, and leave")
@click.option("--explain", metavar="ID", help="say all about one check or rule, and leave")
def command(
    data: str | None,
    recipe_file: str | None,
    only: tuple[str, ...],
    out: str | None,
    try_advice: bool,
    as_json: bool,
    rules: bool,
    explain: str | None,
    **flags: Any,
) -> int:
    """Check a training on DATA before it begins: nine checks, from the data to a short trial run.

    Takes what 'glassnet train' takes, changes nothing, and stops at the first check that fails. Exit code 0 where all passed or only
    warned, 1 where a check failed.
    """
    if rules:
        show_rules(as_json)
        return 0
    if explain is not None:
        click.echo(explained(explain))
        return 0
    if try_advice and data is not None and is_run(Path(data)):
        return try_run(data, as_json=as_json)
    recipe = Recipe.from_toml(Path(recipe_file)) if recipe_file else Recipe()
    settings = settings_of(flags)
    if data is not None:
        settings["data.path"] = data
    elif recipe_file is None:
        raise no_data("check")
    if out is not None and not out.strip():
        raise UsageError("the folder has no name", where="--out", got=repr(out), expected="a path")
    wanted = [name.strip() for some in only for name in some.split(",") if name.strip()]
    again = partial(typed, data, recipe_file, flags)
    return perform(
        recipe.changed(settings, where=places_of(flags)), wanted, out, again, as_json=as_json, try_advice=try_advice
    )


def is_run(path: Path) -> bool:
    """Whether ``glassnet train`` has written this folder."""
    return any((path / name).is_file() for name in ("recipe.toml", "asked.toml")) and (path / "metrics.jsonl").is_file()


def try_run(path: str, *, as_json: bool) -> int:
    """Try the advice of a run's findings on forks of it; the run itself is left as it is. Returns the exit code."""
    from glassnet.checkup import findings_of, try_findings_of

    found = findings_of(Path(path))
    if not as_json:
        say(
            f"{len(found)} finding{'' if len(found) == 1 else 's'} in {path}"
            + ("" if found else ": there is nothing to try")
        )
    tell_trials(try_findings_of(Path(path)), as_json=as_json)
    return 0


def tell_trials(trials: Iterable[Finding | Tried], *, as_json: bool) -> dict[str, Any]:
    """Each finding, and beneath it what its advice did, or that it proposes nothing which could be tried. Returns the changes that helped most; none where none did."""
    from glassnet.checkup import best_of
    from glassnet.events import Finding, Tried, to_json

    untried: Finding | None = None
    tried: list[Tried] = []
    for event in trials:
        tried += [event] if isinstance(event, Tried) else []
        if as_json:
            click.echo(to_json(event))
            continue
        if isinstance(event, Finding):
            tell_untried(untried)
            untried = event
            say(f"{event.rule}: {event.what}")
        else:
            untried = None
            say(f"  tried {event.words}")
    tell_untried(untried)
    return best_of(tried)


def tell_untried(finding: Finding | None) -> None:
    """Say of a finding of which nothing was tried what is to be done by hand."""
    if finding is not None:
        say(f"  nothing tried: no setting of the recipe would mend it; do: {finding.advice}")


def perform(
    recipe: Recipe,
    only: list[str],
    out: str | None,
    again: Callable[[dict[str, Any]], str],
    *,
    as_json: bool,
    try_advice: bool = False,
) -> int:
    """Check, telling each result as it comes; returns the exit code."""
    from glassnet.checks.runner import chosen
    from glassnet.checkup import next_folder, run, verdict
    from glassnet.events import to_json

    chosen(only)
    folder = Path(out) if out is not None else next_folder(Path(recipe.data.path).stem or "data")
    teller = Teller(quiet=as_json)
    seen: list[Checked] = []
    try:
        for found in run(recipe, only=only, folder=folder, begin=teller.begin, announce=teller.announce):
            seen.append(found)
            if as_json:
                click.echo(to_json(found))
            else:
                teller.tell(found)
    finally:
        teller.clear()
        if out is None and not seen:
            discard(folder)
    better: dict[str, Any] = {}
    if try_advice and teller.checkup is not None:
        from glassnet.checkup import try_findings

        subject = teller.checkup.subject
        if not (subject.proposed or subject.findings) and not as_json:
            say("nothing to try: the diagnosis has found nothing in the first steps")
        better = tell_trials(try_findings(teller.checkup), as_json=as_json)
    word = verdict(seen)
    if as_json:
        click.echo(json.dumps({"event": "verdict", "verdict": word, "folder": str(folder)}, ensure_ascii=False))
    else:
        for line in ending(seen, word, folder, again(better), better=bool(better)):
            say(line)
    return FAILED_CODE if word == "failed" else 0


class Teller:
    """Tells each check in a line as it happens; on a terminal the one under way too.

    Args:
        quiet: tell nothing; programs read JSON.

    Attributes:
        checkup: what is checked, once it is built; its subject holds the findings of the trial run.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.live = is_live(sys.stdout) and not quiet
        self.width = min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST) if self.live else 10_000
        self.begun = time.monotonic()
        self.checkup: Checkup | None = None

    def begin(self, checkup: Checkup) -> None:
        """What is checked."""
        look_as_usual()
        self.checkup = checkup
        if self.quiet:
            return
        recipe, data = checkup.recipe, checkup.data
        samples = ", ".join(f"{len(part):,} {name}" for name, part in data.parts.items())
        say(
            f"checking {recipe.net.name} on {data.name} ({samples}) with {recipe.optimizer.name}, lr {recipe.optimizer.lr:.3g}, "
            f"{recipe.train.epochs} epochs of {recipe.train.batch_size} a step"
        )
        self.begun = time.monotonic()

    def announce(self, check: Check) -> None:
        """Say what is being done, on the line where the result will stand."""
        self.begun = time.monotonic()
        if self.live:
            click.echo(click.style(f"… {check.id:<18} {check.title}"[: self.width - 1], dim=True), nl=False)
            sys.stdout.flush()

    def clear(self) -> None:
        """Take the line away again."""
        if self.live:
            click.echo("\r" + " " * (self.width - 1) + "\r", nl=False)

    def tell(self, found: Checked) -> None:
        """A line with mark, sentence and seconds; where it did not pass, why and what to do."""
        self.clear()
        mark, colour = MARKS[found.verdict]
        seconds = time.monotonic() - self.begun
        indent = " " * 21
        sentence = f"{found.what}  ({seconds:.1f}\N{NO-BREAK SPACE}s)"
        body = wrapped(sentence, self.width, indent)
        click.echo(click.style(f"{mark} {found.check:<18}", fg=colour) + body[20:])
        for label, text in (("why", found.why), ("do", found.advice)):
            if text:
                click.echo(wrapped(f"{label + ':':<5}{text}", self.width, indent, hanging=5))


def ending(seen: list[Checked], word: str, folder: Path, again: str, *, better: bool = False) -> Iterable[str]:
    """The verdict in words, and what to type next.

    Args:
        seen: what the checks found.
        word: the verdict.
        folder: where the evidence is.
        again: the arguments to go on with.
        better: whether what helped most of the advice that was tried is among them.
    """
    counts = {
        verdict: sum(found.verdict == verdict for found in seen)
        for verdict in ("passed", "warning", "failed", "skipped")
    }
    names = {"passed": "passed", "warning": "warned", "failed": "failed", "skipped": "skipped"}
    yield (
        ", ".join(f"{count} {names[verdict]}" for verdict, count in counts.items() if count) + f"; evidence in {folder}"
    )
    last = seen[-1].check
    if word == "failed":
        yield f"Training as planned would be time lost: '{last}' failed, and what comes after it was not looked at."
        if better:
            yield f"next   with what helped most of what was tried:  glassnet check {again}"
        else:
            yield f"next   mend it and check again; all about it:  glassnet check --explain {last}"
    elif word == "warning":
        warned = [found.check for found in seen if found.verdict == "warning"]
        yield f"Training can begin; read {'the warning' if len(warned) == 1 else 'the warnings'} first ({', '.join(warned)})."
        yield (
            f"next   with what helped most of what was tried:  glassnet train {again}"
            if better
            else f"next   glassnet train {again}   or first:  glassnet check --explain {warned[0]}"
        )
    else:
        from glassnet.checks import CHECKS

        yield (
            "Nothing speaks against training."
            if len(seen) == len(CHECKS)
            else f"Nothing found; {len(CHECKS) - len(seen)} of {len(CHECKS)} checks were not asked for."
        )
        yield f"next   glassnet train {again}"


def typed(
    data: str | None, recipe_file: str | None, flags: dict[str, Any], changes: dict[str, Any] | None = None
) -> str:
    """The same arguments as one would type them after ``glassnet train``.

    Args:
        data: as it was given.
        recipe_file: likewise.
        flags: likewise.
        changes: values by dotted key that take the place of what was given.
    """
    left = dict(changes or {})
    parts = [data] if data is not None else []
    if recipe_file is not None:
        parts += ["--recipe", recipe_file]
    for flag in FLAGS:
        given = flags.get(flag.key.replace(".", "_"))
        if given is not None:
            value = left.pop(flag.key, given)
            parts += [flag.names[-1] if flag.names[0].startswith("-b") else flag.names[0], str(value)]
    for setting in flags.get("settings", ()):
        if setting.partition("=")[0].strip() not in (changes or {}):
            parts += ["--set", setting]
    for key, value in left.items():
        parts += ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
    return shlex.join(parts)


def discard(folder: Path) -> None:
    """Take away the folder of a check that could not begin."""
    (folder / "recipe.toml").unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def show_rules(as_json: bool) -> None:
    """Every check and every rule of diagnosis: id, title, threshold."""
    from glassnet.checks import CHECKS
    from glassnet.diagnose import RULES

    kinds: tuple[tuple[str, str, Iterable[Check | Rule]], ...] = (
        ("check", "checks before training, in this order", CHECKS),
        ("rule", "rules of diagnosis during training, causes before consequences", RULES),
    )
    if as_json:
        rows = [
            {"kind": kind, "id": each.id, "title": each.title, "threshold": each.threshold, "source": each.source}
            for kind, _, some in kinds
            for each in some
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    width = min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
    for _, heading, some in kinds:
        click.echo(click.style(for_people(heading, sys.stdout), bold=True))
        for each in some:
            line = for_people(f"  {each.id}  {each.title}", sys.stdout)
            click.echo(line.replace(each.id, click.style(each.id, fg="cyan"), 1))
            click.echo(wrapped(each.threshold, width, " " * 6))
        click.echo("")
    click.echo("'glassnet check --explain ID' says all about one.")


def explained(name: str) -> str:
    """All that a check or a rule says, for people.

    Raises:
        UsageError: unknown id, with the nearest spelling.
    """
    from glassnet.checks import BY_ID as CHECKS_BY_ID
    from glassnet.diagnose import BY_ID as RULES_BY_ID

    known: dict[str, Check | Rule] = {**RULES_BY_ID, **CHECKS_BY_ID}
    if name not in known:
        raise unknown("check or rule", name, known, where="--explain")
    about = known[name]
    width = min(shutil.get_terminal_size((90, 24)).columns, 90)
    kind = "a check before training" if name in CHECKS_BY_ID else "a rule of diagnosis during training"
    sections = [
        ("", about.explanation),
        ("limits" if name in CHECKS_BY_ID else "found when", about.threshold),
        ("why", about.why),
        ("do", about.advice),
    ]
    remedies = remedies_of(about)
    if remedies:
        sections.append(("worth trying", "; ".join(remedies)))
    sections.append(("source", about.source))
    lines = [f"{about.title}  ({name}, {kind})", ""]
    for label, text in sections:
        lines += [wrapped(f"{label}: {text}" if label else text, width, "", hanging=2 if label else 0), ""]
    return "\n".join(lines).rstrip()


def remedies_of(about: Check | Rule) -> list[str]:
    """Changes of the recipe that a rule proposes, as one would type them."""
    found = []
    for remedy in getattr(about, "remedies", ()):
        changes = [
            f"{key} × {value[1:]}" if isinstance(value, str) and value.startswith("*") else f"--set {key}={value}"
            for key, value in remedy.items()
        ]
        found.append(" with ".join(changes))
    return found


def wrapped(text: str, width: int, indent: str, *, hanging: int = 0) -> str:
    """Text in lines of a width, all indented alike, all but the first a little more."""
    return textwrap.fill(
        text,
        max(width, len(indent) + 30),
        initial_indent=indent,
        subsequent_indent=indent + " " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
