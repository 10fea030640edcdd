"""Imports go one way: the table of what each room may import, checked against the code, and what the command line must not load."""

from __future__ import annotations

import ast
import graphlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import glassnet

PACKAGE = Path(glassnet.__file__).parent

# A room is a module or a folder directly under glassnet. What is not here is not allowed, and what is here is used.
ALLOWED: dict[str, set[str]] = {
    "__main__": {"cli"},
    "errors": set(),
    "events": set(),
    "presets": set(),
    "files": {"errors"},
    "tensor_file": {"errors", "files"},
    "gates": {"errors"},
    "initialise": {"errors"},
    "layer_table": {"errors", "layers"},
    "layers": {"errors"},
    "settings": set(),
    "recipe": {"errors", "settings"},
    "searching": {"errors"},
    "captions": {"events"},
    "diagnose": {"events"},
    "data": {"cores", "errors", "files"},
    "runs": {"errors", "events", "files"},
    "training": {"errors", "events", "files", "layers", "tensor_file"},
    "zoo": {"errors", "layers"},
    "evaluate": {"data", "errors"},
    "combined": {"data", "errors", "layers"},
    "rebuilding": {"combined", "data", "errors", "layers", "zoo"},
    "model": {"combined", "data", "errors", "files", "rebuilding", "tensor_file", "translating"},
    "joining": {"combined", "data", "errors", "evaluate", "model"},
    "test_time": {"combined", "data", "errors", "joining", "model"},
    "export": {"data", "errors", "files", "layers", "model"},
    "measuring": {"data", "errors", "evaluate", "generating", "model", "translating"},
    "generating": {"data", "errors", "evaluate", "layers", "model"},
    "translating": {"data", "errors", "evaluate", "zoo"},
    "gain": {"combined", "data", "evaluate", "model"},
    "pretrained": {"data", "errors", "layers", "model", "zoo"},
    "recipe_mistakes": {"data", "errors", "initialise", "recipe", "training", "zoo"},
    "resolve": {"data", "errors", "presets", "recipe", "recipe_mistakes", "training", "zoo"},
    "checks": {"data", "diagnose", "errors", "events", "layers", "training"},
    "plots": {"captions", "evaluate", "events"},
    "trainable": {"errors", "layer_table", "recipe"},
    "network": {
        "data",
        "errors",
        "initialise",
        "layers",
        "pretrained",
        "recipe",
        "recipe_mistakes",
        "resolve",
        "trainable",
        "zoo",
    },
    "assembly": {"data", "errors", "initialise", "layers", "network", "recipe", "resolve", "trainable", "training"},
    "advice": {"assembly", "data", "errors", "events", "layers", "recipe", "training"},
    "experiments": {
        "combined",
        "data",
        "errors",
        "evaluate",
        "events",
        "files",
        "gates",
        "initialise",
        "layer_table",
        "layers",
        "plots",
        "presets",
        "searching",
        "training",
        "zoo",
    },
    "explain": {"data", "errors", "events", "layer_table", "layers", "model", "plots", "training", "zoo"},
    "glassbox": {"checks", "data", "errors", "events", "gates", "layers", "model", "plots", "training"},
    "report": {"data", "errors", "evaluate", "events", "explain", "files", "model", "plots", "runs"},
    "web": {"captions", "cores", "data", "diagnose", "errors", "events", "explain", "glassbox", "model", "runs"},
    "hyperparameters": {
        "assembly",
        "cores",
        "data",
        "errors",
        "events",
        "files",
        "layers",
        "members",
        "plots",
        "reading",
        "recipe",
        "recipe_mistakes",
        "resolve",
        "resuming",
        "runs",
        "searching",
        "story",
        "training",
        "zoo",
    },
    "reading": {"data", "errors", "recipe"},
    "told": {"data", "errors", "events", "recipe", "runs"},
    "cores": set(),
    "resuming": {"errors", "runs", "training"},
    "finishing": {
        "assembly",
        "combined",
        "data",
        "evaluate",
        "gain",
        "joining",
        "layers",
        "measuring",
        "model",
        "recipe",
        "report",
        "resolve",
        "runs",
        "training",
    },
    "story": {
        "advice",
        "assembly",
        "checks",
        "data",
        "diagnose",
        "errors",
        "events",
        "finishing",
        "layer_table",
        "layers",
        "model",
        "reading",
        "recipe",
        "recipe_mistakes",
        "resolve",
        "resuming",
        "runs",
        "told",
        "training",
    },
    "members": {
        "cores",
        "data",
        "errors",
        "evaluate",
        "events",
        "files",
        "finishing",
        "joining",
        "layer_table",
        "layers",
        "measuring",
        "model",
        "reading",
        "recipe",
        "recipe_mistakes",
        "report",
        "resolve",
        "runs",
        "story",
        "training",
    },
    "checkup": {
        "advice",
        "assembly",
        "checks",
        "data",
        "errors",
        "events",
        "files",
        "layers",
        "plots",
        "reading",
        "recipe",
        "recipe_mistakes",
        "resolve",
        "runs",
        "told",
        "training",
    },
    "api": {"checkup", "data", "errors", "events", "members", "recipe", "recipe_mistakes", "runs", "story"},
    "cli": {
        "checks",
        "checkup",
        "combined",
        "data",
        "diagnose",
        "errors",
        "evaluate",
        "events",
        "experiments",
        "explain",
        "export",
        "files",
        "gain",
        "generating",
        "glassbox",
        "hyperparameters",
        "joining",
        "layer_table",
        "measuring",
        "members",
        "model",
        "plots",
        "reading",
        "recipe",
        "report",
        "runs",
        "searching",
        "test_time",
        "web",
        "zoo",
    },
}
# Rooms that hold an import of torch nowhere: what they need is numbers and words.
WITHOUT_TORCH = {"captions", "errors", "events", "files", "gates", "recipe", "runs", "diagnose", "plots"}


def rooms() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        room = inside.parts[0] if len(inside.parts) > 1 else inside.stem
        if room != "__init__":  # the package itself names what is public and imports it only when asked
            found.setdefault(room, []).append(path)
    return found


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(dotted module, line) of every import, inside functions too, but not of those that only the type checker follows."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield from imported(other)
        elif isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            for name in node.names:
                yield f"{node.module}.{name.name}", node.lineno
        else:
            yield from imported(node)


def arrows() -> dict[tuple[str, str], list[str]]:
    """(room, room that it imports) -> where."""
    found: dict[tuple[str, str], list[str]] = {}
    for room, paths in rooms().items():
        for path in paths:
            for name, line in imported(ast.parse(path.read_text(encoding="utf-8"))):
                parts = name.split(".")
                if parts[0] == "glassnet" and parts[1] != room:
                    found.setdefault((room, parts[1]), []).append(f"{path.relative_to(PACKAGE)}:{line}")
    return found


def test_every_import_from_one_room_to_another_is_in_the_table() -> None:
    strange = {arrow: where for arrow, where in arrows().items() if arrow[1] not in ALLOWED.get(arrow[0], set())}
    assert strange == {}


def test_every_row_of_the_table_is_used() -> None:
    used = arrows()
    assert {(room, other) for room, others in ALLOWED.items() for other in others} - set(used) == set()


def test_the_table_names_the_rooms_that_there_are() -> None:
    assert set(ALLOWED) == set(rooms())


def test_no_room_imports_itself_in_a_circle() -> None:
    order = list(graphlib.TopologicalSorter(ALLOWED).static_order())  # raises CycleError and names the circle
    assert order[-2:] == ["cli", "__main__"], "the command line sits on top, and what starts it"


def test_nothing_but_the_command_line_imports_the_command_line() -> None:
    assert {room for room, others in ALLOWED.items() if "cli" in others} == {"__main__"}


@pytest.mark.parametrize("room", sorted(WITHOUT_TORCH))
def test_rooms_that_only_read_or_judge_do_not_import_torch(room: str) -> None:
    for path in rooms()[room]:
        names = {name.split(".")[0] for name, _ in imported(ast.parse(path.read_text(encoding="utf-8")))}
        assert "torch" not in names, path


def test_scikit_learn_and_matplotlib_are_imported_where_they_are_used_and_not_at_the_top() -> None:
    for paths in rooms().values():
        for path in paths:
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = {name.split(".")[0] for name, _ in imported(ast.Module([node], []))}
                    assert not names & {"sklearn", "matplotlib", "scipy"}, f"{path}:{node.lineno}"


HEAVY = ("torch", "sklearn", "matplotlib", "polars", "numpy", "scipy")
LIGHT = {
    "import glassnet": ("pydantic", *HEAVY),
    "import glassnet.cli": ("pydantic", *HEAVY),
    "import glassnet.recipe": HEAVY,
    "from glassnet import Recipe": HEAVY,
    "import glassnet.reading, glassnet.data.audit": (
        "polars",
        "sklearn",
        "matplotlib",
        "scipy",
    ),  # polars with the first table
    "import glassnet.data.glance": ("torch", "pydantic", "sklearn", "matplotlib", "polars", "scipy"),
    "import glassnet.runs": HEAVY,
    "import glassnet.diagnose": HEAVY,
    "import glassnet.cli; glassnet.cli.run(['--help'])": ("pydantic", "rich", *HEAVY),
    "import glassnet.cli; glassnet.cli.run(['--version'])": HEAVY,
    "import glassnet.cli; glassnet.cli.run(['train', '--help'])": HEAVY,
    "import glassnet.cli; glassnet.cli.run(['train', '--keys'])": HEAVY,
    "import glassnet.cli; glassnet.cli.run(['check', '--help'])": HEAVY,
    "import glassnet.cli; glassnet.cli.run(['resume', 'nowhere'])": HEAVY,
    "import glassnet.cli; glassnet.cli.run(['tarin'])": HEAVY,
}


def test_what_must_appear_at_once_loads_nothing_heavy() -> None:
    program = "import sys\nfor line in sys.argv[2:]:\n  exec(line)\nsys.stderr.write(' '.join(m for m in sys.argv[1].split() if m in sys.modules))"
    for statement, heavy in LIGHT.items():
        done = subprocess.run(
            [sys.executable, "-c", program, " ".join(heavy), statement],
            env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = done.stderr.splitlines()[-1:] if "nowhere" in statement or "tarin" in statement else [done.stderr]
        assert not set("".join(loaded).split()) & set(heavy), statement


def test_the_public_names_are_there_and_no_others() -> None:
    for name in glassnet.__all__:
        assert getattr(glassnet, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = glassnet.nothing
