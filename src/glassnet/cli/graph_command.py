"""``glassnet graph``: a formula or a network as a graph of gates, forward and backward."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glassnet.errors import UsageError

if TYPE_CHECKING:
    from glassnet.gates import Array, Graph
    from glassnet.glassbox import Opened
    from glassnet.model import Model

FAILED_CODE = 1  # of the command, where --check finds a gradient that is wrong
SHOWN = 5  # of the largest gradients, in the overview


@click.command("graph")
@click.argument("what")
@click.argument("given", nargs=-1)
@click.option("--step", "stepping", is_flag=True, help="walk forward, then backward, gate by gate")
@click.option("--table", is_flag=True, help="the recursion of backpropagation, layer by layer")
@click.option("--check", is_flag=True, help="gradients by hand, by autograd and by differences, compared")
@click.option("--json", "as_json", is_flag=True, help="all nodes with their values and gradients")
@click.option("--svg", "svg_file", metavar="FILE", help="draw the graph into this file")
@click.option(
    "--target", metavar="CLASS", help="class, or value, that the loss asks for (default: the predicted class)"
)
@click.option("--row", type=click.IntRange(0), default=0, help="which input, where FILE holds several; the first is 0")
def command(
    what: str,
    given: tuple[str, ...],
    stepping: bool,
    table: bool,
    check: bool,
    as_json: bool,
    svg_file: str | None,
    target: str | None,
    row: int,
) -> int:
    """See every gate compute, forward and backward: of a formula, or of a trained network on one input.

    glassnet graph "(x + y) * z" x=-2 y=5 z=-4 --step

    glassnet graph RUN FILE --step

    A formula takes + - * / ** @, brackets and functions such as exp or sigmoid, its values as NAME=VALUE; one that begins with a minus
    stands behind two of them: glassnet graph -- "-x * y" x=1 y=2. RUN is a run or model folder and
    FILE an image or a row, as for 'glassnet predict'. Without an option: an overview.
    """
    chosen = [
        name for name, on in (("--step", stepping), ("--table", table), ("--check", check), ("--json", as_json)) if on
    ]
    if len(chosen) > 1:
        raise UsageError("these options exclude each other", got=" ".join(chosen), fix="give one of them")
    form = chosen[0] if chosen else ""
    if is_formula(what, given):
        if target is not None or row:
            raise UsageError(
                "--target and --row are for networks",
                where=what,
                expected="the folder of a run: glassnet graph RUN FILE --target CLASS",
                fix="leave them out for a formula",
            )
        return show_formula(what, given, form, svg_file)
    return show_network(what, given, form, svg_file, target, row)


def is_formula(what: str, given: tuple[str, ...]) -> bool:
    """Whether a formula is meant, and not a folder."""
    import os

    if os.path.isdir(what):  # noqa: PTH112 - Path.is_dir raises where a name is too long to be a file's
        return False
    return not given or any("=" in each for each in given) or any(sign in what for sign in "()*+^@; ")


def show_formula(text: str, given: tuple[str, ...], form: str, svg_file: str | None) -> int:
    """A formula with its values."""
    from glassnet.glassbox import formula_check, graph_of_formula, values_of
    from glassnet.glassbox.figures import lines

    graph = graph_of_formula(text)
    if not given and graph.inputs and "/" in text and " " not in text:
        raise UsageError(
            "there is no such folder, and a formula needs values",
            got=text,
            fix="give the folder of a run and a file, or values: " + " ".join(f"{name}=1" for name in graph.inputs),
        )
    values = values_of(given, list(graph.inputs))
    result = graph.forward(values)
    upstream = None
    if result.size != 1:
        import numpy as np

        upstream = np.ones(result.shape)  # the gradient of the sum
    graph.backward(upstream)
    if form == "--check":
        if upstream is not None:
            raise UsageError(
                "--check needs a formula whose result is one number",
                where=text,
                got=f"an array of shape {result.shape}",
                fix="put sum(...) around the result, as in sum(x * y)",
            )
        from glassnet.glassbox.comparison import as_text

        found = formula_check(graph, values)
        click.echo(as_text(found), nl=False)
        draw(graph, svg_file, text)
        return 0 if found.passed else FAILED_CODE
    if form:
        show(graph, values, form, upstream)
    elif svg_file is None:
        named = f"Σ {graph.output.name}" if upstream is not None else graph.output.name
        click.echo(f"{graph.output.name} = {'  '.join(lines(result))}   ({text.strip()})")
        for name, gradient in graph.gradients.items():
            click.echo(f"∂{named}/∂{name} = {'  '.join(lines(gradient))}")
        if (odd := graph.first_not_finite) is not None:
            of = ", ".join("  ".join(lines(each.value)) for each in odd.inputs if each.value is not None)
            click.echo(
                f"{odd.name} is the first that is not finite ({odd.gate.name if odd.gate else ''} of {of}): what follows from it, gradients too, means nothing"
            )
        click.echo("gate by gate: --step   as a picture: --svg FILE   against differences: --check")
    draw(graph, svg_file, text)
    return 0


def show_network(
    run: str, given: tuple[str, ...], form: str, svg_file: str | None, target: str | None, row: int
) -> int:
    """A trained network on one input."""
    from glassnet.glassbox import gate_loss, gradient_check, model_inputs, model_targets, open_module, torch_loss
    from glassnet.glassbox.opening import STEPS, refuse_target
    from glassnet.model import load

    if len(given) != 1:
        raise UsageError(
            "one input is needed" if not given else "one input at a time can be opened",
            got=", ".join(given) or None,
            expected="glassnet graph RUN FILE",
        )
    model = load(run)
    names, x = model_inputs(model, given[0])
    if row >= len(x):
        raise UsageError(
            "there are not so many inputs", where=given[0], got=f"--row {row}", expected=f"0 to {len(x) - 1}"
        )
    x = x[row : row + 1]
    loss, penalty = settings_of(Path(run))
    wanted = None
    if target is not None:
        refuse_target(model)
    said = None if model.schema.kind in STEPS else predicted(model, x, names[row])
    if said is None:
        pass
    elif model.task == "classes":
        wanted = model_targets(model, said.label if target is None else target, 1)
    elif target is not None:
        wanted = model_targets(model, values_from(target, len(model.outputs)), 1)
    if form == "--check":
        from glassnet.glassbox.comparison import as_text

        found = gradient_check(model.net, x, wanted, loss=torch_loss(**loss))
        click.echo(as_text(found), nl=False)
        return 0 if found.passed else FAILED_CODE
    opened = open_module(model.net, x, wanted, loss=gate_loss(**loss))
    upstream = None if wanted is not None else ones(opened)
    opened.graph.backward(upstream)
    subject = Path(given[0]).name + (f" ({names[row]})" if len(names) > 1 else "")
    title = heading(model, said, subject, target)
    if form:
        show(opened.graph, opened.values, form, upstream, penalty)
    elif svg_file is None:
        for line in overview(opened, title, len(names)):
            click.echo(line)
    draw(opened.graph, svg_file, title)
    return 0


def show(
    graph: Graph, values: dict[str, Array], form: str, upstream: Array | None, penalty: dict[str, Any] | None = None
) -> None:
    """The graph in one of the forms that there are for both."""
    from glassnet.glassbox import recursion, to_json, walk
    from glassnet.glassbox.table import as_text

    if form == "--step":
        tell(walk(graph, values, upstream))
    elif form == "--table":
        click.echo(as_text(recursion(graph, **(penalty or {}))), nl=False)
    else:
        click.echo(json.dumps(to_json(graph), ensure_ascii=False))


def tell(steps: Iterator[str]) -> None:
    """One step after another; on a terminal each when Enter is pressed."""
    waits = sys.stdin.isatty() and sys.stdout.isatty()
    for number, text in enumerate(steps):
        if number:
            if waits:
                click.echo(click.style("Enter: on, q: leave ", dim=True), nl=False)
                answer = sys.stdin.readline()
                if not answer or answer.strip().lower() == "q":
                    return
            else:
                click.echo("")
        first, *rest = text.split("\n")
        click.echo(click.style(first, bold=True))
        for line in rest:
            click.echo(line)


def draw(graph: Graph, svg_file: str | None, heading: str) -> None:
    """The picture, where one is asked for."""
    if svg_file is None:
        return
    from glassnet.files import write_file
    from glassnet.glassbox import svg

    write_file(Path(svg_file), svg(graph, heading=heading))
    click.echo(f"drawn into {svg_file}", err=True)


def overview(opened: Opened, title: str, several: int) -> Iterator[str]:
    """What can be said in a few lines."""
    from glassnet.glassbox.figures import figure, shape, size_of

    graph = opened.graph
    gates = [node for node in graph.nodes if node.kind == "gate"]
    parameters = [node for node in graph.parameters.values() if node.value is not None]
    numbers = sum(node.value.size for node in parameters if node.value is not None)
    yield title
    if several > 1:
        yield f"the file holds {several:,} inputs, of which this is one; --row N opens another"
    result = graph.output.value
    ends = f"; {graph.output.name} {figure(float(result.item()))}" if result is not None and result.size == 1 else ""
    yield f"{len(graph.nodes)} nodes: {len(gates)} gates, {len(parameters)} parameter arrays of {numbers:,} numbers{ends}"
    yield f"its output by hand and by PyTorch, both in float64, differ by {opened.largest_difference:.1g} at most"
    yield f"largest gradients of {len(parameters)} (root mean square of the numbers)"
    ordered = sorted(parameters, key=lambda node: -size_of(node.gradient))[:SHOWN]
    width = max((len(node.name) for node in ordered), default=0)
    for node in ordered:
        yield f"  {node.name:<{width}}  {figure(size_of(node.gradient)):>10}  {shape(node.shape or ())}"
    smallest = min(parameters, key=lambda node: size_of(node.gradient), default=None)
    if smallest is not None and len(parameters) > SHOWN:
        yield f"  smallest: {smallest.name} {figure(size_of(smallest.gradient))}"
    yield "gate by gate: --step   layer by layer: --table   as a picture: --svg FILE   checked three ways: --check"


def heading(model: Model, said: Any, subject: str, target: str | None) -> str:
    """What is looked at, in one line."""
    net = str(model.net_json.get("zoo") or model.net_json.get("class") or type(model.net).__name__)
    if said is None:
        return f"{subject}: what {net} says at every step; gradients are those of the sum of all outputs"
    if model.task == "classes":
        asked = f"the loss asks for {said.label if target is None else target}" + (
            ", as predicted" if target is None else ""
        )
        return f"{subject}: {net} says {said.label} ({said.probability:.1%}); {asked}"
    values = ", ".join(f"{name} {value:.6g}" for name, value in zip(model.outputs, said.values, strict=True))
    asked = f"; the loss asks for {target}" if target is not None else "; gradients are those of the output"
    return f"{subject}: {net} says {values}{asked}"


def predicted(model: Model, x: Any, name: str) -> Any:
    """What the model says of a preprocessed input."""
    import torch

    with torch.inference_mode():
        outputs = model.net.eval()(x.float() if x.is_floating_point() else x)
    if model.target_scale is not None:
        outputs = model.target_scale.decode(outputs)
    elif outputs.shape[1] == 1:
        outputs = torch.cat((torch.zeros_like(outputs), outputs), dim=1)
    scaled = outputs / model.temperature if model.task == "classes" else outputs
    return next(iter(model.told([name], scaled)))


def settings_of(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The loss and the penalty that a run was trained with, from its recipe; the usual ones where there is none."""
    from glassnet.recipe import Recipe

    places = [folder / "recipe.toml" for folder in (run, run.parent) if (folder / "recipe.toml").is_file()]
    if not places:
        return {"name": "auto"}, {}
    recipe = Recipe.from_toml(places[0])
    loss = {
        "name": recipe.loss.name,
        "label_smoothing": recipe.loss.label_smoothing if isinstance(recipe.loss.label_smoothing, float) else 0.0,
        "j": recipe.loss.j,
    }
    regularise = recipe.regularise
    return loss, {"l2": regularise.l2, "l1": regularise.l1, "on": tuple(regularise.on)}


def ones(opened: Opened) -> Any:
    """∂L/∂output where nothing is asked of the output: each number counts as it is."""
    import numpy as np

    value = opened.graph.output.value
    return None if value is None or value.size == 1 else np.ones(value.shape)


def values_from(text: str, count: int) -> list[list[float]]:
    """Numbers between commas, one for each output.

    Raises:
        UsageError: others, or not so many.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count:
        raise UsageError(
            "the target is not what this model predicts",
            where="--target",
            got=text,
            expected="a number" if count == 1 else f"{count} numbers between commas",
        )
    return [values]
