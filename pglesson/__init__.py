"""Policies, environments and the REINFORCE loop behind the lesson on policy gradient methods."""

from pglesson import envs as envs  # registers the environments with Gymnasium
from pglesson.reinforce import Update, make_policy, reinforce
from pglesson.returns import returns_to_go
from pglesson.settings import Settings

__all__ = ["Settings", "Update", "make_policy", "reinforce", "returns_to_go"]
