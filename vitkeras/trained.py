"""A model that was trained before, from its file or by the name under which it ships."""

from pathlib import Path

from vitkeras.errors import Misuse
from vitkeras.pretrained import catalogue, own


def load(path, image_shape, classes):
    """The model in a `model.keras`, or one that ships, if it reads such images and ends in a logit for each class.

    Nothing in the file is run (`safe_mode`), whoever it came from.
    """
    if path in catalogue.SHIPPED:
        path = catalogue.SHIPPED_FOLDER / path / "model.keras"
    if not Path(path).is_file():
        there = "a folder" if Path(path).is_dir() else "not there"
        raise Misuse(
            f"{path} is {there}. --model wants the model.keras in the run folder of a lesson that trained one, or the "
            f"name of one that ships: {', '.join(catalogue.SHIPPED)}."
        )
    try:
        model = own.opened(Path(path))
    except Exception as fault:  # whatever a wrong file brings about: the remedy is the same
        reason = str(fault).strip().splitlines() or [""]
        raise Misuse(
            f"{path} is no Keras model that can be loaded here ({type(fault).__name__}: {reason[0][:200]}). "
            "--model wants the model.keras in the run folder of a lesson that trained one."
        ) from None
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if shapes != ((None, *image_shape), (None, classes)):
        raise Misuse(
            f"{path} holds a model from {shapes[0]} to {shapes[1]}. Needed here: from {(None, *image_shape)} to "
            f"{(None, classes)}, as lessons/tr02c.py trains it."
        )
    return model
