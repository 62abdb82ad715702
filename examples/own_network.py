"""A Keras model that is not from this package: trained, sampled, saved.

A functional model of images, times and labels, which tells five numbers about itself.

python examples/own_network.py
"""

import argparse
import pathlib

import keras

import gddim_tf as gd


def build(size=8, channels=1, classes=10, width=64):
    """A small convolutional network with the time and the class in every layer."""
    x = keras.Input((size, size, channels), name="x")
    time = keras.Input((), name="time")  # 0 to 999
    labels = keras.Input((), dtype="int32", name="labels")  # `classes` itself stands for no class
    frequencies = 2.0 ** keras.ops.arange(8, dtype="float32") / 999.0
    angles = time[:, None] * frequencies
    where = keras.ops.concatenate([keras.ops.sin(angles), keras.ops.cos(angles)], axis=-1)
    told = keras.layers.Embedding(classes + 1, width)(labels)
    told += keras.layers.Dense(width)(keras.layers.Dense(width, "silu")(where))
    h = keras.layers.Conv2D(width, 3, padding="same")(x)
    for _ in range(4):
        skip = h
        h = keras.layers.GroupNormalization(8, epsilon=1e-6)(h) + told[:, None, None, :]
        h = keras.layers.Conv2D(width, 3, padding="same")(keras.ops.silu(h)) + skip
    network = keras.Model([x, time, labels], keras.layers.Conv2D(channels, 3, padding="same")(h))
    network.image_size, network.channels, network.num_classes = size, channels, classes
    network.components = 1  # of a state: 2 on diffusions with velocities
    network.out_channels = channels
    return network


def main(arguments=None):
    """Train on handwritten digits and draw some of each class."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/own_network"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    amount = {"epochs": 1, "steps_per_epoch": 2} if options.quick else {"epochs": 60}

    model = gd.DiffusionModel(build(width=16 if options.quick else 64), gd.sdes.VPSDE(), "v")
    model.compile(keras.optimizers.Adam(2e-3, use_ema=True, ema_momentum=0.99))
    model.fit(gd.data.load("digits", batch_size=128, labels=True), **amount)
    gd.save(model, options.out)
    images = model.sample(20, nfe=10, labels=[i % 10 for i in range(20)])
    gd.evaluation.save_grid(images, options.out / "images.png", columns=10)


if __name__ == "__main__":
    main()
