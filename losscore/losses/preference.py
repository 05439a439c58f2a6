"""Losses of preferences: of two answers, which one was chosen.

All are elementwise under `reduction="none"` and averaged over all elements, one a comparison, under "mean"; an empty
"mean" is NaN and an empty "sum" 0, as in torch.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ._tensors import Reduction, aligned, check_number, positive, reduce


def bradley_terry(chosen: Tensor, rejected: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Bradley and Terry's negative log-likelihood of a choice, -log sigmoid(r_chosen - r_rejected).

    Domain: all real rewards. Its minimiser is rewards whose difference is the log-odds that the first of two answers
    is chosen over the second; a constant added to all rewards changes nothing.

    Conventions: natural logarithm, so equal rewards cost log 2. Exact in both tails. "mean" divides by the number of
    comparisons.

    Shape: `chosen` and `rejected` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, or `reduction` is unknown.
        TypeError: `chosen` isn't a floating-point tensor, or `rejected` isn't a real one.

    Example:
        >>> from torch import tensor
        >>> bradley_terry(tensor([1.0, 20.0]), tensor([1.0, 0.0]), reduction="none")
        tensor([6.9315e-01, 2.0612e-09])

    References: Bradley & Terry (1952), Rank analysis of incomplete block designs; Ouyang et al. (2022), Training
    language models to follow instructions with human feedback.
    """
    (chosen, rejected), dtype = aligned(chosen=chosen, rejected=rejected)
    return reduce(-F.logsigmoid(chosen - rejected), reduction, dtype)


def dpo(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Direct preference optimisation, -(1 - e) log sigmoid(h) - e log sigmoid(-h) with the implied difference of
    rewards h = beta ((policy_chosen - reference_chosen) - (policy_rejected - reference_rejected)).

    Domain: log-likelihoods of whole answers, any real numbers; beta > 0; e in [0, 1/2]. Its minimiser at e = 0 has
    for h the log-odds that the first of two answers is chosen over the second; e, the share of choices taken to be
    wrong, draws that probability p to (1 - e) p + e (1 - p).

    Conventions: natural logarithms, and an answer's log-likelihood is the sum over its tokens, not their mean.
    Exact in both tails. Differentiable in all four; detach the reference where it has a graph. "mean" divides by
    the number of comparisons.

    Shape: all four of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, `beta` isn't a finite number > 0, `label_smoothing` lies outside of [0, 1/2],
            or `reduction` is unknown.
        TypeError: `policy_chosen` isn't a floating-point tensor, one of the others isn't a real one, or a parameter
            isn't a number.

    Example:
        >>> from torch import tensor
        >>> dpo(tensor(-10.0), tensor(-14.0), tensor(-12.0), tensor(-12.0), beta=0.5)
        tensor(0.1269)

    References: Rafailov et al. (2023), Direct preference optimization: your language model is secretly a reward
    model; Mitchell (2023), A note on DPO with noisy preferences.
    """
    beta = positive("beta", beta)
    wrong = check_number("label_smoothing", label_smoothing, "a number in [0, 1/2]", lambda x: 0 <= x <= 0.5)
    (chosen, rejected, chosen_before, rejected_before), dtype = aligned(
        policy_chosen=policy_chosen,
        policy_rejected=policy_rejected,
        reference_chosen=reference_chosen,
        reference_rejected=reference_rejected,
    )
    gain = beta * ((chosen - chosen_before) - (rejected - rejected_before))
    losses = -F.logsigmoid(gain)
    if wrong:
        losses = (1 - wrong) * losses - wrong * F.logsigmoid(-gain)
    return reduce(losses, reduction, dtype)
