"""Which layers there are to look at, so that nobody has to know a layer's name."""

from __future__ import annotations

from torch import Tensor, nn

from glassnet.errors import UsageError, unknown
from glassnet.layer_table.trace import is_atomic
from glassnet.zoo import Net

SILENT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.Identity, nn.Flatten, nn.Unflatten)
MOST = 24  # with more layers than this the stages of the zoo's contract are shown instead


def layers(net: nn.Module, which: str | list[str] | None = None) -> list[tuple[str, nn.Module]]:
    """Modules worth looking at, by name.

    Args:
        net: any module.
        which: ``stages`` takes what a network of the zoo names as its stages (all layers of other modules), ``all`` every module without parts of
            its own that changes its input, a list the modules of these names. None takes ``all``, or ``stages`` where that would be more than 24.

    Raises:
        UsageError: no such layer.
    """
    if isinstance(which, list):
        known = {name: module for name, module in net.named_modules() if name}
        for name in which:
            if name not in known:
                raise unknown("layer", name, known)
        return [(name, known[name]) for name in which]
    if which not in (None, "stages", "all"):
        raise UsageError(
            "layers are chosen by 'stages', 'all' or a list of names",
            where="layers",
            got=which,
            fix=f"put the name of a layer into a list: [{which!r}]",
        )
    small = list(_atoms(net, "", set()))
    if which == "all" or (which is None and len(small) <= MOST):
        return small
    return [(name, net.get_submodule(name)) for name in net.stages] if isinstance(net, Net) else small


def spatial(outputs: dict[str, Tensor]) -> list[str]:
    """Names of the layers whose outputs are maps (batch, channels, height, width) of more than one pixel."""
    return [name for name, out in outputs.items() if out.ndim == 4 and min(out.shape[2:]) > 1]


def _atoms(module: nn.Module, path: str, done: set[nn.Module]) -> list[tuple[str, nn.Module]]:
    if module in done:
        return []
    done.add(module)
    if is_atomic(module):
        return [] if isinstance(module, SILENT) or not path else [(path, module)]
    found = []
    for name, child in module.named_children():
        found += _atoms(child, f"{path}.{name}" if path else name, done)
    return found
