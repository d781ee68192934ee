"""What every classifier can do, whatever it was loaded from."""

import collections
import concurrent.futures
import functools
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import keras
import numpy as np

from vitkeras import attention
from vitkeras.errors import Misuse, Problem
from vitkeras.pretrained.blocks import OneForAll

BATCH_SIZE = 16
FEW = 8  # photos, or batches of them, are computed without compiling anything first, which would take longer


class Guess(NamedTuple):
    name: str
    index: int
    probability: float


@dataclass(eq=False)
class Classifier:
    """A model with all that lies between a photo and a name.

    model:   prepared photos (batch, height, width, channels) -> logits (batch, classes)
    prepare: a photo, uint8 (height, width, 3) of any size -> float32, as the model was trained on
    shown:   what was prepared -> uint8 again, to be looked at
    labels:  a name for each class; None if nobody has named them
    remarks: what a user should know: what was assumed, what the names are
    """

    name: str
    family: str
    model: keras.Model
    prepare: Callable
    shown: Callable
    labels: tuple[str, ...] | None = None
    remarks: list[str] = field(default_factory=list)
    backbone: keras.Model | None = None  # KerasHub's, inside the model
    head: Callable | None = None  # with a backbone: its tokens (batch, tokens, width) -> logits

    @property
    def classes(self):
        return self.model.output_shape[-1]

    @property
    def parameters(self):
        return self.model.count_params()

    @property
    def attends(self):
        """Whether there is attention to be shown."""
        return self.backbone is not None or any(isinstance(layer, attention.ATTENDING) for layer in self.model.layers)

    def prepared(self, photos):
        """The photos as one batch: (photos, height, width, channels)."""
        return np.stack([self.prepare(as_photo(photo)) for photo in photos])

    def logits(self, photos, batch_size=BATCH_SIZE):
        """float32, (photos, classes). `photos` are uint8 arrays (height, width, 3), each of its own size."""
        photos = list(photos)
        for photo in photos:
            as_photo(photo)
        if not photos:
            return np.zeros((0, self.classes), "float32")
        return np.stack([self.raised(outcome) for _, outcome, _ in self.stream(photos, batch_size=batch_size)])

    @staticmethod
    def raised(outcome):
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    def stream(self, sources, read=np.asarray, batch_size=BATCH_SIZE):
        """For each source, in order and as soon as it is known: (source, its logits or its Problem, as prepared).

        The next sources are read and prepared by other threads while the model works on a batch.
        """
        sources = list(sources)
        batch_size = min(batch_size, len(sources)) or 1
        answer = self.way_for(len(sources), batch_size)
        waiting = collections.deque()

        def fetch(source):
            try:
                return self.prepare(as_photo(read(source)))
            except Problem as fault:
                return fault

        with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            try:
                coming = iter(sources)
                for source in itertools.islice(coming, 2 * batch_size):
                    waiting.append((source, pool.submit(fetch, source)))
                while waiting:
                    taken = [waiting.popleft() for _ in range(min(batch_size, len(waiting)))]
                    for source in itertools.islice(coming, len(taken)):
                        waiting.append((source, pool.submit(fetch, source)))
                    yield from self.answered([(source, job.result()) for source, job in taken], answer)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)  # `with` alone would read all that is waiting

    @staticmethod
    def answered(taken, answer):
        """What was taken, with what the function `answer` says of those that could be prepared, in the same order."""
        good = [prepared for _, prepared in taken if not isinstance(prepared, Problem)]
        logits = iter(answer(np.stack(good)) if good else ())
        for source, prepared in taken:
            if isinstance(prepared, Problem):
                yield source, prepared, None
                continue
            outcome = next(logits)
            if not np.isfinite(outcome).all():
                outcome = Problem(
                    "the model's answer is not finite (NaN or infinite), so its weights are damaged, or too large for "
                    "this precision. Copy the preset again, or ask in float32."
                )
            yield source, outcome, prepared

    def way_for(self, count, batch_size):
        """The quickest way to ask about so many photos: a function from a prepared batch to its logits."""
        if self.head is not None and keras.backend.backend() == "tensorflow":
            if count <= FEW:
                return self.eagerly
            return functools.partial(self.filled_up, self.by_blocks, batch_size)
        if count <= FEW * batch_size:
            return self.eagerly
        return functools.partial(self.filled_up, self.model.predict_on_batch, batch_size)

    def eagerly(self, batch):
        return as_logits(self.model(batch, training=False))

    @staticmethod
    def filled_up(model, batch_size, batch):
        """A short last batch is filled up, so that what is compiled is compiled once."""
        filled = np.concatenate([batch, np.zeros((batch_size - len(batch), *batch.shape[1:]), batch.dtype)])
        return as_logits(model(filled))[: len(batch)]

    @functools.cached_property
    def by_blocks(self):
        return OneForAll(self.backbone, self.head)

    def top(self, logits, count=5):
        """The `count` likeliest classes, the likeliest first. `logits` are those of one photo: (classes,)."""
        if np.ndim(logits) != 1:
            raise Misuse(f"top wants the logits of one photo, (classes,): logits[0]. Received: {np.shape(logits)}")
        shares = probabilities(logits)
        order = np.argsort(-shares, kind="stable")[:count]
        return [Guess(self.label(index), int(index), float(shares[index])) for index in order]

    def label(self, index):
        return self.labels[index] if self.labels else f"class {index}"

    def attention(self, photos):
        """The weights of all layers and heads: (layers, photos, heads, tokens, tokens), or a list of layers.

        For ViT, DeiT and models of vitkeras's layers; others have no attention to show.
        """
        return self.attention_of(self.prepared(photos))

    def attention_of(self, prepared):
        """The same for a batch that is prepared already."""
        if not self.attends:
            raise Misuse(f"{self.name} is a {self.family}, which has no attention to show.")
        if self.backbone is None:
            return attention.scores_by(self.probe, prepared)
        return attention.scores_of_backbone(self.backbone, prepared)

    @functools.cached_property
    def probe(self):
        return attention.probe_of(self.model)

    def grid(self, weights):
        """(rows, columns) of the patches that attention weights are about: all tokens but one or two before them."""
        if self.backbone is not None:
            sides = zip(self.model.input_shape[1:3], self.backbone.patch_size, strict=True)
            return tuple(side // patch for side, patch in sides)
        height, width = self.model.input_shape[1:3]
        for before in (0, 1, 2):
            patches = weights.shape[-1] - before
            rows = round((patches * height / width) ** 0.5)
            if rows and patches % rows == 0 and abs(patches // rows * height - rows * width) < max(height, width):
                return rows, patches // rows
        raise Misuse(f"{weights.shape[-1]} tokens are no grid over an image of {height} x {width} pixels.")


def as_photo(photo):
    """The photo, if it is one; a list of photos, or a photo instead of a list of one, is easily given by mistake."""
    shape, kind = getattr(photo, "shape", None), getattr(photo, "dtype", None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape or kind != np.uint8:
        what = f"{kind} {shape}" if shape is not None else repr(photo)[:60]
        raise Misuse(
            "A list of photos is needed, each an array uint8 (height, width, 3), as vitkeras.photos.read gives it. "
            f"Received for one of them: {what}"
        )
    return photo


def as_logits(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def probabilities(logits):
    """Softmax, in float64: they sum to one. In and out: (..., classes)"""
    powers = np.exp(logits - np.max(logits, axis=-1, keepdims=True).astype("float64"))
    return powers / powers.sum(axis=-1, keepdims=True)
