"""What the network predicts, and how eps follows from it.

Given the state, the noise is an affine function of the clean image: `z = R^{-1} u - b x0` with
`b = R^{-1} Psi_x`, where `Psi_x` is the column of `Psi(t, 0)` that acts on the image. So for any
number of components a network of C output channels is enough, and eps is
`R^{-1} u - b E[x0 | u]`.
"""

from __future__ import annotations

import functools

import tensorflow as tf

from gddim_tf.sdes import LinearSDE

# Of each kind, whether the network returns k * C channels (all components) or C.
PREDICTIONS = {
    "eps": True,
    "eps_cholesky": True,
    "score": True,
    "eps_mixed": True,
    "x0": False,
    "v": False,
    "flow": False,
    "velocity": False,
    "velocity_mixed": False,
}

# How the squared error is weighted over times and modes.
WEIGHTINGS = ("target", "eps", "min_snr")

# gamma of Min-SNR, the value its authors recommend.
_LARGEST_SNR = 5.0


class Prediction:
    """From the network's output to eps at given states and times, and back for training.

    - "eps": the output is eps (DDPM; gDDIM with `K = R`).
    - "eps_cholesky": the output is the eps of `K = L`, the Cholesky factor: `R eps_R = L eps_L`.
    - "score": the output is `grad log p = -R^{-T} eps` (score_sde's VE networks).
    - "eps_mixed": eps is the output plus `R^{-1} (0, v)` (gDDIM's mixed score).
    - "x0": the output is the clean image.
    - "v": the output is what remains of the clean image after the best guess for data of standard
      deviation s, in units of that guess's error: with `b = s R^{-1} Psi_x` and `w = R^{-1} u`,
      `x0 / s = b.w / (1 + |b|^2) + out / sqrt(1 + |b|^2)`. On a variance preserving diffusion and
      s = 1 this is the v of Salimans and Ho (2022) with its sign turned; on `VESDE.karras()` it is
      the preconditioning of EDM (Karras et al., 2022, table 1) with `sigma_data = s`. The input is
      scaled to unit variance per component.
    - "flow": the output is `z - x0`, the velocity of flow matching (one component only).
    - "velocity": the output is `-L_vv` times the velocity component of the score; in
      "velocity_mixed" the score of a normal velocity, `-v / Sigma_vv`, is added (CLD-SGM, Dockhorn
      et al., 2022, eq. 9). The clean image and with it all of eps follow from that component. With
      more components than two v is the last of them.

    Args:
      kind: one of the above.
      sde: the diffusion.
      u: states `[batch, ..., k * C]` in the coordinates of the SDE.
      t: times `[batch]`.
      data_std: s of "v".
    """

    def __init__(
        self, kind: str, sde: LinearSDE, u: tf.Tensor, t: tf.Tensor, data_std: float = 1.0
    ) -> None:
        self._kind, self._sde, self._u, self._std = kind, sde, u, data_std
        self._t = tf.cast(t, u.dtype)

    def inputs(self) -> tf.Tensor:
        """What the network is given, before `to_pixels`."""
        if self._kind != "v":
            return self._u
        clean = (self._std * self._column[..., 0]) ** 2
        variance = tf.linalg.diag_part(self._covariance) + clean
        return self._apply(tf.linalg.diag(tf.math.rsqrt(variance)), self._u)

    def eps(self, output: tf.Tensor) -> tf.Tensor:
        """The eps `[batch, ..., k * C]` of an output of the network, in SDE coordinates."""
        if self._kind == "eps":
            return output
        if self._kind == "eps_cholesky":
            return self._apply(self._rotation, output)
        if self._kind == "score":
            return -self._apply(tf.linalg.matrix_transpose(self._root), output)
        if self._kind == "eps_mixed":
            return output + self._mixed()
        return self._w - self._apply(self._b, self.clean(output))

    def clean(self, output: tf.Tensor) -> tf.Tensor:
        """The clean image `[batch, ..., C]` of an output that tells it at every noise level.

        Raises:
          ValueError: if the prediction is one of the noise, which has none without signal.
        """
        if self._kind == "x0":
            return output
        if self._kind == "v":
            guess, error = self._guess()
            return guess + self._apply(error, output)
        if self._kind == "flow":
            total = 1.0 / (self._column + self._root)
            return self._apply(total, self._u - self._apply(self._root, output))
        if "velocity" in self._kind:
            row = self._velocity_row()
            score = -self._apply(1.0 / self._velocity_scale(), output) - self._velocity_score()
            return self._apply(1.0 / (row @ self._b), self._apply(row, self._w) + score)
        raise ValueError(
            f'`prediction` must be "x0", "v" or "flow" where no signal is left, received '
            f'"{self._kind}"'
        )

    def sampled(self, output: tf.Tensor) -> tf.Tensor:
        """What samplers are told: eps, but the clean state where no signal is left of it."""
        if not self._sde.signal_free:
            return self.eps(output)
        shape = [-1] + [1] * (output.shape.rank - 1)
        without = tf.reshape(self._t >= tf.cast(self._sde.t_max, self._t.dtype), shape)
        return tf.where(without, self.clean(output), self.eps(output))

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """What the output should be, from the clean image and the noise, in SDE coordinates."""
        if self._kind == "eps":
            return noise
        if self._kind == "eps_cholesky":
            return self._apply(tf.linalg.matrix_transpose(self._rotation), noise)
        if self._kind == "score":
            return -self._apply(tf.linalg.matrix_transpose(self._inverse), noise)
        if self._kind == "eps_mixed":
            return noise - self._mixed()
        if self._kind == "x0":
            return clean
        if self._kind == "v":
            guess, error = self._guess()
            return self._apply(1.0 / error, clean - guess)
        if self._kind == "flow":
            return noise - clean
        score = -self._apply(self._velocity_row(), noise)
        return -self._apply(self._velocity_scale(), score + self._velocity_score())

    def error(
        self, output: tf.Tensor, clean: tf.Tensor, noise: tf.Tensor, weighting: str
    ) -> tf.Tensor:
        """What training squares.

        - "target": the error of the network's output, whatever that is.
        - "eps": the error of the eps that follows from it.
        - "min_snr": the same times the square root of `min(SNR, 5) / SNR`, with the signal to noise
          ratio `SNR = s^2 Psi_x^T Sigma^{-1} Psi_x` of each mode (Hang et al., 2023, eq. 6, for any
          linear diffusion).

        Args:
          output: of the network.
          clean: images in SDE coordinates.
          noise: that `u` was made with.
          weighting: one of the above.
        """
        if weighting == "target":
            return output - self.target(clean, noise)
        error = self.eps(output) - noise
        if weighting == "eps":
            return error
        snr = tf.reduce_sum((self._std * self._b) ** 2, axis=-2, keepdims=True)
        factor = tf.sqrt(tf.minimum(1.0, tf.math.divide_no_nan(_LARGEST_SNR, snr)))
        factor = tf.where(snr > 0, factor, 1.0)
        return self._apply(factor * tf.eye(self._sde.components, dtype=snr.dtype), error)

    # ---- the matrices at the times of the batch, each computed when it is needed ---------------

    @functools.cached_property
    def _kernel(self) -> tuple[tf.Tensor, tf.Tensor]:
        return self._sde.kernel(self._t)

    @property
    def _column(self) -> tf.Tensor:
        """`Psi_x`, `[batch, *modes, k, 1]`."""
        return self._kernel[0][..., :, :1]

    @property
    def _root(self) -> tf.Tensor:
        return self._kernel[1]

    @functools.cached_property
    def _inverse(self) -> tf.Tensor:
        return 1.0 / self._root if self._sde.components == 1 else tf.linalg.inv(self._root)

    @functools.cached_property
    def _covariance(self) -> tf.Tensor:
        return self._root @ tf.linalg.matrix_transpose(self._root)

    @functools.cached_property
    def _rotation(self) -> tf.Tensor:
        """`R^{-1} L`, by a QR decomposition of `R^T`, exact where `Sigma` is nearly singular."""
        q, upper = tf.linalg.qr(tf.linalg.matrix_transpose(self._root))
        return q * tf.sign(tf.linalg.diag_part(upper))[..., None, :]

    @functools.cached_property
    def _b(self) -> tf.Tensor:
        return self._inverse @ self._column

    @functools.cached_property
    def _w(self) -> tf.Tensor:
        return self._apply(self._inverse, self._u)

    def _guess(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean of a normal clean image given the state, and its standard deviation."""
        b = self._std * self._b
        spread = 1.0 + tf.reduce_sum(b**2, axis=-2, keepdims=True)
        guess = self._apply(self._std * tf.linalg.matrix_transpose(b) / spread, self._w)
        return guess, self._std * tf.math.rsqrt(spread)

    def _mixed(self) -> tf.Tensor:
        rest = self._inverse[..., :, 1:]
        channels = self._u.shape[-1] // self._sde.components
        return self._apply(rest, self._u[..., channels:])

    def _velocity_row(self) -> tf.Tensor:
        """The last row of `R^{-T}`: from eps to minus the velocity's score."""
        return tf.linalg.matrix_transpose(self._inverse)[..., -1:, :]

    def _velocity_scale(self) -> tf.Tensor:
        """`L_vv`, `[batch, *modes, 1, 1]`: what the other components leave of the velocity's."""
        others = tf.linalg.det(self._covariance[..., :-1, :-1])
        return (tf.abs(tf.linalg.det(self._root)) * tf.math.rsqrt(others))[..., None, None]

    def _velocity_score(self) -> tf.Tensor:
        """`v / Sigma_vv` for the mixed score, else 0."""
        channels = self._u.shape[-1] // self._sde.components
        velocity = self._u[..., -channels:]
        if self._kind == "velocity":
            return tf.zeros_like(velocity)
        return self._apply(1.0 / self._covariance[..., -1:, -1:], velocity)

    def _apply(self, matrix: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        return self._sde.apply(matrix, values, batched=True)


def output_components(kind: str, sde: LinearSDE) -> int:
    """How many times C channels the network must return.

    Raises:
      ValueError: if there is no such prediction, or it needs a velocity that the SDE has not.
    """
    if kind not in PREDICTIONS:
        raise ValueError(f"`prediction` must be one of {list(PREDICTIONS)}, received {kind!r}")
    if sde.signal_free and PREDICTIONS[kind]:
        raise ValueError(
            f'`prediction` must be "x0", "v" or "flow" on {sde}, where no signal is left at t_max, '
            f'received "{kind}"'
        )
    if kind == "flow" and sde.components > 1:
        raise ValueError(f'`prediction` = "flow" needs an SDE of 1 component, received {sde}')
    if ("velocity" in kind or "mixed" in kind) and sde.components < 2:
        raise ValueError(
            f'`prediction` = "{kind}" needs an SDE of 2 components or more, received {sde}'
        )
    return sde.components if PREDICTIONS[kind] else 1
