"""`python -m madnis_py` is `madnis-py`."""

from madnis_py.cli import main

main()
