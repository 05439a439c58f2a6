"""What the page on robustness says about networks on flipped labels and generalized cross-entropy, over several seeds."""

from __future__ import annotations

from functools import partial

import pytest
import torch
import torch.nn.functional as F

import losscore
from losscore.lab import generator, interval, noisy_labels, paired
from losscore.lab.noisy_labels import Course, noisy_digits, power, train

SGD = partial(torch.optim.SGD, lr=0.5)


@pytest.fixture(scope="module")
def even() -> dict[float, Course]:
    """Networks trained on digits of which 40 % of the labels are flipped evenly."""
    data = noisy_digits(0.4, seeds=12)
    return {q: train(power(q), data) for q in (0.0, 0.7, 1.0)}


@pytest.mark.claim("C55")
def test_negative_margins_are_wrong_labels_only_for_a_model_that_fits_and_has_not_memorised() -> None:
    data = noisy_digits(0.05, n=1000, parity=True)
    line, network = (train(losscore.cross_entropy, data, hidden=hidden, steps=400) for hidden in (0, 64))
    start, middle, end = (network.suspects[network.at(step)] for step in (0, 100, 400))
    assert interval(start).high < 0.2
    assert interval(middle).low > 0.7
    assert paired(middle, end).low > 0.05
    assert paired(middle, line.suspects[line.at(400)]).low > 0.05


@pytest.mark.claim("C62", "C69")
def test_even_flips_keep_the_order_of_any_models_under_absolute_error_only() -> None:
    draw = generator(0)
    eta = torch.softmax(torch.randn(30, 4, generator=draw, dtype=torch.float64), 1)
    models = 3 * torch.randn(40, 30, 4, generator=draw, dtype=torch.float64)
    rate = 0.5
    seen = (1 - rate) * eta + rate / 3 * (1 - eta)

    def order(chances: torch.Tensor, q: float) -> torch.Tensor:
        loss = losscore.generalized_cross_entropy(
            models.flatten(0, 1), chances.expand(40, -1, -1).flatten(0, 1), q=q, reduction="none"
        )
        return loss.reshape(40, 30).mean(1).argsort()

    assert torch.equal(order(eta, 1.0), order(seen, 1.0))
    assert not torch.equal(order(eta, 0.0), order(seen, 0.0))


@pytest.mark.claim("C63")
def test_what_is_gained_under_flips_is_paid_for_without_them(even: dict[float, Course]) -> None:
    clean = noisy_digits(0.0, seeds=12)
    honest, bounded = (train(power(q), clean).accuracy[-1] for q in (0.0, 1.0))
    assert paired(honest, bounded).low > 0.01
    assert paired(even[1.0].accuracy[-1], even[0.0].accuracy[-1]).low > 0.1


@pytest.mark.claim("C64", "C65", "C66")
def test_generalized_cross_entropy_lies_between_cross_entropy_and_absolute_error() -> None:
    logits = 4 * torch.randn(50, 6, generator=generator(0), dtype=torch.float64)
    label = torch.randint(0, 6, (50,), generator=generator(1))
    p = logits.softmax(1).gather(1, label[:, None]).squeeze(1)
    for q in (0.1, 0.7, 1.0):
        loss = losscore.generalized_cross_entropy(logits, label, q=q, reduction="none")
        torch.testing.assert_close(loss, (1 - p**q) / q)
        assert (loss < 1 / q).all()
    near_zero = losscore.generalized_cross_entropy(logits, label, q=1e-9, reduction="none")
    torch.testing.assert_close(near_zero, -p.log(), rtol=1e-6, atol=1e-12)
    at_one = losscore.generalized_cross_entropy(logits, label, q=1.0, reduction="none")
    one_hot = F.one_hot(label, 6).double()
    torch.testing.assert_close(2 * at_one, (logits.softmax(1) - one_hot).abs().sum(1))


@pytest.mark.claim("C67")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("q", [0.0, 0.3, 0.7, 1.0])
def test_the_gradient_is_that_of_cross_entropy_damped(q: float, seed: int) -> None:
    logits = 3 * torch.randn(8, 5, generator=generator(seed), dtype=torch.float64)
    logits.requires_grad_()
    label = torch.randint(0, 5, (8,), generator=generator(seed))
    losscore.generalized_cross_entropy(logits, label, q=q, reduction="sum").backward()
    p = logits.detach().softmax(1)
    damping = p.gather(1, label[:, None]) ** q
    torch.testing.assert_close(logits.grad, damping * (p - F.one_hot(label, 5)))


@pytest.mark.claim("C68")
def test_a_large_q_starts_slowly_under_plain_descent_and_adam_hides_a_common_factor() -> None:
    clean = noisy_digits(0.0)
    plain = {q: train(power(q), clean, hidden=0, optimiser=SGD, steps=150) for q in (0.0, 0.7)}
    adam = {q: train(power(q), clean, hidden=0, steps=150) for q in (0.0, 0.7)}
    waiting = [runs[0.7].first_above(0.8) / runs[0.0].first_above(0.8) for runs in (plain, adam)]
    assert interval(waiting[0]).low > 4
    assert interval(waiting[1]).high < 3


@pytest.mark.claim("C68")
@pytest.mark.parametrize("q", [0.3, 0.7, 1.0])
def test_the_pull_on_the_own_logit_peaks_at_q_over_one_plus_q(q: float) -> None:
    p = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    pulls = noisy_labels._own_pull(p, q)
    torch.testing.assert_close(pulls, p**q * (1 - p))
    assert p[pulls.argmax()].item() == pytest.approx(q / (1 + q), abs=1e-3)


@pytest.mark.claim("C69")
def test_under_even_flips_absolute_error_wins_where_it_keeps_all_classes_and_only_there(
    even: dict[float, Course],
) -> None:
    last = {q: course.accuracy[-1] for q, course in even.items()}
    assert paired(last[0.7], last[0.0]).low > 0.15
    missing = even[1.0].dropped[-1] > 0
    assert 3 <= missing.sum() <= 9 and even[0.7].dropped[-1].sum() == 0
    gap = last[1.0] - last[0.7]
    assert interval(gap[~missing]).low > 0 and interval(gap[missing]).high < 0


@pytest.mark.claim("C69")
def test_cross_entropy_learns_first_and_memorises_later(even: dict[float, Course]) -> None:
    course = even[0.0]
    assert paired(course.accuracy[course.at(40)], course.accuracy[-1]).low > 0.2
    assert interval(course.fitted[course.at(40)]).high < 0.1 and interval(course.fitted[-1]).low > 0.4


@pytest.mark.claim("C69")
def test_flips_to_the_next_class_call_for_their_matrix() -> None:
    data = noisy_digits(0.35, "next")
    matrix = noisy_labels.to_the_next(0.35)
    corrected = train(partial(losscore.forward_corrected_cross_entropy, transition=matrix), data).accuracy[-1]
    bounded = train(power(0.7), data).accuracy[-1]
    assert paired(corrected, bounded).low > 0.08


@pytest.mark.claim("C69")
@pytest.mark.parametrize("q", [0.1, 0.5, 0.7])
def test_the_minimiser_is_sharper_than_the_truth_and_can_be_undone(q: float) -> None:
    eta = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    found = noisy_labels.best_forecast(eta, q)
    sharp = eta ** (1 / (1 - q))
    torch.testing.assert_close(found, sharp / sharp.sum(), rtol=1e-4, atol=1e-5)
    undone = found ** (1 - q)
    torch.testing.assert_close(undone / undone.sum(), eta, rtol=1e-3, atol=1e-4)


@pytest.mark.claim("C69")
@pytest.mark.parametrize(("rate", "kept"), [(0.85, True), (0.95, False)])
def test_the_top_class_survives_even_flips_up_to_nine_tenths_for_ten_classes(rate: float, kept: bool) -> None:
    eta = torch.softmax(torch.arange(10.0, dtype=torch.float64) / 3, 0)
    seen = (1 - rate) * eta + rate / 9 * (1 - eta)
    assert (noisy_labels.best_forecast(seen, 0.7).argmax() == eta.argmax()).item() is kept


@pytest.mark.claim("C69")
def test_the_sum_over_labels_stays_between_its_bounds() -> None:
    logits = 5 * torch.randn(200, 10, generator=generator(3), dtype=torch.float64)
    for q in (0.1, 0.7, 1.0):
        total = sum(
            losscore.generalized_cross_entropy(logits, torch.full((200,), k), q=q, reduction="none")
            for k in range(10)
        )
        assert ((10 - 10 ** (1 - q)) / q - 1e-12 <= total).all() and (total <= 9 / q + 1e-12).all()


def test_courses_are_drawn_as_means_within_the_range_over_the_seeds() -> None:
    accuracy = torch.tensor([[0.1, 0.1], [0.6, 0.8], [0.9, 0.7]])
    course = Course(torch.tensor([0, 10, 20]), *[accuracy] * 5)
    (axes,) = noisy_labels.draw_courses({"some loss": course}).axes
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [pytest.approx([10, 0.7]), pytest.approx([20, 0.8])]
    reach = axes.collections[0].get_paths()[0].get_extents()
    assert (reach.ymin, reach.ymax) == pytest.approx((0.6, 0.9))
