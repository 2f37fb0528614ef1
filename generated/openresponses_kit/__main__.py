"""`python -m <package> serve`: a server to try clients with, without a model and a network."""

import sys

from .server.serving import main

if __name__ == "__main__":
    sys.exit(main())
