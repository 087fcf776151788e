"""Policies, environments and the REINFORCE loop behind the lesson on policy gradient methods."""

from pglesson import envs as envs  # registers the environments with Gymnasium
from pglesson.advantages import gae, masked_mean, next_values, normalize, returns_to_go, td_errors
from pglesson.baselines import Baseline, time_mean
from pglesson.diagnostics import episode_gradients, explained_variance
from pglesson.distributions import Categorical, DiagGaussian
from pglesson.envs.factory import make_envs
from pglesson.loss import clipped_gain, policy_gradient_loss
from pglesson.own_policies import SingleRunPolicy
from pglesson.policies import GaussianPolicy, SoftmaxPolicy
from pglesson.reinforce import Update, make_policy, reinforce
from pglesson.rollout import Episodes, play_episodes
from pglesson.settings import Settings

__all__ = [
    "Baseline",
    "Categorical",
    "DiagGaussian",
    "Episodes",
    "GaussianPolicy",
    "Settings",
    "SingleRunPolicy",
    "SoftmaxPolicy",
    "Update",
    "clipped_gain",
    "envs",
    "episode_gradients",
    "explained_variance",
    "gae",
    "make_envs",
    "make_policy",
    "masked_mean",
    "next_values",
    "normalize",
    "play_episodes",
    "policy_gradient_loss",
    "reinforce",
    "returns_to_go",
    "td_errors",
    "time_mean",
]
