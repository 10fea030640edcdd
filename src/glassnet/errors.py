"""The errors a user can meet: each says where, what was given, what was expected, and how to mend it.

Every error that a user can cause is one of these kinds; anything else that escapes is a fault of Glassnet's own. The command line
prints the message (never a traceback) and exits with the kind's ``exit_code``.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Sequence


class GlassnetError(Exception):
    """Base of all errors meant for the user.

    Args:
        problem: one sentence, what is wrong.
        where: the file, row, layer, recipe key or option it is about.
        got: what was found there.
        expected: what would have been right.
        fix: one thing to do, as a sentence or a command.

    Attributes:
        several: the single mistakes, where :func:`all_at_once` made this error of more than one; else empty.
    """

    exit_code = 1

    def __init__(
        self,
        problem: str,
        *,
        where: object = None,
        got: object = None,
        expected: object = None,
        fix: str | None = None,
    ) -> None:
        self.problem = problem
        self.where = None if where is None else str(where)
        self.got = None if got is None else str(got)
        self.expected = None if expected is None else str(expected)
        self.fix = fix
        self.several: tuple[GlassnetError, ...] = ()
        super().__init__(self.message())

    def message(self) -> str:
        """The whole message, one line a field, empty fields left out."""
        lines = [self.problem]
        for label, value in (("where", self.where), ("got", self.got), ("expected", self.expected), ("fix", self.fix)):
            if value is not None:
                lines.append(f"  {label + ':':<10}{value}")
        return "\n".join(lines)


class UsageError(GlassnetError):
    """A command, option or recipe that cannot be meant as written."""

    exit_code = 2


class DataError(GlassnetError):
    """Data that cannot be read or cannot be learned from."""

    exit_code = 3


class ModelError(GlassnetError):
    """A model file, checkpoint or network that does not fit."""

    exit_code = 4


class DivergedError(GlassnetError):
    """Training whose loss became infinite, NaN, or far larger than at the start."""

    exit_code = 5


class SpaceError(GlassnetError):
    """No room on the disk, or no permission to write."""

    exit_code = 6


class LockedError(GlassnetError):
    """A run folder that another process is using."""

    exit_code = 7


class OutOfMemoryError(GlassnetError):
    """A batch or a data set that does not fit into memory."""

    exit_code = 8


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is a failed allocation, in Python's words or in PyTorch's (which raises a RuntimeError on the CPU)."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )


def fix_to_read(error: BaseException, path: object, otherwise: str) -> str:
    """What to do about a file or folder that could not be read: get the right to, where only that is lacking.

    Args:
        error: what was raised; what it was raised from counts too.
        path: as the user knows it.
        otherwise: what to do in every other case.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PermissionError):
            return f"give yourself the right to read it: chmod -R u+rX {shlex.quote(str(path))}"
        cause = cause.__cause__
    return otherwise


def all_at_once(errors: Sequence[GlassnetError]) -> GlassnetError:
    """One error that tells several mistakes, so that a user can mend them all in one go.

    The kind (and so the exit code) is that of the first. With a single error, that error itself is returned.
    """
    if len(errors) == 1:
        return errors[0]
    single = [part for error in errors for part in (error.several or (error,))]
    body = "\n".join(f"{number}. {error.message()}" for number, error in enumerate(single, start=1))
    whole = type(single[0])(f"{len(single)} mistakes:\n{body}")
    whole.several = tuple(single)
    return whole


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is spelled most like ``word``, or None when nothing comes near."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def unknown(what: str, word: str, known: Iterable[str], *, where: object = None) -> UsageError:
    """The error for a name that does not exist, with the nearest spelling or the list of names."""
    names = sorted(known)
    near = nearest(word, names)
    return UsageError(
        f"unknown {what} '{word}'",
        where=where,
        expected=None if near else "one of " + ", ".join(names),
        fix=f"did you mean '{near}'?" if near else None,
    )
