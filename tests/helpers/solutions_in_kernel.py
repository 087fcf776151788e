"""The part of solved_notebooks.py that runs in a notebook's kernel. It leaves no name of its own in the notebook."""

from __future__ import annotations

import random
from typing import Any


class Solutions:
    """Lets solutions run in a notebook as though the starters had not, and takes the names back that they bound.

    shell: the kernel's InteractiveShell, in which the notebook has an `exercises`. The checks are made by a second such
    object, so that the notebook's own shows the progress that is stored: none.
    """

    def __init__(self, shell: Any) -> None:
        self.shell, self.exercises = shell, None
        self.before: dict[str, Any] = {}

    def remember(self) -> None:
        """Before a starter: what the notebook's names stand for, and where its random numbers are."""
        import numpy as np
        import torch

        self.before = self._names()
        self.random = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002

    def put_back(self) -> None:
        """Before a solution: the names and the random numbers as they were before the starter."""
        import numpy as np
        import torch

        for name in self._names().keys() - self.before.keys():
            del self.shell.user_ns[name]
        self.shell.user_ns.update(self.before)
        random.setstate(self.random[0])
        np.random.set_state(self.random[1])  # noqa: NPY002
        torch.set_rng_state(self.random[2])

    def check(self, exercise: str) -> str:
        """What a learner is told of the answer that stands in the notebook now."""
        names = self.shell.user_ns
        if self.exercises is None:
            self.exercises = type(names["exercises"])(names["exercises"].notebook)
        return repr(getattr(self.exercises, exercise).check(names.get("answer")))

    def take_away(self) -> str:
        """After a solution: deletes each name that it gave a new value, and says which these are."""
        changed = [name for name, value in self._names().items() if self.before.get(name, self) is not value]
        for name in changed:
            del self.shell.user_ns[name]
        self.before = {}
        return " ".join(changed)

    def progress(self) -> str:
        """The bar of the second object."""
        return repr(self.exercises.progress()) if self.exercises else "no exercise was checked"

    def _names(self) -> dict[str, Any]:
        """The notebook's names, without those of IPython, such as _ and _1."""
        return {name: value for name, value in self.shell.user_ns.items() if not name.startswith("_")}
