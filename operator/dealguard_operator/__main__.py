"""`python -m dealguard_operator`, and `python -m dealguard_operator sweep`."""

import sys

if sys.argv[1:2] == ["sweep"]:
    from dealguard_operator.sweep import main as sweep

    sys.exit(sweep(sys.argv[2:]))

from dealguard_operator.main import main

sys.exit(main())
