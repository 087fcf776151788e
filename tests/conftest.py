"""For the tests in this folder: one thread for each of the processes that share the processor.

With two threads each, they mostly wait for each other, since what the tests compute is small.
"""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    import torch

    torch.set_num_threads(1)
