"""Learners' answers to the exercises of notebook 11."""

import copy
import itertools
import math

import numpy as np
import torch
from torch import nn


def forward_by_loop(observations, w, log_sigma):
    mu = torch.stack([torch.stack([(row * column).sum() for column in w.T]) for row in observations])
    return mu, torch.stack([log_sigma for _ in observations])


def forward_by_einsum(observations, w, log_sigma):
    return torch.einsum("ns,sa->na", observations, w), log_sigma.repeat(len(observations), 1)


def forward_by_linear(observations, w, log_sigma):
    mu = nn.functional.linear(observations.double(), w.T.double())
    return mu, log_sigma + torch.zeros_like(mu)


def forward_without_gradient(observations, w, log_sigma):
    with torch.no_grad():
        return observations @ w, log_sigma.expand(len(observations), -1)


def forward_by_copies(observations, w, log_sigma):
    return observations @ w, torch.tensor(log_sigma.tolist()).repeat(len(observations), 1)


def forward_with_frozen_aim(observations, w, log_sigma):
    return observations @ w.data, log_sigma.repeat(len(observations), 1)


def step_by_cases(self, action):
    x = float(self.place[0])
    if action == 0 and x - 1 >= -5:
        x -= 1
    elif action == 0:
        x = -5.0
    else:
        x = min(x + 1, 5.0)
    self.place = np.array([x], dtype=np.float32)
    terminated = False
    if -0.5 < x < 0.5:
        terminated = True
    return self.place, -abs(x), terminated, False, {}


def step_with_a_copy(self, action):
    self.place += 2 * action - 1
    self.place.clip(-5, 5, out=self.place)
    return self.place.copy(), -abs(self.place.item()), bool(abs(self.place.item()) < 0.5), False, {}


def step_by_table(self, action):
    self.place = np.minimum(np.maximum(self.place + np.array([-1, 1])[action], -5), 5).astype(np.float32)
    distance = np.abs(self.place)[0]
    return np.array(self.place), 0.0 - distance, distance < 0.5, False, {"distance": distance}


def step_unmended(self, action):
    reward = -abs(self.place[0])
    self.place += action
    docked = abs(self.place[0]) < 0.5
    return self.place, reward, False, docked, {}


def fixed(*, move=lambda a: 1 if a else -1, low=-5, high=5, see=None, reward=None, end=None):
    """A learner's method with one thing left to fix."""

    def step(self, action):
        old = self.place.copy()
        self.place = np.clip(old + move(action), low, high)
        x = self.place[0]
        seen = self.place if see is None else see(old, self.place)
        earned = -abs(x) if reward is None else reward(old[0], x)
        ended = (abs(x) < 0.5, False) if end is None else end(old[0], x)
        return seen, earned, *ended, {}

    return step


def step_in_place(self, action):
    self.place[0] = min(5, max(-5, self.place[0] + (1 if action else -1)))
    return self.place, -abs(self.place[0]), abs(self.place[0]) < 0.5, False, {}


def step_that_stays(self, action):
    place = np.clip(self.place + 2 * action - 1, -5, 5)
    return self.place.copy(), -abs(place[0]), abs(place[0]) < 0.5, False, {}


def step_array_reward(self, action):
    self.place = np.clip(self.place + 2 * action - 1, -5, 5)
    return self.place, -abs(self.place), abs(self.place[0]) < 0.5, False, {}


def step_of_four(self, action):
    self.place = np.clip(self.place + 2 * action - 1, -5, 5)
    return self.place, -abs(self.place[0]), abs(self.place[0]) < 0.5, {}


def step_without_dict(self, action):
    self.place = np.clip(self.place + 2 * action - 1, -5, 5)
    return self.place, -abs(self.place[0]), abs(self.place[0]) < 0.5, False, None


def knob_backwards(document, name, number):
    for move in reversed(document["moves"]):
        if move["update"] <= number and name in move["knobs"]:
            return float(move["knobs"][name])
    return float(document["settings"][name])


def knob_by_merging(document, name, number):
    knobs = dict(document["settings"])
    for move in itertools.takewhile(lambda move: move["update"] <= number, document["moves"]):
        knobs |= move["knobs"]
    return torch.tensor(float(knobs[name]))


def knob_by_list(document, name, number):
    values = [document["settings"][name]]
    values += [m["knobs"][name] for m in document["moves"] if name in m["knobs"] and not m["update"] > number]
    return np.float64(values[-1])


def merged(counts):
    def knob(document, name, number):
        knobs = copy.copy(document["settings"])
        for move in document["moves"]:
            if counts(move["update"], number):
                knobs.update(move["knobs"])
        return float(knobs[name])

    return knob


def knob_first_wins(document, name, number):
    for move in document["moves"]:
        if move["update"] <= number and name in move["knobs"]:
            return float(move["knobs"][name])
    return float(document["settings"][name])


def knob_falls_back(document, name, number):
    value = document["settings"][name]
    for move in document["moves"]:
        if move["update"] <= number:
            value = move["knobs"].get(name, document["settings"][name])
    return float(value)


def knob_from_zero(document, name, number):
    value = 0.0
    for move in document["moves"]:
        if move["update"] <= number and name in move["knobs"]:
            value = move["knobs"][name]
    return float(value)


def knob_into_the_document(document, name, number):
    for move in document["moves"]:
        if move["update"] <= number:
            document["settings"].update(move["knobs"])
    return float(document["settings"][name])


def knob_as_text(document, name, number):
    return merged(lambda update, number: update <= number)(document, name, number) if name != "max_grad_norm" else "inf"


def knob_not_named(document, name, number):
    value = document["settings"][name]
    for move in document["moves"]:
        if move["update"] <= number:
            value = move["knobs"][name]
    return float(value)


def step_not_kept(self, action):
    place = np.clip(self.place + (1 if action else -1), -5, 5)
    return place, -abs(place[0]), abs(place[0]) < 0.5, False, {}


def step_shown_on_the_track(self, action):
    self.place = self.place + (1 if action else -1)
    seen = self.place.clip(-5, 5)
    return seen, -abs(seen[0]), abs(seen[0]) < 0.5, False, {}


def step_left_out_at_the_end(self, action):
    new = self.place + (1 if action else -1)
    if abs(new[0]) <= 5:
        self.place = new
    return self.place.copy(), -abs(self.place[0]), abs(self.place[0]) < 0.5, False, {}


def step_with_floats(self, action):
    x = max(-5.0, min(5.0, float(self.place[0]) + (1 if action else -1)))
    self.place = np.array([x], dtype=np.float32)
    return self.place, -abs(x), abs(x) < 0.5, False, {}


def knob_off_is_zero(document, name, number):
    value = knob_by_list(document, name, number)
    return 0.0 if value == math.inf else value


def knob_sum(document, name, number):
    moves = [m["knobs"] for m in document["moves"] if m["update"] <= number]
    return float(document["settings"][name]) + sum(float(knobs.get(name, 0)) for knobs in moves)


def knob_of_the_first_move(document, name, number):
    value = document["settings"][name]
    for move in document["moves"]:
        if move["update"] <= number:
            value = move["knobs"].get(name, value)
        return float(value)
    return float(value)


def knob_by_place(document, name, number):
    value = document["settings"][name]
    for i, move in enumerate(document["moves"]):
        if i <= number:
            value = move["knobs"].get(name, value)
    return float(value)


def knob_zero_is_no_move(document, name, number):
    value = document["settings"][name]
    for move in document["moves"]:
        if move["update"] <= number:
            value = move["knobs"].get(name) or value
    return float(value)


def knob_inf_first_only(document, name, number):
    value = float(document["settings"][name])
    for move in document["moves"]:
        if move["update"] <= number:
            value = move["knobs"].get(name, value)
    return value


def knob_largest(document, name, number):
    moves = [m["knobs"] for m in document["moves"] if m["update"] <= number]
    values = [float(knobs[name]) for knobs in moves if name in knobs]
    return max(values) if values else float(document["settings"][name])


RIGHT = {
    "live": [320, 320.0, np.int64(20 * 16), torch.tensor(320)],
    "chance": [1.05, 21 / 20, math.comb(7, 2) * 0.05, torch.tensor(1.05)],
    "dock": [step_with_floats, step_by_cases, step_with_a_copy, step_by_table, fixed()],
    "network": [forward_by_loop, forward_by_einsum, forward_by_linear],
    "knob": [knob_backwards, knob_by_merging, knob_by_list],
    "curves": [3, 3.0, len({(0, 0.03), (0, 0.03), (1, 0.03), (1, 0.3), (0, 0.03)})],
}
MISTAKES = {
    "live": [
        (11 * 16 + 9 * 32, "from update 12 on"),
        (304, "gamma does not change"),
        (48, "two updates"),
        (480, "from update 11 on"),
        (9 * 16 + 11 * 32, "from update 10 on"),
        (640, "from the beginning"),
        (160, "first half"),
        (3200, "ten agents play together"),
        (4800, "would play together"),
        (20, "number of updates"),
        (16, "one update. There"),
        (32, "never begun"),
        (20 * 16 / 10, "nothing is divided"),
        (21 * 16, "21 updates"),
        (300, "really had"),
    ],
    "chance": [
        (0.75, "six pinned runs"),
        (1 - 0.95**6, "among six"),
        (1, "rounded"),
        (1.1, "rounded"),
        (0.05, "single comparison errs"),
        (21, "number of comparisons"),
        (7 * 0.05, "one comparison for each run"),
        (42 * 0.05, "each pair twice"),
        (49 * 0.05, "7 times 7"),
        (28 * 0.05, "with themselves"),
        (6 * 0.05, "six pinned ones"),
        (1 - 0.95**21, "at least one"),
        (21 * 0.95, "cannot tell"),
        (105, "percentage"),
        (0, "errs by chance"),
        (0.525, "halved once too often"),
        (3, "Count the pairs"),
    ],
    "dock": [
        (step_not_kept, "not kept"),
        (step_shown_on_the_track, "robot does not"),
        (step_left_out_at_the_end, "is left out"),
        (fixed(low=0), "begins at 0"),
        (fixed(low=-99), "at one end only"),
        (fixed(high=99), "at one end only"),
        (fixed(reward=lambda old, new: 0.0 if abs(new) < 0.5 else -abs(new)), "in the dock"),
        (fixed(end=lambda old, new: (abs(new) < 0.5, abs(new) == 5)), "end of the track"),
        (fixed(end=lambda old, new: (abs(new) < 0.5 or abs(new) == 5, False)), "end of the track"),
        (step_unmended, "never goes to the left"),
        (fixed(move=lambda a: a), "a number of a choice"),
        (fixed(move=lambda a: -1 if a else 1), "wrong way round: 0"),
        (fixed(low=-9, high=9), "leaves the track. It must"),
        (fixed(move=lambda a: a, high=np.inf), "Turn 0 and 1"),
        (fixed(see=lambda old, new: old), "before the move. Show"),
        (fixed(see=lambda old, new: float(new[0])), "bare number"),
        (fixed(see=lambda old, new: np.abs(new)), "on which side"),
        (step_that_stays, "never moves"),
        (step_in_place, "one and the same array"),
        (fixed(reward=lambda old, new: -abs(old)), "before the move. What"),
        (fixed(reward=lambda old, new: abs(new)), "wrong sign"),
        (fixed(reward=lambda old, new: -new * new), "square of the distance"),
        (fixed(reward=lambda old, new: -1.0), "-1 a step"),
        (fixed(reward=lambda old, new: 0 - new), "the place itself"),
        (fixed(reward=lambda old, new: abs(old) - abs(new)), "how much nearer"),
        (step_array_reward, "reward is an array"),
        (fixed(end=lambda old, new: (False, abs(new) < 0.5)), "where truncated belongs"),
        (fixed(end=lambda old, new: (abs(new) < 0.5,) * 2), "both terminated and truncated"),
        (fixed(end=lambda old, new: (False, False)), "never ends"),
        (fixed(end=lambda old, new: (abs(old) < 0.5, False)), "a step late"),
        (fixed(end=lambda old, new: (abs(new) <= 0.5, False)), "exactly 0.5 too"),
        (fixed(end=lambda old, new: (new < 0.5, False)), "without abs"),
        (fixed(end=lambda old, new: (new == 0, False)), "exactly 0, which"),
        (fixed(end=lambda old, new: (not abs(new) < 0.5, False)), "has not docked"),
        (step_of_four, "must give five things"),
        (step_without_dict, "must be a dict"),
        (lambda self, action: self.position, "raised a.* AttributeError"),
        (3, "must be a function"),
    ],
    "network": [
        (lambda x, w, s: (x @ w, s[:1].expand(len(x), w.shape[1])), "first log sigma"),
        (lambda x, w, s: (torch.relu(x @ w), s.repeat(len(x), 1)), "relu or softmax"),
        (lambda x, w, s: (torch.softmax(x @ w, 1), s.repeat(len(x), 1)), "relu or softmax"),
        (lambda x, w, s: (x @ w, s.mean().repeat(len(x), w.shape[1])), "the mean of them"),
        (lambda x, w, s: (x @ w, s * (x @ w)), "depends on the observation"),
        (lambda x, w, s: torch.cat([x @ w, s.repeat(len(x), 1)], 1), "into one tensor"),
        (lambda x, w, s: ((x @ w).mean(0), s), "over the batch was taken"),
        (lambda x, w, s: (torch.matmul(x, w), s), "no row for each observation"),
        (lambda x, w, s: (x @ w, s.mean() * torch.ones(len(x), 1)), "one column for all actions"),
        (lambda x, w, s: (s.repeat(len(x), 1), x @ w), "comes first"),
        (lambda x, w, s: (x @ w, torch.exp(s).repeat(len(x), 1)), "exponential of it once more"),
        (lambda x, w, s: (x @ w, torch.log(s).repeat(len(x), 1)), "it is one already"),
        (lambda x, w, s: (torch.tanh(x @ w), s.repeat(len(x), 1)), "squeezed"),
        (lambda x, w, s: ((x @ w).clip(-1, 1), s.repeat(len(x), 1)), "squeezed"),
        (forward_by_copies, "flows into log_sigma"),
        (forward_with_frozen_aim, "flows into w, so"),
        (forward_without_gradient, "flows into w and log_sigma"),
        (lambda x, w, s: x @ w, "only mu"),
        (lambda x, w, s: ((x.mean(0) @ w).repeat(len(x), 1), s.repeat(len(x), 1)), "a mean over the batch"),
        (lambda x, w, s: (x @ w, 0 * s.repeat(len(x), 1)), "sigma is always 1"),
        (lambda x, w, s: (x @ w + s, s.repeat(len(x), 1)), "added to mu"),
        (lambda x, w, s: (x @ w.T, s), "raised a RuntimeError"),
        (lambda x, w, s: (x @ w.T, s.expand_as(x @ w.T)), "w is transposed"),
        (lambda x, w, s: (mu := x @ w) + s.exp() * torch.randn_like(mu), "draws random numbers|the shape"),
        (lambda x, w, s: (x @ w, s.repeat(len(x))), "shape"),
    ],
    "knob": [
        (knob_by_place, "moves are counted"),
        (knob_of_the_first_move, "the loop ends too early"),
        (knob_largest, "largest of the values"),
        (knob_zero_is_no_move, "a move to 0"),
        (knob_inf_first_only, "switched off again.*a text and no number"),
        (knob_off_is_zero, "off is zero"),
        (knob_sum, "are added to"),
        (lambda document, name, number: knob_by_list(document, "learning_rate", number), "Take `name`"),
        (merged(lambda update, number: update < number), "one update late"),
        (merged(lambda update, number: update - 1 <= number), "one update early"),
        (lambda document, name, number: float(document["settings"][name]), "settings of the first update"),
        (merged(lambda update, number: True), "still to come"),
        (merged(lambda update, number: number == update), "in one update only"),
        (knob_first_wins, "the first move of the knob wins"),
        (merged(lambda update, number: update >= number), "come after the update"),
        (knob_falls_back, "go back to the first setting"),
        (knob_from_zero, "this is zero"),
        (knob_into_the_document, "in place"),
        (knob_as_text, "'inf', a text and no number"),
        (knob_not_named, "does not name yours"),
        (lambda document, name, number: document["moves"][number]["knobs"][name], "raised a IndexError"),
    ],
    "curves": [
        (5, "the very same training"),
        (4, "one more pair"),
        (2, "ten times the alpha"),
        (1, "the seed is not all"),
        (6, "there are five runs"),
        (7, "a figure can hold"),
        (0, "at least one curve"),
        (30, "one curve, their mean"),
        (9, "Write down seed and alpha"),
    ],
}
