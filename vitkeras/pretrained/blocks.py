"""KerasHub's ViT and DeiT, quick from the first batch on: all blocks are alike, so one is compiled and serves all.

Compiling a whole ViT-B takes longer than asking it about some fifty photos; layer by layer, without compiling, it is
slower at each.
"""

import keras

from vitkeras.backbones import embedding_and_encoder


class OneForAll:
    """A classifier, block by block. Only TensorFlow has what it needs; `head` takes tokens (batch, tokens, width)."""

    def __init__(self, backbone, head):
        import tensorflow as tf

        self.embedding, encoder = embedding_and_encoder(backbone)
        self.blocks, self.norm, self.head = encoder.encoder_layers, encoder.layer_norm, head
        first = self.blocks[0]

        @tf.function(autograph=False)
        def any_block(trainable, others, tokens):
            output, _ = first.stateless_call(trainable, others, tokens)
            return output[0] if isinstance(output, tuple) else output  # DeiT's gives its attention weights as well

        self.any_block = any_block

    def __call__(self, batch):
        """Prepared photos (batch, height, width, channels) -> logits (batch, classes)."""
        tokens = self.embedding(batch)  # (batch, tokens, width)
        for block in self.blocks:
            weights = ([as_tensor(weight) for weight in kind] for kind in both_kinds(block))
            tokens = self.any_block(*weights, tokens)
        return self.head(self.norm(tokens))


def both_kinds(layer):
    return layer.trainable_variables, layer.non_trainable_variables


def as_tensor(variable):
    return keras.ops.convert_to_tensor(variable.value)
