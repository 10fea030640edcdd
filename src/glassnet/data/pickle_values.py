"""Plain values and byte arrays out of a pickle that is never run.

A pickle is a program, and loading one can do anything. CIFAR's Python version and Planetoid's graphs come as pickles all the same. Here the few
opcodes that they need are interpreted: names of functions and classes stay names, nothing is imported and nothing is called. Any other opcode, and
any other name, is refused. The opcodes are documented in the standard library's ``pickletools``.
"""

from __future__ import annotations

import pickletools
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_OPCODES = 5_000_000
_DTYPES = {"u1", "i1", "i2", "i4", "i8", "u2", "u4", "u8", "f4", "f8"}
_RECONSTRUCT = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
_SPARSE = {"scipy.sparse.csr csr_matrix", "scipy.sparse._csr csr_matrix"}
_EMPTY = {
    "collections defaultdict": dict
}  # what it is made with, says what a missing key would give; here nothing is missing
_VALUES = {
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG1", "FLOAT", "BINFLOAT"),
    *("SHORT_BINSTRING", "BINSTRING", "STRING", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
    *("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"),
}


class RefusedPickle(ValueError):  # noqa: N818 - callers turn it into an error with the file's name
    """A pickle that is damaged or wants more than plain values and byte arrays."""


@dataclass(frozen=True)
class _Name:
    """What stands for a function or a class: its name, and nothing else."""

    name: str


@dataclass
class _Array:
    """An array under construction."""

    value: NDArray[Any] = field(default_factory=lambda: np.empty(0, np.uint8))


@dataclass
class _Dtype:
    """The type of an array's numbers, under construction."""

    code: str
    order: str = "|"


@dataclass
class SparseRows:
    """What SciPy's ``csr_matrix`` holds: of each row the columns that are not 0, and what stands in them."""

    fields: dict[str, Any] = field(default_factory=dict)

    def dense(self, most: int) -> NDArray[np.float32]:
        """All numbers, float32 (rows, columns).

        Args:
            most: numbers that may be in it.

        Raises:
            RefusedPickle: a field is missing or does not fit the others, or there are too many numbers.
        """
        shape: Any = self.fields.get("_shape", self.fields.get("shape"))
        sizes = isinstance(shape, tuple) and len(shape) == 2 and all(type(size) is int and size >= 0 for size in shape)
        if not sizes or shape[0] * shape[1] > most:
            raise RefusedPickle(f"a sparse matrix of impossible shape {shape}")
        given: list[Any] = [self.fields.get(name) for name in ("indptr", "indices", "data")]
        if not all(isinstance(each, np.ndarray) and each.ndim == 1 for each in given):
            raise RefusedPickle("a sparse matrix without its numbers")
        starts, columns, values = given
        fits = (
            len(starts) == shape[0] + 1
            and len(columns) == len(values)
            and starts.dtype.kind == "i"
            and columns.dtype.kind == "i"
            and len(starts) > 0
            and starts[0] == 0
            and starts[-1] == len(columns)
            and bool((np.diff(starts) >= 0).all())
            and (len(columns) == 0 or (columns.min() >= 0 and columns.max() < shape[1]))
        )
        if not fits:
            raise RefusedPickle("a sparse matrix whose parts do not fit together")
        made = np.zeros(shape, np.float32)
        np.add.at(made, (np.repeat(np.arange(shape[0]), np.diff(starts)), columns), values)
        return made


_MARK = _Name("mark")


def read_values(pickled: bytes) -> Any:
    """The value in a pickle: None, numbers, text, bytes, lists, tuples, dictionaries, NumPy arrays, sparse rows.

    Arrays hold numbers; what SciPy calls ``csr_matrix`` comes back as :class:`SparseRows`. Text of Python 2 comes back as bytes.

    Raises:
        RefusedPickle: the pickle is damaged, or holds anything else.
    """
    machine = _Machine()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pickletools about odd escapes in damaged text
            for count, (opcode, argument, _) in enumerate(pickletools.genops(pickled)):
                if count > MAX_OPCODES:
                    raise RefusedPickle(f"more than {MAX_OPCODES:,} opcodes")
                machine.step(opcode.name, argument)
        return _finished(machine.result)
    except RefusedPickle:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, AttributeError, MemoryError) as error:
        raise RefusedPickle(f"damaged ({str(error)[:80] or type(error).__name__})") from error


class _Machine:
    """The stack and the memo of the pickle machine."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.result: Any = None

    def step(self, opcode: str, argument: Any) -> None:
        stack = self.stack
        if opcode in _VALUES:
            # Python 2 text comes decoded as latin-1 by pickletools.
            stack.append(argument.encode("latin-1") if "STRING" in opcode else argument)
            if opcode in ("NONE", "NEWTRUE", "NEWFALSE"):
                stack[-1] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[opcode]
        elif opcode in ("PROTO", "FRAME"):
            pass
        elif opcode == "MARK":
            stack.append(_MARK)
        elif opcode in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[argument] = stack[-1]
        elif opcode == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[argument])
        elif opcode in ("EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE"):
            stack.append({"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}[opcode]())
        elif opcode in ("TUPLE1", "TUPLE2", "TUPLE3"):
            size = int(opcode[-1])
            stack[-size:] = [tuple(self.popped(size))]
        elif opcode in ("TUPLE", "LIST"):
            stack.append((tuple if opcode == "TUPLE" else list)(self.marked()))
        elif opcode in ("APPEND", "APPENDS"):
            items = [stack.pop()] if opcode == "APPEND" else self.marked()
            _expect(stack[-1], list).extend(items)
        elif opcode in ("SETITEM", "SETITEMS", "DICT"):
            items = self.popped(2) if opcode == "SETITEM" else self.marked()
            if opcode == "SETITEM":
                del stack[-2:]
            if opcode == "DICT":
                stack.append({})
            _expect(stack[-1], dict).update(zip(items[0::2], items[1::2], strict=True))
        elif opcode == "GLOBAL":
            stack.append(_Name(argument))
        elif opcode == "STACK_GLOBAL":
            module, name = self.popped(2)
            stack[-2:] = [_Name(f"{_expect(module, str)} {_expect(name, str)}")]
        elif opcode == "REDUCE":
            name, arguments = self.popped(2)
            stack[-2:] = [_stand_in(_expect(name, _Name).name, _expect(arguments, tuple))]
        elif opcode == "NEWOBJ":
            name, arguments = self.popped(2)
            if _expect(name, _Name).name not in _SPARSE or arguments != ():
                raise RefusedPickle(f"it asks for {name.name[:80]!r}, which plain values do not need")
            stack[-2:] = [SparseRows()]
        elif opcode == "BUILD":
            state = stack.pop()
            if isinstance(stack[-1], SparseRows):
                fields = _expect(state, dict)
                stack[-1].fields = {_key(key): _value(value) for key, value in fields.items()}
            else:
                _build(stack[-1], _expect(state, tuple))
        elif opcode == "STOP":
            self.result = stack.pop()
        else:
            raise RefusedPickle(f"opcode {opcode} is not needed for plain values")

    def popped(self, count: int) -> list[Any]:
        """The topmost values, left on the stack."""
        if len(self.stack) < count:
            raise RefusedPickle("damaged (its stack runs empty)")
        return self.stack[-count:]

    def marked(self) -> list[Any]:
        """The values above the topmost mark, taken off together with it."""
        for position in range(len(self.stack) - 1, -1, -1):
            if self.stack[position] is _MARK:
                items = self.stack[position + 1 :]
                del self.stack[position:]
                return items
        raise RefusedPickle("damaged (a mark is missing)")


def _stand_in(name: str, arguments: tuple[Any, ...]) -> Any:
    if name in _RECONSTRUCT:
        return _Array()
    if name in _EMPTY:
        return _EMPTY[name]()
    if name == "numpy dtype":
        code = arguments[0].decode("ascii") if isinstance(arguments[0], bytes) else str(arguments[0])
        if code not in _DTYPES:
            raise RefusedPickle(f"an array of type {code[:20]!r}")
        return _Dtype(code)
    if name == "_codecs encode" and arguments[1] in ("latin1", b"latin1"):  # how Python 3 writes bytes in protocol 2
        return _expect(arguments[0], str).encode("latin-1")
    raise RefusedPickle(f"it asks for {name[:80]!r}, which plain values do not need")


def _build(target: Any, state: tuple[Any, ...]) -> None:
    if isinstance(target, _Dtype):
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        target.order = {"<": "<", ">": ">"}.get(order, "|" if target.code.endswith("1") else "=")
    elif isinstance(target, _Array):
        _, shape, dtype, fortran, content = state
        numbers = np.frombuffer(_expect(content, bytes), np.dtype(_expect(dtype, _Dtype).order + dtype.code))
        if not all(type(size) is int and size >= 0 for size in _expect(shape, tuple)):
            raise RefusedPickle("an array of impossible shape")
        target.value = numbers.reshape(shape, order="F" if fortran else "C")
    else:
        raise RefusedPickle("it builds something else than an array")


def _finished(value: Any) -> Any:
    """The result with arrays in the place of their stand-ins; deeper than one dictionary no file of ours goes."""
    if isinstance(value, dict):
        return {key: _value(one) for key, one in value.items()}
    return _value(value)


def _value(value: Any) -> Any:
    return value.value if isinstance(value, _Array) else value


def _key(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise RefusedPickle(f"damaged (a {kind.__name__} was expected)")
    return value
