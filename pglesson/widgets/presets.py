"""The settings that suit each task, from which a training begins when the learner chooses the task."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "CartPole-v1": {"runs": 10, "updates": 60},
    "pglesson/ShortCorridor-v0": {"runs": 10, "updates": 150, "hidden": (), "gamma": 1.0},
    "pglesson/RockPaperScissors-v0": {"runs": 10, "updates": 100, "hidden": (), "env_options": {"opponent": "rock"}},
    "pglesson/CoinOrPrize-v0": {"runs": 10, "updates": 200, "hidden": (), "gamma": 1.0, "learning_rate": 0.2},
    "pglesson/TwoRooms-v0": {"runs": 10, "updates": 100, "hidden": (), "gamma": 1.0, "learning_rate": 0.1},
    "pglesson/TwoHills-v0": {"runs": 10, "updates": 200, "hidden": (), "gamma": 1.0},
    "pglesson/PlanarArm-v0": {"runs": 4, "updates": 150, "gamma": 0.9, "learning_rate": 0.01},
    "Pendulum-v1": {
        "runs": 1,
        "updates": 250,
        "episodes": 32,
        "gamma": 0.95,
        "baseline": "value",
        "value_learning_rate": 0.1,
        "max_grad_norm": 0.5,
        "learning_rate": 0.01,
    },
}
OTHER = {"runs": 4}  # for any other task
