"""The three functions of the exercise on soft targets: a loss that takes them, and two ways to make them."""

from __future__ import annotations

import torch
from torch import Tensor

from .calling import finite_with_slope, slope_of
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def soft_ce(z: Tensor, t: Tensor) -> Tensor:
    return -(t * torch.log_softmax(z, dim=-1)).sum(-1)


def smooth(y: Tensor, K: int, eps: float) -> Tensor:
    hot = torch.nn.functional.one_hot(y, K).double()
    return (1 - eps) * hot + eps / K


def kd(z: Tensor, v: Tensor, y: Tensor, T: float, alpha: float) -> Tensor:
    log_p = torch.log_softmax(z / T, dim=-1)
    log_q = torch.log_softmax(v / T, dim=-1)
    soft = (log_q.exp() * (log_q - log_p)).sum(-1)
    hard = -torch.log_softmax(z, dim=-1).gather(-1, y[:, None]).squeeze(-1)
    return alpha * T**2 * soft + (1 - alpha) * hard


def _normal(*shape: int, seed: int, scale: float = 2.0) -> Tensor:
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _labels(classes: int, *, seed: int, n: int = 5) -> Tensor:
    return torch.randint(classes, (n,), generator=torch.Generator().manual_seed(seed))


def _with_target(classes: int, seed: int) -> Arguments:
    return _normal(5, classes, seed=seed), _normal(5, classes, seed=seed + 50).softmax(-1)


def _far(gap: float) -> Tensor:
    return torch.tensor([[-gap, 0.0, 1.0], [gap, 0.0, 1.0], [1.0, 0.5, -gap]], dtype=torch.float64)


_SIDE = torch.tensor([0, 0, 2])
_EVEN = torch.full((3, 3), 1 / 3, dtype=torch.float64)


def _leaning(z: Tensor) -> Tensor:
    """0 for every row, with a slope that is not."""
    return (z - z.detach())[:, 0]


def _finite_soft_ce(function: Function) -> bool:
    targets = (smooth(_SIDE, 3, 0.0), _EVEN)
    return finite_with_slope(function, [(_far(gap), t) for gap in (800.0, 1e4) for t in targets])


def _ignores_a_shift(function: Function) -> bool:
    z, t = _with_target(6, 31)
    return torch.allclose(function(z, t), function(z + 300.0, t), rtol=1e-9)


def _pulls_to_the_target(function: Function) -> bool:
    return all(
        torch.allclose(slope_of(function, z, t), z.softmax(-1) - t, rtol=0, atol=1e-9)
        for z, t in (_with_target(6, seed) for seed in (33, 34))
    )


def _is_linear_in_the_target(function: Function) -> bool:
    """So a smoothed label splits into the label and a uniform target."""
    z, y = _normal(5, 7, seed=35), _labels(7, seed=36)
    uniform = torch.full((5, 7), 1 / 7, dtype=torch.float64)
    split = 0.8 * function(z, smooth(y, 7, 0.0)) + 0.2 * function(z, uniform)
    return torch.allclose(function(z, smooth(y, 7, 0.2)), split, rtol=1e-9)


SOFT_CE = Task(
    id="soft-targets.soft_ce",
    title="the function soft_ce",
    reference=soft_ce,
    inputs={
        "soft targets": [_with_target(classes, seed) for classes, seed in ((3, 0), (10, 1), (10, 2))],
        "hard targets": [(_normal(5, 10, seed=4), smooth(_labels(10, seed=5), 10, 0.0))],
        EXTREMES: [(_far(gap), t) for gap in (40.0, 1e4) for t in (smooth(_SIDE, 3, 0.0), _EVEN)],
    },
    slopes_in=("z",),
    absolute=1e-12,
    wrong_answers=(
        WrongAnswer(
            "sign",
            lambda z, t: -soft_ce(z, t),
            "Check the sign: a logarithm of a probability is negative, and a loss is a cost.",
        ),
        WrongAnswer(
            "mean over the classes",
            lambda z, t: soft_ce(z, t) / z.shape[-1],
            "You are off by the number of classes: add over them, do not average.",
        ),
        WrongAnswer(
            "likeliest class as the label",
            lambda z, t: soft_ce(z, smooth(t.argmax(-1), z.shape[-1], 0.0)),
            "You use the target's largest entry only. What about the others?",
        ),
        WrongAnswer(
            "no logarithm",
            lambda z, t: -(t * z.softmax(-1)).sum(-1),
            "You average the probabilities under the target. Cross-entropy averages minus their logarithms.",
        ),
        WrongAnswer(
            "roles exchanged",
            lambda z, t: -(z.softmax(-1) * t.clamp(min=1e-300).log()).sum(-1),
            "The target stands under your logarithm. Who is the truth here, and who is judged?",
        ),
        WrongAnswer(
            "divergence",
            lambda z, t: soft_ce(z, t) + torch.special.xlogy(t, t).sum(-1),
            "Your gradient is right, and the value is the divergence: cross-entropy less the entropy of the target.",
        ),
        WrongAnswer(
            "one sigmoid a class",
            lambda z, t: torch.nn.functional.binary_cross_entropy_with_logits(z, t, reduction="none").sum(-1),
            "You use a sigmoid for each class. Here the K probabilities of a row add to 1.",
        ),
        WrongAnswer(
            "softmax over the rows",
            lambda z, t: -(t * z.log_softmax(0)).sum(-1),
            "Your softmax runs down the batch. The K probabilities of one row add to 1: which dimension holds the classes?",
        ),
        WrongAnswer(
            "softmax twice",
            lambda z, t: soft_ce(z.softmax(-1), t),
            "A softmax is applied twice: log_softmax and cross_entropy take the logits themselves.",
        ),
        WrongAnswer(
            "logits taken for log-probabilities",
            lambda z, t: -(t * z).sum(-1),
            "Logits are no log-probabilities yet: something common to all classes must be taken away.",
        ),
    ),
    properties=(
        Property(
            "finite, with its gradient, at ±10⁴",
            _finite_soft_ce,
            "At logits of ±10⁴ your loss or its gradient is NaN or infinite: the softmax is rounded to 0 before the logarithm "
            "sees it. torch has a log_softmax.",
            nearly=lambda z, t: -(t * z.softmax(-1).log()).sum(-1),
        ),
        Property(
            "ignores a common shift",
            _ignores_a_shift,
            "Add 300 to every logit: the softmax does not notice, and your loss does.",
            nearly=lambda z, t: soft_ce(z, t) + 1e-4 * z[:, 0].clamp(min=50),
        ),
        Property(
            "prediction minus target",
            _pulls_to_the_target,
            "The gradient in the logits must be softmax(z) − t, and yours is not. Is something added, or cut off, under the "
            "logarithm?",
            nearly=lambda z, t: soft_ce(z, t) + 1e-5 * _leaning(z),
        ),
        Property(
            "linear in the target",
            _is_linear_in_the_target,
            "Half the loss of one target and half that of another must be the loss of their mean. Yours is not linear in t.",
            nearly=lambda z, t: soft_ce(z, t) + 1e-5 * t.square().sum(-1),
        ),
    ),
    explanation=(
        "$-\\sum_kt_k\\ln p_k$ with $\\ln p$ from `log_softmax`, which neither overflows nor meets a logarithm of 0. "
        "`torch.nn.functional.cross_entropy(z, t, reduction='none')` is the same function, and `losscore.cross_entropy` too."
    ),
)


def _adds_to_one(function: Function) -> bool:
    return all(
        bool(((function(_labels(K, seed=41), K, eps).sum(-1) - 1).abs() < 1e-6).all())
        for K in (2, 10, 1000)
        for eps in (0.1, 0.7)
    )


def _leaves_the_label_alone(function: Function) -> bool:
    y = _labels(6, seed=42)
    return torch.equal(function(y, 6, 0.0), torch.nn.functional.one_hot(y, 6).double())


def _ends_at_equal_shares(function: Function) -> bool:
    return torch.allclose(
        function(_labels(8, seed=43), 8, 1.0),
        torch.full((5, 8), 1 / 8, dtype=torch.float64),
        rtol=0,
        atol=1e-6,
    )


SMOOTH = Task(
    id="soft-targets.smooth",
    title="the function smooth",
    reference=smooth,
    inputs={
        "ten classes": [(_labels(10, seed=seed), 10, 0.1) for seed in (6, 7)],
        "others": [(_labels(K, seed=8), K, eps) for K in (2, 3, 100) for eps in (0.05, 0.3)],
        EXTREMES: [(_labels(K, seed=9), K, eps) for K in (2, 10) for eps in (0.0, 1e-8, 1.0)],
    },
    absolute=1e-12,
    wrong_answers=(
        WrongAnswer(
            "ε among the others",
            lambda y, K, eps: (1 - eps) * smooth(y, K, 0.0) + eps / (K - 1) * (1 - smooth(y, K, 0.0)),
            "You give ε to the other K − 1 classes alone. On this page the smeared ε also falls on the true class.",
        ),
        WrongAnswer(
            "1 − ε and ε/K",
            lambda y, K, eps: (1 - eps) * smooth(y, K, 0.0) + eps / K * (1 - smooth(y, K, 0.0)),
            "Your rows do not add to 1: the true class has a share in the smeared ε too.",
        ),
        WrongAnswer(
            "ε on top",
            lambda y, K, eps: smooth(y, K, 0.0) + eps / K,
            "Your rows add to more than 1. What you give to all must first be taken from the label.",
        ),
        WrongAnswer(
            "ε to each",
            lambda y, K, eps: (1 - eps) * smooth(y, K, 0.0) + eps,
            "You give ε to every class. It is to be shared by all K.",
        ),
        WrongAnswer(
            "roles exchanged",
            lambda y, K, eps: eps * smooth(y, K, 0.0) + (1 - eps) / K,
            "This leaves ε of the label and smears the rest. Which of the two is to be small?",
        ),
        WrongAnswer(
            "not smoothed",
            lambda y, K, eps: smooth(y, K, 0.0),
            "This is the label itself, one-hot. Where does ε come in?",
        ),
        WrongAnswer(
            "counting from 1",
            lambda y, K, eps: smooth((y - 1) % K, K, eps),
            "The mass lies one class too low. Labels count from 0.",
        ),
    ),
    properties=(
        Property(
            "rows add to 1",
            _adds_to_one,
            "Each row is a forecast: it must add to 1. Yours does not.",
            nearly=lambda y, K, eps: smooth(y, K, eps) + 1e-5 * (eps > 0) * smooth(y, K, 0.0),
        ),
        Property(
            "no smoothing at ε = 0",
            _leaves_the_label_alone,
            "At ε = 0 the target must be the label, exactly. Is ε bounded from below?",
            nearly=lambda y, K, eps: smooth(y, K, max(eps, 1e-6)),
        ),
        Property(
            "equal shares at ε = 1",
            _ends_at_equal_shares,
            "At ε = 1 nothing of the label may be left. Is ε bounded from above?",
            nearly=lambda y, K, eps: smooth(y, K, min(eps, 0.999)),
        ),
    ),
    explanation=(
        "The label and the uniform distribution are mixed, $(1-\\varepsilon)e_y+\\varepsilon\\frac1K$; the true class gets a share "
        "of the second part as well. `losscore.smooth_labels` does the same."
    ),
)

_KD_CASES = {
    "T = 1": [(_normal(5, 10, seed=11), _normal(5, 10, seed=12), _labels(10, seed=13), 1.0, 0.3)],
    "soft alone": [
        (_normal(5, K, seed=14), _normal(5, K, seed=15), _labels(K, seed=16), T, 1.0)
        for K, T in ((3, 2.0), (10, 4.0))
    ],
    "both terms": [
        (_normal(5, 10, seed=17), _normal(5, 10, seed=18), _labels(10, seed=19), T, alpha)
        for T, alpha in ((4.0, 0.9), (2.0, 0.3), (1.0, 0.5))
    ],
    EXTREMES: [
        *((_far(1e4), _far(-1e4), _SIDE, T, 0.9) for T in (1.0, 4.0)),
        (_normal(5, 10, seed=20), _normal(5, 10, seed=21), _labels(10, seed=22), 1000.0, 0.9),
        (_normal(5, 10, seed=20), _normal(5, 10, seed=21), _labels(10, seed=22), 4.0, 0.0),
        (_normal(5, 10, seed=23), _normal(5, 10, seed=23), _labels(10, seed=24), 4.0, 1.0),
    ],
}


def _divergence(first: Tensor, second: Tensor) -> Tensor:
    """KL of the first row of logits from the second."""
    log_first, log_second = torch.log_softmax(first, -1), torch.log_softmax(second, -1)
    return (log_first.exp() * (log_first - log_second)).sum(-1)


def _hard(z: Tensor, y: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(z, y, reduction="none")


def _mixed(soft: Function, *, hard: Function = lambda z, y, T: _hard(z, y)) -> Function:
    """``kd`` with another soft term ``soft(z, v, T)`` or hard term ``hard(z, y, T)``."""
    return lambda z, v, y, T, alpha: alpha * soft(z, v, T) + (1 - alpha) * hard(z, y, T)


def _right_soft(z: Tensor, v: Tensor, T: float) -> Tensor:
    return T**2 * _divergence(v / T, z / T)


def _finite_kd(function: Function) -> bool:
    return finite_with_slope(function, _KD_CASES[EXTREMES][:2])


def _rests_at_the_teacher(function: Function) -> bool:
    """The soft term alone: value and gradient are 0 where student and teacher agree."""
    z, y = _normal(5, 8, seed=25), _labels(8, seed=26)
    return all(
        bool(
            function(z, z, y, T, 1.0).abs().max() < 1e-9
            and slope_of(function, z, z, y, T, 1.0).abs().max() < 1e-9
        )
        for T in (1.0, 5.0)
    )


def _keeps_its_strength(function: Function) -> bool:
    """The gradients at T and 2T have nearly the same length when T is large."""
    z, v, y = _normal(5, 10, seed=27), _normal(5, 10, seed=28), _labels(10, seed=29)
    near, far = (slope_of(function, z, v, y, T, 1.0).norm() for T in (500.0, 1000.0))
    return bool((far / near - 1).abs() < 0.01)


def _ignores_shifts(function: Function) -> bool:
    """Of the student's logits and of the teacher's, each by itself."""
    z, v, y = _normal(5, 10, seed=61), _normal(5, 10, seed=62), _labels(10, seed=63)
    value = function(z, v, y, 3.0, 0.7)
    return all(
        torch.allclose(function(z + a, v + b, y, 3.0, 0.7), value, rtol=1e-9)
        for a, b in ((200.0, 0), (0, 200.0))
    )


KD = Task(
    id="soft-targets.kd",
    title="the function kd",
    reference=kd,
    inputs=_KD_CASES,
    slopes_in=("z",),
    absolute=1e-8,
    wrong_answers=(
        WrongAnswer(
            "T² forgotten",
            _mixed(lambda z, v, T: _divergence(v / T, z / T)),
            "The factor T² is missing. Train with T = 10, and look at the size of the gradient.",
        ),
        WrongAnswer(
            "T in place of T²",
            _mixed(lambda z, v, T: T * _divergence(v / T, z / T)),
            "You multiply by T once. How many powers of T does your answer to (f) lose when T is large?",
        ),
        WrongAnswer(
            "KL reversed",
            _mixed(lambda z, v, T: T**2 * _divergence(z / T, v / T)),
            "This is the divergence of the teacher from the student. The teacher is the truth: it gives the weights.",
        ),
        WrongAnswer(
            "cross-entropy to the teacher",
            _mixed(lambda z, v, T: T**2 * soft_ce(z / T, (v / T).softmax(-1))),
            "Your gradient is right, and the value is too large by the teacher's entropy: it is not 0 where both agree.",
        ),
        WrongAnswer(
            "mean over the classes",
            _mixed(lambda z, v, T: _right_soft(z, v, T) / z.shape[-1]),
            "Your soft term is too small by the number of classes. kl_div with reduction='mean' averages over them too; its "
            "'batchmean' only over the rows, and here each row stands alone.",
        ),
        WrongAnswer(
            "soft term averaged over the rows",
            _mixed(lambda z, v, T: _right_soft(z, v, T).mean()),
            "Your soft term is the mean over the rows, as 'batchmean' gives it, and each row gets the same. Ask kl_div for "
            "reduction='none' and add over the classes.",
        ),
        WrongAnswer(
            "soft term averaged over everything",
            _mixed(lambda z, v, T: _right_soft(z, v, T).mean() / z.shape[-1]),
            "Your soft term is one number, the mean over rows and classes, as kl_div gives it unless told otherwise. Ask for "
            "reduction='none' and add over the classes.",
        ),
        WrongAnswer(
            "teacher at T = 1",
            _mixed(lambda z, v, T: T**2 * _divergence(v, z / T)),
            "Only the student's logits are divided by T. The teacher's are, too.",
        ),
        WrongAnswer(
            "student at T = 1",
            _mixed(lambda z, v, T: T**2 * _divergence(v / T, z)),
            "Only the teacher's logits are divided by T in your soft term. The student's are, too.",
        ),
        WrongAnswer(
            "colder for hotter",
            _mixed(lambda z, v, T: T**2 * _divergence(v * T, z * T)),
            "You multiply the logits by T: that sharpens. A temperature divides.",
        ),
        WrongAnswer(
            "hard term at T",
            _mixed(_right_soft, hard=lambda z, y, T: _hard(z / T, y)),
            "Your hard term has the temperature too. The label is compared with the student at T = 1.",
        ),
        WrongAnswer(
            "T² on both",
            _mixed(_right_soft, hard=lambda z, y, T: T**2 * _hard(z, y)),
            "You multiply the hard term by T² too. It has lost nothing that must be given back.",
        ),
        WrongAnswer(
            "weights exchanged",
            lambda z, v, y, T, alpha: kd(z, v, y, T, 1 - alpha),
            "The weights are exchanged: α belongs to the teacher.",
        ),
        WrongAnswer(
            "no weights",
            lambda z, v, y, T, alpha: _right_soft(z, v, T) + _hard(z, y),
            "You add both terms in full. They are weighed by α and 1 − α.",
        ),
        WrongAnswer(
            "probabilities given to kl_div",
            _mixed(
                lambda z, v, T: (
                    T**2
                    * torch.nn.functional.kl_div(
                        (z / T).softmax(-1), (v / T).softmax(-1), reduction="none"
                    ).sum(-1)
                )
            ),
            "Your student enters without a logarithm: kl_div takes log-probabilities first, and probabilities second.",
        ),
        WrongAnswer(
            "hard term averaged",
            _mixed(_right_soft, hard=lambda z, y, T: _hard(z, y).mean()),
            "Your hard term is the mean over the rows, and each row gets the same. Ask cross_entropy for reduction='none'.",
        ),
        WrongAnswer(
            "soft term in full",
            lambda z, v, y, T, alpha: _right_soft(z, v, T) + (1 - alpha) * _hard(z, y),
            "The soft term has lost its weight α.",
        ),
        WrongAnswer(
            "hard term in full",
            lambda z, v, y, T, alpha: alpha * _right_soft(z, v, T) + _hard(z, y),
            "The hard term has lost its weight 1 − α.",
        ),
    ),
    properties=(
        Property(
            "finite, with its gradient, at ±10⁴",
            _finite_kd,
            "At logits of ±10⁴ your loss or its gradient is NaN or infinite. Take both logarithms from log_softmax, of the student "
            "and of the teacher.",
            nearly=lambda z, v, y, T, alpha: (
                alpha
                * T**2
                * ((v / T).softmax(-1) * ((v / T).softmax(-1) / (z / T).softmax(-1)).log()).sum(-1)
                + (1 - alpha) * _hard(z, y)
            ),
        ),
        Property(
            "at rest where both agree",
            _rests_at_the_teacher,
            "With α = 1 and student = teacher the loss and its gradient must be 0, and yours are not.",
            nearly=lambda z, v, y, T, alpha: kd(z, v, y, T, alpha) + 1e-6,
        ),
        Property(
            "as strong at 2T as at T",
            _keeps_its_strength,
            "Compare the gradients at a large T and at 2T, with α = 1: their lengths must be almost equal, and yours are not. Which "
            "power of T gives back what heat takes?",
            nearly=lambda z, v, y, T, alpha: (
                kd(z, v, y, T, alpha) + alpha * (T**0.05 - 1) * _right_soft(z, v, T)
            ),
        ),
        Property(
            "ignores common shifts",
            _ignores_shifts,
            "Add a constant to all logits of the student, or to all of the teacher: no probability changes, and your loss does.",
            nearly=lambda z, v, y, T, alpha: kd(z, v, y, T, alpha) + 1e-4 * v[:, 0].clamp(min=50) - 5e-3,
        ),
    ),
    explanation=(
        "`log_softmax` gives both logarithms, so the divergence $\\sum_kq_k(\\ln q_k-\\ln p_k)$ needs no ratio of probabilities. "
        "$T^2$ stands in front of the soft term only. `losscore.distillation` is that term."
    ),
)
