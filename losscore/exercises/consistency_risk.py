"""The task to write conditional risks, of the exercise on Fisher consistency."""

from __future__ import annotations

import torch
from torch import Tensor

from .calling import finite_with_slope
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer

LOSSES = ("cross-entropy", "squared error", "hinge", "logistic")


def conditional_risk(f: Tensor, eta: Tensor, loss: str) -> Tensor:
    if loss == "cross-entropy":
        return -(eta * torch.log_softmax(f, -1)).sum(-1)
    if loss == "squared error":
        comes, stays_away = (1 - f) ** 2, f**2
    elif loss == "hinge":
        comes, stays_away = torch.relu(1 - f), torch.relu(1 + f)
    else:
        softplus = torch.nn.functional.softplus
        comes, stays_away = softplus(-f), softplus(f)
    return (eta * comes + (1 - eta) * stays_away).sum(-1)


def distribution(*shape: int, seed: int) -> Tensor:
    """Probabilities along the last axis, none of them near 0."""
    draw = torch.Generator().manual_seed(seed)
    return torch.softmax(torch.randn(*shape, generator=draw, dtype=torch.float64), -1)


def _case(loss: str, *shape: int, seed: int) -> Arguments:
    draw = torch.Generator().manual_seed(100 + seed)
    return (
        1.5 * torch.randn(*shape, generator=draw, dtype=torch.float64),
        distribution(*shape, seed=seed),
        loss,
    )


def _far(gap: float, eta: tuple[float, ...], loss: str) -> Arguments:
    f = torch.tensor([[gap, -gap, 0.5], [-gap, gap, 3.0]], dtype=torch.float64)
    return f, torch.tensor([eta, eta], dtype=torch.float64), loss


_INPUTS = {
    **{loss: [_case(loss, size, seed=size) for size in (2, 3, 5)] for loss in LOSSES},
    "batches": [_case(loss, *shape, seed=9) for loss in LOSSES for shape in ((4, 3), (2, 3, 4))],
    EXTREMES: [
        _far(gap, eta, loss)
        for gap in (40.0, 1e4)
        for eta in ((0.4, 0.35, 0.25), (0.5, 0.5, 0.0))
        for loss in LOSSES
    ],
}


def _only(*losses: str) -> Function:
    """Makes a mistake in these losses alone."""
    return lambda wrong: (
        lambda f, eta, loss: wrong(f, eta, loss) if loss in losses else conditional_risk(f, eta, loss)
    )


def _by_label(eta: Tensor) -> Tensor:
    """For each label the distribution that is certain of it, one row a label."""
    return torch.eye(eta.shape[-1], dtype=eta.dtype).expand(*eta.shape, -1)


def _unweighted(f: Tensor, eta: Tensor, loss: str) -> Tensor:
    return conditional_risk(f.unsqueeze(-2), _by_label(eta), loss).mean(-1)


def _only_own_label(f: Tensor, eta: Tensor, loss: str) -> Tensor:
    comes = {
        "squared error": (1 - f) ** 2,
        "hinge": torch.relu(1 - f),
        "logistic": torch.nn.functional.softplus(-f),
    }
    return (eta * comes[loss]).sum(-1)


_MISTAKES = (
    WrongAnswer(
        "sign",
        lambda f, eta, loss: -conditional_risk(f, eta, loss),
        "Check the sign: none of these losses is ever negative.",
    ),
    WrongAnswer(
        "classes not weighted",
        _unweighted,
        "You average over the labels as if all were equally likely. Weigh each by its η.",
    ),
    WrongAnswer(
        "largest probability only",
        lambda f, eta, loss: conditional_risk(
            f, torch.nn.functional.one_hot(eta.argmax(-1), eta.shape[-1]).to(eta.dtype), loss
        ),
        "You charge for the likeliest label alone. The others come too, only less often.",
    ),
    WrongAnswer(
        "mean over the classes",
        lambda f, eta, loss: conditional_risk(f, eta, loss) / f.shape[-1],
        "You are off by the number of classes: the losses add up over the classes, they are not averaged.",
    ),
    WrongAnswer(
        "probabilities in place of scores",
        _only("cross-entropy")(lambda f, eta, loss: -(eta * f.log()).sum(-1)),
        "For cross-entropy f holds scores, any real numbers. Which function makes them probabilities?",
    ),
    WrongAnswer(
        "truth and forecast exchanged",
        _only("cross-entropy")(lambda f, eta, loss: -(f.softmax(-1) * eta.log()).sum(-1)),
        "Who is the truth? Labels come with the probabilities η, and the softmax of f is what is scored.",
    ),
    WrongAnswer(
        "regret in place of the risk",
        _only("cross-entropy")(lambda f, eta, loss: (eta * (eta.log() - f.log_softmax(-1))).sum(-1)),
        "Your cross-entropy is 0 where the softmax is η: you subtract the entropy. The best scores still pay for the drawing of "
        "the label.",
    ),
    WrongAnswer(
        "squared distance to the probabilities",
        _only("squared error")(lambda f, eta, loss: ((f - eta) ** 2).sum(-1)),
        "You measure the distance to η. The loss measures that to the label, which is drawn: expand E(f − Y)² once more.",
    ),
    WrongAnswer(
        "squared error behind a softmax",
        _only("squared error")(lambda f, eta, loss: conditional_risk(f.softmax(-1), eta, loss)),
        "You put a softmax before the squares. In this exercise squared error takes the scores as they are.",
    ),
    WrongAnswer(
        "squared error to ±1",
        _only("squared error")(lambda f, eta, loss: (eta * (1 - f) ** 2 + (1 - eta) * (1 + f) ** 2).sum(-1)),
        "For squared error the labels are 1 and 0. The ±1 belong to the hinge.",
    ),
    WrongAnswer(
        "only the class that comes",
        _only("squared error", "hinge", "logistic")(_only_own_label),
        "You charge each class for its own label alone. When another label comes, its score is charged too: these losses have a "
        "term for every class at every label.",
    ),
    WrongAnswer(
        "labels exchanged",
        _only("hinge", "logistic")(lambda f, eta, loss: conditional_risk(-f, eta, loss)),
        "You exchange the signs: a class that comes wants a high score, and s = +1 is its sign.",
    ),
    WrongAnswer(
        "hinge never stops",
        _only("hinge")(lambda f, eta, loss: (eta * (1 - f) + (1 - eta) * (1 + f)).sum(-1)),
        "Your hinge goes below 0 where a score is right by more than 1. Where is the maximum with 0?",
    ),
    WrongAnswer(
        "squared hinge",
        _only("hinge")(
            lambda f, eta, loss: (eta * torch.relu(1 - f) ** 2 + (1 - eta) * torch.relu(1 + f) ** 2).sum(-1)
        ),
        "You square the hinge. That is another loss, and it behaves differently.",
    ),
    WrongAnswer(
        "rivals in place of ±1",
        _only("hinge")(
            lambda f, eta, loss: (eta * (torch.relu(1 + f[..., None, :] - f[..., None]).sum(-1) - 1)).sum(-1)
        ),
        "You compare each score with its rivals. One against all compares each score with its own ±1, and with nothing else.",
    ),
    WrongAnswer(
        "softmax in place of sigmoids",
        _only("logistic")(lambda f, eta, loss: conditional_risk(f, eta, "cross-entropy")),
        "For the logistic loss you use a softmax. One against all has a binary task, and a sigmoid, for each class.",
    ),
    WrongAnswer(
        "logarithm to base 2",
        _only("logistic")(lambda f, eta, loss: conditional_risk(f, eta, loss) / torch.tensor(2.0).log()),
        "You are off by the factor ln 2: the book's logarithms are natural.",
    ),
)


def _finite_far_out(function: Function) -> bool:
    return finite_with_slope(function, _INPUTS[EXTREMES])


def _keeps_a_confident_error(function: Function) -> bool:
    """A score that is wrong by 10⁴ costs 10⁴ a time, under all but the squared error."""
    f, eta, _ = _far(1e4, (0.0, 1.0, 0.0), "hinge")
    return all(function(f, eta, loss)[0].item() > 9e3 for loss in ("cross-entropy", "hinge", "logistic"))


def _is_linear_in_the_truth(function: Function) -> bool:
    for loss in LOSSES:
        f, one, _ = _case(loss, 4, seed=21)
        other = distribution(4, seed=22)
        mixed = 0.3 * function(f, one, loss) + 0.7 * function(f, other, loss)
        if not torch.allclose(function(f, 0.3 * one + 0.7 * other, loss), mixed, rtol=1e-9, atol=0.0):
            return False
    return True


def _ignores_the_order(function: Function) -> bool:
    order = torch.tensor([2, 0, 3, 1])
    cases = [_case(loss, 4, seed=23) for loss in LOSSES]
    return all(
        torch.allclose(function(f[order], eta[order], loss), function(f, eta, loss), rtol=1e-9, atol=0.0)
        for f, eta, loss in cases
    )


def _as_written(f: Tensor, eta: Tensor, loss: str) -> Tensor:
    if loss == "cross-entropy":
        return -(eta * f.softmax(-1).log()).sum(-1)
    if loss == "logistic":
        return (eta * (1 + (-f).exp()).log() + (1 - eta) * (1 + f.exp()).log()).sum(-1)
    return conditional_risk(f, eta, loss)


RISK = Task(
    id="consistency.conditional_risk",
    title="the function conditional_risk",
    reference=conditional_risk,
    inputs=_INPUTS,
    slopes_in=("f",),
    wrong_answers=_MISTAKES,
    properties=(
        Property(
            "finite, with its gradient, at ±10⁴",
            _finite_far_out,
            "At scores of ±10⁴ your risk or its gradient is NaN or infinite: an exponential overflows, or a logarithm meets 0. "
            "torch has a log_softmax and a softplus.",
            nearly=_as_written,
        ),
        Property(
            "a confident error stays dear",
            _keeps_a_confident_error,
            "A score that is wrong by 10⁴ must cost about 10⁴. Do you clip a probability?",
            nearly=lambda f, eta, loss: (
                -(eta * f.softmax(-1).clamp(min=1e-300).log()).sum(-1)
                if loss == "cross-entropy"
                else conditional_risk(f, eta, loss)
            ),
        ),
        Property(
            "the order of the classes does not matter",
            _ignores_the_order,
            "Renumber the classes, in f and in η alike: the risk must not change.",
            nearly=lambda f, eta, loss: conditional_risk(f, eta, loss) * (1 + 1e-7 * f[..., 0].sigmoid()),
        ),
        Property(
            "linear in the truth",
            _is_linear_in_the_truth,
            "An expectation is linear in the probabilities: at 0.3 η + 0.7 η′ the risk must be the same mixture of the two risks.",
            nearly=lambda f, eta, loss: conditional_risk(f, eta, loss) * (1 + 1e-7 * (eta**2).sum(-1)),
        ),
    ),
    explanation=(
        "Cross-entropy is $-\\sum_k\\eta_k\\ln\\mathrm{softmax}(f)_k$. The other three fall apart into a term for each class: with "
        "probability $\\eta_k$ it comes, with $1-\\eta_k$ it stays away."
    ),
)
