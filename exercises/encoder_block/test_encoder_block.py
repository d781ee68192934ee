"""The visible tests of `encoder_block`: most weights are 0, so that what is left can be calculated by hand."""

import math

import numpy as np
import pytest

from vitkeras.grading import Different, close, equal

WIDTH, HEADS, KEY_DIM, MLP_DIM = 4, 1, 4, 5
WEIGHTS = {  # in the order of the task
    "norm_1_gamma": (4,), "norm_1_beta": (4,),
    "query_kernel": (4, 4), "query_bias": (4,), "key_kernel": (4, 4), "key_bias": (4,),
    "value_kernel": (4, 4), "value_bias": (4,), "output_kernel": (4, 4), "output_bias": (4,),
    "norm_2_gamma": (4,), "norm_2_beta": (4,),
    "mlp_1_kernel": (4, 5), "mlp_1_bias": (5,), "mlp_2_kernel": (5, 4), "mlp_2_bias": (4,),
}  # fmt: skip
TOKENS = np.array([[[1, 2, 3, 4], [-5, 0, 5, 10]]], "float32")


def new_block(student, dropout=0.0):
    block = student.EncoderBlock(num_heads=HEADS, key_dim=KEY_DIM, mlp_dim=MLP_DIM, dropout=dropout)
    block(TOKENS)  # the first call makes the weights
    return block


def give(block, **weights):
    """Set the weights that are named, in the task's order, and all others to 0."""
    own = [np.shape(weight) for weight in block.get_weights()]
    equal(len(own), len(WEIGHTS), "the number of weights of the block")
    for number, ((name, expected), shape) in enumerate(zip(WEIGHTS.items(), own, strict=True)):
        if math.prod(shape) != math.prod(expected):
            raise Different(f"get_weights()[{number}] is to be the {name}", f"shape {expected}", f"shape {shape}")
    given = [np.reshape(weights.get(name, np.zeros(shape)), shape) for name, shape in zip(WEIGHTS, own, strict=True)]
    block.set_weights([weight.astype("float32") for weight in given])


@pytest.mark.points(1, hint="Both steps end with + what came in: the skip connection.")
def test_without_weights_a_block_hands_on_what_it_was_given(student):
    block = new_block(student)
    give(block, output_bias=[10, 20, 30, 40], mlp_2_bias=[100, 200, 300, 400])
    expected = TOKENS + np.array([110, 220, 330, 440])
    close(block(TOKENS), expected, "the tokens, plus the last bias of attention and that of the MLP")


@pytest.mark.points(1, hint="keras.activations.gelu(x, approximate=False), between the two Dense layers only.")
def test_the_mlp_has_an_exact_gelu_in_its_middle(student):
    block = new_block(student)
    # The MLP sees only its own first bias; its second kernel hands four of the five values on.
    give(block, mlp_1_bias=[-2, -1, 0.5, 2, 9], mlp_2_kernel=np.eye(5, 4))
    exact = [-0.0455003, -0.1586553, 0.3457312, 1.9544997]  # x times the share of a normal distribution below x
    close(block(0 * TOKENS), np.tile(exact, (1, 2, 1)), "what the MLP adds to tokens of 0: the GELU of -2, -1, 0.5, 2")


@pytest.mark.points(1, hint="layers.LayerNormalization(epsilon=1e-6), before the attention, and not after it.")
def test_each_token_is_normalised_before_attention(student):
    block = new_block(student)
    # Queries and keys of 0: every token gets the mean of all normalised ones.
    give(block, norm_1_gamma=np.ones(4), value_kernel=np.eye(4), output_kernel=np.eye(4))
    tokens = np.array([[[0.01, -0.01, 0.01, -0.01], [0, 0, 200, 200]]], "float32")
    # The first has variance 1e-4, and 0.01 / √(1e-4 + 1e-6) = 0.995. The second becomes -1, -1, 1, 1.
    mean = np.array([0.995037 - 1, -0.995037 - 1, 0.995037 + 1, -0.995037 + 1]) / 2
    close(block(tokens), tokens + mean, "the tokens, plus the mean of both after LayerNorm", atol=1e-4)


@pytest.mark.points(
    0.5, hint="layers.Dropout knows of training if you hand `training` on to it, or leave that to Keras."
)
def test_dropout_is_for_training(student):
    block = new_block(student, dropout=0.5)
    one = np.eye(4)
    give(
        block,
        norm_1_gamma=np.ones(4),
        value_kernel=one,
        output_kernel=one,
        mlp_1_bias=[9] * 5,
        mlp_2_kernel=np.eye(5, 4),
    )
    tokens = np.array([[[0, 0, 200, 200], [0, 0, 200, 200]]], "float32")
    quiet = tokens + np.array([8, 8, 10, 10])  # attention adds -1, -1, 1, 1, and the MLP the GELU of 9
    close(block(tokens), quiet, "the output when nobody is training")
    close(block(tokens, training=False), quiet, "the output with training=False")
    if all(np.allclose(block(tokens, training=True), quiet, atol=0.1) for _ in range(12)):
        raise Different("in training, with dropout=0.5", "another output", "twelve times the same as not in training")


@pytest.mark.points(1, hint="Four projections of attention; two Dense layers; gamma and beta of two LayerNorms.")
def test_the_parameters_of_a_block_are_counted(student):
    # norms 2 * 2 * 2; queries, keys, values 3 * (2 * 3 + 3); output 3 * 2 + 2; MLP 2 * 5 + 5 and 5 * 2 + 2
    equal(student.parameters(width=2, num_heads=1, key_dim=3, mlp_dim=5), 8 + 27 + 8 + 15 + 12, "of a very small block")
    equal(student.parameters(768, 12, 64, 3072), 7_087_872, "of a block of ViT-Base")


@pytest.mark.points(0.5, hint="Name all four arguments in get_config(), and take **kwargs in __init__.")
def test_the_block_is_made_again_from_its_config(student):
    config = student.EncoderBlock(num_heads=HEADS, key_dim=KEY_DIM, mlp_dim=MLP_DIM, dropout=0.25).get_config()
    equal(isinstance(config, dict), True, "get_config() gives a dict")
    equal(config.get("dropout"), 0.25, "dropout in the config of a block with dropout=0.25")
    block = student.EncoderBlock(**config)
    block(TOKENS)
    give(block, mlp_2_bias=[1, 2, 3, 4])
    close(
        block(TOKENS),
        TOKENS + np.array([1, 2, 3, 4]),
        "the tokens plus the MLP's last bias, from a block made of a config",
    )
