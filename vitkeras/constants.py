"""The constants at a lesson's top, read without running it, and set from outside: --set patch_size=4.

What is worked out of a constant, above the options as well, is worked out anew: MLP_UNITS = (2 * WIDTH, WIDTH).
"""

import ast
import difflib
from pathlib import Path

from vitkeras.errors import Misuse

WORKED_OUT = object()  # the value of a constant that only running the script would tell


def read(path):
    """{name: value} of the constants above the options, with the names in small letters, as --set wants them."""
    found = {}
    for statement in above_the_options(path):
        plain = isinstance(statement, ast.Assign) and all(isinstance(one, ast.Name) for one in statement.targets)
        for name in assigned(statement):
            found[name.lower()] = value_of(statement.value) if plain else WORKED_OUT
    return found


def value_of(node):
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return WORKED_OUT


def put(script, said):
    """Set constants of the module `script`, as `said`: ["patch_size=4", "mlp_units=(128, 64)"]."""
    known = {name.lower(): getattr(script, name) for name in vars(script) if name.isupper()}
    wanted = {name.upper(): value for name, value in (meant(text, known) for text in said)}
    for statement in above_the_options(script.__file__):
        exec(compile(ast.Module([statement], []), script.__file__, "exec"), vars(script))
        vars(script).update({name: wanted[name] for name in assigned(statement) if name in wanted})


def meant(text, known):
    """(name, value) of "name=value", if it is one of the `known` constants and can be its value.

    >>> meant("patch_size=4", {"patch_size": 7})
    ('patch_size', 4)
    """
    name, sign, value = text.partition("=")
    name = name.strip()
    if not sign or not value.strip():
        raise Misuse(f"--set wants NAME=VALUE, as in patch_size=4. Received: {text!r}")
    if name not in known:
        like = difflib.get_close_matches(name.lower(), known, 3)
        hint = f"Did you mean {', '.join(like)}?" if like else f"It has {', '.join(known) or 'none'}."
        raise Misuse(f"this lesson has no constant {name!r} at its top. {hint} An option is said by itself: --epochs 3")
    value = literal(value)
    if known[name] is not WORKED_OUT and not alike(value, known[name]):
        raise Misuse(f"{name} is {known[name]!r} in the lesson, and cannot be {value!r}, which is of another kind.")
    return name, value


def literal(text):
    """The number, tuple or other plain value that is written there; else the text itself.

    >>> literal("4"), literal("(2, 1)"), literal("muon")
    (4, (2, 1), 'muon')
    """
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text.strip()


def alike(value, present):
    """Whether one can stand where the other stands. A whole number can for a fraction, but not the other way round.

    >>> alike(4, 7), alike(1, 0.5), alike(4.5, 7), alike(True, 7)
    (True, True, False, False)
    """
    if isinstance(present, float):
        return type(value) in (int, float)
    return type(value) is type(present)


def above_the_options(path):
    """The statements that assign constants, up to the call of `lesson_options`."""
    for statement in ast.parse(Path(path).read_bytes()).body:
        if isinstance(statement, ast.Assign | ast.AugAssign):
            if calls_options(statement.value):
                return
            if assigned(statement):
                yield statement


def calls_options(node):
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lesson_options"


def assigned(statement):
    """The names of constants that a statement assigns to: those in capitals."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return [name for name in names if name.isupper()]
