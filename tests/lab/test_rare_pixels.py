"""The experiment on rare pixels: its parts against exact answers, and what its page says about the data."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import NamedTuple

import pytest
import torch
from scipy import ndimage
from scipy.optimize import minimize_scalar
from sklearn.metrics import average_precision_score, f1_score
from torch import Tensor

from losscore import binary_cross_entropy, binary_focal, dice, tversky
from losscore.lab import Interval, generator, interval, nuclei, paired
from losscore.lab.decisions import unweighted
from losscore.lab.rare_pixels import (
    SHARE,
    Logits,
    Part,
    Study,
    average_precision,
    best_threshold,
    blocks,
    centre_discs,
    expected_threshold,
    f1,
    filter_responses,
    study,
    train,
    unfocused,
)


class Experiment(NamedTuple):
    study: Study
    models: dict[str, Logits]
    rare: Tensor

    @property
    def truth(self) -> Tensor:
        return self.study.test.target

    def at_half(self, name: str) -> Tensor:
        return f1(self.models[name].test > 0, self.truth)

    def chosen(self, name: str) -> Tensor:
        model = self.models[name]
        cut = best_threshold(model.validation, self.study.validation.target)
        return f1(model.test >= cut.threshold, self.truth)

    def stated(self, name: str) -> Tensor:
        return self.models[name].test.double().sigmoid()

    def excess(self, outputs: Tensor) -> Interval:
        return interval(outputs.sum(1) / self.truth.sum(1), test_share=SHARE)


versus = partial(paired, test_share=SHARE)


@pytest.fixture(scope="module")
def seen() -> Experiment:
    picture = nuclei()
    made = study(picture.image, picture.nucleus)
    rare = 1 / made.train.target.mean() - 1
    losses = {
        "plain": binary_cross_entropy,
        "weighted": partial(binary_cross_entropy, pos_weight=rare),
        "focal": partial(binary_focal, gamma=2.0, alpha=0.75),
        "dice": dice,
        "tversky": partial(tversky, alpha=0.3, beta=0.7),
    }
    models = {name: train(made, loss, prior=name != "weighted") for name, loss in losses.items()}
    return Experiment(made, models, rare)


# The parts.


def test_filter_responses_are_scipys() -> None:
    image = torch.rand(64, 80, generator=generator(0), dtype=torch.float64)
    ours = filter_responses(image)
    assert ours.shape == (64, 80, 17)
    inner = slice(40, 41)
    for place, scale in enumerate((1, 2)):
        blurred = ndimage.gaussian_filter(image.numpy(), scale, mode="mirror")
        torch.testing.assert_close(ours[..., 1 + 4 * place], torch.from_numpy(blurred), rtol=0, atol=1e-4)
        slope = scale * ndimage.gaussian_gradient_magnitude(image.numpy(), scale, mode="mirror")
        near = ours[inner, inner, 2 + 4 * place].item()
        assert near == pytest.approx(slope[40, 40], rel=0.05)


def test_the_two_curvatures_of_a_trough_and_a_bowl() -> None:
    x = torch.arange(64, dtype=torch.float64) - 32
    trough, bowl = (x**2).expand(64, 64), (x**2) + (x**2)[:, None]
    for scale, place in ((2, 5), (4, 9)):
        for image, low in ((trough, 0.0), (bowl, 2.0)):
            across, along = filter_responses(image)[32, 32, [place + 3, place + 2]].tolist()
            assert across == pytest.approx(2 * scale**2, rel=0.01)
            assert along == pytest.approx(low * scale**2, rel=0.01, abs=0.05)


def test_discs_lie_on_the_centres() -> None:
    nucleus = torch.zeros(20, 30, dtype=torch.long)
    nucleus[5:8, 10:13], nucleus[15, 20] = 4, 7
    mask = centre_discs(nucleus)
    assert mask.sum() == 18
    assert mask[5:8, 10:13].all() and mask[14:17, 19:22].all()


def test_blocks_hold_every_pixel_once_and_no_split_tests_what_it_trains() -> None:
    numbers = blocks(torch.arange(512 * 512).reshape(512, 512))
    assert torch.equal(numbers.flatten().sort().values, torch.arange(512 * 512))
    assert numbers[1, 0] == 256 and numbers[2, 0] == 128 * 512
    made = study(torch.rand(512, 512, generator=generator(1)), numbers.reshape(512, 512) % 1)
    assert [part.target.shape[1] // 32768 for part in made] == [5, 2, 1]
    assert isinstance(made.train, Part)
    torch.testing.assert_close(made.train.inputs.mean(1), torch.zeros(8, 17), rtol=0, atol=1e-3)


def test_scores_are_scikit_learns() -> None:
    draw = generator(2)
    logits = torch.randn(3, 200, generator=draw)
    target = (torch.rand(3, 200, generator=draw) < 0.2).float()
    score, precision, best = (
        f1(logits > 0.3, target),
        average_precision(logits, target),
        best_threshold(logits, target),
    )
    for split in range(3):
        y, z = target[split].numpy(), logits[split].numpy()
        assert score[split].item() == pytest.approx(f1_score(y, z > 0.3))
        assert precision[split].item() == pytest.approx(average_precision_score(y, z))
        tried = max(f1_score(y, z >= value) for value in z)
        assert best.score[split].item() == pytest.approx(tried)
    torch.testing.assert_close(f1(logits >= best.threshold, target), best.score.squeeze(1))


# The propositions.


@pytest.mark.claim("C202", "C204")
@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.5), (0.3, 0.7), (1.0, 1.0), (2.0, 0.4)])
def test_the_best_mask_is_cut_at_the_proved_threshold(alpha: float, beta: float) -> None:
    masks = torch.tensor(list(product((0.0, 1.0), repeat=9)), dtype=torch.float64)
    for seed in range(20):
        eta = torch.rand(9, generator=generator(seed), dtype=torch.float64) ** 3
        hits = masks @ eta
        value = hits / (hits + alpha * (masks.sum(1) - hits) + beta * (eta.sum() - hits))
        best = int(value.argmax())
        threshold = alpha * value[best] / (1 - (1 - alpha - beta) * value[best])
        assert torch.equal(masks[best] == 1, eta > threshold)
        if alpha == beta == 0.5:
            assert threshold.item() == pytest.approx(value[best].item() / 2)


@pytest.mark.claim("C202")
def test_descent_on_population_dice_ends_at_zeros_and_ones() -> None:
    eta = torch.linspace(0.02, 0.6, 30, dtype=torch.float64)
    logits = torch.zeros(30, dtype=torch.float64, requires_grad=True)
    rule = torch.optim.Adam([logits], lr=0.2)
    for _ in range(600):
        rule.zero_grad()
        loss = dice(logits, eta)
        loss.backward()
        rule.step()
    output = logits.detach().sigmoid()
    assert ((output < 0.01) | (output > 0.99)).all()
    assert torch.equal(output > 0.5, eta > (1 - loss.item()) / 2)


@pytest.mark.claim("C203")
@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75])
def test_the_way_back_from_the_focal_loss(alpha: float) -> None:
    for eta in (0.01, 0.2, 1 - alpha, 0.9):

        def risk(z: float, eta: float = eta) -> float:
            logit = torch.tensor([z, z], dtype=torch.float64)
            one, zero = binary_focal(
                logit, torch.tensor([1.0, 0.0]), gamma=2.0, alpha=alpha, reduction="none"
            ).tolist()
            return float(eta * one + (1 - eta) * zero)

        best = minimize_scalar(risk, bounds=(-8, 8), method="bounded", options={"xatol": 1e-9}).x
        output = torch.tensor(best, dtype=torch.float64).sigmoid()
        assert unfocused(output, gamma=2.0, alpha=alpha).item() == pytest.approx(eta, abs=1e-5)
        if eta == 1 - alpha:
            assert output.item() == pytest.approx(0.5, abs=1e-5)


# What the page says about the data.


@pytest.mark.claim("C201")
def test_at_one_half_the_overlap_losses_win(seen: Experiment) -> None:
    for name in ("dice", "tversky"):
        assert versus(seen.at_half(name), seen.at_half("plain")).low > 0.03
    assert seen.at_half("plain").mean() < 0.2


@pytest.mark.claim("C201")
def test_at_a_chosen_threshold_no_difference_is_shown(seen: Experiment) -> None:
    ranks = {name: average_precision(model.test, seen.truth) for name, model in seen.models.items()}
    for name in ("dice", "tversky"):
        for apart in (versus(seen.chosen(name), seen.chosen("plain")), versus(ranks[name], ranks["plain"])):
            assert apart.low < 0 < apart.high
            assert abs(apart.mean) < 0.06
    for name in ("weighted", "focal"):
        assert versus(seen.chosen(name), seen.chosen("plain")).low < 0
        assert versus(ranks[name], ranks["plain"]).mean < 0


def test_a_start_at_the_base_rate_helps_and_the_usual_start_finds_nothing(seen: Experiment) -> None:
    usual = train(seen.study, binary_cross_entropy, prior=False)
    assert f1(usual.test > 0, seen.truth).mean() < 0.02
    cut = best_threshold(usual.validation, seen.study.validation.target)
    assert versus(seen.chosen("plain"), f1(usual.test >= cut.threshold, seen.truth)).low > 0.02


@pytest.mark.claim("C202")
def test_dice_states_more_than_comes_true(seen: Experiment) -> None:
    sure = seen.models["dice"].test > 0
    stated = (seen.stated("dice") * sure).sum(1) / sure.sum(1)
    comes = (seen.truth * sure).sum(1) / sure.sum(1)
    assert versus(stated, comes).low > 0.2


@pytest.mark.claim("C203")
def test_weights_and_focus_spoil_the_count_and_can_be_undone(seen: Experiment) -> None:
    weighted, focal = seen.stated("weighted"), seen.stated("focal")
    assert seen.excess(weighted).low > 12 and seen.excess(weighted).high < 40
    assert seen.excess(focal).low > 5 and seen.excess(focal).high < 20
    right = (
        seen.stated("plain"),
        unweighted(weighted, seen.rare.item()),
        unfocused(focal, gamma=2, alpha=0.75),
    )
    for outputs in right:
        assert seen.excess(outputs).low < 1 < seen.excess(outputs).high


@pytest.mark.claim("C204")
def test_validation_chooses_half_the_score(seen: Experiment) -> None:
    cut = best_threshold(seen.models["plain"].validation, seen.study.validation.target)
    level = cut.threshold.sigmoid().squeeze(1)
    apart = versus(level, cut.score.squeeze(1) / 2)
    assert apart.low < 0 < apart.high and abs(apart.mean) < 0.05
    assert level.max() < 0.35


@pytest.mark.claim("C204")
def test_probabilities_give_the_threshold_without_labels(seen: Experiment) -> None:
    own = expected_threshold(seen.models["plain"].test)
    torch.testing.assert_close(own.threshold.sigmoid().double(), own.score / 2, rtol=0.02, atol=0)
    apart = versus(f1(seen.models["plain"].test >= own.threshold, seen.truth), seen.chosen("plain"))
    assert apart.low < 0 < apart.high and abs(apart.mean) < 0.05
