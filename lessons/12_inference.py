"""12_inference: asking a trained classifier: presets, preprocessing, logits, softmax, the five likeliest, attention.

The lecture ends with a program that asks a pretrained DeiT what is on a photo. Here it is taken apart: which models
there are, what happens to a photo before a model sees it, what a model answers, and what it looked at. ImageNet weights
have hundreds of megabytes and cannot always be had; so that the lesson runs at once, it asks the small ViT that comes
with vitkeras about digits, which are made to look like photos: large, in colour, dark ink on paper.

Source:  lecture, 5, the programs with keras_hub; text 001, "usando um modelo pretreinado"; paper, appendix D.7
Run:     python lessons/12_inference.py
         python lessons/12_inference.py --photos FOLDER                       your own photos, by the lecture's DeiT
         python lessons/12_inference.py --photos FOLDER --model resnet_50     by another preset, here by a CNN

Expect:  199 of 200 pictures right, made of MNIST's first test images (lessons/results/12_inference)
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import lesson_options

PICTURES = 200  # digits that are asked about
SHOWN = 3
TOP = 5
LECTURES = (  # the presets that the lecture's program names: two transformers, three CNNs
    "deit_base_distilled_patch16_224_imagenet", "vit_base_patch16_224_imagenet",
    "resnet_50_imagenet", "efficientnet_b0_ra_imagenet", "vgg_16_imagenet",
)  # fmt: skip

options = lesson_options(
    "12_inference", __doc__,
    photos="photos of your own, a folder or a file", model="another preset, as `python -m vitkeras.classify` takes it",
)  # fmt: skip

# %% The pictures
import dataclasses

import numpy as np
from PIL import Image

from vitkeras import datasets, photos

data = datasets.load("mnist", options.data, stand_in=True)
count = 20 if options.quick else PICTURES
data = dataclasses.replace(
    data, x_train=data.x_train[:1], y_train=data.y_train[:1], x_test=data.x_test[:count], y_test=data.y_test[:count],
    origin=f"{data.origin}; of the test images the first {count}",
)  # fmt: skip
if options.photos:
    if options.data:
        print(f"--data {options.data}: your own photos are asked about, so it changes nothing")
    paths = photos.find([options.photos])
    pictures, truth = [photos.read(path) for path in paths], None
    data = dataclasses.replace(data, title="your photos", origin=f"{options.photos}: {len(paths)} photos", warning="")
    print(f"data: {len(pictures)} photos of your own\nfrom: {options.photos}")
else:
    print(data.describe())
    truth = data.y_test

    def on_paper(digit):
        """A digit as a phone would take it: (28, 28, 1) -> (240, 320, 3), ink on yellowish paper."""
        ink = np.asarray(Image.fromarray(digit[..., 0]).resize((168, 168), Image.Resampling.BICUBIC))
        page = np.zeros((240, 320), "uint8")
        page[36:204, 76:244] = ink
        paper, pen = np.float32((244, 236, 214)), np.float32((28, 32, 92))
        return (paper + page[..., None] / 255 * (pen - paper)).astype("uint8")

    pictures = [on_paper(digit) for digit in data.x_test]
print(f"{len(pictures)} pictures, the first: {pictures[0].shape}, {pictures[0].dtype}")

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

# %% Presets: a model with its weights and its own preprocessing, under one name
from vitkeras import attention, plots, pretrained, runs
from vitkeras.pretrained import catalogue, places

print(f"\n{'preset':42} {'family':13} {'parameters':>12}  here")
known = {preset.name: preset for preset in catalogue.presets()}
for name in (*pretrained.SHIPPED, *LECTURES):
    preset = known[name]
    print(f"{name:42} {preset.family:13} {preset.parameters:12,}  {places.is_here(preset) or 'no'}")
print(f"{len(known)} in all: python -m vitkeras.classify --list-presets")

# %% The classifier: the one asked for, or the lecture's for photos, or one that comes with vitkeras
if options.model or not options.photos:
    classifier = pretrained.load(options.model or "mnist_vit", device["precision"])
else:
    try:
        classifier = pretrained.load(LECTURES[0], device["precision"])
    except places.Unavailable as fault:
        print(f"\nWARNING: the lecture's {LECTURES[0]} cannot be had ({fault.reason})")
        print("cifar10_vit answers instead. It knows ten classes of 32 x 32 pixels, not ImageNet's thousand.")
        classifier = pretrained.load("cifar10_vit", device["precision"])
print(f"\nclassifier: {classifier.name} ({classifier.family}), {classifier.parameters:,} parameters")
print("".join(f"note: {remark}\n" for remark in classifier.remarks), end="")
settings = {"pictures": len(pictures), "top": TOP, "classifier": classifier.name}
run = runs.open_run(options, settings, data, device)

# %% Before the model: the same picture, prepared three ways
# ViT's preset takes the middle square, from -1 to 1. DeiT's squashes the whole picture, and takes ImageNet's mean and
# deviation off. A model that is given the other one's pixels still answers, only worse: nothing tells.
from keras_hub import layers as hub

mean, deviation = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
converters = {
    "ViT": hub.ViTImageConverter(image_size=(224, 224), scale=1 / 127.5, offset=-1.0, dtype="float32"),
    "DeiT": hub.DeiTImageConverter(
        image_size=(224, 224), scale=(1 / 255 / deviation).tolist(), offset=(-mean / deviation).tolist(),
        interpolation="bicubic", crop_to_aspect_ratio=False, dtype="float32",
    ),
}  # fmt: skip
from vitkeras.pretrained import kerashub

ways = {"the picture": (pictures[0], pictures[0])}
for name, converter in converters.items():
    pixels = kerashub.prepared(converter, pictures[0])  # (224, 224, 3)
    ways[f"as KerasHub's {name} gets it"] = (pixels, kerashub.shown(converter, pixels))
pixels = classifier.prepare(pictures[0])
ways[f"as {classifier.name} gets it"] = (pixels, classifier.shown(pixels))
print()
for name, (pixels, _) in ways.items():
    print(f"{name + ':':32} {pixels.shape!s:16} from {pixels.min():7.2f} to {pixels.max():7.2f}")
plots.prepared({name: shown for name, (_, shown) in ways.items()}, data, run.path("prepared.png"))

# A trap: KerasHub's converter resizes bytes to bytes. What is lost is up to half a grey level in each pixel.
in_floats = kerashub.prepared(converters["ViT"], pictures[0])
in_bytes = np.asarray(converters["ViT"](pictures[0][None]))[0]
rounded = 127.5 * np.abs(in_floats - in_bytes).max()
print(f"given as bytes instead of floats, the resized picture is up to {rounded:.2f} grey levels off")

# %% What the model says: a logit for each class, any number; and softmax, which makes shares of them
logits = classifier.logits(pictures)  # (pictures, classes)
powers = np.exp(logits[0].astype("float64"))
shares = powers / powers.sum()
print(f"\nlogits: {logits.shape}, of the first picture from {logits[0].min():.2f} to {logits[0].max():.2f}")
print(f"softmax by hand sums to {shares.sum():.6f}; the largest share is {shares.max():.4f}")

# Adding the same number to all logits changes nothing; doubling them makes the answer surer, and no other.
moved = np.abs(pretrained.probabilities(logits[0] + 100) - shares).max()
doubled = pretrained.probabilities(2 * logits[0])
print(f"logits + 100: shares differ by {moved:.0e} at most; logits x 2: the largest share is {doubled.max():.4f}")

# %% The five likeliest classes, as in the lecture
names = [photos.shown(path.name) for path in paths] if options.photos else [f"a {digit}" for digit in truth]
for name, answer in list(zip(names, logits, strict=True))[:SHOWN]:
    print(f"\n{name}")
    for rank, guess in enumerate(classifier.top(answer, TOP), 1):
        print(f"{rank}. {guess.name} ({guess.index}): {guess.probability:.4f}")
guesses = classifier.top(logits[0], TOP)
seen = classifier.shown(classifier.prepare(pictures[0]))
plots.photo_and_bars(seen, guesses, f"{names[0]}, by {classifier.name} ({data.title})", run.path("five_likeliest.png"))

# %% What it looked at. That explains less than it seems: lesson 7 measured how much
if classifier.attends:
    weights = classifier.attention(pictures[:1])  # (layers, 1, heads, tokens, tokens)
    grid = classifier.grid(weights[0])
    share = attention.heat(weights[-1][0].mean(0), grid).max()
    print(f"\n{len(weights)} layers, {weights[-1].shape[1]} heads, {grid[0]} x {grid[1]} patches; one gets {share:.0%}")
    title = f"{names[0]}: {guesses[0].name}, by {classifier.name} ({data.title})"
    plots.looked_at(seen, weights, grid, title, run.path("looked_at.png"), heads=True)
else:
    print(f"\n{classifier.name} is a {classifier.family}: there is no attention to look at")

# %% Other presets beside it, CNNs among them: as far as they are on this machine
if options.photos:
    for name in LECTURES:
        if places.is_here(known[name]) and name != classifier.name:
            other = pretrained.load(name, device["precision"])
            for title, answer in zip(names[:SHOWN], other.logits(pictures[:SHOWN]), strict=True):
                guess = other.top(answer, 1)[0]
                print(f"{title}, by {name}: {guess.name} ({guess.index}): {guess.probability:.4f}")

# %% Questions to think about
# 1. Crop or squash: name a photo on which ViT's way goes wrong, and one on which DeiT's does.
# 2. Give a classifier of digits a photo of a cat. How sure is it? What would it need to answer "none of these"?
# 3. The lecture's program resizes with Pillow to 224 x 224 before the preset does it again. What does that change?

# %% The number to check
if truth is None:
    right, answer = None, f"{names[0]}: {guesses[0].name} ({guesses[0].index}): {guesses[0].probability:.4f}"
else:
    right = int((logits.argmax(-1) == truth).sum())
    answer = f"{right} of {len(truth)} pictures right, by {classifier.name}, on {data.title}"
run.finish(answer=answer, right=right, pictures=len(pictures), rounded=float(rounded))
