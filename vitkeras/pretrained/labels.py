"""Names for classes: ImageNet's, or those in a file of the lecture's form."""

from pathlib import Path

from vitkeras.errors import Misuse

IMAGENET_CLASSES = 1000
LARGEST_FILE = 16 << 20  # bytes


def imagenet():
    """ImageNet's 1,000 names, from KerasHub; nothing is downloaded."""
    import keras_hub

    return tuple(map(keras_hub.utils.imagenet_id_to_name, range(IMAGENET_CLASSES)))


def from_file(path, classifier):
    """Names from lines `index,name`, as the lecture's imagenet_classes.txt has them.

    What follows the first comma is the name. A class without a line keeps the name that it has.
    """
    classes = classifier.classes
    path = Path(path)
    form = "Each line should be index,name: 367,chimpanzee"
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Misuse(f"{path} has more than {LARGEST_FILE >> 20} MB, which is no list of names. {form}")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise Misuse(f"{path} (--labels) cannot be read: {fault.strerror or fault}.") from fault
    except UnicodeDecodeError as fault:
        raise Misuse(f"{path} (--labels) is no text in UTF-8. Save it so. {form}") from fault
    names = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or (number == 1 and line.replace(" ", "").lower() == "index,name"):
            continue
        index, comma, name = line.partition(",")
        if not (comma and index.strip().isdecimal() and len(index.strip()) < 10 and name.strip()):
            raise Misuse(f"{path}, line {number}: {line.strip()[:60]!r}. {form}")
        index, name = int(index), name.strip()
        if index >= classes:
            raise Misuse(f"{path}, line {number}: class {index}, but this model has classes 0 to {classes - 1}.")
        if names.setdefault(index, name) != name:
            raise Misuse(f"{path}, line {number}: class {index} is {name!r} here, and {names[index]!r} further up.")
    if not names:
        raise Misuse(f"{path} (--labels) names no class. {form}")
    return tuple(names.get(index, classifier.label(index)) for index in range(classes))
