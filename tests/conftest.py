"""For all tests: one thread for each of the processes that share the processor, and the longest files first.

With two threads each, they mostly wait for each other, since what the tests compute is small. The browser's tests wait
for pages most of the time, and the exercises' train agents: at the end, the other processes would wait for them.
"""

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    import torch

    torch.set_num_threads(1)


LONGEST = "browser", "test_exercises", "test_agents"  # in the names of files


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((i for i, name in enumerate(LONGEST) if name in item.path.name), len(LONGEST)))
