"""`python -m benchmarks.papers`."""

import sys

from benchmarks.papers.command import main

sys.exit(main())
