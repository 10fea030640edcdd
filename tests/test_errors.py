"""The errors a user meets: what they say, their exit codes, nearest spellings, several at once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import glassnet
from glassnet import errors
from glassnet.errors import DataError, GlassnetError, ModelError, UsageError, all_at_once, nearest, unknown

# Files and problems of errors without a remedy of their own, each with the reason.
WITHOUT_REMEDY = {
    ("data/image_schema.py", "f'and {len(errors) - MAX_TOLD} more'"),  # the end of a list of errors that say it each
    ("cli/explain_command.py", "obstacle"),  # caught at once, and told among what was left out
    ("glassbox/recorder.py", "problem"),  # what is asked for it comes with it, a remedy among it
}

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GlassnetError)]


def test_a_message_says_what_where_got_expected_and_fix_one_a_line_and_leaves_out_what_is_not_given() -> None:
    error = DataError("a row is short", where=Path("a.csv"), got=3, expected="4 fields", fix="mend the row")
    assert str(error) == (
        "a row is short\n  where:    a.csv\n  got:      3\n  expected: 4 fields\n  fix:      mend the row"
    )
    assert str(GlassnetError("broken")) == "broken"
    assert str(GlassnetError("broken", got=0)) == "broken\n  got:      0", "zero is something that was found"


def test_every_kind_has_an_exit_code_of_its_own_that_says_failure() -> None:
    codes = {kind.__name__: kind.exit_code for kind in KINDS}
    assert len(set(codes.values())) == len(codes), codes
    assert codes == {
        "GlassnetError": 1,
        "UsageError": 2,
        "DataError": 3,
        "ModelError": 4,
        "DivergedError": 5,
        "SpaceError": 6,
        "LockedError": 7,
        "OutOfMemoryError": 8,
    }


def test_several_mistakes_are_numbered_and_keep_the_kind_of_the_first() -> None:
    first, second = DataError("one", where="a"), UsageError("two", fix="b")
    told = all_at_once([first, second])
    assert type(told) is DataError
    assert str(told) == "2 mistakes:\n1. one\n  where:    a\n2. two\n  fix:      b"
    assert told.several == (first, second)


def test_a_single_mistake_is_told_as_it_is() -> None:
    error = ModelError("alone")
    assert all_at_once([error]) is error


def test_collections_of_mistakes_are_told_as_one_list_not_as_lists_within_lists() -> None:
    inner = all_at_once([UsageError("b"), UsageError("c")])
    told = all_at_once([UsageError("a"), inner])
    assert str(told) == "3 mistakes:\n1. a\n2. b\n3. c"


@pytest.mark.parametrize(
    ("word", "expected"),
    [("optimzer", "optimizer"), ("OPTIMIZER", "optimizer"), ("Sgd", "SGD"), ("zzzz", None), ("", None)],
)
def test_the_nearest_spelling_ignores_case_and_gives_up_on_nonsense(word: str, expected: str | None) -> None:
    assert nearest(word, ["optimizer", "SGD", "schedule"]) == expected


def test_an_unknown_name_offers_the_nearest_spelling_or_else_all_names() -> None:
    near = unknown("loss", "hing", ["hinge", "squared"], where="loss.name")
    assert near.problem == "unknown loss 'hing'"
    assert near.where == "loss.name"
    assert near.fix == "did you mean 'hinge'?"
    assert near.expected is None
    far = unknown("loss", "xyz", ["squared", "hinge"])
    assert far.expected == "one of hinge, squared"
    assert far.fix is None


def test_no_handler_in_the_package_catches_everything_in_silence() -> None:
    bare = [
        f"{path.name}:{node.lineno}"
        for path in Path(glassnet.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert bare == []


def test_every_error_of_the_package_says_what_would_be_right_or_what_to_do() -> None:
    package = Path(glassnet.__file__).parent
    kinds = {kind.__name__ for kind in KINDS}
    without = {
        (path.relative_to(package).as_posix(), ast.unparse(node.args[0]) if node.args else "")
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).removeprefix("errors.") in kinds
        and not {"fix", "expected"} & {keyword.arg for keyword in node.keywords}
    }
    assert without == WITHOUT_REMEDY
