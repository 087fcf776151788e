"""The lesson's environments, registered with Gymnasium by importing this package.

Each has both entry points: `gymnasium.make(id)` for one environment, `gymnasium.make_vec(id, n)` for many at once.
"""

import gymnasium

_ENVIRONMENTS = {
    "pglesson/RockPaperScissors-v0": ("rock_paper_scissors:RockPaperScissors", None),
    "pglesson/ShortCorridor-v0": ("short_corridor:ShortCorridor", 1000),
    "pglesson/PlanarArm-v0": ("planar_arm:PlanarArm", 50),
    "pglesson/Pendulum-v1": ("pendulum:Pendulum", 200),
}

for _id, (_place, _max_episode_steps) in _ENVIRONMENTS.items():
    if _id not in gymnasium.registry:
        gymnasium.register(
            _id,
            entry_point=f"pglesson.envs.{_place}",
            vector_entry_point=f"pglesson.envs.{_place}Vector",
            max_episode_steps=_max_episode_steps,
        )
