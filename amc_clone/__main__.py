"""`python -m amc_clone` is `amc-clone`."""

from amc_clone.cli import main

main()
