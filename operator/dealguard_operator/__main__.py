"""`python -m dealguard_operator`."""

import sys

from dealguard_operator.main import main

sys.exit(main())
