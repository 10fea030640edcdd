"""What a person names when new inputs are to be read: files, folders, or the texts themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from glassnet.data.walk import shown
from glassnet.errors import DataError, GlassnetError, all_at_once

T = TypeVar("T")
MAX_NAMED = 5


def read_all(given: Iterable[str], read: Callable[[str], Sequence[T]], nothing: str, expected: str) -> list[T]:
    """What each argument holds, one behind the other.

    Args:
        given: the arguments.
        read: what one of them holds; its ``DataError`` says why it cannot be read.
        nothing: the problem where there is no argument, or nothing in any.
        expected: what should have been given then.

    Raises:
        DataError: arguments that cannot be read, all at once; or there is nothing.
    """
    found: list[T] = []
    wrong: list[GlassnetError] = []
    for each in given:
        try:
            found += read(each)
        except DataError as error:
            wrong.append(error)
    if wrong:
        raise all_at_once(wrong)
    if not found:
        raise DataError(nothing, expected=expected)
    return found


def left_out_told(errors: Sequence[GlassnetError]) -> tuple[str, ...]:
    """A sentence that names the files of a folder which are left out, by the errors they gave; none where there are none."""
    if not errors:
        return ()
    some = ", ".join(f"{error.where} ({error.got})" for error in errors[:MAX_NAMED])
    more = f" and {len(errors) - MAX_NAMED:,} more" if len(errors) > MAX_NAMED else ""
    return (f"Left out, since {'it' if len(errors) == 1 else 'they'} cannot be read: {some}{more}.",)


def place_of(
    given: str, expected: str, *, folders: bool = False, meant: Callable[[str], bool] | None = None
) -> Path | None:
    """The file or folder that an argument names; None where it is a text itself.

    Args:
        given: the argument.
        expected: what an argument may be, for the error.
        folders: whether it may be a folder.
        meant: whether one that leads nowhere was meant as a path; by default, whether it has no blank, but a slash or an extension.

    Raises:
        DataError: it was meant as a path and leads nowhere.
    """
    path = Path(given)
    try:
        if path.is_file() or (folders and given and path.is_dir()):
            return path
    except (OSError, ValueError):  # too long for a name: then it is a text
        pass
    if (meant or _like_a_path)(given):
        raise DataError("no such file", where=shown(given), expected=expected)
    return None


def _like_a_path(given: str) -> bool:
    return not any(letter.isspace() for letter in given) and ("/" in given or bool(Path(given).suffix))
