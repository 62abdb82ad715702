"""Any linear diffusion, from its drift and diffusion alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from gddim_tf.numerics.panels import Panels, solve_panels
from gddim_tf.sdes.base import LinearSDE
from gddim_tf.sdes.times import Times, check_times

MatrixFunction = Callable[[np.ndarray], Any]


@keras.saving.register_keras_serializable(package="gddim_tf")
class NumericalSDE(LinearSDE):
    """`du = F(t) u dt + G(t) dw` for F and G of the user's own: no closed form is needed.

    On the first use, `Psi` is solved by TensorFlow Probability's Dormand-Prince method (or
    `tf.linalg.expm` if F is constant) on short panels of time; `Sigma` follows by quadrature and
    the root from `R = L Q`, where `Q' = S Q` and the skew S has the entries of
    `L^{-1} (F + 1/2 G G^T Sigma^{-1}) L` above the diagonal. All of it agrees with the closed forms
    of the other diffusions to about 1e-11, the roots less closely where Sigma is nearly singular.
    gDDIM (Zhang et al., 2023), eq. 17, with `R(0) = L(0)`.

    States in other coordinates than pixels (a cosine basis, say) are given by a subclass that
    overrides `to_pixels` and `from_pixels`.

    Args:
      drift: F, a function from float64 times `[n]` to `[n, *modes, k, k]`, smooth on [0, t_max], or
        a constant array `[*modes, k, k]`. Shapes that broadcast to these will do.
      diffusion: G, likewise.
      initial_covariance: `Sigma(0)`, `[*modes, k, k]`. It must be positive definite, because the
        root depends on it, unless k = 1, when it may be 0.
      t_min: where sampling ends.
      t_max: where sampling starts, from noise alone: by then `rho`, the noise over the signal, must
        be large (150 for `VPSDE()`), or whatever is drawn is off by what is left of the data. If it
        does not grow all the way (a diffusion that swings), samplers need a grid in t, such as
        `PowerGrid(2.0)`.
      modes: shape of the axes between times and the `k x k` matrices.
      mode_index: None, or an integer array that spreads one axis of distinct modes over the image
        axes.
      prior_scale: a root of the covariance from which sampling starts, `[*modes, k, k]`; by default
        the Cholesky factor of `Sigma(t_max)`.

    Raises:
      ValueError: if a shape does not fit, a value is not finite, or `initial_covariance` is not a
        covariance of the kind asked for; at the first use, if F or G is not smooth.

    Examples:
      >>> sde = NumericalSDE(np.array([[-1.0]]), np.array([[2**0.5]]), np.array([[0.0]]))
      >>> sde.covariance(1.0).round(6)  # 1 - exp(-2)
      array([[0.864665]])
    """

    def __init__(
        self,
        drift: MatrixFunction | np.ndarray,
        diffusion: MatrixFunction | np.ndarray,
        initial_covariance: np.ndarray,
        t_min: float = 1e-3,
        t_max: float = 1.0,
        modes: Sequence[int] = (),
        mode_index: np.ndarray | None = None,
        prior_scale: np.ndarray | None = None,
    ) -> None:
        self.t_min, self.t_max = check_times(t_min, t_max)
        self.modes = tuple(int(size) for size in modes)
        self.mode_index = None if mode_index is None else np.asarray(mode_index, np.int32)
        self.components = np.shape(initial_covariance)[-1] if np.ndim(initial_covariance) else 1
        self._initial_covariance = self._array("initial_covariance", initial_covariance)
        _check_covariance(self._initial_covariance)
        self._drift = drift if callable(drift) else self._array("drift", drift)
        self._diffusion = diffusion if callable(diffusion) else self._array("diffusion", diffusion)
        self._prior_scale = None
        if prior_scale is not None:
            self._prior_scale = self._array("prior_scale", prior_scale)
        for function in (self.drift, self.diffusion):  # fail here rather than at the first use
            function(np.linspace(0.0, self.t_max, 5))

    # ---- what the user gave -------------------------------------------------------------------

    def drift(self, t: Times) -> np.ndarray:
        """See `LinearSDE.drift`."""
        return self._evaluate("drift", self._drift, t)

    def diffusion(self, t: Times) -> np.ndarray:
        """See `LinearSDE.diffusion`."""
        return self._evaluate("diffusion", self._diffusion, t)

    def _evaluate(self, name: str, given: MatrixFunction | np.ndarray, t: Times) -> np.ndarray:
        t = np.asarray(t, np.float64)
        values = given(t.ravel()) if callable(given) else given
        return self._array(name, values, (t.size,)).reshape(*t.shape, *self._shape)

    @property
    def _shape(self) -> tuple[int, ...]:
        return (*self.modes, self.components, self.components)

    def _array(self, name: str, values: Any, times: tuple[int, ...] = ()) -> np.ndarray:
        values = np.asarray(values, np.float64)
        shape = (*times, *self._shape)
        try:
            spread = np.broadcast_to(values, shape)
        except ValueError:
            raise ValueError(
                f"`{name}` must have the shape {shape}, received {values.shape}"
            ) from None
        if not np.all(np.isfinite(values)):
            raise ValueError(f"`{name}` must be finite, received NaN or Inf")
        return spread

    # ---- what follows from it -----------------------------------------------------------------

    @functools.cached_property
    def _panels(self) -> Panels:
        drift = self.drift if callable(self._drift) else self._drift
        return solve_panels(drift, self.diffusion, self._initial_covariance, self.t_max)

    def _at(self, method: Callable[..., np.ndarray], *times: Times) -> np.ndarray:
        times = np.broadcast_arrays(*(np.asarray(t, np.float64) for t in times))
        flat = [t.ravel() for t in times]
        for t in flat:
            if t.size and not (t.min() >= 0 and t.max() <= self.t_max * (1 + 1e-12)):
                raise ValueError(
                    f"times must be in [0, {self.t_max}], received {t.min()} to {t.max()}"
                )
        return method(*flat).reshape(*times[0].shape, *self._shape)

    def transition(self, t: Times, s: Times) -> np.ndarray:
        """See `LinearSDE.transition`; relatively accurate however small it is."""
        return self._at(self._panels.psi, t, s)

    def covariance(self, t: Times) -> np.ndarray:
        """See `LinearSDE.covariance`."""
        return self._at(self._panels.sigma, t)

    def cholesky(self, t: Times) -> np.ndarray:
        """See `LinearSDE.cholesky`."""
        covariance = self.covariance(t)
        return np.sqrt(covariance) if self.components == 1 else np.linalg.cholesky(covariance)

    def root(self, t: Times) -> np.ndarray:
        """See `LinearSDE.root`."""
        if self.components == 1:
            return self.cholesky(t)
        return self.cholesky(t) @ self._at(self._panels.q, t)

    def prior_scale(self) -> np.ndarray:
        """See `LinearSDE.prior_scale`; what the constructor was given, if it was."""
        return super().prior_scale() if self._prior_scale is None else self._prior_scale

    # ---- serialisation ------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments.

        Raises:
          ValueError: if F or G is a function that is not registered with Keras.
        """
        return {
            "drift": _serialize("drift", self._drift),
            "diffusion": _serialize("diffusion", self._diffusion),
            "initial_covariance": self._initial_covariance.tolist(),
            "t_min": self.t_min,
            "t_max": self.t_max,
            "modes": list(self.modes),
            "mode_index": None if self.mode_index is None else self.mode_index.tolist(),
            "prior_scale": None if self._prior_scale is None else self._prior_scale.tolist(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> NumericalSDE:
        """The SDE that `get_config` described."""
        functions = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("drift", "diffusion")
            if isinstance(config.get(name), dict)
        }
        return cls(**{**config, **functions})

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(components={self.components}, modes={self.modes}, "
            f"t_min={self.t_min}, t_max={self.t_max})"
        )


def _serialize(name: str, given: MatrixFunction | np.ndarray) -> Any:
    if not callable(given):
        return given.tolist()
    registered = keras.saving.get_registered_object(keras.saving.get_registered_name(given))
    if registered is not given:
        raise ValueError(
            f"`{name}` must be an array or a function registered with "
            f"keras.saving.register_keras_serializable to be saved, received {given!r}"
        )
    return keras.saving.serialize_keras_object(given)


def _check_covariance(covariance: np.ndarray) -> None:
    lowest = np.linalg.eigvalsh(covariance).min()
    single = covariance.shape[-1] == 1
    if not np.array_equal(covariance, np.swapaxes(covariance, -1, -2)):
        raise ValueError(f"`initial_covariance` must be symmetric, received {covariance.tolist()}")
    if lowest < 0 or (lowest == 0 and not single):
        kind = "at least 0" if single else "positive definite"
        raise ValueError(
            f"`initial_covariance` must be {kind}, received one with the eigenvalue {lowest:.6g}"
        )
