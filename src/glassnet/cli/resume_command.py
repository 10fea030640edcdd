"""``glassnet resume RUN``: go on where a run was stopped."""

from __future__ import annotations

import click

from glassnet.runs import open_run


@click.command("resume")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="print events as JSON lines")
@click.option("--quiet", is_flag=True, help="print nothing but errors")
def command(run: str, as_json: bool, quiet: bool) -> int:
    """Go on with RUN from its newest intact checkpoint, as if it had never been stopped."""
    folder = open_run(run)
    from glassnet.cli.running import run_on

    return run_on(folder, "json" if as_json else "quiet" if quiet else "auto")
