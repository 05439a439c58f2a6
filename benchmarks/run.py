"""Time and memory of every loss, forward and backward, against torch's own, the naive formula and installed peers.

    make bench                                 every loss, at 8192 x 1000 float32
    make bench ARGS="brier focal"              these only
    make bench ARGS="--rows 1024 --runs 3"     smaller, quicker

`make` tells the allocator to keep what it frees: else one and the same function takes 9 or 24 ms, depending on what ran
before it.

Time is the median of alternating runs, as a ratio to `F.cross_entropy`, forward and backward, on as many logits in the
same alternation, and to a copy of that many numbers. Memory is the peak of what torch's CPU allocator holds above the
arguments, counted from the profiler's allocation events (so temporaries inside of operators are in, the allocator's own
reserve is out), over the size of the predictions; for `linear_cross_entropy` over the size of the logits. Under
"error" stands the difference from our value, relative, where a rival leaves it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import torch
import torch.nn.functional as F
from cases import NAIVE, TORCH, Arguments, Rival, arguments, options, peers
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from losscore.catalogue import Entry, entries

LINEAR = (4096, 50_257)


def contenders(entry: Entry) -> Iterator[tuple[str, Rival]]:
    yield "losscore", entry.function
    if entry.name in TORCH:
        yield "torch", TORCH[entry.name]
    if entry.name in NAIVE:
        yield "naive", NAIVE[entry.name]
    yield from peers(entry.name).items()


def step(function: Rival, predictions: Arguments, others: Arguments, parameters: dict[str, object]) -> Tensor:
    """One forward and one backward pass."""
    for tensor in predictions.values():
        tensor.grad = None
    loss = function(**predictions, **others, **parameters)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def peak(job: Callable[[], object]) -> int:
    """The most bytes held at a time of those allocated during the job."""
    with _quiet(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        job()
    assert profiled.profiler is not None and profiled.profiler.kineto_results is not None
    events = [event for event in profiled.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the profiler's own messages, which it writes past Python."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def measure(entry: Entry, rows: int, classes: int, runs: int) -> None:
    linear = entry.input == "hidden"
    if linear:
        rows, classes = min(rows, LINEAR[0]), (LINEAR[1] if rows >= LINEAR[0] else classes)
    predictions, others = arguments(entry, rows, classes)
    predictions = {name: value.detach().requires_grad_() for name, value in predictions.items()}
    numbers = rows * classes if linear else sum(value.numel() for value in predictions.values())
    chosen = options(entry, classes)
    width = min(classes, numbers)
    logits = None if linear else torch.randn(numbers // width, width, requires_grad=True)
    labels = torch.randint(width, (numbers // width,))
    jobs: dict[str, Callable[[], object]] = {}
    for name, function in contenders(entry):
        extra = {"reduction": "mean", **chosen} if name == "losscore" else chosen
        jobs[name] = lambda f=function, o=extra: step(f, predictions, others, o)  # type: ignore[misc]
    ours = torch.as_tensor(jobs["losscore"]())
    unlike = {name: abs(float(torch.as_tensor(job()) / ours) - 1) for name, job in jobs.items()}
    timed = dict(jobs)
    if logits is not None:
        source = logits
        timed["F.cross_entropy"] = lambda: step(F.cross_entropy, {"input": source}, {"target": labels}, {})
        timed["copy"] = lambda: source.detach().clone()
    else:
        timed["F.cross_entropy"] = jobs["torch"]
    spent: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(runs):
        for name, job in timed.items():
            spent[name].append(seconds(job))
    median = {name: statistics.median(times) for name, times in spent.items()}
    for name, job in jobs.items():
        for tensor in predictions.values():
            tensor.grad = None
        memory = peak(job) / (4 * numbers)
        copies = f"{median[name] / median['copy']:8.1f}" if "copy" in median else f"{'-':>8}"
        print(
            f"{entry.name if name == 'losscore' else '':36}{name:12}{1e3 * median[name]:10.1f}"
            f"{median[name] / median['F.cross_entropy']:8.2f}{copies}{memory:9.2f}"
            f"{unlike[name] if unlike[name] > 1e-5 else 0:10.0e}",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Time and memory of every loss, forward and backward.")
    parser.add_argument("losses", nargs="*", help="names of losses; all of them by default")
    parser.add_argument("--rows", type=int, default=8192)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    if unknown := sorted(set(given.losses) - set(entries())):
        parser.error(f"no such loss: {', '.join(unknown)}")
    print(f"{_processor()}, {torch.get_num_threads()} thread(s); {platform.system()} {platform.machine()}")
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}; {given.rows} x {given.classes} float32;"
    )
    print(
        f"medians of {given.runs} alternating runs; forward + backward; memory from the profiler's allocations\n"
    )
    print(f"{'loss':36}{'':12}{'ms':>10}{'x CE':>8}{'x copy':>8}{'memory':>9}{'error':>10}")
    for name in given.losses or entries():
        measure(entries()[name], given.rows, given.classes, given.runs)
    return 0


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )


if __name__ == "__main__":
    sys.exit(main())
