"""A training's state in its run folder: saved so that it goes on as if nothing had happened, events included."""

from __future__ import annotations

from glassnet.errors import ModelError
from glassnet.runs import Recorder
from glassnet.training import checkpoint
from glassnet.training.state import State


def save(state: State, recorder: Recorder) -> None:
    """Write a checkpoint of the state, with how far the growing files of the folder had come."""
    tree = {"state": state.state_dict(), "lengths": recorder.lengths()}
    checkpoint.save(recorder.folder.checkpoints, state.step, tree, epoch=state.epoch)


def restore(state: State, recorder: Recorder, earlier: checkpoint.Newest | None) -> None:
    """Bring state and growing files back to a checkpoint; without one the files begin anew.

    Args:
        state: of the training, just built.
        recorder: of its folder.
        earlier: what :func:`glassnet.training.checkpoint.load_newest` found.

    Raises:
        ModelError: the checkpoint is of another network, or of one of which other parameters are trained; the folder is left as it is.
    """
    if earlier is None:
        recorder.cut({})
        return
    tree, place, _ = earlier
    try:
        state.load_state_dict(tree["state"])
    except (
        RuntimeError,
        ValueError,
        KeyError,
    ) as error:  # what PyTorch raises of other names, shapes and numbers of parameters
        raise ModelError(
            "the checkpoint does not fit this network",
            where=place,
            got=str(error).strip().splitlines()[-1].strip(),
            expected="the network that the run was begun with, of this version of Glassnet",
            fix=f"give that network, or train anew: glassnet train --recipe {recorder.folder.recipe} --out NEW",
        ) from error
    recorder.cut(tree["lengths"])
