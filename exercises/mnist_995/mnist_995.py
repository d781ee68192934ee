"""Exercise 7: a Vision Transformer that reads more than 99.50% of MNIST's test images."""

import keras


def build() -> keras.Model:
    """The model that is in model.keras, not trained yet. Layers of your own belong into this file, too.

    In:  (batch, 28, 28, 1), float32 from 0 to 1
    Out: (batch, 10): logits or probabilities
    """
    raise NotImplementedError("mnist_995.py: write build()")


if __name__ == "__main__":
    pass  # your training, if you like to have it in the same file; it ends in model.save("model.keras")
