"""``glassnet report RUN``: the whole story as one HTML file."""

from __future__ import annotations

import click

from glassnet.runs import open_run


@click.command("report")
@click.argument("run")
def command(run: str) -> None:
    """Write the report of RUN again, as one HTML file that opens from disk and needs no network."""
    from glassnet.report import story_of_run, write_report

    folder = open_run(run)
    write_report(story_of_run(folder), folder.report)
    click.echo(str(folder.report))
