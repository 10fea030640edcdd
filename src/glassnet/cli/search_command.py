"""``glassnet search DATA``: settings that do better, from coarse to fine."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glassnet.cli.flags import no_data, places_of, recipe_flags, settings_of
from glassnet.cli.garbage import look_as_usual
from glassnet.recipe import Recipe

if TYPE_CHECKING:
    from glassnet.hyperparameters import Found, Search
    from glassnet.searching import Trial


@click.command("search")
@click.argument("data", required=False)
@click.option(
    "--space",
    metavar="SPACE",
    help='what to search: "lr=1e-6..1e-3 log, dropout=0..0.7, hidden=[64]|[256,128]", or a TOML file',
)
@click.option("--trials", metavar="N[,N...]", help="trials of each stage (default: 24,12)")
@click.option(
    "--stage-epochs",
    metavar="N[,N...]",
    help="epochs of each stage's trials (default: a quarter and a half of the recipe's)",
)
@click.option("--method", metavar="NAME", default="random", help="random, grid, tpe, gp or qmc")
@click.option(
    "--pruner", metavar="NAME", default="median", help="how hopeless trials are found: median, halving, hyperband, none"
)
@click.option("--widen", is_flag=True, help="widen a range at whose end the best trial lies")
@click.option(
    "--finalists", type=click.IntRange(0), default=3, metavar="N", help="best settings that are trained again (3)"
)
@click.option("--repeats", type=click.IntRange(1), default=3, metavar="N", help="fresh seeds for each of them (3)")
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="trials at a time (default: what is fastest, measured)"
)
@click.option(
    "--together",
    metavar="WAY",
    default="auto",
    help="trials in processes of their own (processes), or step by step in this one with one pass for nets that are alike (stacked); auto: the first on the CPU, on a GPU the second where that is faster",
)
@click.option("--cluster", metavar="ADDRESS", help="make the trials on a Ray cluster; 'local' starts Ray here")
@click.option("--no-winner", is_flag=True, help="do not train the winner once more")
@click.option("--resume", "resumed", metavar="FOLDER", help="go on with a search that was stopped or killed")
@click.option("--recipe", "recipe_file", metavar="FILE", help="the recipe that stays the same in all trials")
@recipe_flags
@click.option("--out", metavar="FOLDER", help="the search folder (default: searches/DATA-N)")
@click.option("--json", "as_json", is_flag=True, help="print every trial, and what was found, as JSON lines")
@click.option("--quiet", is_flag=True, help="print nothing but errors")
def command(
    data: str | None,
    space: str | None,
    trials: str | None,
    stage_epochs: str | None,
    method: str,
    pruner: str,
    widen: bool,
    finalists: int,
    repeats: int,
    jobs: int | None,
    together: str,
    cluster: str | None,
    no_winner: bool,
    resumed: str | None,
    recipe_file: str | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
    **flags: Any,
) -> int:
    """Search for settings that do better than those chosen by the data.

    A coarse stage over wide ranges, a fine one over what was good there, and the best few again with fresh seeds, beside the recipe as it was.

    Without --space, learning rate, weight decay and what suits the net are searched. --budget 10m bounds the whole search. The same command with the
    same --out goes on with what it began.
    """
    from glassnet.hyperparameters import Search, reopened, space_of

    if resumed is not None:
        _refuse_beside_resume()
        return _run(reopened(Path(resumed)), Path(resumed), as_json, quiet)
    settings = settings_of(flags)
    recipe = Recipe.from_toml(Path(recipe_file)) if recipe_file else Recipe()
    # wrong values are told before those are taken out that are the whole search's
    recipe.changed(settings, where=places_of(flags))
    budget = settings.pop("train.budget", None)
    seed = int(settings.pop("train.seed", 0))
    threads = settings.pop("train.threads", None)
    if data is not None:
        settings["data.path"] = data
    elif recipe_file is None:
        raise no_data("search")
    recipe = recipe.changed(settings)
    asked = Search(
        recipe,
        space=None if space is None else space_of(space),
        stages=_stages(trials, stage_epochs),
        method=method,
        pruner=pruner,
        widen=widen,
        finalists=finalists,
        repeats=repeats,
        jobs=jobs,
        threads=None if threads in (None, "auto") else int(threads),
        seed=seed,
        budget=budget,
        winner=not no_winner,
        cluster=cluster,
        together=together,
    )
    folder = _folder(asked, out)
    return _run(reopened(folder) if (folder / "search.json").exists() else asked, folder, as_json, quiet)


def _refuse_beside_resume() -> None:
    """Refuse what would be ignored: a search that goes on does what it was asked for at first.

    Raises:
        UsageError: more than how to print it is given.
    """
    from glassnet.errors import UsageError

    context = click.get_current_context()
    given = [
        each.human_readable_name if isinstance(each, click.Argument) else each.opts[0]
        for each in context.command.params
        if each.name not in ("resumed", "as_json", "quiet")
        and context.get_parameter_source(each.name or "") == click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise UsageError(
            "a search that goes on does what it was asked for at first",
            where="--resume",
            got=f"{', '.join(given)} beside it",
            fix="leave them out, or begin another search with another --out",
        )


def _run(search: Search, folder: Path, as_json: bool, quiet: bool) -> int:
    from glassnet.cli.search_board import Board
    from glassnet.cli.signals import interruption
    from glassnet.hyperparameters import run

    look_as_usual()
    board = Board(line_of, called, quiet=quiet or as_json)

    def seen(trial: Trial, planned: int, figure: str) -> None:
        if as_json:
            click.echo(json.dumps({"event": "trial", **_plain(trial)}, ensure_ascii=False))
        board.see(trial, planned, figure)

    def tell(text: str) -> None:
        if text.startswith(("stage", "final")):
            board.clear()
        board.say(text)

    with interruption() as asked:
        with board:
            found = run(search, folder, tell=tell, seen=seen, stop=lambda: bool(asked))
        if found.stopped:
            board.say(f"stopped; go on with: glassnet search --resume {folder}")
            return asked.exit_code
    if as_json:
        ends = {
            "event": "found",
            "search": str(folder),
            "winner": found.winner,
            "finalists": found.finalists,
            "result": found.figures,
            "together": found.together,
        }
        click.echo(json.dumps(ends, ensure_ascii=False))
    for line in conclusion(found):
        board.say(line)
    return 0


def line_of(trial: Trial, planned: int, figure: str = "accuracy") -> str:
    """One line a trial, as in the lectures: ``val_acc: 0.4120, lr: 9.47e-04, reg: 1.20e-01, (12 / 100)``."""
    from glassnet.searching.space import written

    value = f"{trial.value:.4f}" if math.isfinite(trial.value) else "   -  "
    shown = ", ".join(
        f"{called(key)}: "
        + (f"{each:.2e}" if isinstance(each, float) and not 0.01 <= abs(each) < 1000 and each else written(each))
        for key, each in trial.settings.items()
    )
    end = "" if trial.end == "done" else f"  {trial.end}: {trial.why}"
    return f"val_{'acc' if figure == 'accuracy' else figure}: {value}, {shown}, ({trial.number + 1} / {planned}){end}"


def called(key: str) -> str:
    """A setting's short name, as it may be typed after ``--space``: ``regularise.l2`` -> ``reg``."""
    if key == "regularise.l2":
        return "reg"
    return key.partition(".")[0] if key.endswith(".name") else key.rpartition(".")[2]


def conclusion(found: Found) -> list[str]:
    """What came of it, in a few lines."""
    from glassnet.cli.gain_lines import gain_lines
    from glassnet.cli.result_lines import result_lines

    lines = list(result_lines(found.figures)) if found.figures else []
    plain = next((one for one in found.finalists if not one["settings"]), None)
    best = found.finalists[0] if found.finalists else None
    if best is not None and plain is not None and best is plain:
        seeds = len(best["values"])
        lines.append(
            "nothing that was tried beats the recipe as it was, when both are trained anew with "
            + ("one fresh seed, which says little" if seeds == 1 else f"{seeds} fresh seeds")
        )
    elif best is not None and plain is not None:
        gain = best["mean"] - plain["mean"]
        lines.append(
            f"on validation the winner gains {gain:+.4f} over the recipe as it was, {sure_of(gain, best, plain)}"
        )
    if found.together:
        lines += gain_lines(found.together["ensemble"])
        lines.append(f"the best finalists as one model: {found.folder / 'together'}")
    lines.append(f"search {found.folder}  (trials.csv, stages.json, plots)")
    lines.append(f"train the winner: {shlex.join(training(found))}")
    return lines


def sure_of(gain: float, best: dict[str, Any], plain: dict[str, Any]) -> str:
    """How far a gain is to be trusted: beside twice the standard error of a difference of two means."""
    counts = len(best["values"]), len(plain["values"])
    if min(counts) < 2:
        return "by one seed each, which says little"
    error = 2 * math.hypot(best["std"] / math.sqrt(counts[0]), plain["std"] / math.sqrt(counts[1]))
    return f"{'more than' if gain > error else 'within'} what {min(counts)} seeds differ by ({error:.4f})"


def training(found: Found) -> list[str]:
    """The command that trains the winner, as the words of a command line."""
    recipe = found.folder / "winner" / "recipe.toml"
    if recipe.exists():
        return ["glassnet", "train", "--recipe", str(recipe)]
    changes = [f"{key}={each if isinstance(each, str) else json.dumps(each)}" for key, each in found.winner.items()]
    fixed = ["train.threads=auto", "train.check=true", "train.measure=auto"]  # what only the trials leave out
    sets = [word for change in (*changes, *fixed) for word in ("--set", change)]
    return ["glassnet", "train", "--recipe", str(found.folder / "base.toml"), *sets]


def _stages(trials: str | None, epochs: str | None) -> tuple[Any, ...] | None:
    from glassnet.errors import UsageError
    from glassnet.hyperparameters import TRIALS, Stage

    if trials is None and epochs is None:
        return None
    counts, lengths = (_numbers(text, flag) for text, flag in ((trials, "--trials"), (epochs, "--stage-epochs")))
    if not lengths:
        raise UsageError(
            "--trials needs --stage-epochs: how many epochs the trials of each stage make",
            got=trials,
            fix="--stage-epochs " + ",".join(str(5 * number) for number in range(1, len(counts) + 1)),
        )
    counts = counts or list(TRIALS[: len(lengths)])
    if len(counts) != len(lengths):
        raise UsageError(
            "--trials and --stage-epochs name different numbers of stages",
            got=f"{len(counts)} and {len(lengths)}",
            expected="a number for each stage in both, such as --trials 24,12 --stage-epochs 5,10",
        )
    return tuple(Stage(count, length) for count, length in zip(counts, lengths, strict=True))


def _numbers(text: str | None, flag: str) -> list[int]:
    from glassnet.errors import UsageError

    if text is None:
        return []
    try:
        found = [int(each) for each in text.split(",")]
    except ValueError:
        found = [0]
    if min(found) < 1:
        raise UsageError(
            f"{flag} takes whole numbers above zero, separated by commas", got=text, expected="such as 10 or 10,5"
        )
    return found


def _folder(asked: Search, out: str | None) -> Path:
    """Where to search: a new folder, or one in which the very same was asked for."""
    from glassnet.errors import UsageError
    from glassnet.hyperparameters import asked_before, new_folder

    if out is None:
        return new_folder(asked.recipe)
    if (Path(out) / "search.json").exists() and not asked_before(asked, Path(out)):
        raise UsageError(
            "there is another search in this folder already",
            where=out,
            fix=f"glassnet search --resume {out} goes on with it; or choose another --out",
        )
    return Path(out)


def _plain(trial: Trial) -> dict[str, Any]:
    return vars(trial) | {"value": trial.value if math.isfinite(trial.value) else None}
