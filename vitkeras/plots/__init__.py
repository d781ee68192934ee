"""Every picture. Each says which data it shows, so that a drawn digit is never taken for MNIST."""

from vitkeras.plots.classification import confusion, worst_mistakes
from vitkeras.plots.comparison import dots
from vitkeras.plots.look import save, show
from vitkeras.plots.training import curves

__all__ = ["confusion", "curves", "dots", "save", "show", "worst_mistakes"]
