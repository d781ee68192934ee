"""What every layer asks of its arguments and inputs, with errors that a student can act on."""

import numbers


def positive(layer, **sizes):
    """Return the sizes as ints, or say which of them is not a whole number above zero.

    >>> positive("Patches", patch_size=7)
    [7]
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, numbers.Integral) or size <= 0:
            raise ValueError(f"{layer} needs a whole number above 0 as `{name}`. Received: {name}={size!r}")
    return [int(size) for size in sizes.values()]


def rate(layer, **rates):
    """Return the rates as floats, or say which of them is no fraction in [0, 1).

    >>> rate("EncoderBlock", dropout=0.1)
    [0.1]
    """
    for name, value in rates.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < 1:
            raise ValueError(
                f"{layer} needs a number from 0 up to, but not including, 1 as `{name}`. Received: {value!r}"
            )
    return [float(value) for value in rates.values()]


def grid(layer, given):
    """Return (rows, columns) as ints, or say that it is not that.

    >>> grid("EncoderBlock", [4, 7])
    (4, 7)
    """
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ValueError(f"{layer} needs (rows, columns) of patches as `grid`. Received: grid={given!r}")
    return tuple(positive(layer, rows=given[0], columns=given[1]))


def axes(layer, argument, shape, *names):
    """Check that `shape` has one axis a name; the last one must have a known size, for weights depend on it.

    >>> axes("Patches", "images", (None, 28, 28), "batch", "height", "width", "channels")
    Traceback (most recent call last):
    ...
    ValueError: Patches takes `images` of shape (batch, height, width, channels). Received: (None, 28, 28)
    """
    if len(shape) != len(names) or shape[-1] is None:
        raise ValueError(f"{layer} takes `{argument}` of shape ({', '.join(names)}). Received: {tuple(shape)}")
    return tuple(shape)
