"""Exercises for the notebooks: `exercises = Exercises("02_softmax_policies")`, then `exercises.NAME.check(answer)`."""

from pglesson.exercises.framework import Exercise, Exercises, Outcome

__all__ = ["Exercise", "Exercises", "Outcome"]
