"""The command line: few commands, one file each, loaded only when called so that help appears at once."""

from __future__ import annotations

import errno
import importlib
import os
import sys

import click

from glassnet.cli.garbage import look_rarely
from glassnet.cli.terminal import readable, say
from glassnet.errors import GlassnetError, UsageError, is_out_of_memory, nearest, unknown

COMMANDS = {
    "train": "Train a network on a folder, a file or a named data set.",
    "check": "Check data, gradients and learning rate before training.",
    "search": "Find settings that do better, from coarse to fine.",
    "resume": "Go on with a run that was stopped, bit for bit.",
    "evaluate": "Measure a trained network on data it was not trained on.",
    "predict": "Say what new files or rows are.",
    "generate": "Let a language model write on from a beginning.",
    "ensemble": "Let finished networks answer together, and measure it.",
    "data": "Show what is in a data set before any training.",
    "experiment": "Run an experiment of the lectures, with its reference.",
    "graph": "See each gate of a formula or net, forward and back.",
    "explain": "Show what a network looks at, layer by layer.",
    "nets": "List the networks, or show one layer by layer.",
    "report": "Write a run's report as one HTML file.",
    "export": "Write a model as an ONNX file for other programs.",
    "web": "Show runs as a live page on this machine.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"glassnet.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise unknown("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Written from the table, so that showing help imports none of the commands.
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="glassnet")
def cli() -> None:
    """Train neural networks on your own data, see inside them, and know why they are good or bad.

    Start with:  glassnet train digits
    """


def main() -> None:
    """Run the command line and exit with the code of what happened; a user never sees a traceback."""
    look_rarely()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The command line as a function: prints, and returns the exit code."""
    streams = sys.stdout, sys.stderr
    readable()
    try:
        outcome = cli.main(
            arguments, prog_name="glassnet", standalone_mode=False, color=False if os.environ.get("NO_COLOR") else None
        )
        sys.stdout.flush()
    except GlassnetError as error:
        say(f"error: {error.message()}", err=True)
        return error.exit_code
    except click.ClickException as error:
        if not arguments:
            error.show()  # the help page, which is no mistake
            return 2
        told = _in_our_words(error, arguments[0])
        say(f"error: {told.message()}", err=True)
        return told.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return _reader_has_left()
    except SystemExit:
        if sys.stdout is streams[0]:
            raise
        sys.stdout, sys.stderr = streams  # click has met the broken pipe first, replaced both, and left with 1
        return _reader_has_left()
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            say(f"error: this name is too long to be a file's\n  where:    {error.filename}", err=True)
            return 2
        if is_out_of_memory(error):
            say("error: out of memory\n  fix:      a smaller --batch-size, --image-size or network", err=True)
            return 8
        if os.environ.get("GLASSNET_DEBUG"):
            raise
        say(
            f"error: a fault of Glassnet's own: {type(error).__name__}: {error}\n"
            "  fix:      please report it; GLASSNET_DEBUG=1 shows where it happened",
            err=True,
        )
        return 1
    return outcome if isinstance(outcome, int) else 0


def _in_our_words(error: click.ClickException, first: str) -> UsageError:
    """What click has to say of options and arguments, in the form of all errors.

    Args:
        error: click's.
        first: of the words typed behind ``glassnet``; click does not always know of which command it speaks.
    """
    command = f"glassnet {first}" if first in COMMANDS else "glassnet"
    page = f"{command} --help"
    if isinstance(error, click.NoSuchOption):
        alike = error.possibilities or ()  # best first
        return UsageError(
            f"unknown option {error.option_name}", where=command, fix=f"did you mean {alike[0]}?" if alike else page
        )
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter) and error.param:
        found, _, wanted = error.message.rstrip(".").partition(" is not ")
        kind = error.param.type
        near = nearest(found.strip("'"), kind.choices) if isinstance(kind, click.Choice) else None
        return UsageError(
            f"wrong value for {max(error.param.opts, key=len)}",
            where=command,
            got=found,
            expected=_range(kind)
            if isinstance(kind, click.IntRange)
            else wanted.replace("valid integer", "whole number"),
            fix=f"did you mean '{near}'?" if near else page,
        )
    problem = error.format_message().removeprefix("Got ").rstrip(".")
    usage = error.ctx.get_usage() if isinstance(error, click.UsageError) and error.ctx else None
    return UsageError(
        problem[:1].lower() + problem[1:],
        where=None if usage else command,
        expected=usage and usage.removeprefix("Usage: "),
        fix=page,
    )


def _range(kind: click.IntRange) -> str:
    ends = [f"{sign} {end}" for sign, end in (("≥", kind.min), ("≤", kind.max)) if end is not None]
    return f"a whole number {' and '.join(ends)}"


def _reader_has_left() -> int:
    """The reader (such as ``head``) is gone: nobody is there to be told, and Python must not try to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141  # 128 + SIGPIPE, as shells expect
