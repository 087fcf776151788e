"""How a whole agent is judged: by what it does. It trains on a tiny task, over several seeds, and is watched.

Common failures leave traces, and are told by name.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch

import pglesson.envs  # noqa: F401  registers the tasks
from pglesson.exercises.calls import NOT_WRITTEN_YET, located, not_a_function, short
from pglesson.exercises.framework import NOT_ATTEMPTED, Outcome, wrong
from pglesson.exercises.gaussians import dimensions, gaussian_mistake
from pglesson.exercises.time_limit import TooLong, time_limit
from pglesson.exercises.traces import Seen, Trace, Watched, watching
from pglesson.exercises.values import value_mistake
from pglesson.exercises.weights import misweighted

SEEDS, SECONDS = (0, 1, 2), 60.0
LAST = 50  # the mean return is taken over so many last episodes
EARLY = 60  # after so many episodes, a mistake that shows already ends a training
Named = Callable[[Trace], str | None]
RAISED = {
    "does not require grad": ". The loss depends on no weight: what it is made of must not be computed under "
    "no_grad(), nor turned into numbers by item() or detach().",
    "through the graph a second time": ". Part of this loss was in an earlier one, and still carries its gradient. "
    "Empty the lists of an episode or a batch before the next begins, and detach what is left of an earlier step.",
    "but found invalid values:\ntensor([nan": ". The network gives NaN: its weights have grown beyond all bounds, or 0 "
    "was divided by 0. A learning rate that is too large for the unit of the rewards does the one, a standard "
    "deviation of equal numbers the other.",
}
NEVER_CLEARED = (
    "the gradient is never set to zero: backward() adds to what is there, so each step follows all earlier gradients "
    "too. Call optimizer.zero_grad() before it."
)
ONE_ACTION = (
    "in each of the first episodes one and the same action is played at every step, though others are drawn. Give "
    "step() the action that was drawn last."
)


@dataclass(frozen=True)
class AgentTask:
    """A task on which an agent is judged.

    env_id: of the environment; reward_scale: its rewards are so many times larger. episodes: of each training.
    best, undecided: the best mean return, and that of an agent that has learned nothing. enough: the mean return of the
    last episodes that two of three seeds must reach. bound: real-valued actions go from -bound to bound. wider: an
    observation ends with one more number, 0, and real-valued actions go half as far. time_outs: every third episode
    ends as if by a time-out.
    """

    env_id: str
    episodes: int
    best: float
    undecided: float
    enough: float
    reward_scale: float = 1.0
    bound: float = np.inf
    wider: bool = False
    time_outs: bool = False

    @property
    def watched_id(self) -> str:
        """The id under which the watched environment stands in Gymnasium's registry."""
        name, version = self.env_id.split("/")[-1].split("-v")
        name = f"{name}{f'X{self.reward_scale:g}' if self.reward_scale != 1 else ''}{'Wider' * self.wider}"
        watched_id = f"watched/{name}{'Cut' * self.time_outs}-v{version}"
        if watched_id not in gymnasium.registry:
            gymnasium.register(watched_id, entry_point=self._make)
        return watched_id

    def _make(self, **options: Any) -> gymnasium.Env[Any, Any]:
        env: gymnasium.Env[Any, Any] = gymnasium.make(self.env_id, **options)
        env = Watched(TimeOuts(env) if self.time_outs else env)
        if self.wider:
            space = gymnasium.spaces.Box(-np.inf, np.inf, (1 + sum(env.observation_space.shape or ()),), np.float32)
            env = gymnasium.wrappers.TransformObservation(env, lambda x: np.append(x, np.float32(0)), space)
            if np.isfinite(self.bound):
                env = gymnasium.wrappers.RescaleAction(env, np.float32(-self.bound / 2), np.float32(self.bound / 2))
        scale = self.reward_scale
        return env if scale == 1 else gymnasium.wrappers.TransformReward(env, lambda reward: scale * float(reward))


OUTSIDE = "numbers from -{0:g} to {0:g}"  # are allowed, says a task of actions that are outside
CLIPPED_ELSEWHERE = (
    "where the action space goes from -{0:g} to {0:g}, your agent plays actions that are outside of it. Clip to "
    "env.action_space.low and env.action_space.high, and not to numbers that fit one task."
)


class TimeOuts(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Every third episode ends as if by a time-out, for agents that look for `terminated` only."""

    _begun = 0

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        self._begun += 1
        return self.env.reset(**options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        cut = terminated and self._begun % 3 == 0
        return observation, reward, terminated and not cut, truncated or cut, info


SIGNALS = AgentTask("pglesson/Signals-v0", episodes=300, best=10, undecided=0, enough=6)
RICH_SIGNALS = AgentTask("pglesson/RichSignals-v0", episodes=300, best=10, undecided=0, enough=8, time_outs=True)
# Over 24 to 40 seeds each, right agents of five kinds end below 6 in 4 % of them at most, so two of three seeds do in
# 0.5 %; one that learns slowly, such as a linear policy by plain SGD with a rate of 0.1, is told so. One that adds up
# all log-probabilities before they meet the returns ends above 6 in 17 %, two of three in 7 %; its weights tell it too.
LEVERS = AgentTask("pglesson/Levers-v0", episodes=300, best=10, undecided=0, enough=6, bound=1.0)


def agent_judge(
    task: AgentTask, also: Named = lambda trace: None, early: Named = lambda trace: None
) -> Callable[[Any], Outcome | None]:
    """A judge of train(env_id, episodes, seed), which returns each episode's return.

    also: what else may be said of a training at its end, if it is to be said of two of three; early: what else is
    wrong, from the trace after EARLY episodes. None for nothing.
    """

    def judge(answer: Any) -> Outcome | None:
        if not callable(answer):
            return wrong(not_a_function(answer))
        before = torch.random.get_rng_state()
        try:
            return _judge(answer, task, also, early)
        except TooLong:
            return wrong(
                f"{task.episodes} episodes had not ended after {SECONDS:g} seconds of computing. Look for a loop that "
                "does not end with its episode, or for a list that grows over all episodes."
            )
        finally:
            torch.random.set_rng_state(before)

    return judge


def _judge(answer: Callable[..., Any], task: AgentTask, also: Named, early: Named) -> Outcome | None:
    means, causes = [], list[str]()
    for seed in SEEDS:
        with watching() as trace, time_limit(SECONDS):
            trace.look_after, trace.look = EARLY, lambda trace: _mistake(trace, task) or early(trace)
            try:
                given = answer(task.watched_id, task.episodes, seed)
            except NotImplementedError:
                return Outcome(NOT_ATTEMPTED, NOT_WRITTEN_YET)
            except Seen as mistake:
                return wrong(str(mistake))
            except (Exception, SystemExit) as error:
                return wrong(causes[0] if causes else _raised(error, trace, task))
        if given is None or given is ...:
            if not trace.episodes:
                return Outcome(NOT_ATTEMPTED, "your function gives nothing yet, and plays nothing.")
            return wrong("it plays, but gives nothing. It must end with return: each episode's return, in a list.")
        if said := _other_returns(given, trace, task) or _mistake(trace, task) or early(trace):
            return wrong(said)
        means.append(trace.returns[-LAST:].mean())
        causes += [said] if (said := also(trace)) else []
        causes += [said] if not said and means[-1] < task.enough and (said := _cause(trace, task)) else []
        if len(causes) > len(SEEDS) // 2:
            return wrong(causes[0])
    if np.median(means) >= task.enough:  # two of three: a seed may fail without a mistake
        return None
    if causes:
        return wrong(causes[0])
    reached = ", ".join(f"{mean:.1f}" for mean in means)
    return wrong(
        f"it runs, but learns too little: on a task with a best return of {task.best:g}, the means of the last {LAST} "
        f"of {task.episodes} episodes are {reached} for three seeds. An undecided agent has {task.undecided:g}. Check "
        "that each log-probability is multiplied by the return that *follows* it, that the loss is a sum over the "
        "episode, and the learning rate."
    )


def _other_returns(given: Any, trace: Trace, task: AgentTask) -> str | None:
    """What is wrong with the list that is given: it does not hold the returns of the episodes that were played."""
    if not trace.episodes:
        return "no episode was played in the environment that was asked for. Make it by gym.make(env_id)."
    try:
        numbers = np.array([float(x) for x in given])
    except Exception:
        return f"it gives {short(given)}, but must give a list with the return of each episode."
    played, episodes = task.reward_scale * trace.returns, task.episodes
    if len(numbers) != episodes:
        return (
            f"{episodes} episodes were asked for, but your list has {len(numbers)} returns, and {len(played)} "
            "episodes were played."
        )
    if len(played) < episodes:
        return f"{episodes} returns are given, but {len(played)} episodes were played."
    scale = task.reward_scale
    if np.allclose(numbers, played[:episodes], atol=1e-3 * scale):
        return None
    if np.allclose(numbers, played.cumsum()[:episodes], atol=1e-3 * scale):
        return "the returns are not reset: each episode's is added to those before. Begin every one with 0."
    return (
        f"your first returns are {short(numbers[:3].round(2).tolist())}, but the rewards of these episodes add up "
        f"to {short(played[:3].round(2).tolist())}. Give the plain sum of an episode's rewards, without a discount."
    )


def _mistake(trace: Trace, task: AgentTask) -> str | None:
    """A mistake that shows even where the agent learns."""
    if trace.never_cleared:
        return NEVER_CLEARED
    first = [[(step.observation.tobytes(), step.action.tobytes()) for step in steps] for steps in trace.episodes[:4]]
    drawn = {one.values.numpy().tobytes() for one in trace.sampled[: sum(map(len, first[:1]))]}
    if len(drawn) > 1 and all(len(steps) > 9 and len({action for _, action in steps}) == 1 for steps in first):
        return ONE_ACTION
    few = all(len({observation for observation, _ in steps}) <= len(steps) // 2 for steps in first)
    if few and all(len(set(steps)) == len({observation for observation, _ in steps}) for steps in first):
        return (  # an undecided policy that samples does so in one of 10^7 trainings
            "in each of the first episodes the same observation always gets the same action: the action is not "
            "sampled. With argmax, or with the mean alone, the policy tries nothing out, and the average over its "
            "actions is gone. Draw from the distribution."
        )
    seen, done = ([[step[i] for step in steps] for steps in first] for i in (0, 1))
    if len(seen) == 4 and len(seen[0]) > 9 and seen.count(seen[0]) == 4 and done.count(done[0]) < 4:
        return (
            "every episode shows the same observations, whatever is done: the environment begins with the same seed "
            "each time. Give a seed to the first reset() only."
        )
    if trace.softmaxed and all(trace.softmaxed):
        return (
            "what Categorical gets as logits are probabilities already: all are positive, and they add up to 1. It "
            "takes the softmax itself, so no action of two gets more than 73 %. Give it the network's plain output."
        )
    if trace.product:
        return (
            f"every log-probability meets all advantages: their product has the shape {tuple(trace.product)}. (T,) "
            "minus or times (T, 1) makes such a matrix. Give both the shape (T,)."
        )
    return misweighted(trace, EARLY) or gaussian_mistake(trace, task.bound)


def _cause(trace: Trace, task: AgentTask) -> str | None:
    """What the traces say of an agent that did not learn."""
    late = trace.returns[-LAST:].mean()
    fall = trace.returns[:LAST].mean() - late
    if trace.steps == 0 and abs(fall) <= 0.2 * (task.best - task.undecided):
        return "no optimizer has made a step, and the agent has not learned. After backward() comes step()."
    if trace.reparameterized:
        return (
            "log_prob is asked about an action that carries a gradient itself, as rsample() gives it, and that of mu "
            "cancels out. Draw the action by sample(), or detach it."
        )
    if _sampled_others(trace, task.bound):
        return (
            "the log-probabilities belong to other actions than those that were played. Draw each action once, and "
            "use the same one for step() and for log_prob()."
        )
    if _observation_stays(trace):
        return (
            "within an episode the policy gives the same distribution at every step, whatever the environment shows: "
            "it is asked about an observation that stays. Replace it by the one that step() returns."
        )
    if late < task.undecided - 0.6 * (task.best - task.undecided) or fall > 0.6 * (task.best - task.undecided):
        return (
            f"the returns *fall*, from {trace.returns[:LAST].mean():.1f} to {late:.1f}: the sign is wrong. An "
            "optimizer makes the loss smaller, so the loss is minus what is to grow."
        )
    first = trace.log_probs[0].scale if trace.log_probs else None
    if first is not None and np.isfinite(task.bound) and not 0.1 <= first.mean() / task.bound <= 5:
        return (
            f"sigma begins at {first.mean():.3g}, where actions go from {-task.bound:g} to {task.bound:g}. Too narrow, "
            "it tries nothing out; too wide, nearly all actions are clipped. Begin with log_std = 0."
        )
    rate = max(trace.rates, default=0.01)  # who makes the steps by hand has none
    if rate >= 0.5:
        return (
            f"the learning rate is {rate:g}: after a few steps the policy is sure of whatever came first, and the mean "
            f"of the last {LAST} returns is {late:.1f}. Try 0.01."
        )
    if rate <= 1e-4:
        return (
            f"the learning rate is {rate:g}: in {task.episodes} episodes the policy hardly changes, and the mean of "
            f"the last {LAST} returns is {late:.1f}. Try 0.01."
        )
    return None


def _sampled_others(trace: Trace, bound: float) -> bool:
    """Whether log_prob was asked once for each action that was played, and for others. bound: where those are clipped
    that are played."""
    asked, played = [one.values.flatten() for one in trace.log_probs], trace.played
    values = torch.cat(asked).numpy() if asked else np.zeros(0)
    return len(values) == len(played) > 0 and not np.allclose(values.clip(-bound, bound), played, atol=1e-4)


def _observation_stays(trace: Trace) -> bool:
    """Whether the distributions that were sampled from, one a step, are alike within each episode, and not over all."""
    if sum(map(len, trace.episodes)) != len(trace.sampled) or not trace.sampled:
        return False
    parameters = torch.stack([one.parameters.flatten() for one in trace.sampled])
    places = np.cumsum([0, *map(len, trace.episodes)])
    episodes = [parameters[start:end] for start, end in itertools.pairwise(places)]
    return all((of == of[0]).all() for of in episodes) and not (parameters == parameters[0]).all()


def _raised(error: BaseException, trace: Trace, task: AgentTask) -> str:
    words = f"{type(error).__name__}: {error}"
    if trace.late or "Call reset() first" in str(error):
        return (
            "it calls step() after an episode has ended. Stop when `terminated` or `truncated` is true, and begin the "
            "next episode with reset()."
        )
    if "GreaterThan(lower_bound=0.0)" in str(error) and "scale" in str(error):
        if (rate := max(trace.rates, default=0.0)) >= 0.5:
            return f"{located(error)} ValueError: sigma was not positive. The learning rate is {rate:g}. Try 0.01."
        return f"{located(error)} ValueError: sigma was not positive. Learn its logarithm, and take exp() of that."
    if OUTSIDE.format(task.bound) in str(error):
        return (
            f"{located(error)} {words} Clip what was sampled to the action space for the environment, and only there."
        )
    if "must match the size of tensor" in str(error) and trace.log_probs and trace.log_probs[0].scale is not None:
        if str(*dimensions(trace)) not in re.findall(r"\((\d+)\)", str(error)):
            return f"{located(error)} {words}. Is one a matrix (T, T)? Minus and times make it of (T,) and (T, 1)."
        return (
            f"{located(error)} {words}. If one of them has a log-probability for each action dimension, sum it over "
            "the action axis first, as Independent(Normal(...), 1) does: an action has one."
        )
    hint = next((more for said, more in RAISED.items() if said in str(error)), "")
    return f"{located(error)} {words.rstrip('.')}{hint}"


def _steps_are_few(trace: Trace) -> str | None:
    after = len(set().union(*trace.moments.values()))
    if 0 < after < 0.75 * len(trace.episodes):
        return f"steps are made after {after} of {len(trace.episodes)} episodes. Here one update follows each episode."
    return None


def _no_batch_or_value(trace: Trace) -> str | None:
    steps = trace.moments.get(2, set())  # of the policy, which has two actions
    if len(steps) > len(trace.episodes) // 2:
        return (
            f"the policy makes steps after {len(steps)} of {len(trace.episodes)} episodes. Play a batch, of ten "
            "episodes, say, before each."
        )
    return value_mistake(trace, EARLY)


def _little_with_value(trace: Trace) -> str | None:
    late = trace.returns[-LAST:].mean()
    if not trace.steps or late >= 6 or _cause(trace, RICH_SIGNALS):
        return None
    if 1 not in trace.moments:
        return (
            f"no network with one output is trained: where is the value? The mean of the last {LAST} returns is "
            f"{late:.1f}, of 10. The value has an optimizer and a loss of its own, half of the mean of (G - v(s))^2."
        )
    return (
        f"it learns too little: the mean of the last {LAST} returns is {late:.1f}, of 10. "
        "The value has to take away what the third number tells. Subtract v(s_t), without a gradient (detach); see "
        "that G and v both have the shape (T,), since (T,) minus (T, 1) is (T, T); and let it learn fast enough, "
        "by ten steps an update, say, with a learning rate of 0.05."
    )


judge_agent = agent_judge(SIGNALS)
judge_value_agent = agent_judge(RICH_SIGNALS, _little_with_value, _no_batch_or_value)


def _in_other_sizes(task: AgentTask, early: Named = lambda trace: None) -> Callable[[Any], Outcome | None]:
    """A judge of train(env_id, episodes, seed), which must also run where an observation has one number more, as in the
    task on which the notebook trains it next, and where the action space has other bounds."""
    judge_here = agent_judge(task, early=early)
    of_actions = "n" if task.bound == np.inf else "shape[0]"

    def judge(answer: Any) -> Outcome | None:
        found = judge_here(answer)
        if found is not None:
            return found
        before = torch.random.get_rng_state()
        try:
            with watching(), time_limit(SECONDS):
                answer(dataclasses.replace(task, wider=True).watched_id, EARLY, 0)
        except (Exception, SystemExit) as error:
            if OUTSIDE.format(task.bound) in str(error):
                return wrong(CLIPPED_ELSEWHERE.format(task.bound / 2))
            return wrong(
                "it learns where an observation has two numbers, as many as there are actions, but stops where it has "
                f"three: {located(error)} {type(error).__name__}: {error}. Take the sizes from "
                f"env.observation_space.shape[0] and env.action_space.{of_actions}, each in its place."
            )
        except TooLong:
            return None
        finally:
            torch.random.set_rng_state(before)
        return None

    return judge


judge_first_agent = _in_other_sizes(dataclasses.replace(SIGNALS, time_outs=True), _steps_are_few)
judge_gaussian_agent = _in_other_sizes(LEVERS)
