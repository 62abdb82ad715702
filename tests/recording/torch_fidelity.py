"""Record torch-fidelity's Frechet and kernel distance, precision and recall of some activations.

    pip install torch==2.13.0 torchvision==0.28.0 torch-fidelity==0.4.0
    python -m tests.recording.torch_fidelity tests/golden/torch_fidelity.npz

The file holds the activations as well, rectified like those of a classifier, so that the tests need
neither package.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

COUNT, DIMENSION = 400, 24


def activations(seed: int, offset: float) -> np.ndarray:
    """Rectified and correlated activations, float32 [COUNT, DIMENSION]."""
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).normal(size=(6, DIMENSION))
    hidden = generator.normal(size=(COUNT, 6)) @ mixing
    noise = 0.3 * generator.normal(size=(COUNT, DIMENSION))
    return np.maximum(hidden + noise + offset, 0.0).astype(np.float32)


def main(path: str) -> None:
    """Write the golden file."""
    real, fake = activations(1, 0.0), 0.8 * activations(2, 0.2)
    pair = torch.from_numpy(fake).double(), torch.from_numpy(real).double()
    statistics = [fid_features_to_statistics(features) for features in pair]
    kernel = kid_features_to_metric(
        *pair, kid_subsets=1, kid_subset_size=COUNT, kid_degree=3, kid_coef0=1.0, verbose=False
    )
    coverage = prc_features_to_metric(*pair, prc_neighborhood=3, verbose=False)
    np.savez_compressed(
        path,
        real=real,
        fake=fake,
        frechet=fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"],
        kernel=kernel["kernel_inception_distance_mean"],
        precision=coverage["precision"],
        recall=coverage["recall"],
    )


if __name__ == "__main__":
    main(sys.argv[1])
