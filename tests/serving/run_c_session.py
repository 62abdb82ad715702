"""Run signatures through TensorFlow's C API: `run_c_session.py MODEL REQUESTS.npz ANSWERS.npz`.

The requests are arrays named `<signature>/<input>`, the answers `<signature>/<output>`. The process
ends with an error if anything has imported TensorFlow, Keras or gddim_tf.
"""

import sys

import numpy as np
from c_session import CSession

session = CSession(sys.argv[1])
requests, answers = {}, {}
for key, value in np.load(sys.argv[2]).items():
    signature, name = key.split("/")
    requests.setdefault(signature, {})[name] = value
for signature, inputs in requests.items():
    for name, value in session.run(signature, inputs).items():
        pad = max(map(len, value)) if value.dtype == object else 0
        answers[f"{signature}/{name}"] = value.astype(f"V{pad}") if pad else value
np.savez(sys.argv[3], **answers)
sys.exit(any(name in sys.modules for name in ("tensorflow", "keras", "gddim_tf")))
