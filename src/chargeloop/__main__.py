"""`python -m chargeloop` is the `chargeloop` command."""

import sys

from chargeloop.cli import main

sys.exit(main())
