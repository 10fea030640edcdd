"""Weights of a file into a network: all of them, or an error that lists in words what does not fit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from torch import Tensor, nn

from glassnet.data.walk import shown
from glassnet.errors import ModelError
from glassnet.pretrained.naming import OWN, Naming, caution, is_of_own_model, naming_of
from glassnet.pretrained.reading import Weights

HEAD = "head."
CLASSIFIERS = (HEAD, "auxiliary4a.linear.", "auxiliary4d.linear.")  # whose outputs are the classes; GoogLeNet has three
COUNTERS = "num_batches_tracked"  # batch norm's count of batches, which old files lack and predictions do not use
MOST_TOLD = 5  # names of one kind in an error


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
        caution: what such files usually do otherwise than this network.
        preprocess: by what name the inputs are prepared that such files expect; empty where it is not known.
    """

    path: str
    origin: str
    count: int
    left: tuple[str, ...] = ()
    why: str = ""
    unused: tuple[str, ...] = ()
    caution: str = ""
    preprocess: str = ""

    def sentence(self) -> str:
        """What was loaded, left and not used, in words."""
        told = f"{self.count:,} numbers loaded, with the names of {self.origin}"
        if self.left:
            told += f"; {_listed(self.left)} left at the start, because {self.why}"
        if self.unused:
            told += f"; not used: {_listed(self.unused)}"
        if self.caution:
            told += f"; {self.caution}"
        return told


def load_into(net: nn.Module, weights: Weights) -> Loaded:
    """Copy a file's weights into a network, converted to its number type.

    The names may be ours, torchvision's, timm's or those of the common CIFAR ResNets. A convolution over
    the whole map fits a fully connected layer of the same size. A head (the parameters named ``head.…``) whose last layer has another number of outputs in the file, or that the
    file lacks, is left as it is. Anything else that does not fit is an error, and then nothing of the network is changed.

    Args:
        net: of the zoo or any other; changed in place.
        weights: as :func:`glassnet.pretrained.reading.read_weights` returns them.

    Raises:
        ModelError: names that are missing in the file or unknown to the network, wrong shapes, weights that are not finite; all at once.
    """
    wanted = {name: place for name, place in net.state_dict(keep_vars=True).items() if isinstance(place, Tensor)}
    naming, prefix = naming_of(weights.tensors.keys(), wanted)
    given, twice, unused = _renamed(weights.tensors, naming, prefix, wanted)
    missing = [name for name in wanted if name not in given and not name.endswith(COUNTERS)]
    unexpected = [theirs for name, (theirs, _) in given.items() if name not in wanted and not name.endswith(COUNTERS)]
    fitting, wrong = _shaped(given, wanted)
    left, why = _other_head(missing, wrong, given, wanted)
    missing = [name for name in missing if name not in left]
    wrong = [name for name in wrong if name not in left]
    whole = [name for name in fitting if wanted[name].is_floating_point() > given[name][1].is_floating_point()]
    faulty = [name for name, tensor in fitting.items() if not tensor.isfinite().all()]
    troubles = [
        *_told("in the network but not in the file", missing),
        *_told("in the file but not in the network", unexpected),
        *_told("twice in the file, under names that mean the same", twice),
        *_told(
            "of another shape", [f"{_as_given(name, given)} {_misfit(given[name][1], wanted[name])}" for name in wrong]
        ),
        *_told("of whole numbers (quantised?)", [_as_given(name, given) for name in whole]),
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
    return Loaded(
        weights.path,
        naming.origin,
        count,
        tuple(left),
        why,
        tuple(unused),
        caution(naming, net),
        _expected(naming, weights.path),
    )


def _expected(naming: Naming, path: str) -> str:
    """The preprocessing of the library that the names tell, or that of a model of ours whose folder the file lies in."""
    if naming is not OWN:
        return naming.preprocess
    try:
        told = json.loads(Path(path).with_name("model.json").read_text(encoding="utf-8"))["preprocess"]["name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return told if isinstance(told, str) else ""


def _renamed(
    tensors: Mapping[str, Tensor], naming: Naming, prefix: str, wanted: Mapping[str, Tensor]
) -> tuple[dict[str, tuple[str, Tensor]], list[str], list[str]]:
    """Our name -> (the file's name, tensor); names met a second time; names that need no place."""
    given: dict[str, tuple[str, Tensor]] = {}
    twice, unused = [], []
    for theirs, tensor in tensors.items():
        bare = theirs.removeprefix(prefix)
        name = naming.ours(bare)
        if name not in wanted and is_of_own_model(theirs):
            continue
        if name in given:
            twice.append(theirs)
        elif name not in wanted and naming.is_unused(bare):
            unused.append(theirs)
        else:
            given[name] = (theirs, tensor)
    return given, twice, unused


def _shaped(
    given: Mapping[str, tuple[str, Tensor]], wanted: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[str]]:
    """What fits, in the network's shapes and number types; and the names of what does not."""
    fitting: dict[str, Tensor] = {}
    wrong = []
    for name, place in wanted.items():
        if name not in given:
            continue
        tensor = given[name][1]
        if tensor.shape == place.shape or (2 in (tensor.dim(), place.dim()) and _dense(tensor) == _dense(place)):
            fitting[name] = tensor.reshape(place.shape).to(place.dtype)
        else:
            wrong.append(name)
    return fitting, wrong


def _dense(tensor: Tensor) -> tuple[int, int]:
    """Outputs and inputs of a weight, seen as that of a fully connected layer: a convolution over the whole map is one."""
    return (tensor.shape[0], prod(tensor.shape[1:])) if tensor.dim() else (0, 0)


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
    mine = [name for name in wrong if name.startswith(CLASSIFIERS)]
    if not mine or any(_dense(given[name][1])[1] != _dense(wanted[name])[1] for name in mine):
        return [], ""
    theirs, ours = {_dense(given[name][1])[0] for name in mine}, {_dense(wanted[name])[0] for name in mine}
    if len(theirs) > 1 or len(ours) > 1:
        return [], ""
    return mine, f"the file has {theirs.pop():,} outputs and this network {ours.pop():,}"


def _as_given(name: str, given: Mapping[str, tuple[str, Tensor]]) -> str:
    theirs = given[name][0]
    return name if theirs == name else f"{name} ({shown(theirs)})"


def _misfit(tensor: Tensor, place: Tensor) -> str:
    return f"{'×'.join(map(str, tensor.shape)) or 'one number'} instead of {'×'.join(map(str, place.shape)) or 'one number'}"


def _what_fits(fitting: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    counted = [name for name in wanted if not name.endswith(COUNTERS)]
    return f"{sum(name in fitting for name in counted)} of {len(counted)} tensors fit"


def _told(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{len(names)} {what}: {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    told = ", ".join(shown(name) for name in names[:MOST_TOLD])
    return told + (f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else "")
