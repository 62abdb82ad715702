"""`python -m benchmarks.accuracy`."""

import sys

from benchmarks.accuracy.command import main
from gddim_tf.cli.program import explained

sys.exit(explained("python -m benchmarks.accuracy", main, resumes=True))
