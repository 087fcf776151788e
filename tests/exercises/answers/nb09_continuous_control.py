"""Learners' answers to the exercises of notebook 09."""

import math

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical, Independent, MultivariateNormal, Normal

from pglesson.exercises.by_notebook.nb09_continuous_control import GAUSSIAN_AGENT


def loss_by_hand(mu, log_sigma, sampled, advantages):
    z = (sampled - mu) * torch.exp(-log_sigma)
    log_density = -(z**2) / 2 - log_sigma - math.log(math.sqrt(2 * math.pi))
    return -torch.mean(advantages * log_density.sum(dim=1))


def loss_by_independent(mu, log_sigma, sampled, advantages):
    log_pi = Independent(Normal(mu, log_sigma.exp()), 1).log_prob(sampled)
    return -(log_pi @ advantages) / len(advantages)


def loss_by_matrix(mu, log_sigma, sampled, advantages):
    covariance = torch.diag(torch.exp(2 * log_sigma))
    return (-advantages * MultivariateNormal(mu, covariance).log_prob(sampled)).mean()


def loss_by_loop(mu, log_sigma, sampled, advantages):
    total = 0.0
    for row, action, advantage in zip(mu, sampled, advantages):
        log_pi = sum(Normal(row[k], log_sigma[k].exp()).log_prob(action[k]) for k in range(len(row)))
        total = total - log_pi * advantage
    return total / len(mu)


def normal(mu, log_sigma, sampled):
    return Normal(mu, torch.exp(log_sigma)).log_prob(sampled)


def loss_no_gradient(mu, log_sigma, sampled, advantages):
    with torch.no_grad():
        return -(normal(mu, log_sigma, sampled).sum(-1) * advantages).mean()


def loss_in_numpy(mu, log_sigma, sampled, advantages):
    mu, log_sigma, sampled = (x.detach().numpy() for x in (mu, log_sigma, sampled))
    z = (sampled - mu) / np.exp(log_sigma)
    return -np.mean((-(z**2) / 2 - log_sigma - np.log(2 * np.pi) / 2).sum(1) * advantages.numpy())


def loss_without_its_constant(mu, log_sigma, sampled, advantages):
    z = (sampled - mu) / log_sigma.exp()
    return -((-(z**2) / 2 - log_sigma).sum(-1) * advantages).mean()


def loss_without_log_sigma(mu, log_sigma, sampled, advantages):
    z = (sampled - mu) / log_sigma.exp()
    return -((-(z**2) / 2 - math.log(2 * math.pi) / 2).sum(-1) * advantages).mean()


def power_by_loop(speed, sampled, strongest):
    powers = []
    for speeds, torques in zip(speed.tolist(), sampled.tolist()):
        powers.append(sum(v * max(-strongest, min(strongest, u)) for v, u in zip(speeds, torques)) / len(speeds))
    return powers


def power_in_torch(speed, sampled, strongest):
    torque = torch.tensor(sampled, dtype=torch.float32).clamp(-strongest, strongest)
    return (torch.tensor(speed, dtype=torch.float32) * torque).mean(dim=-1)


def power_by_einsum(speed, sampled, strongest):
    torque = np.where(abs(sampled) > strongest, strongest * np.sign(sampled), sampled)
    return np.einsum("es,es->e", speed, torque) / speed.shape[1]


def power_in_place(speed, sampled, strongest):
    sampled[sampled > strongest] = strongest
    sampled[sampled < -strongest] = -strongest
    return np.mean(sampled * speed, axis=1)


def given(sampled, strongest):
    return np.maximum(-strongest, np.minimum(strongest, sampled))


def joints_by_loop(logits, choices):
    rows = []
    for table, chosen in zip(logits, choices.tolist()):
        rows.append(sum(row[level] - torch.logsumexp(row, 0) for row, level in zip(table, chosen)))
    return torch.stack(rows)


def joints_by_distribution(logits, choices):
    return Independent(Categorical(logits=logits), 1).log_prob(choices)


def joints_by_cross_entropy(logits, choices):
    return -nn.functional.cross_entropy(logits.transpose(1, 2), choices, reduction="none").sum(1)


def joints_by_onehot(logits, choices):
    onehot = nn.functional.one_hot(choices, logits.shape[-1]).double()
    return (onehot * nn.functional.log_softmax(logits.double(), dim=2)).sum(dim=(1, 2))


def one_softmax(logits, choices):
    n, joints, levels = logits.shape
    flat = Categorical(logits=logits.reshape(n, -1))
    return torch.stack([flat.log_prob(choices[:, j] + j * levels) for j in range(joints)], 1)


def each_joint(logits, choices):
    return Categorical(logits=logits).log_prob(choices)


def along(axis):
    def log_pi(logits, choices):
        onehot = nn.functional.one_hot(choices, logits.shape[-1])
        return (nn.functional.log_softmax(logits, dim=axis) * onehot).sum((1, 2))

    return log_pi


def probabilities(logits, choices):
    return torch.take_along_dim(nn.functional.softmax(logits, 2), choices[:, :, None], 2).squeeze(2)


def loss_typed(half=0.5, power=2):
    def loss(mu, log_sigma, sampled, advantages):
        square = (sampled - mu) ** 2 / log_sigma.exp() ** power
        return -((-half * square - log_sigma - 0.5 * math.log(2 * math.pi)).sum(1) * advantages).mean()

    return loss


def loss_by_normal_of_log_sigma(mu, log_sigma, sampled, advantages):
    return -(Normal(mu, log_sigma).log_prob(sampled).sum(-1) * advantages).mean()


def power_of_weak_steps(speed, sampled, strongest):
    return [np.mean((s * a)[abs(a) <= strongest]) for s, a in zip(speed, sampled)]


def joints_by_index(logits, choices):
    n, joints, _ = logits.shape
    return logits.log_softmax(-1)[torch.arange(n)[:, None], torch.arange(joints), choices].sum(1)


def gaussian_agent(
    *,
    batch=1,
    sign=-1.0,
    zero=True,
    step=True,
    reset=True,
    clear=True,
    discounted=False,
    clip="environment",
    drawn="sample",
    log_std="learned",
    total="sum",
    stays=False,
    alpha=0.01,
):
    """REINFORCE with torch.distributions, right or with one mistake: one step each `batch` episodes, no baseline."""

    def train(env_id, episodes, seed):
        torch.manual_seed(seed)
        env = gym.make(env_id)
        numbers, (actions,) = env.observation_space.shape[0], env.action_space.shape
        low, high = torch.as_tensor(env.action_space.low), torch.as_tensor(env.action_space.high)
        net = nn.Sequential(nn.Linear(numbers, 32), nn.Tanh(), nn.Linear(32, actions))
        spread = nn.Parameter(torch.full((actions,), -0.1 if log_std == "sigma" else 0.0))
        optimizer = torch.optim.Adam([*net.parameters(), *([spread] if log_std != "fixed" else [])], lr=alpha)
        returns, log_probs, weights, sum_of_all = [], [], [], 0.0
        observation, _ = env.reset(seed=seed)
        for number in range(episodes):
            if number and reset:
                observation, _ = env.reset()
            rewards, over = [], False
            while not over:
                mu = net(torch.as_tensor(observation))
                mu = mu.clamp(low, high) if clip == "mu" else mu
                pi = Normal(mu, spread if log_std == "sigma" else spread.exp())
                action = pi.mean.detach() if drawn == "mean" else getattr(pi, drawn)()
                played = action.detach() if clip == "nowhere" else action.detach().clamp(low, high)
                log_prob = pi.log_prob(played if clip == "before" else action)
                log_probs.append(log_prob if total == "none" else getattr(log_prob, total)())
                following, reward, terminated, truncated, _ = env.step(played.numpy())
                observation = observation if stays else following
                rewards.append(float(reward))
                over = terminated or truncated
            G = np.cumsum(rewards[::-1])[::-1].copy()
            weights += G.tolist()
            sum_of_all = (0.0 if clear else sum_of_all) + sum(
                r * (0.9**t if discounted else 1) for t, r in enumerate(rewards)
            )
            returns.append(sum_of_all)
            if (number + 1) % batch == 0:
                loss = sign * (torch.stack(log_probs) * torch.tensor(weights)).sum() / batch
                if zero:
                    optimizer.zero_grad()
                loss.backward()
                if step:
                    optimizer.step()
                log_probs, weights = [], []
        return returns

    return train


def solution_with(*changes):
    """The exercise's own solution, with a value and batches of episodes, after changes: (old, new, old, new, ...)."""
    source, scope = GAUSSIAN_AGENT.solution, {}
    for old, new in zip(changes[::2], changes[1::2]):
        assert source.count(old) == 1
        source = source.replace(old, new)
    exec(source, scope)
    return scope["answer"]


def solution_by_dimension(used):
    """The solution with a log-probability for each action dimension. used: what the loss takes of these."""
    independent, loss = (
        "Independent(Normal(self.mean(observations), self.log_std.exp()), 1)",
        "pi.log_prob(actions) * A",
    )
    return solution_with(independent, independent[12:-4], loss, f"pi.log_prob(actions){used} * A")


def gaussian_agent_by_hand(env_id, episodes, seed, alpha=0.02):
    """A linear mean and log sigma in NumPy, with the scores written out."""
    env, rng = gym.make(env_id), np.random.default_rng(seed)
    numbers, (actions,) = env.observation_space.shape[0], env.action_space.shape
    W, log_sigma, returns = np.zeros((actions, numbers)), np.zeros(actions), []
    for number in range(episodes):
        observation, _ = env.reset(seed=seed if number == 0 else None)
        scores, rewards, over = [], [], False
        while not over:
            sigma = np.exp(log_sigma)
            z = rng.standard_normal(actions)
            scores.append((np.outer(z / sigma, observation), z**2 - 1))
            action = np.clip(W @ observation + sigma * z, env.action_space.low, env.action_space.high)
            observation, reward, terminated, truncated, _ = env.step(action.astype(np.float32))
            rewards.append(reward)
            over = terminated or truncated
        G = np.cumsum(rewards[::-1])[::-1]
        W = W + alpha * sum(g * of_mean for g, (of_mean, _) in zip(G, scores)) / len(G)
        log_sigma = log_sigma + alpha * sum(g * of_spread for g, (_, of_spread) in zip(G, scores)) / len(G)
        returns.append(sum(rewards))
    return returns


class Torques(nn.Module):
    """The density by hand, and sigma as a softplus."""

    def __init__(self, env):
        super().__init__()
        self.mean = nn.Linear(env.observation_space.shape[0], env.action_space.shape[0])
        self.width = nn.Parameter(torch.ones(env.action_space.shape))

    def log_prob(self, observations, actions):
        sigma = nn.functional.softplus(self.width)
        z = (actions - self.mean(observations)) / sigma
        return (-(z**2) / 2 - sigma.log() - math.log(2 * math.pi) / 2).sum(-1)

    @torch.no_grad()
    def act(self, observation):
        mean = self.mean(torch.as_tensor(observation))
        return mean + nn.functional.softplus(self.width) * torch.randn(mean.shape)


def gaussian_agent_with_a_class(env_id, episodes, seed):
    """Five episodes a step, compared with their mean, and torch.clamp for the environment."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    policy, found, batch = Torques(env), np.zeros(episodes), []
    optimizer = torch.optim.SGD(policy.parameters(), lr=0.4)
    low, high = (torch.as_tensor(bound) for bound in (env.action_space.low, env.action_space.high))
    for number in range(episodes):
        observation, over, steps = env.reset(seed=seed + number)[0], False, []
        while not over:
            action = policy.act(observation)
            following, reward, terminated, truncated, _ = env.step(action.clamp(low, high).numpy())
            steps.append((torch.as_tensor(observation), action, float(reward)))
            observation, over = following, terminated or truncated
        found[number] = sum(reward for *_, reward in steps)
        batch.append(steps)
        if len(batch) == 5:
            G = torch.tensor([[sum(r for *_, r in steps[t:]) for t in range(len(steps))] for steps in batch])
            seen, taken = (torch.stack([torch.stack([step[k] for step in steps]) for steps in batch]) for k in (0, 1))
            loss = -((G - G.mean(0)) * policy.log_prob(seen, taken)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            batch = []
    return found.tolist()


RIGHT = {
    "gaussian_agent": [
        gaussian_agent(),
        gaussian_agent(batch=5, alpha=0.03),
        gaussian_agent_by_hand,
        gaussian_agent_with_a_class,
        solution_with(".sum() / len(batch)", ".mean()"),
        solution_by_dimension(".sum(-1)"),
        solution_with(  # each log-probability meets the rewards of its episode, and keeps those that follow
            "(pi.log_prob(actions) * A)",
            "torch.triu(pi.log_prob(actions).view(-1, 10, 1) * torch.stack([e.rewards for e in batch])[:, None])",
        ),
    ],
    "sigma": [
        math.exp(0.40 - 0.5 * math.log(2 * math.pi * math.e)),
        0.361,
        np.exp(0.4) / np.sqrt(2 * np.pi * np.e),
        (0.4 - Normal(0.0, 1.0).entropy()).exp(),
    ],
    "gaussian_loss": [loss_typed(), loss_by_hand, loss_by_independent, loss_by_matrix, loss_by_loop],
    "power": [power_by_loop, power_in_torch, power_by_einsum],
    "joints": [joints_by_index, joints_by_loop, joints_by_distribution, joints_by_cross_entropy, joints_by_onehot],
    "leftover": [1.7, -0.4 + 2.1, 1.69, np.float32(1.7)],
}
MISTAKES = {
    "gaussian_agent": [
        (gaussian_agent(clip="before"), "lie exactly on the action space's bounds"),
        (gaussian_agent(clip="nowhere"), "Clip what was sampled to the action space for the environment"),
        (gaussian_agent(total="none"), "over the action axis"),
        (gaussian_agent(total="mean"), "mean over the action dimensions"),
        (gaussian_agent(clip="mu"), "mu is clipped: \\d+ of the 1200"),
        (gaussian_agent(log_std="fixed"), "it is not learned"),
        (gaussian_agent(log_std="sigma"), "sigma was not positive"),
        (gaussian_agent(sign=1.0), "the sign is wrong"),
        (gaussian_agent(zero=False), "never set to zero"),
        (
            solution_with("(pi.log_prob(actions) * A)", "(pi.log_prob(actions).sum() * A)"),
            "before they meet the returns",
        ),
        (solution_with("GaussianPolicy(numbers, actions)", "GaussianPolicy(actions, numbers)"), "each in its place"),
        (solution_with("step(actions[-1]", "step(actions[0]"), "one and the same action"),
        (solution_with("self.log_std.exp()), 1)", "self.log_std.exp()), 0)"), "over the action axis"),
        (solution_with("[:, 0].detach()", ".detach()"), "Is one a matrix \\(T, T\\)"),
        (solution_with("* A)", "* A[:, None])"), "their product has the shape \\(80, 80\\)"),
        (solution_with("log_prob(actions)", "log_prob(actions).exp()"), "probability density itself"),
        (solution_with("log_prob(actions)", "log_prob(pi.mean.detach())"), "about mu itself"),
        (solution_with("-1]).sample()", "-1]).sample().tanh()"), "are not drawn from its distribution"),
        (solution_with("self.log_std.exp()", "(2 * self.log_std).exp()"), "the variance"),
        (solution_with("torch.zeros(actions)", "torch.full((actions,), -5.0)"), "sigma begins at 0.00674"),
        (solution_with("network(numbers, actions)\n", "network(numbers, 1)\n"), "an output for each"),
        (solution_with("actions[-1].numpy()", "actions[-1].clamp(-0.5, 0.5).numpy()"), "clipped to -0.5 and 0.5"),
        (
            solution_with(
                *("gym.wrappers.ClipAction(gym.make(env_id))", "gym.make(env_id)"),
                *("actions[-1].numpy()", "actions[-1].clamp(-1, 1).numpy()"),
            ),
            "not to numbers that fit one task",
        ),
        (solution_with("self.mean(observations)", "self.mean(observations).clamp(-1, 1)"), "mu is clipped"),
        (solution_with("self.log_std.exp()", "self.log_std", "torch.zeros", "torch.ones"), "sigma itself, without exp"),
        (solution_with("actions[-1].numpy()", "actions[-1].tanh().numpy()"), "was sampled. Clip it"),
        (solution_with("alpha=0.01", "alpha=10.0"), "[tT]he learning rate is 10"),
        (
            solution_with("-(pi.log_prob(actions) * A)", "((actions - pi.mean).square().sum(-1) * A)"),
            "sigma is 1 from the first step",
        ),
        (solution_by_dimension(""), "over the action axis"),
        (solution_by_dimension(".mean(-1)"), "mean over the action dimensions"),
        (solution_by_dimension("[:, 0]"), "different weights in the loss"),
        (solution_with("    optimizer.zero_grad()\n    loss", "    loss"), "never set to zero"),
        (solution_with("    optimizer.step()\n    for", "    for"), "and call its step\\(\\)"),
        (gaussian_agent(step=False), "After backward\\(\\) comes step"),
        (gaussian_agent(drawn="mean"), "not sampled"),
        (gaussian_agent(drawn="rsample"), "carries a gradient itself"),
        (gaussian_agent(stays=True), "observation that stays"),
        (gaussian_agent(reset=False), "after an episode has ended"),
        (gaussian_agent(clear=False), "the returns are not reset"),
        (gaussian_agent(discounted=True), "without a discount"),
        (gaussian_agent(alpha=1.0), "the learning rate is 1"),
        (lambda env_id, episodes, seed: gaussian_agent_by_hand(env_id, episodes, seed) and None, "but gives nothing"),
        (
            lambda env_id, episodes, seed: gaussian_agent_by_hand(env_id, episodes // 2, seed),
            "your list has 150 returns",
        ),
        (lambda env_id, episodes, seed: [8.0] * episodes, "no episode was played"),
        (Torques, "raised a TypeError"),
    ],
    "sigma": [
        (0.722, "multiplied by the bound"),
        (0.18, "divided by the bound"),
        (math.exp(0.4) / 2, "factor of a half"),
        (1.4189, "that is the constant"),
        (2 ** (0.4 - 1.4189385), "power of log sigma. In nats"),
        (math.exp(-0.4), "sign of the entropy"),
        (0.4, "entropy itself"),
        (math.exp(0.4), "constant is missing"),
        (0.4 - 1.4189385, "Take the exponential"),
        (0.4 + 1.4189385, "forgot the exponential"),
        (math.exp(0.4 + 1.4189385), "you added the constant. Solve"),
        (math.exp(2 * (0.4 - 1.4189385)), "variance"),
        (math.exp(0.4 - 0.9189385), "the e in the constant"),
        (math.exp(0.4 - 2 * 1.4189385), "\\*half\\*"),
        (2**0.4 / math.sqrt(2 * math.pi * math.e), "you took 2"),
        (2, "untrained agent"),
        (10 ** (0.4 - 1.4189385), "you took 10"),
        (1.0189, "without its sign"),
        (10**0.4 / math.sqrt(2 * math.pi * math.e), "powers of 10"),
        (2 * 0.4 / 2.11, "in proportion"),
        (0.9, "Solve H"),
    ],
    "gaussian_loss": [
        (lambda m, s, a, A: -(normal(m, s, a.clamp(-2, 2)).sum(-1) * A).mean(), "were clipped before"),
        (lambda m, s, a, A: -((-((a - m) ** 2) / (2 * s.exp() ** 2)).sum(-1) * A).mean(), "only the squared distance"),
        (lambda m, s, a, A: -(normal(m, s, a).sum(-1) * (A - A.mean()) / (A.std() + 1e-8)).mean(), "normalized first"),
        (loss_by_normal_of_log_sigma, "where sigma belongs"),
        (
            lambda m, s, a, A: -(Normal(m, s, validate_args=False).log_prob(a).sum(1) * A).mean(),
            "^log_sigma stands where",
        ),
        (lambda m, s, a, A: -(Normal(m, abs(s)).log_prob(a).sum(-1) * A).mean(), "where sigma belongs"),
        (lambda m, s, a, A: -(normal(m, s, a) * A).mean(), "for each action dimension"),
        (lambda m, s, a, A: -(normal(m, s, a).sum(0) * A).mean(), "runs over the time steps"),
        (lambda m, s, a, A: -normal(m, s, a).sum(-1).mean() * A.mean(), "product of two means"),
        (loss_typed(power=1), "not squared"),
        (loss_typed(half=1), "the half"),
        (loss_typed(half=-0.5), "must be subtracted"),
        (lambda m, s, a, A: -(normal(m, s, a).sum(-1) * A), "a loss of its own"),
        (lambda m, s, a, A: (normal(m, s, a).sum(-1) * A).mean(), "sign is wrong"),
        (lambda m, s, a, A: -(normal(m, s, a) * A[:, None]).mean(), "over the action dimensions too"),
        (lambda m, s, a, A: -torch.sum(normal(m, s, a).sum(-1) * A), "time steps are added up"),
        (lambda m, s, a, A: -(normal(m, s, a).sum() * A).mean(), "over the batch too"),
        (lambda m, s, a, A: -(normal(m, s, a).sum(-1, keepdim=True) * A).mean(), "every log pi meets"),
        (lambda m, s, a, A: -(normal(m, s, a).sum(-1) * A[:, None]).mean(), "every log pi meets"),
        (lambda m, s, a, A: -(normal(m, s, a) * A).sum(-1).mean(), "for each action dimension"),
        (lambda m, s, a, A: -(normal(m, s, torch.clamp(a, -1, 1)).sum(-1) * A).mean(), "clipped before"),
        (lambda m, s, a, A: -(normal(torch.clip(m, -1, 1), s, a).sum(-1) * A).mean(), "mu was clipped"),
        (lambda m, s, a, A: -(normal(m, 2 * s, a).sum(-1) * A).mean(), "sigma is squared"),
        (lambda m, s, a, A: -(normal(m, s, a).sum(-1).exp() * A).mean(), "density itself"),
        (loss_without_log_sigma, "- log sigma is missing"),
        (loss_without_its_constant, "constant log"),
        (lambda m, s, a, A: -normal(m, s, a).sum(-1).mean(), "advantages are missing"),
        (loss_no_gradient, "no gradient reaches"),
        (loss_in_numpy, "must give a torch tensor"),
        (lambda m, s, a: 0, "raised a TypeError"),
    ],
    "power": [
        (lambda speed, sampled, strongest: (speed * sampled.clip(0, strongest)).mean(1), "clip at zero"),
        (lambda speed, a, strongest: (speed * np.where(abs(a) > strongest, strongest, a)).mean(1), "sign is lost"),
        (lambda speed, sampled, strongest: (speed * sampled.clip(min=-strongest)).mean(1), "lower end only"),
        (lambda speed, sampled, strongest: given((speed * sampled).mean(1), strongest), "mean power is clipped"),
        (lambda speed, sampled, strongest: (given(speed, strongest) * given(sampled, strongest)).mean(1), "speed is"),
        (lambda speed, sampled, strongest: (speed * sampled.clip(-1, 1)).mean(1), "to -1 and 1"),
        (
            lambda speed, sampled, strongest: (speed * np.sign(sampled) * strongest).mean(1),
            "as strong as the motor can",
        ),
        (
            lambda speed, sampled, strongest: (np.sign(speed) * given(sampled, strongest)).mean(1),
            "direction of the motion",
        ),
        (lambda speed, sampled, strongest: (speed * given(sampled, strongest)).clip(min=0).mean(1), "you count 0"),
        (power_of_weak_steps, "left out"),
        (
            lambda speed, sampled, strongest: (speed * np.where(abs(sampled) > strongest, 0, sampled)).mean(1),
            "bounds count 0",
        ),
        (lambda speed, sampled, strongest: speed * given(sampled, strongest), "a number of its own"),
        (lambda speed, sampled, strongest: (speed * given(sampled, strongest)).mean(1) / 20, "time of a step"),
        (lambda speed, sampled, strongest: np.mean(speed * sampled, 1), "never gives more than it has"),
        (lambda speed, sampled, strongest: given(speed * sampled, strongest).mean(-1), "product is clipped"),
        (lambda speed, sampled, strongest: np.mean(speed * sampled.clip(-2, 2), axis=1), "whatever the motor has"),
        (lambda speed, sampled, strongest: np.mean(speed * sampled.clip(max=strongest), axis=1), "upper end only"),
        (lambda speed, sampled, strongest: np.sum(speed * given(sampled, strongest), axis=1), "steps are added up"),
        (lambda speed, sampled, strongest: np.mean(speed * given(sampled, strongest), axis=0), "over the episodes"),
        (lambda speed, sampled, strongest: np.mean(speed * given(sampled, strongest)), "all episodes too"),
        (lambda speed, sampled, strongest: (abs(speed) * abs(given(sampled, strongest))).mean(1), "Leave abs out"),
        (lambda speed, sampled, strongest: speed.mean(1) * given(sampled, strongest).mean(1), "product of two means"),
        (lambda speed, sampled, strongest: (-speed * given(sampled, strongest)).mean(1), "sign is wrong"),
        (lambda speed, sampled, strongest: (np.sign(speed * sampled) > 0).mean(1), "how often"),
        (lambda speed, sampled, strongest: np.sign(speed * sampled).mean(1), "only the directions"),
        (lambda speed, sampled, strongest: given(sampled, strongest).mean(1), "mean torque"),
        (lambda speed, sampled, strongest: (given(sampled, strongest) * speed / 20).sum(1), "in joules"),
        (power_in_place, "in place"),
    ],
    "joints": [
        (lambda z, c: each_joint(z, c).prod(1), "logarithms are multiplied"),
        (lambda z, c: z.log_softmax(-1).sum((1, 2)), "all levels are added"),
        (lambda z, c: each_joint(z, c).min(1).values, "one joint alone"),
        (lambda z, c: z.flatten(1).log_softmax(1).gather(1, c).sum(1), "finds the first one's"),
        (lambda z, c: one_softmax(z, c).mean(1), "as it was"),
        (lambda z, c: each_joint(z, c).mean(1), "mean over the joints is left"),
        (lambda z, c: one_softmax(z, c).sum(1), "levels of all joints together"),
        (along(1), "runs over the joints"),
        (along(0), "softmax runs over the batch"),
        (lambda z, c: probabilities(z, c).sum(1), "probabilities are added"),
        (lambda z, c: probabilities(z, c).sum(1).log(), "of a sum of probabilities"),
        (lambda z, c: probabilities(z, c).prod(1), "the probability of the action"),
        (lambda z, c: torch.log(torch.prod(probabilities(z, c), 1)), "rounded to zero"),
        (lambda z, c: probabilities(z, c).log().sum(1), "rounded to zero"),
        (each_joint, "number of its own. Add them up"),
        (lambda z, c: each_joint(z, c).sum(0), "sum runs over the batch"),
        (lambda z, c: each_joint(z, c).sum(), "everything is added up"),
        (lambda z, c: torch.take_along_dim(z, c[:, :, None], 2).sum((1, 2)), "as they are"),
        (lambda z, c: each_joint(z, z.argmax(-1)).sum(1), "most likely levels"),
        (lambda z, c: nn.functional.cross_entropy(z.mT, c, reduction="none").sum(1), "sign is wrong"),
        (lambda z, c: each_joint(z, c).sum(1).detach().numpy(), "NumPy array"),
    ],
    "leftover": [
        (3 * (0.7 - 0.4), "both numbers by 3"),
        (-1.7, "sign is wrong. Minus"),
        (0.3 - 2.1, "and one sign is lost"),
        (0, "\\*sampled\\* action is zero"),
        (0.3, "true slope"),
        (-0.4 - 2.1, "one sign is lost: the baseline"),
        (-0.4, "changes nothing only"),
        (2.1, "on top of"),
        (-2.1, "with the wrong sign. And"),
        (1, "baseline of 2"),
        (2.4, "began at the true slope"),
        (0.84, "multiplied all three"),
        (-1.2, "the estimate by the baseline"),
        (-3.4, "subtracted as it is"),
        (2.6, "added as it is"),
        (-1.1, "baseline of -1"),
        (7, "mean of score \\* reward"),
    ],
}
