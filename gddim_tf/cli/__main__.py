"""`python -m gddim_tf.cli`, the same as `gddim-tf`."""

import sys

from gddim_tf.cli import main

sys.exit(main())
