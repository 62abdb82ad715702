"""What the papers say is better than what."""

from __future__ import annotations

import dataclasses

from benchmarks.papers.ordering import Ordering, Reason


def _all(table: str, better: str, worse: str, columns: tuple[int, ...]) -> tuple[Ordering, ...]:
    return tuple(Ordering(table, (better, c), (worse, c)) for c in columns)


# By the reason for which an ordering may not show.
_BY_REASON: dict[Reason, tuple[Ordering, ...]] = {
    "noise": (
        Ordering("gddim", ("CLD, gDDIM", 20), ("CLD, EM", 100)),
        *_all("gddim", "CLD, gDDIM", "CLD, EM", (10, 20, 50, 100)),
        Ordering("gddim", ("BDM, gDDIM", 10), ("BDM, ancestral sampling", 100)),
        Ordering("gddim", ("BDM, gDDIM", 20), ("BDM, ancestral sampling", 1000), 1.25),
        *_all("gddim", "BDM, gDDIM", "BDM, ancestral sampling", (10, 20, 50, 100)),
        *_all("gddim", "DDPM, gDDIM", "DDPM, EM", (10, 20, 50, 100)),
        *_all("ddim", "eta = 0", "eta = 1", (10, 20, 50)),
        *_all("lambda", "gDDIM, lambda = 0", "gDDIM, lambda = 1", (50,)),
    ),
    "hidden": (
        *_all("ddim", "eta = 1", "sigma-hat", (10, 20, 50)),
        Ordering("ddim", ("sigma-hat", 1000), ("eta = 0", 1000)),
    ),
    "converged": (
        *_all("gddim", "CLD, gDDIM", "CLD, probability flow, RK45", (20, 50)),
        *_all("gddim", "BDM, gDDIM", "BDM, probability flow, RK45", (20, 50)),
        *_all("gddim", "DDPM, gDDIM", "DDPM, probability flow, RK45", (20, 50)),
        *_all("gddim", "DDPM, gDDIM", "DDPM, 2nd order Heun", (10, 20)),
        Ordering("deis", ("tAB3", 10), ("DDIM", 20)),
        *_all("deis", "tAB3", "rhoAB3", (5, 10, 15, 20)),
        *_all("deis", "rhoAB3", "DDIM", (5, 10, 15, 20)),
        *_all("deis", "tAB1", "DDIM", (5, 10, 15, 20)),
        *_all("deis", "tAB3", "tAB1", (5, 10, 15, 20)),
        *_all("deis", "tAB3", "rho2Heun", (5, 10, 15)),
        *_all("deis", "tAB3", "rho4RK", (5, 10, 15)),
        *_all("ddim", "eta = 0", "eta = 0.5", (10, 20)),
        *_all("pndm", "S-PNDM", "DDIM", (10, 20, 50)),
        *_all("pndm", "F-PNDM", "S-PNDM", (10, 20, 50)),
        *_all("pndm", "F-PNDM", "FON", (10, 20, 50)),
        Ordering("pndm", ("F-PNDM", 50), ("DDIM", 1000)),
        *(
            ordering
            for lam in ("0", "0.1", "0.3", "0.5", "0.7", "1")
            for ordering in _all("lambda", f"gDDIM, lambda = {lam}", f"EM, lambda = {lam}", (50,))
        ),
        *(
            ordering
            for order in range(3)
            for ordering in _all("root", f"K = R, order {order}", f"K = L, order {order}", (20, 50))
        ),
        *_all("corrector", "predictor, order 2", "predictor, order 0", (20, 50)),
        *_all("grid", "DDPM, gDDIM, quadratic", "DDPM, gDDIM, linear", (10, 20)),
        *_all("grid", "CLD, gDDIM, quadratic", "CLD, gDDIM, linear", (10, 20)),
    ),
}

# What the papers are known for.
_TELLING: tuple[Ordering, ...] = (
    Ordering("gddim", ("CLD, gDDIM", 20), ("CLD, EM", 100)),
    Ordering("gddim", ("BDM, gDDIM", 10), ("BDM, ancestral sampling", 100)),
    Ordering("deis", ("tAB3", 10), ("DDIM", 20)),
    *_all("ddim", "eta = 0", "eta = 1", (10, 20, 50)),
)

ORDERINGS: tuple[Ordering, ...] = tuple(
    dataclasses.replace(ordering, why=why, telling=ordering in _TELLING)
    for why, orderings in _BY_REASON.items()
    for ordering in orderings
)
