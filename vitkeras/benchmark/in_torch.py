"""The ViT of the cost benchmark in PyTorch, with the weights of the Keras model: the same sums, another library."""

import contextlib

import numpy as np

from vitkeras.benchmark.measuring import milliseconds_of


def get_ready(variant, precision, weights, image):
    """Build, and take over the weights. Returns the logits of an image, to be compared with Keras's."""
    global steps
    import torch

    from vitkeras.machine import cores

    torch.manual_seed(1)
    torch.set_num_threads(cores())
    model = build(variant)
    take_over(model, weights)
    half = torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else contextlib.nullcontext()
    rng = np.random.default_rng(1)
    images = torch.from_numpy(rng.random((variant.batch, 28, 28, 1), "float32"))
    labels = torch.from_numpy(rng.integers(0, 10, variant.batch))
    optimizer = torch.optim.AdamW(model.parameters(), 0.001, weight_decay=0.004)

    def train():
        optimizer.zero_grad()
        with half:
            loss = torch.nn.functional.cross_entropy(model(images).float(), labels)
        loss.backward()
        optimizer.step()

    def answer():
        with half, torch.inference_mode():
            model(images)

    with half, torch.inference_mode():
        logits = model(torch.from_numpy(image)).float().numpy()
    steps = {"training": train, "inference": answer}
    for step in (train, answer, train, answer):
        step()
    return logits


def once(what):
    return milliseconds_of(steps[what])


def build(variant):
    import torch
    from torch import nn

    side, patch, width, heads = 28 // variant.patch, variant.patch, variant.width, variant.heads

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm_1, self.norm_2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
            self.mlp_in = nn.Linear(width, 2 * width)
            self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
            self.mlp_out = nn.Linear(2 * width, width)

        def forward(self, tokens):
            x = self.norm_1(tokens)
            q, k, v = (
                dense(x).view(len(x), -1, heads, width // heads).transpose(1, 2)  # (batch, heads, tokens, key_dim)
                for dense in (self.query, self.key, self.value)
            )
            mixed = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2)  # (batch, tokens, heads, …)
            tokens = tokens + self.output(mixed.reshape(x.shape))
            return tokens + self.mlp_out(nn.functional.gelu(self.mlp_in(self.norm_2(tokens))))

    class ViT(nn.Module):
        def __init__(self):
            super().__init__()
            self.projection = nn.Linear(patch * patch, width)
            self.positions = nn.Parameter(torch.zeros(variant.tokens, width))
            self.blocks = nn.Sequential(*(Block() for _ in range(variant.blocks)))
            self.norm = nn.LayerNorm(width, eps=1e-6)
            self.head = nn.Linear(width, 10)

        def forward(self, images):
            cut = images.view(-1, side, patch, side, patch).transpose(2, 3)  # (batch, rows, columns, patch, patch)
            tokens = self.projection(cut.reshape(len(images), variant.tokens, -1)) + self.positions
            return self.head(self.norm(self.blocks(tokens)).mean(1))

    return ViT()


def take_over(model, weights):
    """Keras's weights, in the order in which its layers keep them. A Linear's weight is a Dense kernel, transposed."""
    import torch

    first, *rest = model.children()
    parameters = [*first.parameters(), model.positions, *(p for child in rest for p in child.parameters())]
    for parameter, weight in zip(parameters, weights, strict=True):
        turned = weight.T if weight.ndim == 2 and parameter is not model.positions else weight
        parameter.data = torch.from_numpy(np.ascontiguousarray(turned))
