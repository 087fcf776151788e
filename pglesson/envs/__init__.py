"""The lesson's environments, registered with Gymnasium by importing this package.

Each has both entry points: `gymnasium.make(id)` for one environment, `gymnasium.make_vec(id, n)` for many; but for
Signals, RichSignals and Levers, on which a learner's own loop is judged.
"""

import gymnasium

from pglesson.envs.coin_or_prize import CELLS, COIN_OR_PRIZE
from pglesson.envs.digits import EMPTY, EQUALS, share_in_order
from pglesson.envs.factory import make_envs
from pglesson.envs.finite_mdp import FiniteMDP, FiniteMDPVector
from pglesson.envs.planar_arm import PlanarArmVector
from pglesson.envs.rock_paper_scissors import MOVES, PAYOFF, RockPaperScissorsVector
from pglesson.envs.short_corridor import corridor_value
from pglesson.envs.two_hills import two_hills_reward
from pglesson.envs.two_rooms import TWO_ROOMS

__all__ = [
    "CELLS",
    "COIN_OR_PRIZE",
    "EMPTY",
    "EQUALS",
    "MOVES",
    "PAYOFF",
    "TWO_ROOMS",
    "FiniteMDP",
    "FiniteMDPVector",
    "PlanarArmVector",
    "RockPaperScissorsVector",
    "corridor_value",
    "make_envs",
    "share_in_order",
    "two_hills_reward",
]

_HERE = "pglesson.envs."
_ENVIRONMENTS = {  # id: (one environment, the module of many at once, if there is one, max_episode_steps)
    "RockPaperScissors-v0": (_HERE + "rock_paper_scissors:RockPaperScissors", "rock_paper_scissors", None),
    "ShortCorridor-v0": (_HERE + "short_corridor:ShortCorridor", "short_corridor", 1000),
    "PlanarArm-v0": (_HERE + "planar_arm:PlanarArm", "planar_arm", 50),
    "TwoRooms-v0": (_HERE + "two_rooms:TwoRooms", "two_rooms", 200),
    "CoinOrPrize-v0": (_HERE + "coin_or_prize:CoinOrPrize", "coin_or_prize", None),
    "Digits-v0": (_HERE + "digits:Digits", "digits", None),
    "TwoHills-v0": (_HERE + "two_hills:TwoHills", "two_hills", None),
    "Signals-v0": (_HERE + "signals:Signals", None, None),
    "RichSignals-v0": (_HERE + "signals:RichSignals", None, None),
    "Levers-v0": (_HERE + "levers:Levers", None, None),
}

for _name, (_single, _module, _max_episode_steps) in _ENVIRONMENTS.items():
    if f"pglesson/{_name}" not in gymnasium.registry:
        gymnasium.register(
            f"pglesson/{_name}",
            entry_point=_single,
            vector_entry_point=f"{_HERE}{_module}:{_name.partition('-')[0]}Vector" if _module else None,
            max_episode_steps=_max_episode_steps,
        )
