"""How every picture looks, and how it is kept."""

from vitkeras.errors import notebook
from vitkeras.files import written_whole

LOOK = {"dpi": 120, "bbox_inches": "tight", "facecolor": "white"}
TRAIN, VALIDATION, RIGHT, WRONG = "#1f77b4", "#d95f02", "#1a7f37", "#c62828"
LONGEST = 90  # letters of a title
SERIES = ("#1f77b4", "#d95f02", "#1a7f37", "#7b3294", "#666666", "#c62828")  # things compared, in this order


def save(figure, path):
    """Keep the picture as a file; in a notebook, also show it."""
    with written_whole(path) as temporary:
        figure.savefig(temporary, **LOOK)
    told(path)


def told(path, more=""):
    if notebook():
        from IPython.display import Image, display

        display(Image(filename=str(path)))
    print(f"picture: {path}{more}")


def tidy(axes, **labels):
    """Labels, a faint grid, and no box around."""
    axes.set(**labels)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def literal(text):
    """A text that others have chosen, to be drawn as it is: matplotlib takes what is between two $ for mathematics.

    A long one loses its middle, or it would stretch the picture.
    """
    short = text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
    return short.replace("$", r"\$")


def show(axes, image):
    """One image on one set of axes: grey if it has one channel."""
    axes.imshow(image.squeeze(-1) if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
    axes.axis("off")
