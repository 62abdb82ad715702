"""From a folder of pictures to a model that is served.

python examples/own_images.py pictures/ --size 32 --out runs/mine

The same in three commands, which also resume, log and compare:

gddim-tf train --recipe fashion_vp --data folder:pictures --image-size 28 --out runs/mine
gddim-tf sample --model runs/mine --nfe 20
gddim-tf export --model runs/mine --nfe 10,20 --out served/mine
"""

import argparse
import pathlib

import keras
import tensorflow as tf

import gddim_tf as gd


def main(arguments=None):
    """Train on a folder, look at images, export, and call what was exported."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", help="folder of pictures; sub-folders are classes")
    parser.add_argument("--size", type=int, default=32, help="pixels a side")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/mine"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    steps, size = (2, 8) if options.quick else (20_000, options.size)

    name = f"folder:{options.pictures}"
    about = gd.data.info(name)
    classes = about.num_classes
    data = gd.data.load(
        name, batch_size=32, image_size=size, labels=classes > 0, repeat=True, drop_remainder=True
    )
    model = gd.DiffusionModel.from_preset(
        "ddpm_tiny",
        gd.sdes.VPSDE(),
        "v",
        image_size=size,
        channels=about.channels,
        num_classes=classes,
        class_names=about.class_names,
    )
    print(model)
    model.compile(keras.optimizers.Adam(1e-3, use_ema=True, ema_momentum=0.99))
    model.fit(data, epochs=1, steps_per_epoch=steps)
    gd.save(model, options.out)  # model.keras, and a card that says what it is

    labels = [i % classes for i in range(16)] if classes else None
    images = model.sample(16, nfe=20, seed=0, labels=labels)
    gd.evaluation.save_grid(images, options.out / "images.png")

    served = gd.serving.export(model, options.out / "served", {"sample_20": ("default", 20)})
    draw = tf.saved_model.load(str(served)).signatures["sample_20"]  # as TF Serving does
    inputs = {"seed": tf.range(4)}
    if classes:
        inputs |= {"label": tf.zeros([4], tf.int32), "guidance": tf.ones([4])}
    print(draw(**inputs)["image"].shape, "images from the exported model")


if __name__ == "__main__":
    main()
