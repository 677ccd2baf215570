"""`python -m dealguard_cluster`."""

import sys

from dealguard_cluster.cli import main

sys.exit(main())
