"""The files that configure TF Serving for one model, beside its versions."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from gddim_tf.atomic import atomic_write

_MODELS = """\
# ModelServerConfig: which models the server loads, and from where (inside the container).
model_config_list {{
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
    model_version_policy {{ latest {{ num_versions: 1 }} }}
  }}
}}
"""

_BATCHING = """\
# BatchingParameters: requests to one signature are joined, and filled up to an allowed size.
max_batch_size {{ value: {largest} }}
batch_timeout_micros {{ value: 2000 }}
max_enqueued_batches {{ value: 100 }}
num_batch_threads {{ value: 2 }}
{allowed}
"""

_MONITORING = """\
# MonitoringConfig: numbers for Prometheus at http://host:8501/monitoring/prometheus/metrics
prometheus_config {{
  enable: true
  path: "/monitoring/prometheus/metrics"
}}
"""

_COMPOSE = """\
# The official image with this folder as its model: docker compose up
services:
  serving:
    image: tensorflow/serving:${{TF_SERVING_TAG:-latest}}
    ports:
      - "${{GRPC_PORT:-8500}}:8500"
      - "${{REST_PORT:-8501}}:8501"
    volumes:
      - .:/models/{name}:ro
    command:
      - --model_config_file=/models/{name}/models.config
      - --enable_batching=true
      - --batching_parameters_file=/models/{name}/batching.config
      - --monitoring_config_file=/models/{name}/monitoring.config
"""

_TEMPLATES = {
    "models.config": _MODELS,
    "batching.config": _BATCHING,
    "monitoring.config": _MONITORING,
    "compose.yaml": _COMPOSE,
}


def write_configuration(directory: pathlib.Path, batch_sizes: Sequence[int]) -> None:
    """Write `models.config`, `batching.config`, `monitoring.config` and `compose.yaml`.

    A file that is there already is left alone, because its owner may have changed it.

    Args:
      directory: parent of the versions; its name is the name of the model.
      batch_sizes: allowed by `batching.config`, in increasing order.

    Raises:
      OSError: if a file cannot be written.
    """
    values = {
        "name": directory.resolve().name,
        "largest": batch_sizes[-1],
        "allowed": "\n".join(f"allowed_batch_sizes: {size}" for size in batch_sizes),
    }
    for file, template in _TEMPLATES.items():
        if not (directory / file).exists():
            with atomic_write(directory / file) as draft:
                draft.write_text(template.format(**values))
