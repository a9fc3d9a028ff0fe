"""Measures an action on several subjects in turns, so that what disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.local_subjects import Subject
from benchmarks.ratios import Figure
from benchmarks.server_load import Cores, cpu_s, placed


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one action: how long it took, and what the server needed for it; None: there is none."""

    seconds: float
    server_s: float | None


Costs = dict[str, list[Cost]]
"""By the names of the subjects."""


def cost(subject: Subject, action: Callable[[Subject], float], cores: Cores) -> Cost:
    """Do it once. A server for which one core is not enough has all."""
    with ExitStack() as stack:
        stack.enter_context(placed(cores, subject.pids if subject.one_core else ()))
        before = None if subject.pid is None else cpu_s(subject.pid)
        seconds = action(subject)
        used = None if subject.pid is None or before is None else cpu_s(subject.pid) - before
    return Cost(seconds, used)


def in_turns(
    subjects: Sequence[Subject],
    action: Callable[[Subject], float],
    prepare: Callable[[Subject], object],
    cores: Cores,
) -> Costs:
    """Do it with each in turn, some times. `prepare` comes before each and does not count."""
    found: Costs = {subject.name: [] for subject in subjects}
    for number in range(max(subject.repeats for subject in subjects)):
        for subject in subjects:
            if number >= subject.repeats:
                continue
            prepare(subject)
            found[subject.name].append(cost(subject, action, cores))
    return found


def rates(costs: Costs, amount: float) -> dict[str, Figure]:
    """`amount` for each second."""
    return {name: Figure.of(amount / one.seconds for one in each) for name, each in costs.items()}


def times(costs: Costs, amount: float) -> dict[str, Figure]:
    """Seconds for each of `amount`."""
    return {name: Figure.of(one.seconds / amount for one in each) for name, each in costs.items()}


def server_times(costs: Costs, amount: float) -> dict[str, Figure]:
    """Seconds of the servers' processor time for each of `amount`."""
    found = {}
    for name, each in costs.items():
        used = [one.server_s / amount for one in each if one.server_s is not None]
        if used:
            found[name] = Figure.of(used)
    return found
