"""`python -m dealguard_gateway`."""

import sys

from dealguard_gateway.main import main

sys.exit(main())
