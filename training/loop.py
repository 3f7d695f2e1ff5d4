"""What both trainings share: a budget in CPU minutes, cosine learning rate, averaged weights, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


@dataclass
class Trainer:
    """Trains until `cpu_minutes` of processor time are spent, or `steps` taken; resumes from `path` where it exists.

    Where it does not, the averaged weights of another run's checkpoint, `start`, are the first ones (float16 is enough).

    The learning rate follows one cosine over the whole budget: a run that is resumed with a larger budget goes on from
    where the longer cosine then is.
    """

    net: nn.Module
    path: Path
    cpu_minutes: float
    learning_rate: float
    seed: int = 0
    weight_decay: float = 1e-2
    start: Path | None = None
    steps: int | None = None
    average: nn.Module = field(init=False)
    iteration: int = 0
    spent: float = 0.0

    def __post_init__(self) -> None:
        import copy

        if self.start is not None:
            self.net.load_state_dict(torch.load(self.start, weights_only=True)["average"])
        self.net.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval()
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=True
        )
        if self.path.exists():
            state: dict[str, Any] = torch.load(self.path, weights_only=True)
            self.net.load_state_dict(state["net"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.iteration, self.spent = state["iteration"], state["spent"]

    @property
    def progress(self) -> float:
        return self.spent / (60 * self.cpu_minutes) if self.steps is None else self.iteration / self.steps

    def run(self, loss_of_batch: Callable[[nn.Module, float], Tensor], report: Callable[[nn.Module], str]) -> nn.Module:
        """Trains to the end of the budget and returns the averaged net."""
        last, started, total = time.process_time(), time.monotonic(), 0.0
        next_save, next_report = started + 120, started + 300
        self.net.train()
        while self.progress < 1:
            warm = min(1.0, (self.iteration + 1) / 200)
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate * warm * (0.5 + 0.5 * math.cos(math.pi * self.progress)) + 1e-5
            loss = loss_of_batch(self.net, self.progress)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
            self.optimizer.step()
            self._follow()
            self.iteration += 1
            total = 0.98 * total + 0.02 * loss.item()
            now = time.process_time()
            self.spent, last = self.spent + now - last, now
            clock = time.monotonic()
            if clock > next_save:
                self.save()
                next_save = clock + 120
            if clock > next_report:
                print(
                    f"{self.spent / 60:.1f} cpu min, {(clock - started) / 60:.1f} min, step {self.iteration}, "
                    f"loss {total:.3f}, {report(self.average)}",
                    flush=True,
                )
                next_report, last = clock + 300, time.process_time()
        self.save()
        print(f"end: step {self.iteration}, {report(self.average)}", flush=True)
        return self.average

    def _follow(self) -> None:
        """Exponential moving average of weights and statistics, shorter at the beginning."""
        decay = min(0.9985, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():
            for mean, value in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
                if mean.dtype.is_floating_point:
                    mean.lerp_(value, 1 - decay)
                else:
                    mean.copy_(value)

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "iteration": self.iteration,
            "spent": self.spent,
        }
        torch.save(state, part)
        part.replace(self.path)
