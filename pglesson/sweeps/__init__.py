"""Maps over settings, such as learning rate x gamma."""

from pglesson.sweeps.store import Point, read_sweep, to_map
from pglesson.sweeps.sweep import final_return, sweep
from pglesson.sweeps.workers import local_workers

__all__ = ["Point", "final_return", "local_workers", "read_sweep", "sweep", "to_map"]
