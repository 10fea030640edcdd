"""``glassnet ensemble RUN RUN``: finished networks that answer together."""

from __future__ import annotations

import click


@click.command("ensemble")
@click.argument("runs", nargs=-1, required=True)
@click.option("--votes", is_flag=True, help="count each network's class instead of averaging the probabilities")
@click.option("--out", metavar="FOLDER", help="where the ensemble goes (default: runs/DATA-ensemble-N)")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON")
@click.option("--quiet", is_flag=True, help="print nothing but errors")
def command(runs: tuple[str, ...], votes: bool, out: str | None, as_json: bool, quiet: bool) -> int:
    """Join the networks of finished RUNS into one model that answers for all of them.

    They may be different networks, but must read the same inputs and know the same classes. FOLDER is a run like any other: evaluate, predict and
    report take it. Where the runs were trained on the same parts of the data, the gain over a single one is measured.
    """
    from pathlib import Path

    from glassnet.cli.progress import Progress
    from glassnet.cli.running import run_new
    from glassnet.errors import UsageError
    from glassnet.joining import ensemble
    from glassnet.members import agree_on_data
    from glassnet.members.joined import opened_models, recipe_of

    answer = "votes" if votes else "mean"
    how = "json" if as_json else "quiet" if quiet else "auto"
    if len(runs) < 2:
        raise UsageError("one network alone is no ensemble", got=runs[0], expected="two finished runs or more")
    twice = sorted({run for run in runs if sum(Path(run).resolve() == Path(other).resolve() for other in runs) > 1})
    if twice:
        raise UsageError("a run is named twice", got=", ".join(twice), expected="different runs")
    models = opened_models(runs)
    why = agree_on_data(runs)
    if why is None:
        return run_new(recipe_of(runs, answer), out, how)
    joined = ensemble(models, answer=answer)
    if out is None:
        raise UsageError(
            "these networks make a model folder, and it has no name yet", got=why, fix="say where: --out FOLDER"
        )
    if Path(out).exists():
        raise UsageError("something stands there already", where=out, fix="choose another --out")
    joined.save(Path(out))
    with Progress(how) as progress:
        progress.say(f"joined {len(models)} networks in {out}, without figures: {why}")
        progress.say(f"measure it on data that none of them has seen: glassnet evaluate {out} DATA")
    return 0
