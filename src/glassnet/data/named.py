"""Well-known data sets by name: found on this machine, or downloaded once from their authors' addresses."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.download import Address, Progress, fetch, unpack
from glassnet.data.walk import shown
from glassnet.errors import DataError, GlassnetError
from glassnet.files import cache_folder, make_folder


@dataclass(frozen=True)
class NamedSet:
    """A data set that can be asked for by its name.

    Attributes:
        about: one line for a list of data sets.
        files: what to download, with checksums; empty where no trustworthy address exists.
        members: of an archive, the files to take out.
        size: of the download in bytes, roughly.
    """

    about: str
    files: tuple[Address, ...] = ()
    members: tuple[str, ...] = ()
    size: int = 0


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FASHION = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
_CIFAR = "https://www.cs.toronto.edu/~kriz/"

NAMED: dict[str, NamedSet] = {
    "mnist": NamedSet(
        "60,000 + 10,000 handwritten digits, 28 x 28 grey",
        (
            Address(_MNIST + "train-images-idx3-ubyte.gz", "md5", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            Address(_MNIST + "train-labels-idx1-ubyte.gz", "md5", "d53e105ee54ea40749a09fcbcd1e9432"),
            Address(_MNIST + "t10k-images-idx3-ubyte.gz", "md5", "9fb629c4189551a2d022fa330f9573f3"),
            Address(_MNIST + "t10k-labels-idx1-ubyte.gz", "md5", "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
        size=11_600_000,
    ),
    "fashion-mnist": NamedSet(
        "60,000 + 10,000 pieces of clothing, 28 x 28 grey",
        (
            Address(_FASHION + "train-images-idx3-ubyte.gz", "md5", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            Address(_FASHION + "train-labels-idx1-ubyte.gz", "md5", "25c81989df183df01b3e8a0aad5dffbe"),
            Address(_FASHION + "t10k-images-idx3-ubyte.gz", "md5", "bef4ecab320f06d8554ea6380940ec79"),
            Address(_FASHION + "t10k-labels-idx1-ubyte.gz", "md5", "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        size=30_900_000,
    ),
    "notmnist": NamedSet("letters A to J from many fonts, 28 x 28 grey"),
    "cifar10": NamedSet(
        "50,000 + 10,000 photos of 10 kinds of things, 32 x 32 colour",
        (Address(_CIFAR + "cifar-10-binary.tar.gz", "md5", "c32a1d4ab5d03f1284b67883e8d87530"),),
        (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin", "batches.meta.txt"),
        170_000_000,
    ),
    "cifar100": NamedSet(
        "50,000 + 10,000 photos of 100 kinds of things, 32 x 32 colour",
        (Address(_CIFAR + "cifar-100-binary.tar.gz", "md5", "03b5dce01913d631647c71ecec9e9cb8"),),
        ("train.bin", "test.bin", "fine_label_names.txt", "coarse_label_names.txt"),
        169_000_000,
    ),
}


def places(name: str, environment: Mapping[str, str] | None = None) -> list[Path]:
    """Where a named set is looked for: ``$GLASSNET_DATA/NAME``, then ``NAME`` in the cache folder, where downloads go."""
    environment = os.environ if environment is None else environment
    folders = []
    if environment.get("GLASSNET_DATA"):
        folders.append(Path(environment["GLASSNET_DATA"]) / name)
    return [*folders, cache_folder(environment) / name]


def locate(name: str, recognises: Callable[[Path], bool], progress: Progress | None = None) -> Path:
    """The folder of a named set, downloaded where it is not there yet.

    Args:
        name: a key of ``NAMED``.
        recognises: whether a folder holds a readable data set.
        progress: told of the file, the bytes so far and the bytes in all (None where unknown).

    Raises:
        DataError: it is nowhere and cannot be downloaded, or what was downloaded is damaged.
        SpaceError: no room or no permission for the download.
    """
    wanted = NAMED[name]
    looked = places(name)
    for folder in looked:
        if folder.is_dir() and _complete(folder, wanted, folder == looked[-1]) and recognises(folder):
            return folder
    target = looked[-1]
    tried = ", ".join(shown(folder) for folder in looked)
    if not wanted.files:
        raise DataError(
            f"'{name}' is not on this machine, and there is no address to download it from with a checksum",
            got=f"looked in {tried}",
            fix=f"put its files into {shown(target)}, or name your own folder",
        )
    make_folder(target)
    for address in wanted.files:
        if not (target / address.file).is_file():
            try:
                fetch(address, target, progress)
            except DataError as error:
                raise _could_not(name, wanted, target, tried, error) from error
        if wanted.members:
            unpack(target / address.file, target, wanted.members)  # an archive that is there says itself what is wrong
    return target


def _complete(folder: Path, wanted: NamedSet, ours: bool) -> bool:
    """Whether a download into our own folder came to its end; other people's folders are theirs to fill."""
    needed = wanted.members or tuple(address.file for address in wanted.files)
    return (
        not ours
        or all((folder / file).is_file() for file in needed)
        or not any((folder / file).exists() for file in needed)
    )


def _could_not(name: str, wanted: NamedSet, target: Path, tried: str, error: GlassnetError) -> DataError:
    return DataError(
        f"'{name}' is not on this machine and could not be downloaded: {error.problem}",
        where=error.where,
        got=f"{error.got or error.problem}; looked in {tried}",
        expected=error.expected,
        fix=f"check the network, or download {', '.join(address.url for address in wanted.files)} elsewhere and put "
        f"the {'unpacked ' if wanted.members else ''}files into {shown(target)}",
    )
