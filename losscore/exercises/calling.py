"""How a learner's function is called: with copies of its inputs, its surprises turned into findings."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .tasks import Arguments, Function, Task

_SHOWN = 6
_OTHER_DEVICE = ("is not on the expected device", "to be on the same device")


class Wrong(Exception):
    """A finding about the learner's work, in words for the learner."""


@dataclass(frozen=True)
class Outcome:
    """What a function returned, and the gradients of a weighted sum of it in the arguments that the task names."""

    value: Any
    slopes: tuple[Tensor, ...]


def outcome(task: Task, function: Function, arguments: Arguments) -> Outcome:
    """What ``function`` returns, with its slopes; raises `Wrong` where autograd cannot go through it."""
    names = argument_names(task)
    leaves = {name: arguments[names.index(name)].detach().clone().requires_grad_() for name in task.slopes_in}
    value = function(*(leaves.get(name, argument) for name, argument in zip(names, arguments)))
    if not leaves:
        return Outcome(value, ())
    whole = sum((_weights(part) * part).sum() for part in parts(value))
    if not isinstance(whole, Tensor) or not whole.requires_grad:
        raise Wrong(
            f"Autograd finds no way from your result back to {' and '.join(leaves)}. Do you leave torch, by "
            ".item(), .detach(), numpy or a new tensor? Or call autograd yourself, without create_graph=True?"
        )
    slopes = torch.autograd.grad(whole, list(leaves.values()), allow_unused=True)
    return Outcome(
        _detached(value),
        tuple(
            torch.zeros_like(leaf) if slope is None else slope for slope, leaf in zip(slopes, leaves.values())
        ),
    )


def slope_of(function: Function, first: Tensor, *others: Any) -> Tensor:
    """The gradient of the sum of ``function(first, *others)`` in ``first``, by autograd."""
    leaf = first.detach().clone().requires_grad_()
    (found,) = torch.autograd.grad(function(leaf, *others).sum(), leaf)
    return found


def finite_with_slope(function: Function, cases: Iterable[Arguments]) -> bool:
    """Whether the values, and their gradients in the first argument, are finite in every case."""
    return all(
        bool(function(*case).isfinite().all()) and bool(slope_of(function, *case).isfinite().all())
        for case in cases
    )


def watched(task: Task, function: Function) -> Function:
    """The learner's function, called with copies; what it does wrong in form is raised as `Wrong`."""

    def call(*arguments: Any) -> Any:
        copies = tuple(a.clone() if isinstance(a, Tensor) else a for a in arguments)
        try:
            value = function(*copies)
        except NotImplementedError:
            raise
        except (Exception, SystemExit) as surprise:  # noqa: BLE001 - whatever a learner's function does is a finding
            what = f"{type(surprise).__name__}: {surprise}".rstrip(": ")
            raise Wrong(f"{place(task, arguments)} your function raised {what}.") from None
        for name, before, after in zip(argument_names(task), arguments, copies):
            if isinstance(before, Tensor) and not _same(before, after):
                raise Wrong(f"Your function changes its input {name} in place. Work on a new tensor.")
        return _in_form(value, task.reference(*arguments), place(task, arguments))

    return call


def stays_on_its_device(task: Task, function: Function) -> None:
    """Raise `Wrong` if ``function`` makes a tensor on the CPU when its inputs lie elsewhere.

    The meta device, which holds shapes and no data, stands for a GPU. What needs data is not judged here.
    """
    elsewhere = tuple(
        a.to("meta") if isinstance(a, Tensor) else a for a in next(iter(task.inputs.values()))[0]
    )
    if not _mixes_devices(task, task.reference, elsewhere) and _mixes_devices(task, function, elsewhere):
        raise Wrong(
            "On a GPU your function would mix devices: it makes a tensor on the CPU. Make new tensors where the "
            "inputs are, with device=… or a method such as .new_tensor."
        )


def parts(value: Any) -> list[Any]:
    """The items of a tuple or list; anything else alone."""
    return list(value) if isinstance(value, (tuple, list)) else [value]


def argument_names(task: Task) -> list[str]:
    """The names of the arguments of the task's function."""
    return list(inspect.signature(task.reference).parameters)


def place(task: Task, arguments: Arguments) -> str:
    """Where something was found: "At x = 1, y = 2"."""
    named = zip(argument_names(task), arguments)
    return "At " + ", ".join(f"{name} = {shown(value)}" for name, value in named)


def shown(value: object) -> str:
    """A value in few words."""
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(shown, value)) + ")"
    if isinstance(value, float):
        return f"{value:.6g}"
    if not isinstance(value, Tensor):
        return repr(value)
    if value.ndim == 0:
        return f"{value.item():.6g}"
    if value.numel() <= _SHOWN:
        return str([_rounded(row) for row in value.tolist()])
    return f"a tensor of shape {tuple(value.shape)}"


def pair(one: object, other: object, between: str) -> str:
    """Two values with words between them; of tensors too large to show, the entries that differ most."""
    if not isinstance(one, Tensor) or not isinstance(other, Tensor) or one.numel() <= _SHOWN:
        return f"{shown(one)}{between} {shown(other)}"
    apart = torch.where(one == other, 0, (one.double() - other.double()).abs()).nan_to_num(torch.inf)
    entry = tuple(int(i) for i in torch.unravel_index(apart.argmax(), apart.shape))
    return f"{shown(one[entry])} at the place {list(entry)}{between} {shown(other[entry])}"


def article(value: object) -> str:
    """The type of a value with its article: "a list"."""
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _in_form(value: Any, expected: Any, where: str) -> Any:
    """``value`` if it has the form of ``expected``; raises `Wrong` if it has not."""
    if value is None:
        raise Wrong(f"{where} your function returns None. Is a return missing?")
    if isinstance(expected, tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(expected):
            raise Wrong(
                f"{where} your function returns {shown(value)}; it must return {len(expected)} values."
            )
        return tuple(_in_form(one, other, where) for one, other in zip(value, expected))
    if not isinstance(expected, Tensor):
        return _number(value, where)
    if not isinstance(value, Tensor):
        raise Wrong(
            f"Return a tensor: {where[0].lower()}{where[1:]} your function returned {article(value)}."
        )
    for what, got, wanted in (
        ("a tensor of shape", tuple(value.shape), tuple(expected.shape)),
        ("the type", value.dtype, expected.dtype),
        ("a tensor on", value.device, expected.device),
    ):
        if got != wanted:
            raise Wrong(f"{where} your function returns {what} {got}; it must be {wanted}.")
    return value


def _number(value: Any, where: str) -> float:
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"{where} your function returns {article(value)}; it must be one number.") from None


def _weights(value: Tensor) -> Tensor:
    """Weights that differ from entry to entry, so that a gradient that belongs to another entry is seen."""
    return torch.linspace(1.0, 2.0, value.numel(), dtype=value.dtype, device=value.device).reshape(
        value.shape
    )


def _detached(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(_detached(item) for item in value)
    return value.detach() if isinstance(value, Tensor) else value


def _mixes_devices(task: Task, function: Function, arguments: Arguments) -> bool:
    try:
        results = parts(outcome(task, function, arguments).value)
    except Exception as surprise:  # noqa: BLE001 - without data most things fail, and only one failure counts
        return any(words in str(surprise) for words in _OTHER_DEVICE)
    return any(isinstance(result, Tensor) and result.device.type != "meta" for result in results)


def _same(before: Tensor, after: Tensor) -> bool:
    return before.shape == after.shape and torch.equal(before.nan_to_num(), after.nan_to_num())
