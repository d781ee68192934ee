"""What is inside KerasHub's ViTBackbone and DeiTBackbone, where a probe, a converter or a drawing looks for it."""


def embedding_and_encoder(backbone):
    """The layer that makes tokens of an image, with their positions; and the one that has the blocks."""
    _, embedding, encoder = backbone.layers  # the first is the input
    return embedding, encoder


def hidden_layers(backbone):
    """The first Dense of each block's MLP, the one with an activation."""
    for block in embedding_and_encoder(backbone)[1].encoder_layers:
        yield block.mlp.dense_1 if hasattr(block.mlp, "dense_1") else block.mlp.dense  # ViT's, or DeiT's
