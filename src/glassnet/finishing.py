"""From a trained network to a model that one can trust: finished, saved, measured beside simple ways, and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from glassnet.assembly import Assembly
from glassnet.combined import Ensemble
from glassnet.data.augment.build import border_of
from glassnet.data.dataset import Data
from glassnet.data.preprocess import Preprocess
from glassnet.evaluate import rivals_of
from glassnet.evaluate.rivals import BUDGET_SECONDS
from glassnet.evaluate.temperature import fit_temperature
from glassnet.gain import gains
from glassnet.joining import ensemble
from glassnet.layers.twin import twin
from glassnet.measuring import entities_in, figures_of, forecast_beside, said_of
from glassnet.model import Model
from glassnet.recipe import Recipe
from glassnet.report import story_of_run, write_report
from glassnet.resolve import LOOKS
from glassnet.runs import Recorder, RunFolder, now
from glassnet.training.snapshots import Snapshots, cycle_ends
from glassnet.training.state import State

# For all rivals together: whoever asks for a quick answer waits less for what stands beside it too.
RIVAL_SECONDS = {"full": BUDGET_SECONDS, "quick": 3.0}
# Said before the measuring in place of the usual sentence.
TOLD_OF_MEASURING = {
    "language": "measuring what counting reaches, and writing a sample",
    "translation": "translating, and measuring what the nearest known texts reach",
}


def finished_model(parts: Assembly, state: State, data: Data, fingerprint: str, folder: RunFolder) -> Model:
    """The best weights (or the snapshots) with all that is needed to predict, on the CPU and in float32."""
    net = parts.net.cpu()
    if state.best_weights is not None:
        net.load_state_dict(state.best_weights)
    model = Model(
        net=net.eval(),
        net_json=parts.net_json,
        preprocess=parts.preprocess.cpu(),
        schema=data.schema,
        task=data.task,
        classes=data.classes,
        outputs=data.outputs,
        target_scale=parts.target_scale,
        card={"data": data.name, "fingerprint": fingerprint, "trained": now(), "torch": torch.__version__}
        | harmless_changes(parts.recipe, data),
    )
    settings = parts.recipe.ensemble
    if not settings.snapshots:
        return calibrated(model, data)
    kept = snapshots_of(parts, folder).read(settings.last or settings.snapshots, until=state.step)
    models = []
    for weights in kept:
        copied = twin(net)
        copied.load_state_dict(weights)
        models.append(calibrated(replace(model, net=copied.eval()), data))
    return ensemble(models, answer=settings.answer, validation=data.parts.get("val"))


def calibrated(model: Model, data: Data) -> Model:
    """The same model with the temperature that fits the validation part."""
    if data.task != "classes" or "val" not in data.parts:
        return model
    return replace(model, temperature=fit_temperature(model.raw_outputs(data.val.inputs), data.val.answers))


def snapshots_of(parts: Assembly, folder: RunFolder) -> Snapshots:
    """Where and when the weights of this training are kept: nowhere and never, where no snapshots are asked for."""
    count, total = parts.recipe.ensemble.snapshots, int(parts.recipe.train.epochs) * parts.batches.steps_per_epoch
    return Snapshots(folder.path / "snapshots", cycle_ends(total, count) if count else [])


def harmless_changes(recipe: Recipe, data: Data) -> dict[str, Any]:
    """What a model's card says of the changes that its images were trained with, for looking at new ones in several ways."""
    if data.schema.kind != "image":
        return {}
    return {"augment": recipe.augment.given(), "border": border_of(data.schema.shape, data.train.some(LOOKS))}


def conclude(
    model: Model,
    data: Data,
    recipe: Recipe,
    preprocess: Preprocess,
    recorder: Recorder,
    tell: Callable[[str], None],
    members: Sequence[str] = (),
) -> dict[str, Any]:
    """Save a finished model, measure it as :func:`measure` does, and write the report; returns what ``result.json`` holds."""
    folder = recorder.folder
    model.save(folder.model)
    figures = measure(model, data, recipe, preprocess, recorder, tell, members)
    recorder.write_json("result", figures)
    write_report(story_of_run(folder, data, model), folder.report)
    return figures


def measure(
    model: Model,
    data: Data,
    recipe: Recipe,
    preprocess: Preprocess,
    recorder: Recorder,
    tell: Callable[[str], None],
    members: Sequence[str] = (),
) -> dict[str, Any]:
    """The figures on the test part (or, where there is none or the recipe asks so, on the validation part), beside baseline and rivals.

    Args:
        model: the finished one; of an ensemble the gain over its members is measured with the same look at the part.
        data: divided into parts.
        recipe: says which part is judged; where that is the validation part, the rivals are left for later too, unless it is a fold.
        preprocess: what the rivals' inputs are prepared by.
        recorder: of the run, which keeps count of the looks at the test part.
        tell: called with every sentence for people.
        members: names of an ensemble's members.
    """
    name = "test" if data.test is not None and recipe.data.judge == "test" else "val"
    part = data.parts[name]
    if name == "test":
        recorder.use_test("train", len(part))
    judged = recipe.data.judge == "test" or recipe.data.fold is not None  # a fold stands for data that nobody has seen
    if judged or data.task in TOLD_OF_MEASURING:
        tell(TOLD_OF_MEASURING.get(data.task, "measuring the baseline and a cheap rival"))
    said = said_of(model, data, name)
    seconds = RIVAL_SECONDS[recipe.train.effort]
    rivals = rivals_of(data, preprocess, part=name, budget_seconds=seconds, seed=recipe.train.seed) if judged else []
    result: dict[str, Any] = {
        "part": name,
        "samples": len(part),
        "task": data.task,
        "figures": figures_of(model, data, name, said).to_json(),
        "rivals": [asdict(rival) for rival in rivals],
    }
    if judged:
        result |= forecast_beside(said, data, name, preprocess)
    result |= entities_in(said, data, name)
    return result | ({"ensemble": gains(model, data, name, members)} if isinstance(model.net, Ensemble) else {})
