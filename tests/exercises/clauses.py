"""What the texts of the exercises ask for, clause by clause, and an answer that violates this clause alone.

A clause is quoted from the exercise's text, or from its starter's docstring or comments. The answer is the solution,
with one part of it replaced, (old, new); or, where the clause is about some cases only, the solution with a wrong
result in these cases: a function that tells from the arguments whether it is one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Violation = tuple[str, str] | Callable[..., bool]


def _apart(logits: Any, distance: float) -> bool:
    """Whether the logits of a state are so far apart."""
    return bool((logits.max(-1).values - logits.min(-1).values).max() > distance)


def _ended(mask: Any) -> bool:
    """Whether an episode of the batch ends early."""
    return bool((mask == 0).any())


CLAUSES: Mapping[str, Mapping[str, Violation]] = {
    "00 points": {
        "the height of each agent's faint line": ("returns.mean(1)", "returns.mean(0)"),
        "and then the height of the dark line, one number": (
            "return faint, faint.mean()",
            "return faint.mean(), faint",
        ),
        "Returns (agents, episodes)": lambda returns: returns.shape[0] != returns.shape[1],
    },
    "00 first_return": {
        "the return at its first time step, $G_0$": ("gamma**k * reward", "reward"),
        "and `gamma`": lambda rewards, gamma: gamma not in (0.0, 1.0),
        "The first reward of the list is $R_1$": ("gamma**k", "gamma**(k + 1)"),
    },
    "01 rounded": {
        "`bins` numbers, spaced evenly": ("np.linspace(-2, 2, bins)", "np.linspace(-2, 2, bins + 1)"),
        "from -2 to 2, both ends included": ("np.linspace(-2, 2, bins)", "np.linspace(-2, 2, bins, endpoint=False)"),
        "For each torque it gives the nearest of them": (
            "np.abs(torques[:, None] - allowed)",
            "((allowed - torques[:, None]) % 9)",
        ),
        "It gets torques `(n,)`": lambda torques, bins: len(torques) == 1,
        "and a number `bins`": lambda torques, bins: bins % 2 == 0,
    },
    "01 epsilon_greedy": {
        "with probability `epsilon` it draws": lambda Q, epsilon: epsilon in (0, 1),
        "*any* of the actions, all equally likely": ("epsilon / len(Q)", "epsilon / max(len(Q) - 1, 1)"),
        "Otherwise it takes the one with the largest value": ("+= 1 - epsilon", "= 1 - epsilon"),
        "(of equal ones the first)": ("Q.argmax()", "len(Q) - 1 - Q[::-1].argmax()"),
        "what it gives is not a policy": ("return pi", "return pi * 1.1"),
    },
    "01 joints_that_fit": {
        "the largest number of joints": ("return joints", "return joints + 1"),
        "An entry takes four bytes": ("4 * states", "states"),
        "one for each state and each combination of bins": ("bins ** (joints + 1)", "bins * (joints + 1)"),
        "A table that fills the memory exactly still fits": ("<= memory", "< memory"),
        "if not even one joint fits, the answer is 0": lambda states, bins, memory: 4 * states * bins > memory,
        "There is no limit of seven": ("return joints", "return min(joints, 7)"),
    },
    "02 temperature": {
        "one in the temperature": ("logits / temperature", "logits * temperature"),
        "one in the axis": ("powers.sum(-1, keepdim=True)", "powers.sum(0)"),
        "one that shows only with logits as large as those above": (
            "scaled - scaled.max(-1, keepdim=True).values",
            "scaled",
        ),
        "one row for each state": ("scaled.max(-1, keepdim=True).values", "scaled.max()"),
        "at a given temperature": lambda logits, temperature: temperature not in (1, 2),
    },
    "02 sample": {
        "action 0 the first": ("enumerate(probabilities.tolist())", "reversed([*enumerate(probabilities.tolist())])"),
        "so that it may be 0": lambda probabilities, u: u == 0,
        "each action has a piece as long as its probability": (
            "total += probability",
            "total += 1 / len(probabilities)",
        ),
        "Each piece includes its left end and not its right one": ("u < total", "u <= total"),
        "gives the action's number": lambda probabilities, u: u > float(probabilities[:3].sum()),
    },
    "02 log_policy": {
        "one row for each state": ("shifted.exp().sum(-1, keepdim=True)", "shifted.exp().sum(0, keepdim=True)"),
        "of the same shape": ("return shifted", "return shifted[0]"),
        "a torch tensor through which a gradient can flow": ("return shifted", "return shifted.detach()"),
        "It must be right for logits of 1000 too": (
            "shifted = logits - logits.max(-1, keepdim=True).values",
            "shifted = logits",
        ),
    },
    "02 score": {
        "the number of the action that was taken": ("onehot[action]", "onehot[0]"),
        "a row of the same length": lambda logits, action: len(logits) != 2,
        r"$\nabla_{\text{logits}} \log \pi(a)$": ("onehot - ", "-onehot + "),
    },
    "02 module": {
        "a hidden layer of 32 units, with tanh": ("torch.nn.Tanh(), ", ""),
        "`forward` gets states, `(n, numbers)`": ("torch.nn.Linear(numbers, 32)", "torch.nn.Linear(3, 32)"),
        "gives a `torch.distributions.Categorical`": (
            "torch.distributions.Categorical(logits=self.logits(states))",
            "self.logits(states)",
        ),
        "over the actions": ("torch.nn.Linear(32, actions)", "torch.nn.Linear(32, 4)"),
        "for each state": ("logits=self.logits(states)", "logits=self.logits(states).mean(0)"),
        "the policy as a module": ("class Policy(torch.nn.Module)", "class Policy"),
    },
    "03 pushes": {
        "on $\\mu$ and on $\\log \\sigma$": ("z**2 - 1", "(z**2 - 1) / sigma"),
        "without autograd": (
            "sigma = log_sigma.exp()",
            "x = mu.clone().requires_grad_(True); (x**2).sum().backward(); sigma = log_sigma.exp()",
        ),
        "first the score on `mu`": ("z / sigma, z**2 - 1", "z**2 - 1, z / sigma"),
        "give two tensors of that shape": ("return z / sigma, z**2 - 1", "return (z / sigma).sum(), (z**2 - 1).sum()"),
        "one entry for each action dimension": lambda mu, log_sigma, action: len(mu) == 1,
    },
    "03 log_density": {
        "the log-density of the actions": ("0.5 * np.log(2 * np.pi)", "0"),
        "of several states, with several joints each": (".sum(-1)", ".sum()"),
        "give a tensor `(states,)`": (".sum(-1)", ".sum(-1, keepdim=True)"),
        "gradients flow back to `mu` and `log_sigma`": ("log_sigma.exp()", "log_sigma.exp().detach()"),
        "right far from `mu`, too": lambda mu, log_sigma, actions: bool(
            ((actions - mu) / log_sigma.exp()).abs().max() > 10
        ),
    },
    "03 bounded": {
        "what the environment gets": ("return action", "return sampled"),
        "and the log-density of each state's action": (".sum(-1)", ".sum()"),
        "to learn from": ("log_prob(sampled)", "log_prob(action)"),
        "and the bounds": ("sampled.clamp(low, high)", "sampled.clamp(max=high)"),
    },
    "03 two_heads": {
        "$\\mu$ is `features @ w_mu`": ("features @ w_mu,", "(features @ w_mu).tanh(),"),
        "$\\log \\sigma$ is `features @ w_log_sigma`": ("(features @ w_log_sigma).exp()", "(features @ w_log_sigma)"),
        "standard normal `noise`": ("sigma * noise", "sigma"),
        "Return the environment's actions": ("sampled.clamp(low, high), log_pi", "sampled, log_pi"),
        "the log-densities to learn from": ("log_prob(sampled)", "log_prob(sampled.clamp(low, high))"),
        "no gradient flows through the actions": (".detach()", ""),
    },
    "04 trick": {
        "the gradient of `J` by the logits": ("pi * returns", "returns"),
        "gives a row of the same length": (".sum(0)", ".sum()"),
        "the return of every action": ("pi * returns", "pi * returns.clamp(min=0)"),
        "$\\pi$ is a softmax over the logits": lambda logits, returns: _apart(logits, 100),
    },
    "04 estimate": {
        "with zeros after the end of an episode": (".sum(1).mean()", ".sum() / (pushes != 0).sum()"),
        "of $N$ episodes": (".sum(1).mean()", ".sum()"),
        "gives a gradient that is too short": (".sum(1).mean()", ".mean()"),
        "the estimate, one number": (".sum(1).mean()", ".sum(1)"),
    },
    "04 line_4": {
        "the number $\\gamma^t G_t$": ("rewards * gamma **", "rewards * gamma ** 2 **"),
        "in the same shape": (".flip(1)  # at", ".flip(1)[0]  # at"),
        "for one step": lambda rewards, gamma: rewards.shape[1] == 1,
        "for one episode": lambda rewards, gamma: len(rewards) == 1,
        "and for `gamma` 0": lambda rewards, gamma: gamma == 0,
        "and 1.": lambda rewards, gamma: gamma == 1,
        "It can be done without a division, and at `gamma` 0 it must": (
            "return discounted",
            "return gamma ** torch.arange(rewards.shape[1]) / gamma ** torch.arange(rewards.shape[1]) * discounted",
        ),
    },
    "05 loss": {
        "$-\\sum_t G_t \\log \\pi(a_t \\mid s_t, \\theta)$": ("return -", "return "),
        "the actions that were taken": ("[torch.arange(len(actions)), actions]", "[:, actions]"),
        "the weights $G_t$": (" * weights", ""),
        "one number": (".sum()", ""),
        "its gradient is wrong": ("logits.log_softmax(-1)", "logits.log_softmax(-1).detach()"),
        "the logits of the $T$ steps": lambda logits, actions, weights: _apart(logits, 100),
    },
    "05 update": {
        "by hand and without an optimizer": (
            "return (theta - alpha * theta.grad).detach()",
            "torch.optim.SGD([theta], alpha).step(); return theta.detach()",
        ),
        "gives the new `theta`": ("(theta - alpha * theta.grad).detach()", "theta.detach()"),
        "(the old one must stay as it was)": ("theta.clone().requires_grad_(True)", "theta.requires_grad_(True)"),
        "The sum over $t$ is a sum": ("(log_probs * returns).sum()", "(log_probs * returns).mean()"),
        "there is no factor $\\gamma^t$": (
            "log_probs * returns",
            "log_probs * returns * gamma ** torch.arange(len(returns))",
        ),
        "the numbers `gamma` and `alpha`": lambda theta, x, a, r, gamma, alpha: gamma == 0,
        "one episode": lambda theta, x, a, r, gamma, alpha: len(r) == 1,
    },
    "05 normalize": {
        "normalize over the *batch*": (
            "(returns * mask).sum() / mask.sum()",
            "(returns * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)",
        ),
        "of all steps where `mask` is 1": ("(returns * mask).sum() / mask.sum()", "returns.mean()"),
        "(divide by their number": (".square().sum() / mask.sum()", ".square().sum() / (mask.sum() - 1)"),
        "add $10^{-8}$ to the standard deviation": ("/ mask.sum()).sqrt()", "/ mask.sum() + 1e-8).sqrt()"),
        "a weight of 0 after the end": ("(std + 1e-8) * mask", "(std + 1e-8)"),
        "Equal returns": lambda returns, mask: (
            bool((returns[mask > 0] == returns[mask > 0][0]).all()) and mask.sum() > 1
        ),
        "and a single step, must not give NaN": lambda returns, mask: mask.sum() == 1,
    },
    "05 band": {
        "the lower edge of the band": ("np.quantile(returns, 0.1, axis=1)", "returns.min(axis=1)"),
        "the mean of the runs": ("returns.mean(axis=1)", "np.median(returns, axis=1)"),
        "gives them in that order": ("return np.quantile(returns, 0.1", "return np.quantile(returns, 0.9"),
        "returns `(updates, runs)`": lambda returns: returns.shape[0] != returns.shape[1],
        "as `np.quantile` computes them": ("0.9, axis=1", "0.9, axis=1, method='lower'"),
    },
    "06 noise": {
        "the gradients of single episodes": (".mean()\n", ".sum()\n"),
        "with the accuracy instead of 0.3": ("accuracy**2", "0.3**2"),
        "Do not round it": (
            "return V / (accuracy**2 * mean.square().sum())",
            "return (V / (accuracy**2 * mean.square().sum())).ceil()",
        ),
        "`(episodes, weights)`": lambda gradients, accuracy: gradients.shape[1] == 1,
    },
    "06 learn": {
        "makes one step of gradient descent": ("w - alpha_w", "w + alpha_w"),
        "on $L(w)$ above": ("(2 * mask.sum())", "mask.sum()"),
        "with the step size `alpha_w`": ("alpha_w * w.grad", "w.grad"),
        "the old one must stay as it was": ("w.clone().requires_grad_(True)", "w.requires_grad_(True)"),
        "The mean is over the time steps that were played": ("mask.sum()", "mask.numel()"),
        "where `mask` is 1": ("(returns - observations @ w) * mask", "returns - observations @ w"),
    },
    "06 means": {
        "First, the new running mean": (
            "return running_mean, others / number.clamp(min=1) * mask",
            "return others / number.clamp(min=1) * mask, running_mean",
        ),
        "a tenth of the way from `b`": ("0.1", "0.2"),
        "the mean of all $G_t$ that were played": ("/ mask.sum()", "/ mask.numel()"),
        "the mean of the *other* episodes": (
            "returns.sum(0) - returns, mask.sum(0) - mask",
            "returns.sum(0), mask.sum(0)",
        ),
        "at the same time step": (
            "returns.sum(0) - returns, mask.sum(0) - mask",
            "returns.sum(1, True) - returns, mask.sum(1, True) - mask",
        ),
        "0 where there is no other": (".clamp(min=1)", ""),
        "or the episode has ended": ("(min=1) * mask", "(min=1)"),
    },
    "06 interval": {
        "of a paired difference": (
            "differences.std(ddof=1)",
            "np.sqrt(with_baseline.var(ddof=1) + without.var(ddof=1))",
        ),
        "Student's $t$ for that number of runs": ("t * error", "2 * error"),
        "the lower and the upper edge": (
            "differences.mean() - t * error, differences.mean() + t * error",
            "differences.mean() + t * error, differences.mean() - t * error",
        ),
        "*with* minus *without*": ("with_baseline - without", "without - with_baseline"),
        "for the mean difference": (" / np.sqrt(len(differences))", ""),
        "The standard deviation of a sample divides by $n - 1$": ("ddof=1", "ddof=0"),
    },
    "07 per_batch": {
        "subtract the mean over all played steps": ("(returns * mask).sum() / steps", "returns.mean()"),
        "divide by their standard deviation": ("centred / (deviation + 1e-8)", "centred"),
        "plus 1e-8": ("deviation + 1e-8", "deviation + 1e-2"),
        "there the returns are 0, and your weights must be, too": (
            "return centred",
            "return (returns - (returns * mask).sum() / steps)",
        ),
        "for episodes of different lengths": lambda returns, mask: _ended(mask),
        "A batch of one single step must give 0, not NaN": lambda returns, mask: mask.sum() == 1,
    },
    "07 degrees_apart": {
        "the angle, in degrees": ("torch.rad2deg(", "("),
        "the mean of the rows": ("gradients.mean(0)", "gradients[0]"),
        "The lengths must not matter": (" / (mean.norm() * exact.norm())", ""),
        "where both have the same direction it must give 0, not NaN": ("cosine.clamp(-1, 1)", "cosine"),
    },
    "07 td_errors": {
        "one episode that was played to its end": ("torch.zeros(1)", "values[-1:]"),
        "All but one are right": ("values[1:], torch.zeros(1)", "values[1:], values[:1]"),
        "should give $\\delta_0, \\dots, \\delta_{T-1}$": ("- values\n", "\n"),
        "both (T,)": lambda rewards, values, gamma: len(rewards) == 1,
    },
    "08 policy_entropy": {
        "one row for each state": (".sum(-1)", ".sum()"),
        "in nats": ("return -", "return -1.442695 * "),
        "for logits of any size": lambda logits: bool(logits.abs().max() > 100),
        "where a probability is so small that it is rounded to 0": (
            "log_pi = torch.log_softmax(logits, -1)",
            "log_pi = torch.softmax(logits, -1).log()",
        ),
    },
    "08 loss_with_bonus": {
        "The first term of `loss_with_bonus` is right": ("-(log_prob * A)", "(log_prob * A)"),
        "in the second one three things are wrong": ("- beta", "+ beta"),
        "have the shape (episodes, steps)": (".sum() / N\n", ".sum() / mask.sum()\n"),
        "after an episode's end": ("(entropy * mask)", "entropy"),
        "the loss, one number": ("(entropy * mask)", "(entropy.detach() * mask)"),
    },
    "08 first_weight": {
        "as `fraction` of the standard deviation": ("fraction * ", ""),
        "Only steps that were played count": ("A[mask > 0]", "A"),
        "other entries of `A` must not matter": ("A[mask > 0]", "(A * mask)"),
        "around the mean": ("A[mask > 0].std(correction=0)", "A[mask > 0].square().mean().sqrt()"),
        "divided by the number of steps played": ("correction=0", "correction=1"),
        "of one batch": ("A[mask > 0].std(correction=0)", "A.std(1, correction=0).mean()"),
    },
    "08 beta_schedule": {
        "$\\beta$ is `start` as long as `k` is not above `hold`": ("min(1.0, max(0.0, left))", "max(0.0, left)"),
        "then it falls along a straight line": ("max(0.0, left)", "max(0.0, left) ** 2"),
        "which reaches 0 at `until`": ("(until - k) / (until - hold)", "(until + 1 - k) / (until + 1 - hold)"),
        "from there on it is 0": ("max(0.0, left)", "left"),
        "You may assume 0 <= `hold`": lambda k, start, hold, until: hold == 0,
    },
    "09 gaussian_loss": {
        "minus the mean over the steps": (".mean()", ".sum()"),
        "of $\\log \\pi(a \\mid s)$": (".sum(-1)", ".mean(-1)"),
        "times the advantage": (" * advantages", ""),
        "`mu` `(n, actions)` comes from the network": ("Normal(mu,", "Normal(mu.detach(),"),
        "`log_sigma` `(actions,)` is the weight": ("log_sigma.exp()", "log_sigma.exp().detach()"),
    },
    "09 power": {
        "The power of a motor is torque times speed": ("torque * speed", "torque * abs(speed)"),
        "above zero when it pushes with the motion": ("return (", "return -("),
        "which clips at both ends": ("np.clip(sampled, -strongest, strongest)", "np.minimum(sampled, strongest)"),
        "`strongest`, the bound of the motor": ("-strongest, strongest", "-2, 2"),
        "each episode's mean over its steps": (".mean(1)", ".mean()"),
    },
    "09 joints": {
        "a softmax for each joint by itself": (
            "logits.log_softmax(-1)",
            "logits.flatten(1).log_softmax(-1).view_as(logits)",
        ),
        "one $\\log \\pi(a \\mid s)$ for each of the `n` whole actions": (".sum((1, 2))", ".mean((1, 2))"),
        "the levels that were chosen": ("choices.unsqueeze(-1)", "logits.argmax(-1, keepdim=True)"),
        "`logits` are `(n, joints, levels)`": lambda logits, choices: logits.shape[0] == 1 or logits.shape[1] == 1,
    },
    "10 plateau": {
        "from the lowest to the highest of the rates": ("plateau.min() * plateau.max()", "plateau.max() ** 2"),
        "whose *mean* score": ("scores.mean(1)", "np.median(scores, axis=1)"),
        "is at most `slack` below the best mean": ("mean >= mean.max() - slack", "mean > mean.max() - slack"),
        "in units of return": ("mean.max() - slack", "mean.max() * (1 - slack / 100)"),
        "The rates come in any order": ("plateau.min() * plateau.max()", "plateau[0] * plateau[-1]"),
        "poor ones between the two ends do not matter": (
            "np.sqrt(plateau.min() * plateau.max())",
            "np.exp(np.log(plateau).mean())",
        ),
        "counted in factors": ("np.sqrt(plateau.min() * plateau.max())", "(plateau.min() + plateau.max()) / 2"),
    },
    "10 clip": {
        "Each run's gradient should be clipped by itself": ("gradients.norm(dim=1, keepdim=True)", "gradients.norm()"),
        "(in the Euclidean norm)": ("gradients.norm(dim=1", "gradients.norm(p=1, dim=1"),
        "is shortened to it": ("gradients * longest / norm", "gradients / norm"),
        "Any other row stays as it is": (
            "torch.where(norm > longest, gradients * longest / norm, gradients)",
            "gradients * longest / norm.clamp(min=1e-9)",
        ),
        "also a row of zeros": (
            "torch.where(norm > longest, gradients * longest / norm, gradients)",
            "gradients * (longest / norm).clamp(max=1) + 0 * gradients / norm",
        ),
    },
    "10 change": {
        "the policy before and after": ("p, q = before.log_softmax(-1), after", "q, p = before.log_softmax(-1), after"),
        "averaged over the states": (".mean()", ".sum()"),
        "It gets the *logits* of both": ("before.log_softmax(-1), after.log_softmax(-1)", "before.log(), after.log()"),
        "A policy may be nearly certain, with logits 200 apart": (
            "p, q = before.log_softmax(-1), after.log_softmax(-1)",
            "p, q = before.softmax(-1).log(), after.softmax(-1).log()",
        ),
    },
    "11 dock": {
        "from -5 to 5": ("-5, 5)", "-6, 6)"),
        "Action 0 moves it one unit to the left": ("else -1", "else 0"),
        "at an end of the track it cannot go farther": (
            "np.clip(self.place + (1 if action == 1 else -1), -5, 5)",
            "self.place + (1 if action == 1 else -1)",
        ),
        "minus its distance": ("-distance, distance", "distance, distance"),
        "from the dock *after* the move": (
            "self.place = np.clip(self.place + (1 if action == 1 else -1), -5, 5)\n    distance = abs(self.place[0])",
            "distance = abs(self.place[0])\n    self.place = np.clip(self.place + (1 if action == 1 else -1), -5, 5)",
        ),
        "The episode terminates as soon as it is closer than 0.5": ("distance < 0.5, False", "False, distance < 0.5"),
        "closer than 0.5": ("distance < 0.5", "distance <= 0.5"),
        "It does not count steps": ("False, {}", "True, {}"),
        "an array that was returned earlier must never change": ("self.place = np.clip(", "self.place[:] = np.clip("),
        "a new array of shape `(1,)`": ("return self.place,", "return self.place[0],"),
    },
    "11 network": {
        "a linear mean": ("observations @ w", "(observations @ w).tanh()"),
        "does not depend on the observation": ("log_sigma.expand_as(mu)", "log_sigma + 0.1 * mu"),
        "each `(n, action size)`": ("log_sigma.expand_as(mu)", "log_sigma"),
        "the pair $(\\mu, \\log \\sigma)$": ("log_sigma.expand_as(mu)", "log_sigma.exp().expand_as(mu)"),
        "A gradient must reach both weights": ("log_sigma.expand_as(mu)", "log_sigma.detach().expand_as(mu)"),
    },
    "11 knob": {
        "which value did a knob have in a given update": ("<= number", "< number"),
        "and gives a float": ("float(value)", "value"),
        "A knob may have moved never": ('document["settings"][name]', "0.5"),
        "once or several times": (
            'value = move["knobs"].get(name, value)',
            'return float(move["knobs"].get(name, value))',
        ),
        "some moves are of other knobs": (
            'value = move["knobs"].get(name, value)',
            'value = [*move["knobs"].values()][0]',
        ),
        "For clipping that is off, give infinity": lambda document, name, number: "clip" in name or "norm" in name,
    },
    "12 two_steps": {
        "the forecast two steps on, minus the value": ("gamma * delta[..., 1:]", "delta[..., 1:]"),
        "for the last step of an episode": ("delta[..., 1:]", "delta[..., :1]"),
        "`v` is *not*": ("* episodes.mask", "* 1"),
        "All are (runs, episodes, steps)": lambda episodes, v, v_next, gamma: v.shape[0] > 1,
        "There your function gives 0": lambda episodes, v, v_next, gamma: bool((episodes.mask == 0).any()),
    },
    "12 error": {
        "for several $\\lambda$": (
            "gradients.mean(1) - exact",
            "gradients.mean((0, 1)).expand_as(gradients.mean(1)) - exact",
        ),
        "$\\text{bias}^2 + V / N$": ("bias**2", "bias"),
        "the length of the *difference*": (
            "(gradients.mean(1) - exact).norm(dim=-1)",
            "gradients.mean(1).norm(dim=-1) - exact.norm()",
        ),
        "(as torch's `var` gives it, divided by $n - 1$)": ("gradients.var(1)", "gradients.var(1, correction=0)"),
        "summed over the weights": ("gradients.var(1).sum(-1)", "gradients.var(1).mean(-1)"),
        "$N$, the episodes of a batch": ("variance / episodes", "variance / gradients.shape[1]"),
    },
    "13 clipped": {
        "minus the clipped objective": ("return -", "return "),
        "summed over the steps of an episode and averaged over the episodes": (".sum(1).mean()", ".mean()"),
        "`mask` is 1 where a step was played": ("objective * mask", "objective"),
        "this loss should train only the policy": ("A = A.detach()", "A = A * 1"),
        "Find two bugs": (
            "torch.minimum(ratio * A, ratio.clamp(1 - epsilon, 1 + epsilon) * A)",
            "torch.minimum(ratio, ratio.clamp(1 - epsilon, 1 + epsilon)) * A",
        ),
    },
    "13 row": {
        "the last row of the table whose change has any effect": ("return 6 if", "return 5 if"),
        "2 with a value baseline": ("return 2", "return 3"),
        "3 actor-critic, 4 GAE": ("gae_lambda == 0", "gae_lambda < 0"),
        "(infinity if it is off)": ('6 if clip_ratio < float("inf") else 5', "6"),
        "Each setting has values at which it changes nothing": (
            "policy_epochs > 1",
            'policy_epochs > 1 or clip_ratio < float("inf")',
        ),
        "without a value there is nothing to bootstrap from": (
            'if baseline == "none":',
            'if baseline == "none" and gae_lambda == 1:',
        ),
    },
    "14 states": {
        "before token t of answer i": ("answers[:, :t]", "answers[:, 1 : t + 1]"),
        "counted from 0": ("range(1, length)", "range(2, length)"),
        "10 is the equals sign": (", 10  #", ", 12  #"),
        "11 stands where nothing is written yet": ("2 * length), 11)", "2 * length), 0)"),
        "`(n, length, 2 * length)`": ("return rows", "return rows[:, 0]"),
    },
    "14 log_prob": {
        "the logits of all three states": ("logits[:, length:]", "logits[:, length - 1 : -1]"),
        "The last token of an answer stands in none of the rows, but it is in the answers": (
            ".squeeze(-1).sum(-1)",
            ".squeeze(-1)[:, :-1].sum(-1)",
        ),
        "of each whole answer": (".squeeze(-1).sum(-1)", ".squeeze(-1)"),
        "a torch tensor through which the gradient can flow": (".sum(-1)\n", ".sum(-1).detach()\n"),
        "the logits at *all* positions of n rows": lambda logits, answers: len(logits) == 1,
    },
    "15 loss": {
        "minus the mean, over the n answers": ("each.mean()", "each.sum()"),
        "of the sum over an answer's tokens": (".sum(1)", ".mean(1)"),
        "of advantage times log-probability": ("advantages[:, None]", "advantages[:, None].abs()"),
        "its gradient is then minus the policy gradient": ("-(log_probs", "(log_probs"),
        "0.0 after an answer's end": (" * written", ""),
        "one for each answer": lambda log_probs, advantages, written: log_probs.shape[0] == log_probs.shape[1],
    },
    "16 bradley_terry": {
        "that some model gives to the answers that were called better, and to the others": (
            "better - worse",
            "worse - better",
        ),
        "returns a number": (".mean()", ""),
        "through which the gradient can flow": (".mean()", ".mean().detach()"),
    },
    "16 gamed": {
        "the true reward of the best policy": ("best * right", "best * learned"),
        "for a learned one": ("learned / beta", "right / beta"),
        "the logarithm of its probability under the reference": ("log_ref + ", "log_ref.exp() + "),
        "and the price": ("learned / beta", "learned"),
        "returns a number": (".sum()", ""),
    },
    "16 dpo_loss": {
        "of the better and of the worse answers under the policy that learns": (
            "implied_better - implied_worse",
            "implied_worse - implied_better",
        ),
        "then the same under the reference": ("(worse - ref_worse)", "worse"),
        "and $\\beta$": ("beta * (worse", "(worse"),
        "returns a number": (".mean()", ""),
    },
    "17 full_loss": {
        "the log-probabilities of n answers' tokens now": ("(log_pi - log_old).exp()", "(log_old - log_pi).exp()"),
        "and under the reference": ("(log_ref - log_pi).exp()", "(log_pi - log_ref).exp()"),
        "1.0 where a token was written and 0.0 after an answer's end": (
            "(gain - beta * kl) * written",
            "gain - beta * kl",
        ),
        "the numbers $\\epsilon$ and $\\beta$": ("1 - epsilon, 1 + epsilon", "0.8, 1.2"),
        "It returns the loss": ("-each.mean()", "each.mean()"),
    },
}

# of exercises that ask for a number or a word: what is answered by whoever overlooks the clause
VALUES: Mapping[str, Mapping[str, float | str]] = {
    "00 new_rate": {"You let it make 25": 40, "press **Step** three times": 12, "goes on to the end": 3},
    "00 moves": {"at the place 560 of its horizontal axis": 560, "the weights of *one* agent": 350},
    "00 look_ahead": {"about *twenty* steps ahead": 0.9, "an endless stream of ones is worth 20": 0.05},
    "01 left": {"by the law of the robot's curve": 0.25, "from 11 bins to 41": (11 / 41) ** 2, "between 0 and 1": 6.25},
    "01 wins": {"the best answer": 0.0, "in a round, on average": 1.0},
    "01 which": {"you would rather learn action values": "a"},
    "02 predict": {"three logits are 0, 0 and $\\log 3$": 0.75, "the probability of the third action": 0.2},
    "03 width": {"$\\sigma = 0.5$": 0.1875, "the return is bad: $G = -2$": -0.075, "with $\\alpha = 0.1$": 1.5},
    "04 climbs": {"it searches with probability ½": 1.8, "`gamma` is 0.9": 4.0},
    "04 trajectory": {"0.5$ and": 0.09, "*search*, and it goes on": 0.18},
    "04 how_many": {"weighted by the *total return*": 64, "(An answer within 5 % counts.)": 168},
    "05 adam": {"128 activations": 0.01, "with `alpha` = 0.01": 128, "(A distance, without a sign.)": -1.28},
    "06 not_allowed": {"would break it": "state"},
    "07 one_better": {"and one has 50": 1.8, "which weight does that one get": -1 / 3, "Normalized per batch": 2.0},
    "07 better_by": {"with the probabilities 0.5, 0.25 and 0.25": 4.667, "of the second one": -2.5},
    "08 too_much": {
        "the other action takes the coin": 10 * 0.8**7,
        "in each of the seven cells": 8.0,
        "if it never turned back": 10.0,
    },
    "09 sigma": {"is 0.40 nats": 2 ** (0.4 - 1.4189), "in N m": 0.5 * 0.361},
    "09 leftover": {"with a baseline of 3": -0.4, "the clipped action's score gives": 0.3},
    "10 horizon": {"of exactly 200 steps": 0.99},
    "10 rate": {"the *square* of `alpha`": 0.1, "You want 0.005": 0.005},
    "10 broken": {"Which update broke it": 2, "the step comes last": 4},
    "11 live": {
        "16 episodes an update, for each agent": 32,
        "You do not press **Reset**": 480,
        "has *each* of the ten agents played": 3200,
    },
    "11 chance": {"Seven runs": 0.75, "each run with each other one": 0.35, "wrong in 5 % of the cases": 21},
    "11 curves": {
        "one curve, the mean of its ten agents": 30,
        "**seed** 1 instead of 0": 2,
        "How many different curves": 5,
    },
    "12 tilt": {
        "Give the change with its sign": 2.25,
        "`gamma` is 0.9": -2.5,
        "otherwise you are in the study again": -1.8,
    },
    "13 farther": {"How many times as far": 1 / 60, "Within 25 % is good enough": 100},
    "14 group": {"the mean of the $n - 1$ other answers": 5, "the smallest group size $n$": 7},
    "15 level": {"depends on $p$": 3, "What is the smallest group size": 5},
    "15 price": {"with a price of $\\beta$ = 0.5": 0.7311, "What share of its answers is *right*": 0.9452},
    "17 silent": {"all right or all wrong": 1 - 0.9**8 - 0.1**8, "the groups of 8": 0.9**7 + 0.1**7},
    "17 which_change": {"each batch for *one* step": "clip higher", "differ little in length": "token-level average"},
}
