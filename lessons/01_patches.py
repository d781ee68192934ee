"""01_patches: an image becomes a sequence of patches, and the patches become tokens.

A Transformer reads a sequence of vectors, and an image is none. So the image is cut into squares, read like a page:
row by row, from left to right. Each square, written out as a vector, is one word of the sentence. Nothing is lost on
the way, which this lesson proves by putting the image together again.

Source:  lecture, 3 to 3.2 with figure G; paper, 3.1

Run:     python lessons/01_patches.py
         python lessons/01_patches.py --seed 7       another digit beside the first one

Expect:  an image that comes back unchanged, difference 0, and 4,224 parameters in the patch encoder: on any data
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import lesson_options

PATCH_SIZE = 7  # P: 28 / 7 = 4 patches along each side
PROJECTION_DIM = 64  # D, the width of a token
OTHER_SIZES = (14, 7, 4, 2)

options = lesson_options("01_patches", __doc__)

# %% The data, and a word on what it is
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())

# %% The machine
from vitkeras import machine, runs

device = machine.prepare(options.seed, options.device, options.precision, options.devices)
settings = {"patch_size": PATCH_SIZE, "projection_dim": PROJECTION_DIM, "other_sizes": OTHER_SIZES}
run = runs.open_run(options, settings, data, device)

# %% Two digits: the first of the training images, and one that the seed picks
import keras
import numpy as np

from vitkeras import ImageFromPatches, PatchEncoder, Patches, plots

picked = int(np.random.default_rng(options.seed).integers(len(data.x_train)))
images = data.x_train[[0, picked]]  # (2, 28, 28, 1)
names = [data.class_names[label] for label in data.y_train[[0, picked]]]
print(f"\nimages {images.shape}: number 0, a {names[0]}, and number {picked}, a {names[1]}")


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor).astype("float32")


# %% The path of an image, step by step: the table of the lecture's section 3.2, out of the tensors themselves
_, height, width, channels = images.shape
rows, columns = height // PATCH_SIZE, width // PATCH_SIZE
encoder = PatchEncoder(rows * columns, PROJECTION_DIM)

patches = Patches(PATCH_SIZE)(images)  # (2, 16, 49)
tokens = encoder(patches)  # (2, 16, 64): the next two lines in one layer
projected = encoder.projection(patches)  # (2, 16, 64): each patch times W, plus b
positioned = encoder.position_embedding(projected)  # (2, 16, 64): plus the row of its place, see lesson 2

print("\nof one image      in             out")
steps = {"patches": (images, patches), "projection": (patches, projected), "positions": (projected, positioned)}
for step, (before, after) in steps.items():
    print(f"{step:<15}   {tuple(before.shape[1:])!s:<13}  {tuple(after.shape[1:])}")
print(f"largest difference between the encoder and its two parts: {np.abs(numbers(tokens - positioned)).max()}")

# %% Row by row, like a page: patch number i stands in row i // 4 and column i % 4
cut = numbers(patches).reshape(-1, rows * columns, PATCH_SIZE, PATCH_SIZE, channels)  # (2, 16, 7, 7, 1)
by_place = np.zeros_like(cut)
for number in range(rows * columns):
    row, column = divmod(number, columns)
    top, left = row * PATCH_SIZE, column * PATCH_SIZE
    by_place[:, number] = images[:, top : top + PATCH_SIZE, left : left + PATCH_SIZE]
print(f"\npatch 5 is in row and column {divmod(5, columns)}, both counted from 0")
print(f"largest difference between the layer and cutting at these places: {np.abs(cut - by_place).max()}")
plots.patch_grid(images[0], cut[0], data, run.path("first_digit.png"), f"a {names[0]}")
plots.patch_grid(images[1], cut[1], data, run.path("picked_digit.png"), f"a {names[1]}")

# %% And without a loop: three lines of NumPy. It is the transpose that keeps a patch's rows of pixels together.
split = images.reshape(-1, rows, PATCH_SIZE, columns, PATCH_SIZE, channels)  # (2, 4, 7, 4, 7, 1)
swapped = split.transpose(0, 1, 3, 2, 4, 5)  # (2, 4, 4, 7, 7, 1): rows, columns, and then the pixels of a patch
by_hand = swapped.reshape(-1, rows * columns, PATCH_SIZE * PATCH_SIZE * channels)  # (2, 16, 49)
print(f"\nby hand {split.shape} -> {swapped.shape} -> {by_hand.shape}")
print(f"largest difference between the layer and NumPy: {np.abs(numbers(patches) - by_hand).max()}")

# A reshape alone gives the same shape, and no error. Each "patch" is then 1.75 of the image's rows, end to end.
naive = images.reshape(by_hand.shape)  # (2, 16, 49), and wrong
print(f"without the transpose, {np.mean(naive != by_hand):.0%} of the values come out different")

# %% Back again: nothing is lost, the two layers are each other's inverse
again = ImageFromPatches(PATCH_SIZE, (height, width))(patches)  # (2, 28, 28, 1)
image_difference = float(np.abs(numbers(again) - images).max())
patches_again = Patches(PATCH_SIZE)(again)  # (2, 16, 49)
patch_difference = float(np.abs(numbers(patches_again - patches)).max())
print(f"\nimage -> patches -> image:   largest difference {image_difference}")
print(f"patches -> image -> patches: largest difference {patch_difference}")

# %% The parameters of the encoder: a matrix and a bias, shared by all patches, and a row for each place
values = PATCH_SIZE * PATCH_SIZE * channels
print(
    f"\nprojection: {values} * {PROJECTION_DIM} + {PROJECTION_DIM} = {encoder.projection.count_params():,} parameters"
)
print(f"positions: {rows * columns} * {PROJECTION_DIM} = {encoder.position_embedding.count_params():,} parameters")

# %% Stretched, kept or squeezed? Here 49 values become 64: the lecture says "stretched", and that one mostly squeezes.
# Among the paper's models (its Table 1; colour images of 224 x 224) there is each of the three.
print("\nmodel       a patch's values -> D")
print(f"this one    {values} -> {PROJECTION_DIM}")
for name, size, width_of_token in (("B/16", 16, 768), ("B/32", 32, 768), ("L/16", 16, 1024), ("H/14", 14, 1280)):
    photograph = np.zeros((1, 224, 224, 3), "float32")
    print(f"ViT-{name}    {Patches(size)(photograph).shape[-1]} -> {width_of_token}")

# %% Other patches: half the side makes four times the tokens, and sixteen times the pairs that attention compares
print("\npatch    tokens N    values each    pairs N * N")
for size in OTHER_SIZES:
    _, tokens_there, values_there = Patches(size)(images).shape
    print(f"{size:>2} x {size:<2}  {tokens_there:>8}  {values_there:>13}  {tokens_there**2:>13,}")
plots.patch_sizes(images[0], OTHER_SIZES, data, run.path("patch_sizes.png"))

# %% And 28 is no multiple of 5. Keras drops the pixels that are left over, without a word. Our layer would rather not.
dropped = keras.ops.image.extract_patches(numbers(images), 5)  # (2, 5, 5, 25)
print(f"\nKeras cuts patches of 5: {tuple(dropped.shape)}, which is {25 * 25} of {height * width} pixels")
try:
    Patches(5).compute_output_shape(images.shape)  # calling the layer fails alike, with more words around it
except ValueError as refusal:
    print(f"refused: {refusal}")

# %% Questions to think about
# 1. The projection is the same for all 16 patches. How many parameters would 16 separate ones have? What could they
#    learn that the shared one cannot, and what would a digit that is shifted by 7 pixels then look like to them?
# 2. Can the 49 values of a patch be had back from the 64 of its projection? (np.linalg.pinv of the matrix.) What about
#    PROJECTION_DIM = 32: which differences between two patches does a token then no longer show?
# 3. With one pixel a patch nothing is cut apart. Add 1 to OTHER_SIZES. What speaks against it?

# %% The number to check
run.finish(
    answer=(
        f"{rows * columns} patches put together again differ from the image by at most {image_difference:g}, and the "
        f"patch encoder has {encoder.count_params():,} parameters, on {data.title}"
    ),
    picked=picked,
    shapes=[list(tensor.shape[1:]) for tensor in (images, patches, projected, positioned)],
    image_difference=image_difference,
    patch_difference=patch_difference,
    encoder_parameters=int(encoder.count_params()),
)
