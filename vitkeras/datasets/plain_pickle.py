"""Pickles read as data: dicts, lists, text, bytes, numbers and arrays of bytes. Nothing in them is ever called.

CIFAR-10 is published as pickles that Python 2 wrote, and a pickle is a program: it may call whatever it names.
`pickle.Unpickler` with a strict `find_class` still lets it grow the memo without bounds, hash what it likes, set
attributes on what it was allowed to find, and hand NumPy's constructors any shape. So this reader takes the opcodes
apart with `pickletools` and follows only those that build data. The four functions that pickled arrays name are known
here by name alone; what they would have done, for arrays of bytes, is done by `reduce` and `build` below.

>>> import pickle
>>> read(pickle.dumps({"labels": [6, 9], "batch_label": b"training batch 1 of 5"}, protocol=2))
{'labels': [6, 9], 'batch_label': b'training batch 1 of 5'}
"""

import enum
import math
import pickletools

import numpy as np

BYTE_TYPES = (b"u1", b"|u1")
MOST_INSTRUCTIONS = 1_000_000  # a batch has 60,000; one byte may ask for a hundred


class Forbidden(ValueError):
    """A pickle asks for something that is not data."""


class Known(enum.Enum):
    """The functions and classes in a pickled array."""

    RECONSTRUCT = "_reconstruct"
    NDARRAY = "ndarray"
    DTYPE = "dtype"
    ENCODE = "encode"


GLOBALS = {
    "numpy.core.multiarray _reconstruct": Known.RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": Known.RECONSTRUCT,
    "numpy ndarray": Known.NDARRAY,
    "numpy dtype": Known.DTYPE,
    "_codecs encode": Known.ENCODE,  # how Python 3 writes bytes in protocol 2
}


class Array:
    """An array under construction: a pickle names it first and fills it afterwards."""

    values = None


def read(data):
    """What the pickle `data` holds. `Forbidden`, or another `ValueError`, says what else was in it."""
    try:
        return plain(run(pickletools.genops(data)))
    except (IndexError, KeyError, TypeError, AttributeError) as fault:  # opcodes that do not fit together
        raise ValueError(f"the pickle is damaged ({type(fault).__name__}: {fault})") from fault


def run(opcodes):
    stack, outer, memo = [], [], {}
    for count, (opcode, argument, _) in enumerate(opcodes):
        if count == MOST_INSTRUCTIONS:
            raise Forbidden(f"it has more than {MOST_INSTRUCTIONS:,} instructions")
        match opcode.name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "MARK":
                outer.append(stack)
                stack = []
            case name if name in LITERALS:
                stack.append(LITERALS[name](argument))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(opcode.name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            case "TUPLE" | "APPENDS" | "SETITEMS":
                items, stack = stack, outer.pop()
                if opcode.name == "TUPLE":
                    stack.append(tuple(items))
                else:
                    extend(stack[-1], items)
            case "APPEND":
                extend(stack[-2], [stack.pop()])
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                extend(stack[-1], [key, value])
            case "BINPUT" | "LONG_BINPUT" | "PUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET" | "GET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(known(argument))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(known(latin(module).decode() + " " + latin(name).decode()))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(reduce(function, arguments))
            case "BUILD":
                build(stack, stack.pop())
            case "INST":
                known(argument)
                raise Forbidden("it makes an object of a class")
            case name:
                raise Forbidden(f"it has the instruction {name}, which data does not need")
    return stack.pop()


def same(value):
    return value


LITERALS = {
    "EMPTY_DICT": lambda _: {}, "EMPTY_LIST": lambda _: [], "EMPTY_TUPLE": lambda _: (),
    "NONE": lambda _: None, "NEWTRUE": lambda _: True, "NEWFALSE": lambda _: False,
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG1"), same),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), same),  # text and bytes in one, given as Latin-1
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES"), same),
}  # fmt: skip


def known(name):
    if name not in GLOBALS:
        raise Forbidden(f"it names {name.replace(' ', '.')[:80]}, which is no part of an array, and might run anything")
    return GLOBALS[name]


def extend(target, items):
    """Append to a list, or set items of a dict. Keys are text or bytes: to hash a nested tuple can take for ever."""
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, dict) and all(isinstance(key, str | bytes) for key in items[::2]):
        target.update(zip(items[::2], items[1::2], strict=True))
    else:
        raise Forbidden(f"it adds items to {type(target).__name__}")


def reduce(function, arguments):
    """What a call in a pickled array stands for. A type of bytes needs no object of its own: its name will do."""
    if function is Known.RECONSTRUCT and arguments[0] is Known.NDARRAY:
        return Array()
    if function is Known.DTYPE:
        if latin(arguments[0]) not in BYTE_TYPES:
            raise Forbidden(f"it has an array of type {arguments[0][:20]!r}, expected bytes, 'u1'")
        return Known.DTYPE
    if function is Known.ENCODE and isinstance(arguments[0], str) and arguments[1] in ("latin1", "latin-1"):
        return latin(arguments[0])
    raise Forbidden("it calls something that is no part of an array")


def build(stack, state):
    """Fill the array on top of the stack. That of a type says how its bytes are ordered, and a byte has no order."""
    if stack[-1] is Known.DTYPE:
        return
    if not isinstance(stack[-1], Array):
        raise Forbidden(f"it sets the inside of {type(stack[-1]).__name__}")
    _, shape, dtype, by_columns, values = state
    values = latin(values)
    if dtype is not Known.DTYPE or len(shape) > 4 or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise Forbidden("it has an array that is not one of bytes")
    if math.prod(shape) != len(values):
        raise ValueError(f"an array of shape {shape} takes {math.prod(shape):,} bytes, and has {len(values):,}")
    stack[-1].values = np.frombuffer(values, "uint8").reshape(shape, order="F" if by_columns else "C")


def latin(text):
    """Python 2 knew no difference between text and bytes."""
    return text if isinstance(text, bytes) else text.encode("latin-1")


def plain(value):
    """The arrays themselves instead of what held their place, in a dict of the pickle's top level."""
    if not isinstance(value, dict):
        raise ValueError(f"it holds a {type(value).__name__}, expected a dict")
    return {key: item.values if isinstance(item, Array) else item for key, item in value.items()}
