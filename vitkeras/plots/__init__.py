"""Every picture. Each says which data it shows, so that a drawn digit is never taken for MNIST."""

from vitkeras.plots.attention import attention_maps, attention_of_heads, attention_over, covering, looks, mean_distances
from vitkeras.plots.attention_steps import looking_patch, queries_keys_and_maps, softmax_and_scale
from vitkeras.plots.block import encoder_block, readouts
from vitkeras.plots.classification import by_class, confusion, worst_mistakes
from vitkeras.plots.comparison import bars, dots, with_error
from vitkeras.plots.fine_tuning import over_epochs, training_images
from vitkeras.plots.images import augmented, scenes
from vitkeras.plots.look import save, show
from vitkeras.plots.machines import speed_up
from vitkeras.plots.patches import patch_grid, patch_sizes
from vitkeras.plots.photos import looked_at, photo_and_bars, prepared
from vitkeras.plots.positions import reordered, similarity
from vitkeras.plots.price import price
from vitkeras.plots.stages import finer_grid, training_stages
from vitkeras.plots.training import compare_curves, curves, learning

__all__ = [
    "attention_maps",
    "attention_of_heads",
    "attention_over",
    "augmented",
    "bars",
    "by_class",
    "compare_curves",
    "confusion",
    "covering",
    "curves",
    "dots",
    "encoder_block",
    "finer_grid",
    "learning",
    "looked_at",
    "looking_patch",
    "looks",
    "mean_distances",
    "over_epochs",
    "patch_grid",
    "patch_sizes",
    "photo_and_bars",
    "prepared",
    "price",
    "queries_keys_and_maps",
    "readouts",
    "reordered",
    "save",
    "scenes",
    "show",
    "similarity",
    "softmax_and_scale",
    "speed_up",
    "training_images",
    "training_stages",
    "with_error",
    "worst_mistakes",
]
