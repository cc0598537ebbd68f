"""`python -m build_scripts.package WHAT`: what `dev.py package` runs in the project's environment."""

import sys

from build_scripts.package import main

sys.exit(main())
