"""What a student's file says before it is run: whether it is Python, and which names of libraries it uses."""

import ast

WORKSHOPS = ("keras.src", "keras._tf_keras", "tensorflow.python")  # where forbidden things go by other names
ALIASES = {"tf": "tensorflow", "np": "numpy"}  # as they stand in an exercise's list


def looked_at(source, name, forbidden, closed):
    """What keeps this source from being run, in words; "" if nothing does.

    forbidden: dotted name -> why.  closed: packages that are not to be imported -> why.
    """
    try:
        tree = ast.parse(source, name)
    except SyntaxError as fault:  # also IndentationError, TabError
        line = (fault.text or "").strip()
        shown = f": {line[:120]}" if line else ""
        return f"{name} is no Python: line {fault.lineno}, {fault.msg}{shown}"
    except (ValueError, RecursionError, MemoryError) as fault:
        return f"{name} cannot be read as Python: {type(fault).__name__}: {fault}"
    reasons = {full(name): why for name, why in forbidden.items()}
    if reasons:
        reasons |= dict.fromkeys(WORKSHOPS, "only what a library shows to everybody is open to this exercise")
    for used, line in names(tree):
        for package, why in closed.items():
            if used == package or used.startswith(package + "."):
                return f"{name}, line {line}, uses {package}, which is not open to this exercise: {why}"
        for banned, why in reasons.items():
            if used == banned or used.startswith(banned + "."):
                return f"{name}, line {line}, uses {banned}: {why}"
    return ""


def full(name):
    """The one name of a thing that has several.

    >>> full("tf.keras.layers.Attention"), full("tf.image.extract_patches")
    ('keras.layers.Attention', 'tensorflow.image.extract_patches')
    """
    first, _, rest = name.partition(".")
    name = f"{ALIASES.get(first, first)}.{rest}".rstrip(".")
    for longer, shorter in (("tensorflow.keras", "keras"), ("tensorflow.compat.v2", "tensorflow")):
        if name == longer or name.startswith(longer + "."):
            name = shorter + name[len(longer) :]
    return name


def names(tree):
    """(dotted name, line) of everything imported, and of every attribute of it that is used."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield full(alias.name), node.lineno
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield full(f"{node.module}.{alias.name}"), node.lineno
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            parts, inner = [node.attr], node.value
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id in known:
                yield full(".".join([known[inner.id], *reversed(parts)])), node.lineno
