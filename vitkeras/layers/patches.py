"""Images into patches, and patches back into images."""

import keras
from keras import ops

from vitkeras.layers import checks


@keras.saving.register_keras_serializable(package="vitkeras")
class Patches(keras.layers.Layer):
    """Cut each image into a row-major sequence of square patches (the paper's section 3.1).

    In:  (batch, height, width, channels), both sides divisible by `patch_size`; integers become floats, 0 to 255 stay
    Out: (batch, patches, patch_size * patch_size * channels), pixels in (row, column, channel) order

    >>> tuple(Patches(4)(np.zeros((1, 8, 12, 3), "float32")).shape)
    (1, 6, 48)
    """

    def __init__(self, patch_size, **kwargs):
        super().__init__(**kwargs)
        (self.patch_size,) = checks.positive("Patches", patch_size=patch_size)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = checks.axes(
            "Patches", "images", input_shape, "batch", "height", "width", "channels"
        )
        p = self.patch_size
        for side, size in (("height", height), ("width", width)):
            if size is None:
                raise ValueError(
                    f"Patches needs to know the {side} of the images. Received: {tuple(input_shape)}. "
                    "Say it in keras.Input((height, width, channels))"
                )
            if size % p:
                raise ValueError(
                    f"Patches(patch_size={p}) cannot cut images of {height} x {width} pixels: the {side} {size} is "
                    f"no multiple of {p}. Resize or pad the images, or choose a patch size that divides both sides."
                )
        return batch, (height // p) * (width // p), p * p * channels

    def call(self, images):
        _, patches, values = self.compute_output_shape(images.shape)
        _, height, width, channels = images.shape
        p = self.patch_size
        x = ops.cast(images, self.compute_dtype)
        x = ops.reshape(x, (-1, height // p, p, width // p, p, channels))  # (batch, rows, p, columns, p, channels)
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # (batch, rows, columns, p, p, channels)
        return ops.reshape(x, (-1, patches, values))  # (batch, patches, p * p * channels)

    def get_config(self):
        return {**super().get_config(), "patch_size": self.patch_size}


@keras.saving.register_keras_serializable(package="vitkeras")
class ImageFromPatches(keras.layers.Layer):
    """Put the patches of `Patches(patch_size)` together again.

    In:  (batch, patches, patch_size * patch_size * channels)
    Out: (batch, height, width, channels), where `image_size` is (height, width), or one number for a square

    >>> image = np.arange(8 * 12 * 3, dtype="float32").reshape(1, 8, 12, 3)
    >>> again = ImageFromPatches(4, image_size=(8, 12))(Patches(4)(image))
    >>> bool(np.all(ops.convert_to_numpy(again) == image))
    True
    """

    def __init__(self, patch_size, image_size, **kwargs):
        super().__init__(**kwargs)
        (self.patch_size,) = checks.positive("ImageFromPatches", patch_size=patch_size)
        sides = tuple(image_size) if isinstance(image_size, (tuple, list)) else (image_size, image_size)
        if len(sides) != 2:
            raise ValueError(
                f"ImageFromPatches needs (height, width), or one number, as `image_size`. Received: {sides}"
            )
        height, width = sides
        self.image_size = tuple(checks.positive("ImageFromPatches", height=height, width=width))
        if any(side % self.patch_size for side in self.image_size):
            raise ValueError(
                f"ImageFromPatches needs sides that are multiples of the patch size. "
                f"Received: image_size={self.image_size}, patch_size={self.patch_size}"
            )

    def compute_output_shape(self, input_shape):
        batch, patches, values = checks.axes("ImageFromPatches", "patches", input_shape, "batch", "patches", "values")
        p = self.patch_size
        height, width = self.image_size
        if patches != (height // p) * (width // p) or values % (p * p):
            raise ValueError(
                f"An image of {height} x {width} pixels is put together from {(height // p) * (width // p)} patches of "
                f"{p} * {p} * channels values. Received: {patches} patches of {values} values"
            )
        return batch, height, width, values // (p * p)

    def call(self, patches):
        _, height, width, channels = self.compute_output_shape(patches.shape)
        p = self.patch_size
        x = ops.reshape(
            patches, (-1, height // p, width // p, p, p, channels)
        )  # (batch, rows, columns, p, p, channels)
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # (batch, rows, p, columns, p, channels)
        return ops.reshape(x, (-1, height, width, channels))

    def get_config(self):
        return {**super().get_config(), "patch_size": self.patch_size, "image_size": self.image_size}
