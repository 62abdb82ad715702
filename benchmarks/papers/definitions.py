"""The tables as data: which samplers on which diffusion, at which budgets."""

from __future__ import annotations

import dataclasses
from typing import Literal

from gddim_tf.samplers import (
    DDIM,
    FON,
    FPNDM,
    GDDIM,
    SPNDM,
    Ancestral,
    EulerMaruyama,
    Heun,
    PowerGrid,
    RhoGrid,
    RhoRK,
    Sampler,
    StochasticGDDIM,
)

Kind = Literal["vp", "cld", "bdm"]

# In place of a sampler: `samplers.default` at each budget, or RK45 with tolerances that spend it.
DEFAULT, ADAPTIVE = "default", "rk45"

LINEAR, QUADRATIC = PowerGrid(1.0), PowerGrid(2.0)


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
      label: what stands in front of it, the same as in `published.FIGURES`.
      kind: the diffusion of the model that it samples from.
      sampler: how; or DEFAULT or ADAPTIVE.
      columns: the columns that it has; None for all.
    """

    label: str
    kind: Kind
    sampler: Sampler | str
    columns: tuple[int, ...] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """A published table, to be made again.

    Attributes:
      name: key of its source and its published figures.
      title: above it.
      note: what a reader must know about the settings.
      columns: budgets.
      by: what the columns count: network evaluations, or steps of the method.
      rows: its lines.
    """

    name: str
    title: str
    note: str
    columns: tuple[int, ...]
    by: Literal["NFE", "steps"] = "NFE"
    rows: tuple[Row, ...]


_BUDGETS = (10, 20, 50, 100, 1000)
_ABLATION = (10, 20, 50)
_LAMBDAS = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)

_GDDIM: dict[Kind, GDDIM] = {
    "vp": GDDIM(order=3, grid=QUADRATIC),
    "bdm": GDDIM(order=2, grid=QUADRATIC),
    "cld": GDDIM(order=2, grid=QUADRATIC),
}
_ON_TWO_GRIDS: tuple[tuple[str, Kind, DDIM | GDDIM], ...] = (
    ("DDPM, DDIM", "vp", DDIM()),
    ("DDPM, gDDIM", "vp", _GDDIM["vp"]),
    ("CLD, gDDIM", "cld", _GDDIM["cld"]),
)


def _stochastic_gddim(lam: float) -> Sampler:
    """Of order 0; without noise it is gDDIM, so that tables share its images."""
    return StochasticGDDIM(lam=lam, grid=QUADRATIC) if lam else GDDIM(order=0, grid=QUADRATIC)


TABLES = (
    Table(
        name="gddim",
        title="gDDIM on three diffusions",
        note="gDDIM has the settings of its paper: order 3 (DDPM) or 2, a polynomial in t, the "
        "quadratic grid. `default` is `samplers.default(sde, nfe)`. EM (Euler-Maruyama) and "
        "ancestral sampling of DDPM and BDM have a grid linear in t, EM of CLD a quadratic one, "
        "Heun is EDM's. RK45 chooses its steps itself: its tolerance is the one, of those tried "
        "between 3 and 1e-6, that comes nearest to the column's number of evaluations on 100 "
        "images. (+k) or (-k) says by how much the evaluations differ from the column.",
        columns=_BUDGETS,
        rows=(
            Row("DDPM, EM", "vp", EulerMaruyama(lam=1.0, grid=LINEAR)),
            Row("DDPM, probability flow, RK45", "vp", ADAPTIVE),
            Row("DDPM, 2nd order Heun", "vp", Heun(flow="rho", grid=RhoGrid(7.0))),
            Row("DDPM, gDDIM", "vp", _GDDIM["vp"]),
            Row("DDPM, default", "vp", DEFAULT, (10, 20)),
            Row("BDM, ancestral sampling", "bdm", Ancestral(grid=LINEAR)),
            Row("BDM, probability flow, RK45", "bdm", ADAPTIVE),
            Row("BDM, gDDIM", "bdm", _GDDIM["bdm"]),
            Row("BDM, default", "bdm", DEFAULT, (10, 20)),
            Row("CLD, EM", "cld", EulerMaruyama(lam=1.0, grid=QUADRATIC)),
            Row("CLD, probability flow, RK45", "cld", ADAPTIVE),
            Row("CLD, gDDIM", "cld", _GDDIM["cld"]),
            Row("CLD, default", "cld", DEFAULT, (10, 20)),
        ),
    ),
    Table(
        name="lambda",
        title="Noise: lambda on CLD",
        note="Stochastic gDDIM is of order 0; both have the quadratic grid.",
        columns=(50,),
        rows=tuple(
            row
            for lam in _LAMBDAS
            for row in (
                Row(f"gDDIM, lambda = {lam:g}", "cld", _stochastic_gddim(lam)),
                Row(f"EM, lambda = {lam:g}", "cld", EulerMaruyama(lam=lam, grid=QUADRATIC)),
            )
        ),
    ),
    Table(
        name="root",
        title="Parameterisation: K = R against K = L on CLD",
        note="Both use one network; for K = L its output is turned into that of the Cholesky "
        "factor before the polynomial is laid through it. Quadratic grid.",
        columns=_ABLATION,
        rows=tuple(
            Row(f"K = {root}, order {order}", "cld", GDDIM(order=order, root=root, grid=QUADRATIC))
            for order in range(3)
            for root in ("R", "L")
        ),
    ),
    Table(
        name="corrector",
        title="Order and corrector on CLD",
        note="The corrector evaluates the network again at every corrected point (PECE): 2 N - 1 "
        "evaluations for N steps, hence (+1). Quadratic grid.",
        columns=_ABLATION,
        rows=(
            *(
                Row(f"predictor, order {order}", "cld", GDDIM(order=order, grid=QUADRATIC))
                for order in range(4)
            ),
            *(
                Row(
                    f"predictor and corrector, order {order}",
                    "cld",
                    GDDIM(order=order, corrector="pece", grid=QUADRATIC),
                )
                for order in range(1, 4)
            ),
        ),
    ),
    Table(
        name="ddim",
        title="DDIM by eta",
        note="On the continuous VP diffusion, with the quadratic grid. Sigma-hat is ancestral "
        "sampling with the larger variance and the predicted image clipped to [-1, 1].",
        columns=_BUDGETS,
        by="steps",
        rows=(
            *(
                Row(f"eta = {eta:g}", "vp", DDIM(eta=eta, grid=QUADRATIC))
                for eta in (0.0, 0.2, 0.5, 1.0)
            ),
            Row("sigma-hat", "vp", Ancestral(variance="large", clip=1.0, grid=QUADRATIC)),
        ),
    ),
    Table(
        name="pndm",
        title="Pseudo numerical methods",
        note="By steps on a grid linear in t: S-PNDM takes one evaluation more than steps, F-PNDM "
        "and FON nine more, which (+k) says.",
        columns=(10, 20, 50, 1000),
        by="steps",
        rows=(
            Row("DDIM", "vp", DDIM(grid=LINEAR)),
            Row("S-PNDM", "vp", SPNDM(grid=LINEAR), _ABLATION),
            Row("F-PNDM", "vp", FPNDM(grid=LINEAR), _ABLATION),
            Row("FON", "vp", FON(grid=LINEAR), _ABLATION),
        ),
    ),
    Table(
        name="deis",
        title="DEIS",
        note="Quadratic grid; (+k) where Runge-Kutta cannot spend the budget exactly.",
        columns=(5, 10, 15, 20, 50),
        rows=(
            Row("DDIM", "vp", DDIM(grid=QUADRATIC)),
            *(
                Row(f"rho{label}", "vp", RhoRK(method=label.lower(), grid=QUADRATIC))
                for label in ("2Heun", "3Kutta", "4RK")
            ),
            *(
                Row(f"{label}{order}", "vp", GDDIM(order=order, variable=variable, grid=QUADRATIC))
                for label, variable in (("rhoAB", "rho"), ("tAB", "t"))
                for order in (1, 2, 3)
            ),
        ),
    ),
    Table(
        name="grid",
        title="Times: linear against quadratic",
        note="The same samplers on two grids, linear and quadratic in t.",
        columns=_ABLATION,
        rows=tuple(
            Row(f"{label}, {name}", kind, dataclasses.replace(sampler, grid=grid))
            for label, kind, sampler in _ON_TWO_GRIDS
            for name, grid in (("linear", LINEAR), ("quadratic", QUADRATIC))
        ),
    ),
)
