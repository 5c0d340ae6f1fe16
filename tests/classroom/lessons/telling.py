"""What a learner is told after an answer."""

from __future__ import annotations

import pipesim as ps


def told(id: str, answer: object, name: str = "") -> str:
    """The feedback on an answer, as text.

    Args:
        id: the exercise.
        answer: what the learner gives.
        name: who the learner is; "": nobody in particular.
    """
    ps.classroom.learner(name)
    return str(ps.classroom.check(id, answer))
