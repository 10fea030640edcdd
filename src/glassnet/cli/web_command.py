"""``glassnet web [RUNS]``: the live page."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from glassnet.errors import UsageError


@click.command("web")
@click.argument("runs", default="runs", type=click.Path(path_type=Path))
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="port to listen on (default: 8321 or the next)"
)
@click.option("--no-open", is_flag=True, help="print the address and open no browser")
def command(runs: Path, port: int | None, no_open: bool) -> None:
    """Show the runs below the folder RUNS (default: runs) as a live page on this machine, until Ctrl-C.

    The page reads run folders. Closing it, or its crash, stops no training.
    """
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            "the live page needs " + " and ".join(missing),
            fix="pip install 'glassnet[web]'",
        )
    if not runs.is_dir():
        raise UsageError(
            "no such folder",
            where=runs,
            expected="a folder of runs, or one run, that 'glassnet train' has written",
            fix="train something first, such as 'glassnet train digits', or give the folder: glassnet web FOLDER",
        )
    from glassnet.web.server import serve

    def ready(address: str) -> None:
        click.echo(f"The page is at\n  {address}\nfor this machine only; Ctrl-C ends it and stops no training.")
        if not no_open:
            import webbrowser

            webbrowser.open(address)

    serve(runs, port, ready)
