"""The linear layer and its cross-entropy together: the same numbers as apart, for any chunk, and never all logits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import losscore
from losscore.symbolic import definition

from .battery import RELATIVE, near

ROWS, FEATURES, CLASSES = 7, 4, 5
TARGETS = ("labels", "some ignored", "probabilities")
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


def draw(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layer(with_bias: bool) -> list[Tensor]:
    parts = [draw(ROWS, FEATURES), draw(CLASSES, FEATURES, seed=1), draw(CLASSES, seed=2)]
    return [part.requires_grad_() for part in (parts if with_bias else parts[:2])]


def target_of(kind: str) -> Tensor:
    if kind == "probabilities":
        return draw(ROWS, CLASSES, seed=3).softmax(1)
    labels = torch.tensor([4, 0, 1, 3, 2, 0, 4])
    return labels if kind == "labels" else labels.masked_fill(torch.tensor([0, 0, 1, 1, 0, 0, 1]) == 1, -100)


def together(target: Tensor, chunk: int | None = 3, **options: Any) -> Callable[..., Tensor]:
    def loss(hidden: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return losscore.linear_cross_entropy(hidden, weight, target, bias=bias, chunk_size=chunk, **options)

    return loss


def apart(target: Tensor, **options: Any) -> Callable[..., Tensor]:
    return lambda *parts: F.cross_entropy(F.linear(*parts), target, **options)


VARIANTS = [
    (kind, smoothing, reduction, smoothing == 0.1)
    for kind in TARGETS
    for smoothing in (0.0, 0.1, 1.0)
    for reduction in ("mean", "sum", "none")
]


@pytest.mark.parametrize("chunk", [1, 3, 7, 100, None])
@pytest.mark.parametrize(("kind", "smoothing", "reduction", "with_bias"), VARIANTS)
def test_same_value_and_gradients_as_apart(
    kind: str, smoothing: float, reduction: str, with_bias: bool, chunk: int | None
) -> None:
    parts, target = layer(with_bias), target_of(kind)
    options = {"label_smoothing": smoothing, "reduction": reduction}
    ours, theirs = together(target, chunk, **options)(*parts), apart(target, **options)(*parts)
    torch.testing.assert_close(ours, theirs)
    upstream = draw(*ours.shape, seed=5)
    torch.testing.assert_close(
        torch.autograd.grad(ours, parts, upstream), torch.autograd.grad(theirs, parts, upstream)
    )


@pytest.mark.parametrize(("kind", "smoothing", "reduction", "with_bias"), VARIANTS)
def test_derivatives_of_first_and_second_order_in_all_parts(
    kind: str, smoothing: float, reduction: str, with_bias: bool
) -> None:
    parts = layer(with_bias)
    loss = together(target_of(kind), label_smoothing=smoothing, reduction=reduction)
    assert torch.autograd.gradcheck(
        loss, parts, fast_mode=True, check_forward_ad=True, check_batched_grad=True
    )
    assert torch.autograd.gradgradcheck(loss, parts, fast_mode=True, check_fwd_over_rev=True)


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("kind", TARGETS)
def test_torch_func_goes_through(kind: str, with_bias: bool) -> None:
    parts, target = [part.detach() for part in layer(with_bias)], target_of(kind)
    loss, reference = together(target, reduction="sum"), apart(target, reduction="sum")
    every = tuple(range(len(parts)))
    torch.testing.assert_close(
        torch.func.grad(loss, every)(*parts), torch.func.grad(reference, every)(*parts)
    )
    for outer, inner in (("jacfwd", "jacrev"), ("jacrev", "jacrev"), ("jacrev", "jacfwd")):

        def hessian(
            function: Callable[..., Tensor], outer: str = outer, inner: str = inner
        ) -> tuple[tuple[Tensor, ...], ...]:
            found: Any = getattr(torch.func, outer)(getattr(torch.func, inner)(function, every), every)(
                *parts
            )
            return found

        torch.testing.assert_close(hessian(loss), torch.func.hessian(reference, every)(*parts))


def test_vmap_over_rows_over_weights_and_over_everything() -> None:
    hidden, weight, bias = (part.detach() for part in layer(True))
    labels = target_of("labels")
    each = losscore.linear_cross_entropy(hidden, weight, labels, bias=bias, reduction="none")

    def single(hidden: Tensor, weight: Tensor, target: Tensor, bias: Tensor) -> Tensor:
        return losscore.linear_cross_entropy(hidden, weight, target, bias=bias)

    torch.testing.assert_close(
        torch.func.vmap(single, (0, None, 0, None))(hidden, weight, labels, bias), each
    )
    weights, biases = torch.stack((weight, 2 * weight)), torch.stack((bias, -bias), 1)
    wanted = torch.stack([single(hidden, 2**i * weight, labels, (-1) ** i * bias) for i in range(2)])
    torch.testing.assert_close(
        torch.func.vmap(single, (None, 0, None, 1))(hidden, weights, labels, biases), wanted
    )
    slopes = torch.func.vmap(torch.func.grad(single), (0, None, 0, None))(hidden, weight, labels, bias)
    torch.testing.assert_close(
        slopes, (F.linear(hidden, weight, bias).softmax(1) - F.one_hot(labels, CLASSES)) @ weight
    )


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_targets_that_are_learned(reduction: str) -> None:
    hidden, weight = layer(False)
    target = target_of("probabilities").requires_grad_()

    def loss(hidden: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        return together(target, label_smoothing=0.1, reduction=reduction)(hidden, weight)

    assert torch.autograd.gradcheck(loss, (hidden, weight, target), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(loss, (hidden, weight, target), check_fwd_over_rev=True)


def test_targets_of_any_sum_bend_by_their_sum() -> None:
    hidden, weight = layer(False)
    target = 2 * target_of("probabilities")
    parts = tuple(part.detach() for part in (hidden, weight))
    ours, theirs = (
        torch.func.hessian(loss(target, reduction="sum"), (0, 1))(*parts) for loss in (together, apart)
    )
    torch.testing.assert_close(ours, theirs)


def test_a_class_that_cannot_be_has_no_slope_in_the_target() -> None:
    hidden, weight = (part.detach() for part in layer(False))
    bias = torch.zeros(CLASSES, dtype=torch.float64).index_fill(0, torch.tensor(2), -torch.inf)
    target = target_of("probabilities").index_fill(1, torch.tensor(2), 0.0).requires_grad_()
    (slope,) = torch.autograd.grad(losscore.linear_cross_entropy(hidden, weight, target, bias=bias), target)
    assert slope[:, 2].tolist() == [0.0] * ROWS
    assert (slope[:, [0, 1, 3, 4]] > 0).all()


def test_targets_under_vmap_are_differentiated_too() -> None:
    hidden, weight = (part.detach() for part in layer(False))

    def total(target: Tensor) -> Tensor:
        return torch.func.vmap(lambda h, q: losscore.linear_cross_entropy(h, weight, q))(hidden, target).sum()

    slope = torch.func.grad(total)(target_of("probabilities"))
    torch.testing.assert_close(slope, -(hidden @ weight.T).log_softmax(1))


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.filterwarnings("ignore:.*Function'> should not be instantiated:DeprecationWarning")
def test_compiles_as_one_graph_with_a_bias(kind: str) -> None:
    torch.compiler.reset()
    parts, target = layer(True), target_of(kind)
    losses = [together(target, reduction=reduction) for reduction in ("mean", "sum", "none")]
    compiled = torch.compile(
        lambda *parts: [loss(*parts) for loss in losses], fullgraph=True, backend="eager"
    )
    for found, loss in zip(compiled(*parts), losses, strict=True):
        slopes, wanted = (torch.autograd.grad(value.sum(), parts) for value in (found, loss(*parts)))
        torch.testing.assert_close(slopes, wanted)


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
def test_a_layer_that_is_not_the_identity_agrees_with_the_definition(dtype: torch.dtype) -> None:
    """Small whole numbers, so that the logits themselves are exact."""
    hidden = torch.tensor([3.0, -2.0, 7.0], dtype=dtype, requires_grad=True)
    weight = torch.tensor(
        [[4.0, 1.0, 2.0], [-1.0, 0.5, 0.0], [2.0, 0.0, -3.0], [0.0, 0.0, 0.25]], dtype=dtype
    )
    weight.requires_grad_()
    oracle = definition("linear_cross_entropy")
    for label in range(4):
        one_hot = tuple(float(k == label) for k in range(4))
        loss = losscore.linear_cross_entropy(hidden, weight, torch.tensor(label))
        arguments = (hidden.tolist(), weight.tolist(), one_hot)
        assert near(loss, oracle.oracle(*arguments), RELATIVE[dtype])
        slopes = torch.autograd.grad(loss, (hidden, weight))
        for of, slope in enumerate(slopes):
            wanted = oracle.gradient_oracle(*arguments, of=of)
            flat = [x for row in wanted for x in row] if of else list(wanted)
            largest = max(abs(x) for x in flat) if of == 0 else 0
            assert all(near(got, want, RELATIVE[dtype], largest) for got, want in zip(slope.flatten(), flat))


def test_the_tail_is_exact() -> None:
    hidden = torch.tensor([[20.0, 0.0]], requires_grad=True)
    loss = losscore.linear_cross_entropy(hidden, torch.eye(2), torch.tensor([0]))
    loss.backward()
    assert loss.item() == pytest.approx(2.0611536e-9, rel=2e-6, abs=0)
    assert hidden.grad is not None
    assert hidden.grad[0].tolist() == pytest.approx([-2.0611536e-9, 2.0611536e-9], rel=2e-6, abs=0)
    assert F.cross_entropy(hidden, torch.tensor([0])) == 0


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_ignored_rows_may_hold_anything(reduction: str) -> None:
    hidden, weight = layer(False)
    target = target_of("some ignored")
    spoiled = hidden.detach().masked_fill((target == -100).unsqueeze(1), torch.nan).requires_grad_()
    bias = torch.tensor([-torch.inf, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    labels = torch.where(target == 0, 1, target)
    clean, dirty = (together(labels, reduction=reduction)(h, weight, bias) for h in (hidden, spoiled))
    assert clean.isfinite() and torch.equal(clean, dirty)
    slopes = torch.autograd.grad(dirty, (spoiled, weight))
    torch.testing.assert_close(slopes, torch.autograd.grad(clean, (hidden, weight)), rtol=0, atol=0)
    assert slopes[0][target == -100].eq(0).all()


def test_an_ignored_row_of_a_single_class() -> None:
    hidden, weight = draw(2, FEATURES), draw(1, FEATURES, seed=1)
    losses = losscore.linear_cross_entropy(hidden, weight, torch.tensor([-100, 0]), reduction="none")
    assert losses.tolist() == [0, 0]


@pytest.mark.parametrize("label", [-100, 7])
def test_nothing_but_ignored_rows(label: int) -> None:
    hidden, weight = layer(False)
    labels = torch.full((ROWS,), label)
    mean = losscore.linear_cross_entropy(hidden, weight, labels, ignore_index=label)
    slopes = torch.autograd.grad(mean, (hidden, weight))
    assert mean.isnan() and all(slope.eq(0).all() for slope in slopes)
    each = losscore.linear_cross_entropy(hidden, weight, labels, ignore_index=label, reduction="none")
    assert each.eq(0).all()


@pytest.mark.parametrize(
    "target", [torch.tensor([1, 0]), torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]]).double()]
)
def test_a_bias_of_minus_infinity_rules_a_class_out(target: Tensor) -> None:
    hidden, weight, bias = draw(2, 4), draw(3, 4, seed=1), torch.tensor([0.5, 0.0, -torch.inf]).double()
    for reduction in ("mean", "none"):
        parts = [hidden.clone().requires_grad_(), weight.clone().requires_grad_()]
        ours = losscore.linear_cross_entropy(*parts, target, bias=bias, reduction=reduction)
        inner = target if target.dim() == 1 else target[:, :2]
        logits = F.linear(hidden, weight[:2], bias[:2])
        theirs = F.cross_entropy(logits, inner, reduction=reduction)
        torch.testing.assert_close(ours, theirs)
        slopes = torch.autograd.grad(ours.sum(), parts)
        assert all(slope.isfinite().all() for slope in slopes) and slopes[1][2].eq(0).all()


def test_batches_of_sequences() -> None:
    hidden, weight, labels = (
        draw(2, 3, FEATURES),
        draw(CLASSES, FEATURES, seed=1),
        torch.tensor([[0, 4, 1], [2, 2, 3]]),
    )
    flat = losscore.linear_cross_entropy(hidden.reshape(6, -1), weight, labels.reshape(6), reduction="none")
    shaped = losscore.linear_cross_entropy(hidden, weight, labels, reduction="none")
    torch.testing.assert_close(shaped, flat.reshape(2, 3), rtol=0, atol=0)
    soft = losscore.linear_cross_entropy(
        hidden, weight, F.one_hot(labels, CLASSES).double(), reduction="none"
    )
    torch.testing.assert_close(soft, shaped)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_under_autocast_forward_and_backward_are_in_float32(dtype: torch.dtype) -> None:
    parts, labels = [part.detach().float().requires_grad_() for part in layer(True)], target_of("labels")
    for reduction in ("mean", "none"):
        outside = together(labels, reduction=reduction)(*parts).sum()
        wanted = torch.autograd.grad(outside, parts)
        with torch.autocast("cpu", dtype=dtype):
            inside = together(labels, reduction=reduction)(*parts).sum()
            found = torch.autograd.grad(inside, parts)
        torch.testing.assert_close((inside, *found), (outside, *wanted), rtol=0, atol=0)


class Largest(TorchDispatchMode):
    """Keeps the size of the largest tensor that any operation makes."""

    numel = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(tensor, Tensor):
                self.numel = max(self.numel, tensor.numel())
        return made


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_the_logits_are_never_held_whole(reduction: str, order: int) -> None:
    hidden, weight = draw(64, 2).requires_grad_(), draw(50, 2, seed=1).requires_grad_()
    labels = torch.arange(64) % 50
    with Largest() as largest:
        loss = together(labels, 4, reduction=reduction)(hidden, weight).sum()
        slopes = torch.autograd.grad(loss, (hidden, weight), create_graph=order == 2)
        if order == 2:
            torch.autograd.grad(sum(slope.square().sum() for slope in slopes), (hidden, weight))
    assert largest.numel == 4 * 50
    with Largest() as largest:
        F.cross_entropy(hidden @ weight.T, labels).backward()
    assert largest.numel == 64 * 50


def test_a_chunk_of_logits_is_as_large_as_the_weight() -> None:
    hidden, weight = draw(500, 200), draw(30, 200, seed=1)
    with Largest() as largest:
        losscore.linear_cross_entropy(hidden, weight, torch.zeros(500, dtype=torch.int64), reduction="none")
    assert largest.numel == 500 * 200
    with Largest() as largest:
        losscore.linear_cross_entropy(draw(500, 2), draw(30, 2), torch.zeros(500, dtype=torch.int64))
    assert largest.numel == 128 * 30


def in_order(*parts: str) -> str:
    """The pattern of a message that holds these parts, one after the other."""
    return ".*".join(map(re.escape, parts))


def test_errors_name_the_argument() -> None:
    hidden, weight, labels = torch.zeros(4, 3), torch.zeros(5, 3), torch.zeros(4, dtype=torch.int64)
    loss = losscore.linear_cross_entropy
    with pytest.raises(
        ValueError,
        match=in_order(
            "weight", "last dimension of hidden, torch.Size([4, 3])", "got size torch.Size([3, 5])"
        ),
    ):
        loss(hidden, weight.T, labels)
    for wrong in (torch.zeros(3), torch.zeros(0, 3)):
        with pytest.raises(
            ValueError, match=in_order("weight", "one row per class", f"got size {wrong.shape}")
        ):
            loss(hidden, wrong, labels)
    with pytest.raises(ValueError, match=in_order("weight", "torch.Size([])")):
        loss(torch.tensor(1.0), weight, labels)
    with pytest.raises(TypeError, match=in_order("weight", "floating-point", "torch.int64")):
        loss(hidden, weight.long(), labels)
    with pytest.raises(ValueError, match=in_order("weight", "device of hidden, cpu", "meta")):
        loss(hidden, weight.to("meta"), labels)
    with pytest.raises(ValueError, match=in_order("bias", "size torch.Size([5])", "got torch.Size([3])")):
        loss(hidden, weight, labels, bias=torch.zeros(3))
    with pytest.raises(TypeError, match=in_order("bias", "torch.Tensor", "float")):
        loss(hidden, weight, labels, bias=0.0)
    with pytest.raises(
        ValueError,
        match=in_order("Target size (torch.Size([3]))", "hidden size (torch.Size([4, 3]))", "class indices"),
    ):
        loss(hidden, weight, labels[:3])
    with pytest.raises(
        ValueError,
        match=in_order("Target size (torch.Size([4, 3]))", "5 classes", "probabilities, which torch.float32"),
    ):
        loss(hidden, weight, torch.zeros(4, 3))
    with pytest.raises(
        ValueError, match=in_order("target", "class indices in [0, 5)", "got 5 at position (2,)")
    ):
        loss(hidden, weight, torch.tensor([0, 1, 5, -1]))
    with pytest.raises(ValueError, match=in_order("ignore_index", "negative", "probabilities", "got 1")):
        loss(hidden, weight, torch.zeros(4, 5), ignore_index=1)
    with pytest.raises(ValueError, match=in_order("label_smoothing", "[0, 1]", "got 1.5")):
        loss(hidden, weight, labels, label_smoothing=1.5)
    with pytest.raises(ValueError, match=in_order("chunk_size", "integer >= 1", "got 0")):
        loss(hidden, weight, labels, chunk_size=0)
    for unfit in (2.0, True):
        with pytest.raises(
            TypeError, match=in_order("chunk_size", "integer >= 1", f"got {type(unfit).__name__}")
        ):
            loss(hidden, weight, labels, chunk_size=unfit)
