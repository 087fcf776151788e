"""Learners' answers to the exercises of notebook 03."""

import math

import numpy as np
import torch
from torch.distributions import Independent, Normal


def by_formula(mu, log_sigma, actions):
    variance = torch.exp(2 * log_sigma)
    density = torch.exp(-((actions - mu) ** 2) / (2 * variance)) / torch.sqrt(2 * math.pi * variance)
    return torch.log(density).sum(dim=1)


def joint_by_joint(mu, log_sigma, actions):
    total = 0
    for joint in range(mu.shape[1]):
        z = (actions[:, joint] - mu[:, joint]) / log_sigma[:, joint].exp()
        total = total - z * z / 2 - log_sigma[:, joint] - math.log(math.sqrt(2 * math.pi))
    return total


def independent(mu, log_sigma, actions):
    return Independent(Normal(mu, log_sigma.exp()), 1).log_prob(actions)


def density_itself(mu, log_sigma, actions):
    return Normal(mu, log_sigma.exp()).log_prob(actions).exp().prod(-1)


def unexponentiated(mu, log_sigma, actions):
    z = (actions - mu) / log_sigma
    return (-(z**2) / 2 - torch.log(log_sigma) - math.log(2 * math.pi) / 2).sum(-1)


def divided_once(mu, log_sigma, actions):
    sigma = log_sigma.exp()
    return (-((actions - mu) ** 2) / (2 * sigma) - sigma.log() - math.log(2 * math.pi) / 2).sum(-1)


def with_signs(square, width, constant):
    """The sum over joints of square * z^2 + width * log sigma + constant."""

    def log_density(mu, log_sigma, actions):
        z = (actions - mu) * torch.exp(-log_sigma)
        return (square * z.pow(2) + width * log_sigma + constant).sum(-1)

    return log_density


def constant_once(mu, log_sigma, actions):
    z = (actions - mu) / log_sigma.exp()
    return -(z**2 / 2 + log_sigma).sum(-1) - math.log(2 * math.pi) / 2


def sigma_instead_of_its_log(mu, log_sigma, actions):
    sigma = log_sigma.exp()
    return (-0.5 * ((actions - mu) / sigma) ** 2 - sigma - math.log(2 * math.pi) / 2).sum(-1)


def not_squared(mu, log_sigma, actions):
    z = (actions - mu) / log_sigma.exp()
    return (-z / 2 - log_sigma - math.log(2 * math.pi) / 2).sum(-1)


def without_gradient(mu, log_sigma, actions):
    with torch.no_grad():
        return Normal(mu, log_sigma.exp()).log_prob(actions).sum(-1)


def centred_in_place(mu, log_sigma, actions):
    actions -= mu
    return Normal(torch.zeros_like(mu), log_sigma.exp()).log_prob(actions).sum(-1) + 0 * mu.sum()


def never(mu, log_sigma, actions):
    joint = 0
    while joint < mu.shape[1]:
        z = actions[:, joint] - mu[:, joint]
    return z


def pushes_by_autograd(mu, log_sigma, action):
    mu, log_sigma = mu.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    Normal(mu, log_sigma.exp()).log_prob(action).sum().backward()
    return mu.grad, log_sigma.grad


def pushes_in_numpy(mu, log_sigma, action):
    mu, log_sigma, action = (x.numpy().astype(np.float64) for x in (mu, log_sigma, action))
    variance = np.exp(2 * log_sigma)
    return (action - mu) / variance, (action - mu) ** 2 / variance - 1


def pushes_by_loop(mu, log_sigma, action):
    on_mu, on_log_sigma = [], []
    for m, w, a in zip(mu.tolist(), log_sigma.tolist(), action.tolist()):
        on_mu.append((a - m) / math.exp(w) ** 2)
        on_log_sigma.append(((a - m) / math.exp(w)) ** 2 - 1)
    return on_mu, on_log_sigma


def wrong_pushes(on_mu, on_log_sigma):
    """Both scores from z and sigma."""

    def pushes(mu, log_sigma, action):
        sigma = torch.exp(log_sigma)
        z = (action - mu) / sigma
        return on_mu(z, sigma), on_log_sigma(z, sigma)

    return pushes


def log_sigma_as_sigma(mu, log_sigma, action):
    return (action - mu) / log_sigma.pow(2), (action - mu).pow(2) / log_sigma.pow(2) - 1


def on_mu(z, sigma):
    return z / sigma


def on_log_sigma(z, sigma):
    return z * z - 1


def swapped(mu, log_sigma, action):
    one, other = pushes_by_loop(mu, log_sigma, action)
    return other, one


def bounded_with_where(mu, log_sigma, sampled, low, high):
    action = torch.where(sampled < low, torch.full_like(sampled, low), sampled)
    action = torch.where(action > high, torch.full_like(sampled, high), action)
    return action, independent(mu, log_sigma, sampled)


def bounded_by_hand(mu, log_sigma, sampled, low, high):
    return torch.minimum(torch.maximum(sampled, torch.tensor(low)), torch.tensor(high)), joint_by_joint(
        mu, log_sigma, sampled
    )


def bounded_in_doubles(mu, log_sigma, sampled, low, high):
    log_pi = Normal(mu.double(), log_sigma.double().exp()).log_prob(sampled.double()).sum(1)
    return sampled.detach().double().clip(low, high), log_pi


def as_it_was(mu, log_sigma, sampled, low, high):
    action = sampled.clamp(low, high)
    log_pi = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(action).sum()
    return action, log_pi


def clipped_first(mu, log_sigma, sampled, low, high):
    sampled = torch.clip(sampled, low, high)
    return sampled, independent(mu, log_sigma, sampled)


def clamps_in_place(mu, log_sigma, sampled, low, high):
    log_pi = independent(mu, log_sigma, sampled)
    return sampled.clamp_(low, high), log_pi


def wrong_way_round(mu, log_sigma, sampled, low, high):
    return sampled, independent(mu, log_sigma, sampled.clamp(low, high))


def detached(mu, log_sigma, sampled, low, high):
    action, log_pi = bounded_with_where(mu, log_sigma, sampled, low, high)
    return action, log_pi.detach()


def act_with_normal(features, w_mu, w_log_sigma, noise, low, high):
    policy = Independent(Normal(features @ w_mu, torch.exp(features @ w_log_sigma)), 1)
    sampled = (policy.mean + policy.stddev * noise).detach()
    return sampled.clip(low, high), policy.log_prob(sampled)


def act_by_hand(features, w_mu, w_log_sigma, noise, low, high):
    mu, log_sigma = features.matmul(w_mu), features.matmul(w_log_sigma)
    sampled = mu.detach() + log_sigma.detach().exp() * noise
    z = (sampled - mu) / log_sigma.exp()
    log_pi = (-(z**2) / 2 - log_sigma - math.log(2 * math.pi) / 2).sum(1)
    return torch.minimum(torch.maximum(sampled, torch.tensor(low)), torch.tensor(high)), log_pi


def act_without_grad(features, w_mu, w_log_sigma, noise, low, high):
    with torch.no_grad():
        sampled = features @ w_mu + (features @ w_log_sigma).exp() * noise
        action = np.clip(sampled.numpy(), low, high)
    return torch.as_tensor(action), by_formula(features @ w_mu, features @ w_log_sigma, sampled)


def act_joint_by_joint(features, w_mu, w_log_sigma, noise, low, high):
    actions, log_pi = [], 0
    for joint in range(noise.shape[1]):
        mu, sigma = features @ w_mu[:, joint], (features @ w_log_sigma[:, joint]).exp()
        sampled = (mu + sigma * noise[:, joint]).detach()
        log_pi = log_pi + Normal(mu, sigma).log_prob(sampled)
        actions.append(sampled.clamp(low, high))
    return torch.stack(actions, dim=1), log_pi


def act_that_draws(draw, detach=torch.detach):
    """Draws from mu, sigma and noise; the rest is right."""

    def act(features, w_mu, w_log_sigma, noise, low, high):
        mu, log_sigma = features @ w_mu, features @ w_log_sigma
        sampled = detach(draw(mu, log_sigma.exp(), noise))
        return sampled.clamp(low, high), joint_by_joint(mu, log_sigma, sampled)

    return act


act_differentiated = act_that_draws(lambda mu, sigma, noise: mu + sigma * noise, detach=lambda drawn: drawn)


def act_with_rsample_for_both(features, w_mu, w_log_sigma, noise, low, high):
    policy = Normal(features @ w_mu, (features @ w_log_sigma).exp())
    sampled = policy.loc + policy.scale * noise
    return sampled.clamp(low, high), policy.log_prob(sampled.detach()).sum(-1)


def act_without_any_gradient(features, w_mu, w_log_sigma, noise, low, high):
    with torch.no_grad():
        return act_by_hand(features, w_mu, w_log_sigma, noise, low, high)


def act_that_learns_from(choose):
    def act(features, w_mu, w_log_sigma, noise, low, high):
        mu, log_sigma = features @ w_mu, features @ w_log_sigma
        sampled = (mu + log_sigma.exp() * noise).detach()
        clipped = sampled.clamp(low, high)
        return clipped, independent(mu, log_sigma, choose(sampled, clipped))

    return act


def act_with_the_noise_in_its_density(features, w_mu, w_log_sigma, noise, low, high):
    mu, log_sigma = features @ w_mu, features @ w_log_sigma
    log_pi = (-(noise**2) / 2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(-1)
    return (mu + log_sigma.exp() * noise).detach().clamp(low, high), log_pi


def squashed_with_correction(mu, log_sigma, sampled, low, high):
    squashed = torch.tanh(sampled)
    log_pi = normal(mu, log_sigma).log_prob(sampled) - torch.log(1 - squashed**2)
    return (low + high) / 2 + (high - low) / 2 * squashed, log_pi.sum(-1)


def act_that_sums(total):
    def act(features, w_mu, w_log_sigma, noise, low, high):
        policy = Normal(features @ w_mu, (features @ w_log_sigma).exp())
        sampled = (policy.loc + policy.scale * noise).detach()
        return sampled.clamp(low, high), total(policy.log_prob(sampled))

    return act


def act_unclipped(features, w_mu, w_log_sigma, noise, low, high):
    policy = Normal(features @ w_mu, (features @ w_log_sigma).exp())
    sampled = (policy.loc + policy.scale * noise).detach()
    return sampled, policy.log_prob(sampled).sum(-1)


def act_with_one_sigma(features, w_mu, w_log_sigma, noise, low, high):
    mu, log_sigma = features @ w_mu, (features @ w_log_sigma).mean(0)
    sampled = (mu + log_sigma.exp() * noise).detach()
    return sampled.clamp(low, high), Normal(mu, log_sigma.exp()).log_prob(sampled).sum(-1)


def act_with_log_sigma_as_sigma(features, w_mu, w_log_sigma, noise, low, high):
    policy = Normal(features @ w_mu, features @ w_log_sigma)
    sampled = (policy.loc + policy.scale * noise).detach()
    return sampled.clamp(low, high), policy.log_prob(sampled).sum(-1)


def normal(mu, log_sigma):
    return torch.distributions.Normal(mu, log_sigma.exp())


def acted(
    features,
    w_mu,
    w_log_sigma,
    noise,
    low,
    high,
    spread=torch.exp,
    total=lambda each: each.sum(-1),
    drawn=lambda mu, sigma, e: (mu + sigma * e).detach(),
    centre=lambda mu: mu,
    cut=False,
):
    mu, sigma = centre(features @ w_mu), spread(features @ w_log_sigma)
    sampled = drawn(mu, sigma, noise)
    log_pi = total(torch.distributions.Normal(mu, sigma, validate_args=False).log_prob(sampled))
    action = sampled.clamp(low, high)
    return action.detach() if cut else action, log_pi


RIGHT = {
    "log_density": [
        joint_by_joint,
        independent,
        lambda mu, log_sigma, a: Normal(mu, log_sigma.exp()).log_prob(a).sum(-1),
        lambda mu, log_sigma, a: by_formula(mu.double(), log_sigma.double(), a.double()),
        with_signs(-0.5, -1, -math.log(2 * math.pi) / 2),
    ],
    "pushes": [
        pushes_in_numpy,
        pushes_by_loop,
        lambda mu, w, a: ((a - mu) * (-2 * w).exp(), (a - mu) ** 2 * (-2 * w).exp() - 1),
    ],
    "width": [0.15, 3 / 20, torch.tensor(0.15), 0.1 * -2 * (((1.25 - 1) / 0.5) ** 2 - 1)],
    "bounded": [
        bounded_with_where,
        bounded_by_hand,
        bounded_in_doubles,
        lambda m, ls, s, low, high: (np.clip(s.numpy(), low, high), normal(m, ls).log_prob(s).sum(1)),
        lambda m, ls, s, low, high: [s.clamp(low, high), normal(m, ls).log_prob(s).sum(1)],
    ],
    "two_heads": [
        act_with_normal,
        act_by_hand,
        act_without_grad,
        act_joint_by_joint,
        lambda *given: (acted(*given)[0].numpy(), acted(*given)[1]),
        lambda *given: [*acted(*given)],
    ],
}
MISTAKES = {
    "log_density": [
        (
            lambda m, s, a: (-((a - m) ** 2) / (2 * s**2) - s.abs().log() - math.log(2 * math.pi) / 2).sum(-1),
            "stands where sigma belongs",
        ),
        (
            lambda m, s, a: (-((a - m) ** 2) / (2 * s**2) - s - math.log(2 * math.pi) / 2).sum(-1),
            "stands where sigma belongs",
        ),
        (lambda m, s, a: torch.distributions.Normal(m, s.exp()).log_prob(a.clip(-1, 1)).sum(-1), "clipped to -1 and 1"),
        (lambda mu, w, a: Normal(mu, w.exp()).log_prob(a), "joints are not summed"),
        (lambda mu, w, a: Normal(mu, w.exp()).log_prob(a).sum(), "over the states too"),
        (lambda mu, w, a: Normal(mu, w.exp()).log_prob(a).sum(0), "over the states\\. The joints"),
        (lambda mu, w, a: Normal(mu, w.exp()).log_prob(a).mean(1), "mean over the joints"),
        (density_itself, "this is the density"),
        (unexponentiated, "as if it were sigma"),
        (lambda mu, w, a: Normal(mu, w.exp() ** 2).log_prob(a).sum(-1), "is sigma squared"),
        (lambda mu, w, a: Normal(mu, w.exp().sqrt()).log_prob(a).sum(-1), "\\*variance\\*"),
        (divided_once, "before it is squared"),
        (with_signs(-0.5, 0, -math.log(2 * math.pi) / 2), "a wider bell would be as high"),
        (with_signs(-0.5, 1, -math.log(2 * math.pi) / 2), "log sigma has the wrong sign"),
        (sigma_instead_of_its_log, "as sigma itself"),
        (with_signs(-0.5, -1, 0), "constant is missing"),
        (constant_once, "constant is there once"),
        (with_signs(-0.5, -1, -math.log(2 * math.pi)), "twice too large"),
        (with_signs(-1, -1, -math.log(2 * math.pi) / 2), "factor 1/2"),
        (not_squared, "is not squared"),
        (lambda mu, w, a: -independent(mu, w, a), "grows with the distance"),
        (without_gradient, "no gradient"),
        (centred_in_place, "in place"),
        (lambda mu, w, a: independent(mu, w, a).tolist(), "must give a torch tensor"),
        (lambda mu, w, a: Normal(mu, w).log_prob(a).sum(-1), "raised a ValueError"),
        (never, "had not come back"),
        (lambda m, ls, a: normal(m, ls).log_prob(a).exp().prod(-1).log(), "rounds to 0"),
        (
            lambda m, ls, a: (((a - m) / ls.exp()) ** 2 / 2 - ls - np.log(2 * np.pi) / 2).sum(-1),
            "square has the wrong sign",
        ),
        (lambda m, ls, a: normal(m, ls).log_prob(a).exp().sum(-1).log(), "densities of the joints"),
        (lambda m, ls, a: normal(m, ls).log_prob(a).exp().sum(-1), "added up"),
        (lambda m, ls, a: normal(m, ls).log_prob(a).prod(-1), "are multiplied"),
        (
            lambda m, ls, a: (-(((a - m) / ls.exp()) ** 2) / 2 - ls - np.sqrt(2 * np.pi)).sum(-1),
            "logarithm of the constant",
        ),
        (lambda m, ls, a: (-((a - m) ** 2) / 2 - ls - np.log(2 * np.pi) / 2).sum(-1), "not divided by sigma"),
        (lambda m, ls, a: normal(m, ls).log_prob(a)[:, 0], "only the first joint"),
        (lambda m, ls, a: normal(m, ls).log_prob(a).sum(-1, keepdim=True), "keepdim"),
        (lambda m, ls, a: normal(m.requires_grad_(False), ls).log_prob(a).sum(-1), "out of the graph"),
    ],
    "pushes": [
        (pushes_by_autograd, "autograd took the derivatives"),
        (log_sigma_as_sigma, "as if it were sigma"),
        (wrong_pushes(lambda z, s: z, on_log_sigma), "divided by sigma once"),
        (wrong_pushes(lambda z, s: z * s, on_log_sigma), "score on mu is not divided"),
        (wrong_pushes(lambda z, s: -z / s, on_log_sigma), "pulls it \\*up\\*"),
        (wrong_pushes(on_mu, lambda z, s: z**2), "the -1 is missing"),
        (wrong_pushes(on_mu, lambda z, s: 1 - z**2), "far out makes"),
        (wrong_pushes(on_mu, lambda z, s: z - 1), "to both sides"),
        (wrong_pushes(on_mu, lambda z, s: (z**2 - 1) / s), "explodes"),
        (wrong_pushes(on_mu, lambda z, s: (z * s) ** 2 - 1), "in the second score"),
        (swapped, "wrong order"),
        (lambda mu, w, a: (a - mu) / (2 * w).exp(), "score on mu alone"),
        (lambda mu, w, a: tuple(x.sum() for x in pushes_by_autograd(mu, w, a)), "Do not sum"),
        (lambda mu, w, a: ((a - mu) / w.exp().item() ** 2, 0 * mu), "raised a RuntimeError"),
        (lambda m, ls, a: ((a - m) / ls.exp(), (a - m) ** 2 / ls.exp() - 1), "not of the variance"),
        (
            lambda m, ls, a: ((a - m) / ls.exp() ** 2, (a - m) ** 2 / ls.exp() - 1),
            "divided by sigma once. Divide the distance",
        ),
        (lambda m, ls, a: ((m - a) / ls.exp() ** 2, 1 - ((a - m) / ls.exp()) ** 2), "both signs"),
        (lambda m, ls, a: ((a - m) / ls.exp() ** 2, ((a - m) / ls.exp()) ** 2 / 2 - 1), "still in the second"),
        (lambda m, ls, a: ((a - m) / (2 * ls.exp() ** 2), ((a - m) / ls.exp()) ** 2 - 1), "still in the first"),
        (lambda m, ls, a: ((a - m) / ls.exp() ** 2, ((a - m) / ls.exp()) ** 2 - ls), "where 1 belongs"),
        (lambda m, ls, a: (((a - m) / ls.exp() ** 2).mean(), (((a - m) / ls.exp()) ** 2 - 1).mean()), "not average"),
        (lambda m, ls, a: ((a - m).abs() / ls.exp() ** 2, ((a - m) / ls.exp()) ** 2 - 1), "is lost"),
        (lambda m, ls, a: ((a - m) / ls.exp() ** 2, ((a - m) / ls.exp() - 1) ** 2), "z - 1 is squared"),
        (lambda m, ls, a: ((a - m) / ls.exp(), (a - m) / ls.exp() - 1), "sigma once, and in the second"),
        (lambda m, ls, a: ((a - m) / ls.exp() ** 2, (((a - m) / ls.exp()) ** 2 - 1).sum()), "summed over"),
        (lambda m, ls, a: (normal(m, ls).log_prob(a), normal(m, ls).log_prob(a)), "log-density itself"),
        (lambda m, ls, a: ((a - m) / ls.exp() ** 2, (a - m) / ls.exp() ** 2 - 1), "sigma twice"),
        (lambda m, ls, a: ((a - m) / ls.exp() ** 2, ((a - m) / ls.exp() ** 2) ** 2 - 1), "squared the first"),
        (lambda m, ls, a: (((a - m) / ls.exp()) ** 2, ((a - m) / ls.exp()) ** 2 - 1), "squared in the score on mu"),
    ],
    "width": [
        (-0.15, "two signs"),
        (-0.05, "the -1 of the score"),
        (-0.1, "alpha \\* G \\* z\\."),
        (0.1, "forgot to square"),
        (0.3, "step of sigma itself"),
        (-0.2, "how far mu moves"),
        (1.5, "alpha is missing"),
        (-0.75, "score alone"),
        (0.75, "score with the wrong sign"),
        (-0.075, "the return is missing"),
        (0.1875, "did not divide by sigma"),
        (0, "leaves the width unchanged"),
        (0.5, "how far out"),
        (3, "z is the distance"),
        (math.log(0.5) + 0.15, "the new log sigma\\. By"),
        (math.log(0.5) - 0.15, "would be the new log sigma"),
        (math.exp(0.15), "factor by which"),
        (0.5 * math.exp(0.15), "the new sigma\\. By"),
        (0.5 * math.exp(0.15) - 0.5, "by how much sigma moves"),
        (0.5 + 0.15, "if sigma were the weight"),
        (-0.2 * (0.25**2 / 0.5 - 1), "sigma is not"),
        (0.075, "or its size"),
        (-1.5, "alpha is missing, and"),
        (-0.2 * (2.5**2 - 1), "not from 0"),
        (-0.2 * (2**2 - 1), "numerator and denominator"),
    ],
    "bounded": [
        (
            lambda m, ls, s, low, high: (
                s.clamp(low, high),
                torch.distributions.Normal(m, ls.exp()).log_prob(s).sum(-1).mean(),
            ),
            "are averaged",
        ),
        (
            lambda m, ls, s, low, high: (
                (low + high) / 2 + (high - low) / 2 * torch.tanh(s),
                torch.distributions.Normal(m, ls.exp()).log_prob(s).sum(-1),
            ),
            "squashed by a tanh",
        ),
        (as_it_was, "as it was"),
        (clipped_first, "still that of the clipped"),
        (lambda mu, w, s, low, high: (s.clamp(low, high), independent(mu, w, s).sum()), "pushed alike"),
        (lambda mu, w, s, low, high: (s, independent(mu, w, s)), "nothing is clipped"),
        (wrong_way_round, "wrong way round"),
        (lambda mu, w, s, low, high: (s.clip(low, high), independent(mu.clip(low, high), w, s)), "mu is clipped"),
        (lambda mu, w, s, low, high: (mu.clip(low, high), independent(mu, w, s)), "mean of the bell"),
        (lambda mu, w, s, low, high: (s.clip(-1, 1), independent(mu, w, s)), "whatever the bounds"),
        (lambda mu, w, s, low, high: (s.clip(max=high), independent(mu, w, s)), "upper bound only"),
        (lambda mu, w, s, low, high: (s.clip(low, high), independent(mu, w, s).clip(low, high)), "densities are cl"),
        (lambda mu, w, s, low, high: (s.clip(low, high), Normal(mu, w.exp()).log_prob(s)), "joints are not summed"),
        (lambda mu, w, s, low, high: (s.clip(low, high), Normal(mu, w.exp()).log_prob(s).sum(0)), "last axis"),
        (lambda mu, w, s, low, high: (independent(mu, w, s), s.clip(low, high)), "wrong order"),
        (detached, "no gradient"),
        (clamps_in_place, "in place"),
        (lambda mu, w, s: s, "raised a TypeError"),
        (lambda m, ls, s, low, high: (s.clamp(low, high), normal(m, ls).log_prob(s).mean(-1)), "mean over the joints"),
        (lambda m, ls, s, low, high: (torch.tanh(s), normal(m, ls).log_prob(s).sum(-1)), "gets tanh"),
        (lambda m, ls, s, low, high: (s.clamp(min=low), normal(m, ls).log_prob(s).sum(-1)), "lower bound only"),
        (lambda m, ls, s, low, high: (s.clamp(low, high), -normal(m, ls).log_prob(s).sum(-1)), "minus later"),
        (
            lambda m, ls, s, low, high: (
                s.clamp(low, high),
                (normal(m, ls).log_prob(s) * (s == s.clamp(low, high))).sum(-1),
            ),
            "left out",
        ),
        (
            lambda m, ls, s, low, high: (
                s.clamp(low, high),
                torch.distributions.Normal(m, ls, validate_args=False).log_prob(s).sum(-1),
            ),
            "as if it were sigma",
        ),
        (
            lambda m, ls, s, low, high: (
                s.clamp(low, high),
                normal(m, ls).log_prob(s).sum(-1) - torch.log(1 - s.tanh() ** 2).sum(-1),
            ),
            "correction",
        ),
        (lambda m, ls, s, low, high: (s.clamp(low, high), normal(m, ls).log_prob(s).sum(-1, keepdim=True)), "keepdim"),
        (lambda m, ls, s, low, high: normal(m, ls).log_prob(s).sum(-1), "log-densities alone"),
        (
            lambda m, ls, s, low, high: (s.clamp(low, high), normal(m, ls).log_prob(s).sum(-1).detach().numpy()),
            "no gradient reaches",
        ),
        (
            lambda m, ls, s, low, high: (s.clamp(low, high).numpy(), normal(m, ls).log_prob(s).sum(-1).tolist()),
            "must give a torch tensor",
        ),
        (
            lambda m, ls, s, low, high: (s.clamp(low, high), normal(m, ls).log_prob(s).mean()),
            "the states and the joints",
        ),
        (
            lambda m, ls, s, low, high: (s.clamp(low, high), normal(m, ls).log_prob(s.clamp(low, high)).mean(-1)),
            "and of the clipped",
        ),
        (squashed_with_correction, "squashed by a tanh"),
    ],
    "two_heads": [
        (act_differentiated, "cancels to 0"),
        (act_with_rsample_for_both, "still carries a gradient"),
        (act_without_any_gradient, "no gradient reaches"),
        (act_that_learns_from(lambda sampled, clipped: clipped), "never drawn"),
        (act_that_sums(lambda each: each.sum()), "over the states too"),
        (act_that_sums(lambda each: each), "joints are not summed"),
        (act_that_sums(lambda each: each.sum(0)), "last axis"),
        (act_unclipped, "nothing is clipped"),
        (lambda x, u, v, noise, low, high: act_with_normal(x, u, v, noise, -1, 1), "whatever the bounds"),
        (act_that_draws(lambda mu, sigma, noise: mu + noise), "equally widely"),
        (act_that_draws(lambda mu, sigma, noise: mu + sigma.log() * noise), "multiplied by log sigma"),
        (act_that_draws(lambda mu, sigma, noise: mu), "nothing is sampled"),
        (lambda x, u, v, *rest: act_with_normal(x, v, u, *rest), "exchanged"),
        (lambda *given: act_with_normal(*given)[::-1], "wrong order"),
        (lambda *given: act_with_normal(*given)[0], "actions alone"),
        (lambda *given: act_with_normal(*given)[1], "log-densities alone"),
        (act_with_one_sigma, "same in all states"),
        (act_with_log_sigma_as_sigma, "raised a ValueError"),
        (lambda *given: acted(*given, drawn=lambda mu, sigma, e: mu + sigma * e, cut=True), "only the noise is left"),
        (act_with_the_noise_in_its_density, "only the noise is left"),
        (act_that_draws(lambda mu, sigma, noise: mu.detach() + sigma * noise, lambda x: x), "only one of mu and sigma"),
        (
            lambda x, u, v, e, *rest: (acted(x, u, v, e, *rest)[0], normal(x @ u, x @ v).log_prob(e).sum(-1)),
            "noise to log",
        ),
        (lambda *given: acted(*given, total=lambda each: each.mean(-1)), "mean over the joints"),
        (lambda *given: acted(*given, spread=lambda ls: torch.exp(2 * ls)), "not of twice"),
        (lambda *given: acted(*given, spread=lambda ls: torch.exp(ls / 2)), "not of half"),
        (lambda *given: acted(*given, spread=lambda ls: ls), "output as it is"),
        (lambda *given: acted(*given, spread=lambda ls: ls.abs()), "absolute value"),
        (lambda *given: acted(*given, spread=torch.nn.Softplus()), "softplus"),
        (lambda *given: acted(*given, spread=lambda ls: ls.clamp(-1, 1).exp()), "cut off"),
        (lambda *given: acted(*given, total=lambda each: -each.sum(-1)), "minus later"),
        (lambda *given: acted(*given, drawn=lambda mu, sigma, e: e), "noise itself"),
        (lambda *given: acted(*given, centre=torch.tanh), "squashed by tanh"),
        (lambda *given: acted(*given, centre=lambda mu: mu.clamp(-1, 1)), "mu is clipped"),
        (
            lambda *given: (acted(*given)[0], torch.distributions.Normal(0.0, 1.0).log_prob(given[3]).sum(-1)),
            "of the noise",
        ),
        (lambda *given: acted(*given, total=lambda each: each.sum(-1, keepdim=True)), "keepdim"),
        (lambda *given: (*acted(*given), 0), "3 values, but 2"),
    ],
}
