"""Train the policy behind solver `learned`: `make rl`, or `make rl ARGS="--steps 50000 --out mine.onnx"`.

PPO (Stable-Baselines3) on runs of the twin, in cities of drawn sizes and densities (`simulation.environment`). One small
network scores each option from its features; it begins as the rule that takes the option with the least F, and PPO moves it
away from there. Torch is needed here and nowhere else: what is written is an .onnx of some kilobytes.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import onnx
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv

from chargeloop.city import generated_city
from chargeloop.recommendation import FEATURES
from chargeloop.recommendation.solvers.learned import POLICY
from chargeloop.simulation.environment import StationChoice

CITIES = 16
ZONES, SPREAD, BAYS = (12, 45), (0.7, 1.6), (0.6, 1.5)  # of the cities, drawn between
HIDDEN = 32
GREED = 25.0  # how much the network minds F above the best to begin with
BATCH, BATCHES, EPOCHS = 1024, 8, 6
RATE, ENTROPY = 1e-3, 1e-3
CLOSED = -1e9


class Scorer(torch.nn.Module):  # type: ignore[misc]
    """From the features of an option to its score: what F above the best says, and what a small network adds to it."""

    def __init__(self) -> None:
        super().__init__()
        self.greed = torch.nn.Parameter(torch.tensor([GREED, GREED]))
        self.first = torch.nn.Linear(len(FEATURES), HIDDEN)
        self.second = torch.nn.Linear(HIDDEN, HIDDEN)
        self.last = torch.nn.Linear(HIDDEN, 1)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        hidden = torch.tanh(self.second(torch.tanh(self.first(seen))))
        above = seen[..., FEATURES.index("above_best") : FEATURES.index("far_above_best") + 1]
        return self.last(hidden)[..., 0] - above @ self.greed


class Policy(ActorCriticPolicy):  # type: ignore[misc]
    """A choice with the probability that the scores of the open options say; the critic sees the options' mean and the best."""

    def _build(self, lr_schedule: Callable[[float], float]) -> None:
        self.scorer = Scorer()
        self.critic = torch.nn.Sequential(torch.nn.Linear(2 * len(FEATURES), 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def forward(self, obs: torch.Tensor, deterministic: bool = False) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        choice = self.get_distribution(obs)
        action = choice.get_actions(deterministic=deterministic)
        return action, self.predict_values(obs), choice.log_prob(action)

    def evaluate_actions(self, obs: torch.Tensor, actions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        choice = self.get_distribution(obs)
        return self.predict_values(obs), choice.log_prob(actions), choice.entropy()

    def get_distribution(self, obs: torch.Tensor) -> CategoricalDistribution:
        is_open = obs[..., 0] > 0
        scores = torch.where(is_open, self.scorer(obs), torch.full_like(obs[..., 0], CLOSED))
        return self.action_dist.proba_distribution(action_logits=scores)

    def predict_values(self, obs: torch.Tensor) -> torch.Tensor:
        open_ = obs[..., :1]
        mean = (obs * open_).sum(dim=1) / open_.sum(dim=1).clamp(min=1)
        best = obs[torch.arange(len(obs)), (obs[..., 1] + 2 * (1 - obs[..., 0])).argmin(dim=1)]
        return self.critic(torch.cat([mean, best], dim=1))


class Progress(BaseCallback):  # type: ignore[misc]
    """Says after each round how many minutes a choice saved, the one of the least F being 0."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps, self.begun = steps, monotonic()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        saved = float(self.model.rollout_buffer.rewards.mean())
        share = min(self.num_timesteps / self.steps, 1)
        sys.stdout.write(f"{share:4.0%}  {monotonic() - self.begun:5.0f} s  {saved:+.3f} min a choice\n")
        sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make rl", description=__doc__)
    parser.add_argument("--steps", type=int, default=500_000, help="choices to learn from (default 500,000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same policy (default 1)")
    parser.add_argument("--out", type=Path, default=POLICY, help="default: the policy that is shipped")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)  # more would wait for each other: the network is small
    rng = np.random.default_rng(args.seed)
    env = DummyVecEnv([partial(StationChoice, drawn_city(args.seed, n, rng)) for n in range(CITIES)])
    model = PPO(
        Policy, env, seed=args.seed, gamma=0.0, gae_lambda=0.0, n_steps=BATCH * BATCHES // CITIES, batch_size=BATCH,
        n_epochs=EPOCHS, learning_rate=lambda left: RATE * max(left, 0.05), ent_coef=ENTROPY,
    )  # fmt: skip
    model.learn(args.steps, callback=Progress(args.steps))
    day = datetime.now(UTC).date().isoformat()
    made = {"date": day, "seed": args.seed, "steps": model.num_timesteps, "cities": CITIES, "features": list(FEATURES)}
    write(model.policy.scorer, args.out, made)


def drawn_city(seed: int, n: int, rng: np.random.Generator) -> Any:
    return generated_city(1000 * seed + n, int(rng.integers(*ZONES)), float(rng.uniform(*SPREAD)), float(rng.uniform(*BAYS)))


def write(scorer: Scorer, path: Path, made: dict[str, Any]) -> None:
    """The scorer as .onnx: N x `FEATURES` to N scores, the larger the better; and beside it, how it came about."""
    node, name = onnx.helper.make_node, onnx.numpy_helper.from_array
    greed = np.zeros((len(FEATURES), 1), np.float32)
    at = FEATURES.index("above_best")
    weights = {"greed": greed}
    greed[at : at + 2, 0] = -scorer.greed.detach().numpy()
    for layer in ("first", "second", "last"):
        linear = getattr(scorer, layer)
        weights |= {f"{layer}.w": linear.weight.detach().numpy().T.copy(), f"{layer}.b": linear.bias.detach().numpy()}
    graph = onnx.helper.make_graph(
        [
            node("Gemm", ["seen", "first.w", "first.b"], ["a"]),
            node("Tanh", ["a"], ["b"]),
            node("Gemm", ["b", "second.w", "second.b"], ["c"]),
            node("Tanh", ["c"], ["d"]),
            node("Gemm", ["d", "last.w", "last.b"], ["e"]),
            node("MatMul", ["seen", "greed"], ["f"]),
            node("Add", ["e", "f"], ["score"]),
        ],
        "score of an option",
        [onnx.helper.make_tensor_value_info("seen", onnx.TensorProto.FLOAT, ["options", len(FEATURES)])],
        [onnx.helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, ["options", 1])],
        [name(value, key) for key, value in weights.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    path.with_suffix(".json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
