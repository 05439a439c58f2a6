"""Targets that are made: definitions. A smoothed target is given by one of its components."""

from __future__ import annotations

import sympy as sp

from .definition import CLASSES, Definition, Vector, total

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
