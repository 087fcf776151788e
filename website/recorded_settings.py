"""What is recorded of each dashboard: the settings that its notebook's text asks for, in the notebooks' order.

A recipe says what differs from the dashboard's own settings: names are set from the start, and a number says after how
many updates knobs move. With each dashboard comes how many seconds an update takes in a notebook, with its pictures.
"""

from __future__ import annotations

from typing import Any

from pglesson.widgets.background import SHORTEST_UPDATE as QUICK  # the smallest tasks wait as long

Recipe = dict[Any, Any]  # {"baseline": "none", 20: {"baseline": "value"}}

CARTPOLE = 0.1  # ten runs
OFF = float("inf")
UNBIASED = {"gae_lambda": 1.0, "policy_epochs": 1, "clip_ratio": OFF}
NONE = {"baseline": "none", "normalization": "none"}
USUAL = {"baseline": "time_mean", "normalization": "batch"}


def each(name: str, *values: Any) -> list[Recipe]:
    """The dashboard as it starts, and with other values of one knob."""
    return [{}, *({name: value} for value in values)]


def widened(until: int) -> Recipe:
    """An entropy weight of 1 until this update."""
    return {"entropy_weight": 1.0, until: {"entropy_weight": 0.0}}


RECORDED: dict[str, list[tuple[float, list[Recipe]]]] = {
    "00": [(CARTPOLE, [{}, NONE, NONE | {5: USUAL}, NONE | {30: USUAL}])],
    "02": [(QUICK, each("entropy_weight", 0.1, 0.3, 1.0))],
    "03": [
        (QUICK, each("learning_rate", 0.03, 0.3)),
        (QUICK, each("entropy_weight", 0.1, 0.3)),
        (QUICK, [{}, {"entropy_weight": 1.0}, widened(200), widened(400), widened(700)]),
    ],
    "05": [
        (
            CARTPOLE,
            [{}, {40: {"learning_rate": 1.0}, 60: {"learning_rate": 0.03}}, {"gamma": 0.5}, {"baseline": "none"}],
        )
    ],
    "06": [(CARTPOLE, [{}, {10: {"baseline": "time_mean"}}, *each("baseline", "constant", "time_mean", "value")[1:]])],
    "07": [
        (
            CARTPOLE,
            [
                {},
                {8: {"normalization": "none"}, 11: {"normalization": "batch"}},
                *({"normalization": "none", "learning_rate": alpha} for alpha in (0.01, 0.001, 0.0003)),
            ],
        )
    ],
    "08": [
        (
            QUICK,
            [
                {},
                {100: {"entropy_weight": 0.7}},
                {"entropy_weight": 0.7},
                {"entropy_weight": 2.0, 100: {"entropy_weight": 0.0}},
            ],
        )
    ],
    "09": [(CARTPOLE, each("learning_rate", 0.003, 0.03))],
    "10": [
        (
            CARTPOLE,
            [{}, {12: {"learning_rate": 0.3}, 17: {"learning_rate": 0.001}}, *each("learning_rate", 0.003, 0.3)[1:]],
        )
    ],
    "11": [
        (
            CARTPOLE,
            [{}, {"seed": 1}, {"seed": 2}, {"hidden": ()}, {"hidden": (), "learning_rate": 0.3}, {"optimizer": "sgd"}],
        ),
        (QUICK, each("learning_rate", 0.01, 1.0)),
        (QUICK, each("baseline", "none", "running_mean", "time_mean")),
    ],
    "12": [
        (
            CARTPOLE,
            [*each("gae_lambda", 0.0, 0.5, 1.0), {"gae_lambda": 0.5, "value_learning_rate": 0.1, "value_steps": 20}],
        )
    ],
    "13": [(CARTPOLE, [{}, UNBIASED, *({name: value} for name, value in UNBIASED.items())])],
    "14": [(CARTPOLE, [{}, {"normalization": "none"}, NONE])],
    "15": [(CARTPOLE, each("kl_weight", 0.01, 0.1, 1.0))],
}
