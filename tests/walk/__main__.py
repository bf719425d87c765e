"""`python3 tests/walk --binary PATH/countersign`: walks the HTTP contract as a stranger would."""

import sys

sys.dont_write_bytecode = True

from walk import main  # noqa: E402

sys.exit(main())
