"""Weights of a file into a network: all of them, or an error that lists in words what does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassnet.data.walk import shown
from glassnet.errors import ModelError
from glassnet.pretrained.naming import Naming, naming_of
from glassnet.pretrained.reading import Weights

HEAD = "head."
COUNTERS = "num_batches_tracked"  # batch norm's count of batches, which old files lack and predictions do not use
MOST_TOLD = 8  # names of one kind in an error


@dataclass(frozen=True)
class Loaded:
    """What came of loading.

    Attributes:
        path: the file.
        origin: whose names it has.
        count: numbers taken over, running averages among them.
        left: parameters left at their start: the head's, where the file's has another number of classes or none.
        why: why they were left.
        unused: names in the file that the network has no place for and needs none.
    """

    path: str
    origin: str
    count: int
    left: tuple[str, ...] = ()
    why: str = ""
    unused: tuple[str, ...] = ()

    def sentence(self) -> str:
        """What was loaded, left and not used, in words."""
        told = f"{self.count:,} numbers loaded from {self.path}, with the names of {self.origin}"
        if self.left:
            told += f"; {_listed(self.left)} left at the start, because {self.why}"
        if self.unused:
            told += f"; not used: {_listed(self.unused)}"
        return told


def load_into(net: nn.Module, weights: Weights) -> Loaded:
    """Copy a file's weights into a network, converted to its number type.

    The names may be ours, torchvision's, timm's or those of the common CIFAR ResNets. A 1×1 convolution fits a fully connected layer of
    the same size. A head (the parameters named ``head.…``) whose last layer has another number of outputs in the file, or that the
    file lacks, is left as it is. Anything else that does not fit is an error, and then nothing of the network is changed.

    Args:
        net: of the zoo or any other; changed in place.
        weights: as :func:`glassnet.pretrained.reading.read_weights` returns them.

    Raises:
        ModelError: names that are missing in the file or unknown to the network, wrong shapes, weights that are not finite; all at once.
    """
    wanted = net.state_dict(keep_vars=True)
    naming = naming_of(weights.tensors.keys(), wanted)
    given, twice, unused = _renamed(weights.tensors, naming, wanted)
    missing = [name for name in wanted if name not in given and not name.endswith(COUNTERS)]
    unexpected = [theirs for name, (theirs, _) in given.items() if name not in wanted and not name.endswith(COUNTERS)]
    fitting, wrong = _shaped(given, wanted)
    left, why = _other_head(missing, wrong, given, wanted)
    missing = [name for name in missing if name not in left]
    wrong = [name for name in wrong if name not in left]
    faulty = [name for name, tensor in fitting.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    troubles = [
        *_told("in the network but not in the file", missing),
        *_told("in the file but not in the network", unexpected),
        *_told("twice in the file, under names that mean the same", twice),
        *_told(
            "of another shape", [f"{_as_given(name, given)} {_misfit(given[name][1], wanted[name])}" for name in wrong]
        ),
        *_told("with NaN or infinite numbers", [_as_given(name, given) for name in faulty]),
    ]
    if troubles:
        raise ModelError(
            f"the weights do not fit the network ({_what_fits(fitting, wanted)} with the names of {naming.origin})",
            where=weights.path,
            got="\n            ".join(troubles),
            expected=f"the weights of {type(net).__name__}, built with the options that the file's network had",
            fix="choose the net and the options (--net, --set net.OPTION=...) that the file was made with",
        )
    with torch.no_grad():
        for name, tensor in fitting.items():
            wanted[name].copy_(tensor)
    count = sum(tensor.numel() for name, tensor in fitting.items() if not name.endswith(COUNTERS))
    return Loaded(weights.path, naming.origin, count, tuple(left), why, tuple(unused))


def _renamed(
    tensors: Mapping[str, Tensor], naming: Naming, wanted: Mapping[str, Tensor]
) -> tuple[dict[str, tuple[str, Tensor]], list[str], list[str]]:
    """Our name -> (the file's name, tensor); names met a second time; names that need no place."""
    given: dict[str, tuple[str, Tensor]] = {}
    twice, unused = [], []
    for theirs, tensor in tensors.items():
        name = naming.ours(theirs)
        if name in given:
            twice.append(shown(theirs))
        elif name not in wanted and naming.is_unused(theirs):
            unused.append(theirs)
        else:
            given[name] = (theirs, tensor)
    return given, twice, unused


def _shaped(
    given: Mapping[str, tuple[str, Tensor]], wanted: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[str]]:
    """What fits, in the network's shape; and the names of what does not."""
    fitting: dict[str, Tensor] = {}
    wrong = []
    for name, place in wanted.items():
        if name not in given:
            continue
        tensor = given[name][1]
        if _squeezed(tensor) == _squeezed(place) and tensor.numel() == place.numel():
            fitting[name] = tensor.reshape(place.shape)
        else:
            wrong.append(name)
    return fitting, wrong


def _squeezed(tensor: Tensor) -> tuple[int, ...]:
    """The shape of a weight as of a fully connected layer, where it is a 1×1 convolution."""
    shape = tuple(tensor.shape)
    return shape[:2] if len(shape) > 2 and set(shape[2:]) == {1} else shape


def _other_head(
    missing: Sequence[str],
    wrong: Sequence[str],
    given: Mapping[str, tuple[str, Tensor]],
    wanted: Mapping[str, Tensor],
) -> tuple[list[str], str]:
    """The head's parameters to leave alone, and why: another number of classes in its last layer, or no head at all."""
    head = [name for name in wanted if name.startswith(HEAD)]
    if head and all(name in missing for name in head):
        return head, "the file has no head"
    mine = [name for name in wrong if name.startswith(HEAD)]
    if not mine or any(_squeezed(given[name][1])[1:] != _squeezed(wanted[name])[1:] for name in mine):
        return [], ""
    theirs = {len(given[name][1]) if given[name][1].dim() else 0 for name in mine}
    ours = {len(wanted[name]) for name in mine}
    if len(theirs) > 1 or len(ours) > 1:
        return [], ""
    return mine, f"the file has {theirs.pop():,} outputs and this network {ours.pop():,}"


def _as_given(name: str, given: Mapping[str, tuple[str, Tensor]]) -> str:
    theirs = given[name][0]
    return name if theirs == name else f"{name} ({shown(theirs)})"


def _misfit(tensor: Tensor, place: Tensor) -> str:
    return f"{'×'.join(map(str, tensor.shape)) or 'one number'} instead of {'×'.join(map(str, place.shape)) or 'one number'}"


def _what_fits(fitting: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    return f"{len(fitting)} of {len(wanted)} tensors fit"


def _told(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{len(names)} {what}: {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    told = ", ".join(shown(name) for name in names[:MOST_TOLD])
    return told + (f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else "")
