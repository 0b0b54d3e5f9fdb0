"""A policy that was trained in the twin: each request in turn takes the option that a small network scores highest.

The network sees the features of one option (`recommendation.features`) and nothing of the city, and serves any. It was trained
by PPO (`make rl`), is shipped as .onnx, and run by onnxruntime.
"""

from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from chargeloop.model import BadInput
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import take_bay
from chargeloop.recommendation.features import FEATURES, Seen, features
from chargeloop.recommendation.problem import Problem, alone, evaluate
from chargeloop.recommendation.solvers.assignment import Assignment
from chargeloop.recommendation.solvers.greedy import regret
from chargeloop.recommendation.solvers.local import polish

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

POLICY = Path(__file__).with_suffix(".onnx")


def learned(problem: Problem, rng: np.random.Generator, budget_s: float, *, polished: bool = True) -> Assignment:
    """In the order of `greedy`, the choice being the policy's; `polished`: then moved by local search, as greedy's plan is."""
    deadline_s = monotonic() + budget_s
    order = np.lexsort((-regret(alone(problem)), problem.turn))
    choice = in_turn_by(policy(), problem, order)
    if polished:
        choice = polish(problem, choice, rng, deadline_s)
    return Assignment(choice, float(evaluate(problem, choice)[2].sum()))


def in_turn_by(session: "InferenceSession", problem: Problem, order: Ints) -> Ints:
    """Each request of `order` commits the bay of its best option by the scores as things stand then; -1 where it has none."""
    choice = np.full(order.size, -1)
    free_s = problem.bay_free_s.copy()
    for i in order:
        seen = features(problem, free_s, i)
        if seen[:, 0].any():
            choice[i] = best(session, seen)
            pool = problem.pool[i, choice[i]]
            bays = free_s[problem.pool_start[pool] : problem.pool_start[pool + 1]]
            take_bay(bays, problem.arrive_s[i, choice[i]], problem.stay_s[i, choice[i]])
    return choice


def best(session: "InferenceSession", seen: Seen) -> int:
    """The open option with the highest score."""
    scores: Floats = session.run(None, {"seen": seen})[0][:, 0]
    return int(np.argmax(np.where(seen[:, 0] > 0, scores, -np.inf)))


@cache
def policy(path: Path = POLICY) -> "InferenceSession":
    """A policy that `make rl` wrote, ready to score.

    Raises:
        BadInput: the file is none.
    """
    from onnxruntime import InferenceSession, SessionOptions  # noqa: PLC0415 (a fifth of a second that others save)

    alone_on_its_thread = SessionOptions()
    alone_on_its_thread.intra_op_num_threads = alone_on_its_thread.inter_op_num_threads = 1
    try:
        session = InferenceSession(path.read_bytes(), alone_on_its_thread, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise BadInput(str(path), f"no policy: {error}") from None
    if [(each.name, each.shape[1:]) for each in session.get_inputs()] != [("seen", [len(FEATURES)])]:
        raise BadInput(str(path), f"a policy of other features than the {len(FEATURES)} of today: train it anew")
    return session
