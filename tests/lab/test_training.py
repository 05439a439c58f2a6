import sys
from functools import partial

import pytest
import torch

from losscore import squared_error
from losscore.lab import Copies, descend, fit, generator, progress, training


def test_descent_on_a_quadratic_follows_the_closed_form() -> None:
    curvature = torch.tensor([1.0, 4.0], dtype=torch.float64)
    start = torch.tensor([2.0, -1.0], dtype=torch.float64)
    run = descend(lambda w: 0.5 * (curvature * w * w).sum(), start, step=0.1, steps=25)
    shrink = (1 - 0.1 * curvature) ** torch.arange(26, dtype=torch.float64)[:, None]
    assert run.steps == 25
    torch.testing.assert_close(run.path, shrink * start)
    torch.testing.assert_close(run.losses, 0.5 * (curvature * (shrink * start) ** 2).sum(1))


def test_descent_diverges_openly() -> None:
    run = descend(lambda w: 0.5 * w * w, 1.0, step=2.5, steps=10)
    torch.testing.assert_close(run.path[-1], torch.tensor(1.5**10, dtype=torch.float64))


def test_descent_stops_at_the_first_place_and_leaves_the_start_alone() -> None:
    start = torch.tensor(8.0)
    run = descend(lambda w: 0.5 * w**2, start, step=0.5, steps=100, until=lambda w: bool(w <= 1))
    assert run.steps == 3
    assert run.path.tolist() == [8, 4, 2, 1]
    assert start.item() == 8
    assert not start.requires_grad
    assert descend(lambda w: w**2, 0.5, step=1, steps=9, until=lambda w: bool(w <= 1)).steps == 0


def test_bad_descents() -> None:
    with pytest.raises(ValueError, match=r"loss must return one number, got shape \(3,\)"):
        descend(lambda w: w**2, torch.ones(3), step=1, steps=1)
    with pytest.raises(ValueError, match="step must be positive, got 0"):
        descend(lambda w: w**2, 1.0, step=0, steps=1)
    with pytest.raises(ValueError, match="steps must be an integer of at least 1, got 0"):
        descend(lambda w: w**2, 1.0, step=1, steps=0)


def test_fit_finds_least_squares() -> None:
    inputs = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = inputs @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64) + 0.3
    model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0)).double()
    losses = fit(
        model,
        torch.nn.functional.mse_loss,
        inputs,
        target,
        optimiser=partial(torch.optim.SGD, lr=0.2),
        steps=400,
    )
    assert losses.shape == (400,)
    assert losses[0] > 0.1
    assert losses[-1] < 1e-20
    assert not model.training
    torch.testing.assert_close(model[0].bias.detach(), torch.tensor([0.3], dtype=torch.float64))


def test_fit_rejects_a_loss_that_is_no_number() -> None:
    with pytest.raises(ValueError, match=r"got shape \(4, 1\); take its mean"):
        fit(
            torch.nn.Linear(2, 1),
            lambda prediction, target: (prediction - target) ** 2,
            torch.ones(4, 2),
            torch.ones(4, 1),
            optimiser=partial(torch.optim.SGD, lr=0.1),
            steps=1,
        )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every look takes half a second."""
    now = iter(range(10**6))
    monkeypatch.setattr(training.time, "monotonic", lambda: next(now) / 2)


@pytest.mark.usefixtures("clock")
def test_progress_is_silent_where_nobody_watches(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert list(progress(40, "training")) == list(range(40))
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("watcher", ["terminal", "jupyter"])
def test_progress_speaks_to_a_person_after_five_seconds(
    watcher: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if watcher == "terminal":
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    else:
        monkeypatch.setenv("JPY_SESSION_NAME", "book/role.ipynb")
    assert list(progress(10, "training")) == list(range(10))
    assert capsys.readouterr() == ("", "")
    list(progress(40, "training"))
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.split("\r")[1:]
    assert lines[0] == "training: 11 of 40 steps, about 14 s left  "
    assert lines[-1].startswith("training: 40 steps, 20 s")
    assert err.endswith("\n")


def test_copies_are_networks_that_train_alone() -> None:
    draw = generator(0)
    inputs = torch.randn(3, 20, 2, generator=draw)
    target = torch.randn(3, 20, generator=draw)

    def trained(chosen: slice) -> torch.Tensor:
        model = Copies(3, (2, 5, 1), generator=generator(1))
        for parameter in model.parameters():
            parameter.data = parameter.data[chosen].clone()
        fit(
            model,
            lambda said, aim: squared_error(said, aim, reduction="none").mean(1).sum(),
            inputs[chosen],
            target[chosen],
            optimiser=partial(torch.optim.Adam, lr=0.05),
            steps=30,
        )
        return model(inputs[chosen]).detach()

    together = trained(slice(0, 3))
    assert together.shape == (3, 20)
    for copy in range(3):
        torch.testing.assert_close(trained(slice(copy, copy + 1))[0], together[copy], rtol=1e-4, atol=1e-5)
    first, *_ = Copies(3, (2, 5, 1), generator=generator(1)).weights
    assert not torch.equal(first[0], first[1])


def test_a_copy_is_the_network_that_it_says() -> None:
    model = Copies(2, (3, 4, 2), generator=generator(2), activation=torch.relu, dtype=torch.float64)
    inputs = torch.randn(2, 6, 3, generator=generator(3), dtype=torch.float64)
    hidden = torch.relu(inputs[1] @ model.weights[0][1] + model.biases[0][1])
    torch.testing.assert_close(model(inputs)[1], hidden @ model.weights[1][1] + model.biases[1][1])
    with pytest.raises(ValueError, match="widths must name inputs and outputs"):
        Copies(2, (3,), generator=generator(2))
