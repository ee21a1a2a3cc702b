"""`python -m roas_local`: the command line behind `./roas`."""

from roas_local.cli import main

main()
