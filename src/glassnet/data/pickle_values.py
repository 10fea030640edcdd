"""Plain values and byte arrays out of a pickle that is never run.

A pickle is a program, and loading one can do anything. CIFAR's Python version comes as pickles all the same. Here the few opcodes that
it needs are interpreted: names of functions and classes stay names, nothing is imported and nothing is called. Any other opcode, and
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
_DTYPES = {"u1", "i1", "i2", "i4", "i8", "u2", "u4", "u8"}
_RECONSTRUCT = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
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


_MARK = _Name("mark")


def read_values(pickled: bytes) -> Any:
    """The value in a pickle: None, numbers, text, bytes, lists, tuples, dictionaries and NumPy arrays of integers.

    Text of Python 2 comes back as bytes.

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
        elif opcode == "BUILD":
            state = stack.pop()
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
        return {key: one.value if isinstance(one, _Array) else one for key, one in value.items()}
    return value.value if isinstance(value, _Array) else value


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise RefusedPickle(f"damaged (a {kind.__name__} was expected)")
    return value
