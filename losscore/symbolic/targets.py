"""Targets that are made: definitions, and what label smoothing does.

A smoothed target is given by one of its components.
"""

from __future__ import annotations

import sympy as sp

from .classification import LOGIT, binary_cross_entropy, cross_entropy, sigmoid, softmax
from .definition import CLASSES, Definition, Vector, total
from .proof import Proof, argument, equal, holds_for, is_zero, limit, positive

STUDENT, TEACHER = sp.IndexedBase("s", real=True), sp.IndexedBase("t", real=True)
TEMPERATURE = sp.Symbol("T", positive=True)
COMPONENT, SMOOTHING = sp.Symbol("q_k", nonnegative=True), sp.Symbol("epsilon", nonnegative=True)


def _tempered_sum(z: Vector, temperature: sp.Expr) -> sp.Expr:
    return total(lambda z_j: sp.exp(z_j / temperature), z, index="j")


def _distillation(student: Vector, teacher: Vector, temperature: sp.Expr) -> sp.Expr:
    of_student, of_teacher = _tempered_sum(student, temperature), _tempered_sum(teacher, temperature)

    def term(s: sp.Expr, t: sp.Expr) -> sp.Expr:
        log_ratio = (t / temperature - sp.log(of_teacher)) - (s / temperature - sp.log(of_student))
        return sp.exp(t / temperature) / of_teacher * log_ratio

    return temperature**2 * total(term, student, teacher)


smooth_labels = Definition(
    "smooth_labels",
    lambda q, num_classes, smoothing: (1 - smoothing) * q + smoothing / num_classes,
    (COMPONENT,),
    {"num_classes": CLASSES, "smoothing": SMOOTHING},
)
distillation = Definition("distillation", _distillation, (STUDENT, TEACHER), {"temperature": TEMPERATURE})


SIZES = range(2, 7)
NAMED = "$K=2,…,6$ with free symbols"
MIXED = sp.Symbol(r"\varepsilon", positive=True)


def symbols(name: str, size: int, **assumptions: bool) -> tuple[sp.Symbol, ...]:
    found: tuple[sp.Symbol, ...] = sp.symbols(f"{name}_1:{size + 1}", **(assumptions or {"real": True}))
    return found


def probabilities(name: str, size: int) -> tuple[sp.Expr, ...]:
    """Free probabilities that add to 1."""
    free = symbols(name, size, positive=True)[:-1]
    return (*free, 1 - sp.Add(*free))


def one_hot(size: int, label: int = 0) -> tuple[sp.Integer, ...]:
    return tuple(sp.Integer(k == label) for k in range(size))


def smoothed(q: tuple[sp.Expr, ...]) -> tuple[sp.Expr, ...]:
    size = sp.Integer(len(q))
    return tuple(smooth_labels.expression(q_k, num_classes=size, smoothing=MIXED) for q_k in q)


def smoothing_mixes_the_label_with_uniform() -> Proof:
    """A smoothed one-hot label gives the true class 1 − ε(K − 1)/K, which is more than 1 − ε, and the others ε/K."""
    own, other = (smooth_labels.expression(sp.Integer(hot), smoothing=MIXED) for hot in (1, 0))
    tenth, ten = sp.Rational(1, 10), sp.Integer(10)
    return Proof(
        claims=("C88", "C89"),
        statement=(
            r"With $y'=(1-\varepsilon)y+\varepsilon/K$ the true class gets $1-\varepsilon\frac{K-1}K$, every other "
            r"class $\varepsilon/K$."
        ),
        hypotheses=(r"$y=e_k$ one-hot", r"$0<\varepsilon\leq1$"),
        scope="every K and ε",
        steps=(
            equal(
                "The true class keeps its own share of the mixture too,",
                own,
                1 - MIXED * (CLASSES - 1) / CLASSES,
            ),
            equal("the others get theirs,", other, MIXED / CLASSES),
            equal(
                "and together they make 1.",
                own + (CLASSES - 1) * other,
                sp.Integer(1),
                name=r"y'_k+\sum_{j\neq k}y'_j",
            ),
            positive(
                r"So the true class gets more than $1-\varepsilon$.", own - (1 - MIXED), MIXED / CLASSES
            ),
            equal(
                r"For $\varepsilon=0.1$ and $K=10$ it gets",
                smooth_labels.expression(sp.Integer(1), num_classes=ten, smoothing=tenth),
                sp.Rational(91, 100),
                name=r"y'_k",
            ),
        ),
    )


def smoothing_bounds_the_gap() -> Proof:
    """The smoothed loss adds ε(ln K + KL(u‖p)), and its best gap between logits is ln(1 + K(1 − ε)/ε)."""
    odds = 1 + CLASSES * (1 - MIXED) / MIXED

    def splits(size: int) -> bool:
        z, hot = symbols("z", size), one_hot(size)
        towards_uniform = sp.Add(*(sp.log(sp.Rational(1, size) / p_k) for p_k in softmax(z))) / size
        parts = (1 - MIXED) * cross_entropy.expression(z, hot) + MIXED * (sp.log(size) + towards_uniform)
        return bool(is_zero(cross_entropy.expression(z, smoothed(hot)) - parts))

    def residual(size: int) -> bool:
        z, target = symbols("z", size), smoothed(one_hot(size))
        loss = cross_entropy.expression(z, target)
        return all(is_zero(sp.diff(loss, z_k) - (p_k - q_k)) for z_k, p_k, q_k in zip(z, softmax(z), target))

    true_class = smooth_labels.expression(sp.Integer(1), smoothing=MIXED)
    return Proof(
        claims=("C90",),
        statement=(
            r"$\ell_{LS}=(1-\varepsilon)\,\mathrm{CE}+\varepsilon\,[\ln K+D_{KL}(\mathcal U\|p)]$. Its minimum has the true "
            r"logit ahead of every other by $\ln\left(1+\frac{K(1-\varepsilon)}\varepsilon\right)$: a finite gap."
        ),
        hypotheses=(r"$0<\varepsilon<1$", "one label and free logits"),
        scope="the split and the gradient: K = 2…6; the gap: every K and ε",
        steps=(
            holds_for(
                "Put the smoothed label into cross-entropy, which is linear in its target.",
                SIZES,
                splits,
                shown=r"\ell(z,y')=(1-\varepsilon)\,\ell(z,e_y)+\varepsilon\left[\ln K+\sum_k\tfrac1K\ln\frac{1/K}{p_k}\right]",
                named="$K=2,…,6$ with free logits, the label being class 1",
            ),
            holds_for(
                "Its gradient is prediction minus smoothed label, so at the minimum $p=y'$.",
                SIZES,
                residual,
                shown=r"\nabla_z\,\ell(z,y')=p-y'",
                named=NAMED,
            ),
            equal(
                "So all other classes are equal, and the true logit is ahead by $g$ with $e^g=p_y/p_k=y'_y/y'_k$:",
                true_class / smooth_labels.expression(sp.Integer(0), smoothing=MIXED),
                odds,
                name="e^g",
            ),
            limit(
                r"It is finite for every $\varepsilon>0$, and has no bound as $\varepsilon\to0$.",
                sp.log(odds),
                MIXED,
                sp.S.Zero,
                sp.oo,
            ),
            equal(
                r"For $\varepsilon=0.1$ and $K=10$,",
                sp.log(odds.subs({MIXED: sp.Rational(1, 10), CLASSES: 10})),
                sp.log(91),
                name="g",
            ),
        ),
    )


def smoothing_pulls_the_forecast_to_uniform() -> Proof:
    """Under label smoothing the best forecast is (1 − ε)η + ε/K: the truth's order, less confident than the truth."""
    eta, ahead = sp.symbols("eta_k eta_j", nonnegative=True)
    ahead_by = sp.Symbol("s", positive=True)
    hot, cold = (smooth_labels.expression(sp.Integer(y), smoothing=MIXED) for y in (1, 0))
    forecast = (1 - MIXED) * eta + MIXED / CLASSES

    def risk_has_a_smoothed_target(size: int) -> bool:
        z, truth = symbols("z", size), probabilities("eta", size)
        losses = (cross_entropy.expression(z, smoothed(one_hot(size, y))) for y in range(size))
        risk = sp.Add(*(weight * loss for weight, loss in zip(truth, losses)))
        return bool(is_zero(risk - cross_entropy.expression(z, smoothed(truth))))

    def residual(size: int) -> bool:
        z, target = symbols("z", size), smoothed(probabilities("eta", size))
        loss = cross_entropy.expression(z, target)
        return all(is_zero(sp.diff(loss, z_k) - (p_k - q_k)) for z_k, p_k, q_k in zip(z, softmax(z), target))

    return Proof(
        claims=("C91", "C206"),
        statement=(
            r"If labels are drawn from $\eta$, smoothed cross-entropy is lowest at $q=(1-\varepsilon)\eta+\varepsilon/K$. "
            r"It keeps the order of the classes and understates the most probable one by "
            r"$\varepsilon\left(\max_k\eta_k-\frac1K\right)$."
        ),
        hypotheses=(r"$0<\varepsilon<1$", r"$Y\sim\eta$ at this $x$", "the model can output any forecast"),
        scope="the risk and its gradient: K = 2…6; the rest: every K",
        steps=(
            equal(
                "The mean of the smoothed label is", eta * hot + (1 - eta) * cold, forecast, name="E\\,y'_k"
            ),
            holds_for(
                "The risk is the loss of that mean, as the loss is linear in its target.",
                SIZES,
                risk_has_a_smoothed_target,
                shown=r"E\,\ell(z,Y')=\ell\left(z,(1-\varepsilon)\eta+\tfrac\varepsilon K\right)",
                named=NAMED,
            ),
            holds_for(
                "It is convex in $z$, and its gradient vanishes exactly where $p$ is that mean.",
                SIZES,
                residual,
                shown=r"\nabla_zE\,\ell=p-(1-\varepsilon)\eta-\tfrac\varepsilon K",
                named=NAMED,
            ),
            equal(
                "A class that is ahead stays ahead.",
                forecast.subs(eta, ahead) - forecast,
                (1 - MIXED) * (ahead - eta),
                name="q_j-q_k",
            ),
            positive(
                r"And a class above average, $\eta_k=\frac1K+s$ with $s>0$, is right more often than the forecast says.",
                (eta - forecast).subs(eta, 1 / CLASSES + ahead_by),
                MIXED * ahead_by,
            ),
        ),
    )


def smoothed_slope_changes_sign() -> Proof:
    """With a smoothed binary label the slope is 0 at p = 1 − ε/2 and tends to ε/2 beyond."""
    z = LOGIT
    target = smooth_labels.expression(sp.Integer(1), num_classes=sp.Integer(2), smoothing=MIXED)
    slope = sp.diff(binary_cross_entropy.expression(z, target), z)
    root = sp.log((2 - MIXED) / MIXED)
    return Proof(
        claims=("C92",),
        statement=(
            r"For $y=1$, smoothed to $y'=1-\frac\varepsilon2$, the slope in the logit is 0 at "
            r"$z^*=\ln\frac{2-\varepsilon}\varepsilon$, where the prediction is right and confident, negative before it and "
            r"positive after it."
        ),
        hypotheses=(r"$0<\varepsilon<1$", r"one sigmoid a label, $p=\sigma(z)$"),
        scope="every ε",
        steps=(
            equal(
                "The slope is prediction minus smoothed label.",
                slope,
                sigmoid(z) - (1 - MIXED / 2),
                name=r"\ell'(z)",
            ),
            limit("Far out it tends to a positive number: it pulls back.", slope, z, sp.oo, MIXED / 2),
            equal(
                "On the way it is exactly 0,",
                slope.subs(z, root),
                sp.Integer(0),
                name=r"\ell'\left(\ln\tfrac{2-\varepsilon}\varepsilon\right)",
            ),
            equal("at the probability", sigmoid(root), 1 - MIXED / 2, name=r"\sigma(z^*)"),
            positive(
                "and nowhere else, because it grows everywhere.",
                sp.diff(slope, z),
                sp.exp(z) / (1 + sp.exp(z)) ** 2,
            ),
            equal(r"For $\varepsilon=0.1$,", root.subs(MIXED, sp.Rational(1, 10)), sp.log(19), name="z^*"),
        ),
    )


def temperature_never_pulls_back() -> Proof:
    """With σ(z/T) in training the slope for the label 1 fades like exp(−z/T) and never changes its sign."""
    z = LOGIT
    slope = sp.diff(binary_cross_entropy.expression(z / TEMPERATURE, sp.Integer(1)), z)
    return Proof(
        claims=("C93",),
        statement=r"Training with $\sigma(z/T)$, the slope for $y=1$ fades like $e^{-z/T}$ and is negative for every $z$.",
        hypotheses=(r"$T>0$", "hard label $y=1$"),
        scope="every T and z",
        steps=(
            equal("The slope is", slope, (sigmoid(z / TEMPERATURE) - 1) / TEMPERATURE, name=r"\ell'(z)"),
            positive("It never changes its sign.", -slope, 1 / (TEMPERATURE * (1 + sp.exp(z / TEMPERATURE)))),
            limit("It fades", slope, z, sp.oo, sp.Integer(0)),
            limit(
                "at this rate: slower than $e^{-z}$ if $T>1$.",
                slope * sp.exp(z / TEMPERATURE),
                z,
                sp.oo,
                -1 / TEMPERATURE,
            ),
        ),
    )


def temperature_rescales_the_last_layer() -> Proof:
    """Descent on V through σ(Vh/T) is descent on U = V/T through σ(Uh), with the rate divided by T²."""
    last, feature, target, rate = sp.symbols("U h y alpha", real=True)
    with_temperature, weight = TEMPERATURE * last, sp.Symbol("V", real=True)
    slope = sp.diff(binary_cross_entropy.expression(weight * feature / TEMPERATURE, target), weight)
    plain = feature * (sigmoid(last * feature) - target)
    moved = (with_temperature - rate * slope.subs(weight, with_temperature)) / TEMPERATURE
    return Proof(
        claims=("C93",),
        statement=(
            r"With $U=V/T$ the forecasts $\sigma(Vh/T)$ and $\sigma(Uh)$ are one. A step of descent on $V$ with the rate $\alpha$ "
            r"is a step of plain descent on $U$ with the rate $\alpha/T^2$."
        ),
        hypotheses=(r"$T>0$", r"last layer $z=Vh$", "plain descent, the layers below held still"),
        scope="every T, label and feature; a layer with several weights, weight by weight",
        steps=(
            equal(
                "The slope in $V$ has one factor $1/T$.",
                slope,
                feature / TEMPERATURE * (sigmoid(weight * feature / TEMPERATURE) - target),
                name=r"\frac{\partial\ell}{\partial V}",
            ),
            equal(
                "The step of $V=TU$, divided by $T$, has another.",
                moved,
                last - rate / TEMPERATURE**2 * plain,
                name=r"\frac1T\left(V-\alpha\frac{\partial\ell}{\partial V}\right)",
            ),
            argument(
                "Adam's steps do not depend on the size of the slope: of the two factors only the second is left, and $U$ moves "
                r"as with the rate $\alpha/T$."
            ),
        ),
    )
