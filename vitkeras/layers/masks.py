"""Who may attend to whom: masks in every form that Keras takes, and the softmax that heeds them. True means attend."""

import keras
from keras import ops


def merge(scores, value_mask=None, key_mask=None, attention_mask=None, causal=False):
    """All that is said, as one mask: (batch or 1, heads or 1, targets, sources), or None where nothing is said.

    scores: (batch, heads, targets, sources)
    value_mask, key_mask: (batch, sources)
    attention_mask: (targets, sources), (batch, targets, sources) or (batch, heads, targets, sources); 1 fits any size
    """
    batch, _, targets, sources = scores.shape  # None where it is open
    said = []
    for name, mask in (("value_mask", value_mask), ("key_mask", key_mask)):
        if mask is not None:
            mask = as_bool(mask)
            check(name, mask.shape, (batch, sources), f"(batch, sources) = {(batch, sources)}")
            said.append(mask[:, None, None, :])  # (batch, 1, 1, sources)
    if attention_mask is not None:
        mask = as_bool(attention_mask)
        given = mask.shape
        if len(given) == 3:
            mask = mask[:, None]  # (batch, 1, targets, sources): the same for every head
        elif len(given) == 2:
            mask = mask[None, None]  # (1, 1, targets, sources): the same for every image, too
        expected = f"(batch, targets, sources) = {(batch, targets, sources)}, or with heads to {tuple(scores.shape)}"
        check("attention_mask", mask.shape, scores.shape, expected, given)
        said.append(mask)
    if causal:
        targets, sources = ops.shape(scores)[2:]
        # (targets, 1) >= (1, sources): nobody looks ahead
        said.append((ops.arange(targets)[:, None] >= ops.arange(sources)[None, :])[None, None])
    merged = None
    for mask in said:
        merged = mask if merged is None else ops.logical_and(merged, mask)
    return merged


def check(name, shape, wanted, meaning, given=None):
    """Refuse a mask that does not broadcast to the `wanted` shape, in which None fits all."""
    fits = len(shape) == len(wanted) and all(
        size in (1, None) or want in (None, size) for size, want in zip(shape, wanted, strict=True)
    )
    if not fits:
        given = tuple(shape if given is None else given)
        raise ValueError(f"`{name}` must broadcast to {meaning}; True means attend. Received: a mask of shape {given}")


def as_bool(mask):
    mask = ops.convert_to_tensor(mask)
    return mask if mask.dtype == "bool" else ops.not_equal(mask, 0)


def softmax_where(mask, scores):
    """Softmax over the last axis among the places where `mask` is True; 0 elsewhere, even where no place is left.

    >>> np.asarray(softmax_where(ops.convert_to_tensor([True, True, False]), ops.zeros(3))).tolist()
    [0.5, 0.5, 0.0]
    """
    if mask is None:
        return ops.softmax(scores, axis=-1)
    lowest = -65504.0 if keras.backend.standardize_dtype(scores.dtype) == "float16" else -3e38
    weights = ops.softmax(ops.where(mask, scores, ops.cast(lowest, scores.dtype)), axis=-1)
    return ops.where(mask, weights, ops.zeros_like(weights))
