"""The command: python -m pglesson.sweeps FILE --set NAME=VALUE --grid NAME=V1,V2 --workers 2"""

import sys

from pglesson.sweeps.cli import main

if __name__ == "__main__":
    sys.exit(main())
