"""Convolutions and dense layers with the initialisation of the DDPM family."""

from __future__ import annotations

from typing import Any

import keras


def initializer(scale: float = 1.0) -> keras.initializers.VarianceScaling:
    """Return uniform variance scaling by the mean of fan-in and fan-out.

    Weights are drawn from U(-a, a) with a = sqrt(6 scale / (fan_in + fan_out)); a scale of 0
    becomes 1e-10, so that a residual branch starts as almost nothing.
    """
    return keras.initializers.VarianceScaling(scale or 1e-10, "fan_avg", "uniform")


def conv(filters: int, size: int, *, scale: float = 1.0, **options: Any) -> keras.layers.Conv2D:
    """Return an unbuilt convolution, zero padded to the size of its input unless told otherwise."""
    options = {"padding": "same", "kernel_initializer": initializer(scale), **options}
    return keras.layers.Conv2D(filters, size, **options)


def dense(units: int, *, scale: float = 1.0, **options: Any) -> keras.layers.Dense:
    """Return an unbuilt dense layer over the last axis."""
    return keras.layers.Dense(units, kernel_initializer=initializer(scale), **options)
