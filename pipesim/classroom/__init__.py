"""The classroom: exercises that check themselves by behaviour, with each learner's own numbers.

ps.classroom.learner("Ada")                  from now on the exercises have Ada's numbers
ps.classroom.case("10-1")                    what an exercise gives her: a pipeline, a profile, a trace …
ps.classroom.check("10-1", answer)           what is right, what is not yet, and a hint
ps.classroom.exercises()                     every exercise of the course
"""

from pipesim.classroom.course import case, check, exercises, find, grade
from pipesim.classroom.learners import learner

__all__ = ["case", "check", "exercises", "find", "grade", "learner"]
