"""Train the models of shapes.py: first on easy pictures, then on those of the task.

As long as a model cannot tell the kinds, "same" and "different" are a toss-up to it, and nothing leads it to tell them.
The easy pictures, of one size and turned by quarters at most, make that first step short.

Run:     python train.py cnn
         python train.py vit
         the same command again goes on with a training that was stopped

Every choice is made on a tenth of the pictures, held out; the fresh pictures are asked once, at the end.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import shapes

from vitkeras import augmentation, machine, runs, training
from vitkeras.datasets import shapes as pictures
from vitkeras.errors import speak_plainly
from vitkeras.files import written_whole

MODELS = {"cnn": shapes.cnn, "vit": shapes.vit}
EPOCHS = {"cnn": {"easy": 6, "whole": 8}, "vit": {"easy": 10, "whole": 10}}
PICTURES = {"easy": 10_000, "whole": 20_000}
FRESH = 10_000  # to test on
BATCH_SIZE = 64
LEARNING_RATES = {"cnn": 0.002, "vit": 0.001}
WEIGHT_DECAY = 0.05


def draw(stage, count):
    """Images and labels, to train on and held out. Each stage has random numbers of its own."""
    scene = {"easy": pictures.EASY, "whole": pictures.Scene()}[stage]
    drawing = pictures.draw(count, seed={"easy": 3, "whole": 1}[stage], scene=scene)
    return training.split(drawing.images, drawing.labels, validation=0.1)


def learn(name, stage, start, asked, precision):
    """Train a model on one kind of pictures, beginning with the weights in the file `start`. Returns the run."""
    epochs, count = (1, 500) if asked.quick else (EPOCHS[name][stage], PICTURES[stage])
    settings = {
        "model": name, "stage": stage, "epochs": epochs, "pictures": count, "seed": asked.seed,
        "precision": precision, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATES[name],
        "weight_decay": WEIGHT_DECAY, "recipe": pictures.RECIPE,
    }  # fmt: skip
    run = runs.Run(Path(asked.out, name, stage), settings, f"python train.py {name}")
    about = {"versions": machine.versions(), "started": runs.now()}
    if run.path("run.json").exists():
        run.take_up_record(about)
    else:
        run.write_record(settings=settings, **about)
    if "finished" in run.record:
        return run

    for_training, held_out = draw(stage, count)
    steps = training.steps(len(for_training[0]), BATCH_SIZE)
    print(f"\n{name}, {stage} pictures: {len(for_training[0]):,} to learn from, {epochs} times")
    keras.utils.set_random_seed(asked.seed)
    model = MODELS[name]()
    if start:
        model.load_weights(start)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0, epochs * steps - steps // 2, warmup_target=LEARNING_RATES[name], warmup_steps=steps // 2
            ),
            weight_decay=WEIGHT_DECAY,
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    training.train(
        model, for_training, held_out, batch_size=BATCH_SIZE, epochs=epochs, seed=asked.seed, run=run,
        augment=augmentation.turned,
    )  # fmt: skip
    run.finish(model, held_out=run.history["val_accuracy"][-1])
    return run


def main():
    speak_plainly()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--out", default="runs/shapes", help="where the runs are kept (default runs/shapes)")
    parser.add_argument("--seed", type=int, default=1, help="(default 1)")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "auto"), default="auto")
    parser.add_argument("--quick", action="store_true", help="a few pictures, to see that it runs")
    asked = parser.parse_args()
    precision = machine.prepare(asked.seed, "auto", asked.precision)["precision"]

    easy = learn(asked.model, "easy", None, asked, precision)
    whole = learn(asked.model, "whole", easy.path("model.keras"), asked, precision)

    # What is handed in computes in float32.
    keras.config.set_dtype_policy("float32")
    final = MODELS[asked.model]()
    final.load_weights(whole.path("model.keras"))
    file = Path(asked.out, f"{asked.model}.keras")
    with written_whole(file) as path:
        final.save(path)
    fresh = pictures.draw(200 if asked.quick else FRESH, seed=11)
    accuracy = training.evaluate(final, fresh.images, fresh.labels).accuracy
    whole.write_record(results={**whole.record["results"], "fresh": accuracy})
    print(f"{asked.model}: held out {100 * whole.record['results']['held_out']:.2f}%, ", end="")
    print(f"{len(fresh.labels):,} fresh pictures {100 * accuracy:.2f}%")
    print(f"{file}: {final.count_params():,} parameters, {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
