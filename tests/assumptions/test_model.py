import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import (
    DEFAULT_APPROVER,
    ActionAssumption,
    Approver,
    Assumptions,
    Delays,
    Pool,
    RuleAssumption,
)
from pipesim.errors import AssumptionError

from . import strategies


@given(strategies.assumptions)
@settings(max_examples=30, deadline=None)
def test_assumptions_are_values(assumptions):
    copy = pickle.loads(pickle.dumps(assumptions))

    assert assumptions == copy
    assert hash(assumptions) == hash(copy)


def test_what_was_given_may_change_and_the_assumptions_do_not():
    actions = {"Build": ActionAssumption(Constant(60), variables={"A": "1"})}
    assumptions = Assumptions(actions=actions)

    actions.clear()

    assert {"Build"} == set(assumptions.actions)
    with pytest.raises(TypeError):
        assumptions.actions["Build"].variables["A"] = "2"


def test_lists_become_sorted_tuples_and_the_start_becomes_utc():
    assert ActionAssumption(fails_on=[5, 2, 2]).fails_on == (2, 5)
    start = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=1)))
    assert datetime(2026, 3, 2, 8, tzinfo=UTC) == Assumptions(start=start).start
    assert UTC is Assumptions(start=start).start.tzinfo


def test_by_default_somebody_answers_while_an_approver_without_response_leaves_it_to_a_command():
    assert DEFAULT_APPROVER.response is not None
    assert pytest.approx(tuple(DEFAULT_APPROVER.response.quantile(p) for p in (0.5, 0.95))) == (1800, 14_400)
    assert Approver().response is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ActionAssumption(duration=8), "duration: 8 is not a distribution"),
        (lambda: ActionAssumption(duration=Constant), "duration: <class"),
        (lambda: ActionAssumption(fails_after="1m"), "fails_after: '1m' is not a distribution"),
        (lambda: ActionAssumption(fails=-0.1), "fails: -0.1 is not between 0 and 1"),
        (lambda: ActionAssumption(fails=1.01), "fails: 1.01 is not between 0 and 1"),
        (lambda: ActionAssumption(fails=float("nan")), "fails: nan is not a finite number"),
        (lambda: ActionAssumption(fails="often"), "fails: 'often' is not a number"),
        (lambda: ActionAssumption(fails_on=(0,)), "fails_on: 0 is too small"),
        (lambda: ActionAssumption(fails_on=(1.5,)), "fails_on: 1.5 is not a whole number"),
        (lambda: ActionAssumption(fails_on=2), "fails_on: 2 is not a list"),
        (lambda: ActionAssumption(fails_on="2"), "fails_on: '2' is not a list"),
        (lambda: ActionAssumption(code="Oops"), "code: 'Oops' is not a failure type"),
        (lambda: ActionAssumption(message=None), "message: None is not text"),
        (lambda: ActionAssumption(variables={"A": 1}), "variables.A: 1 is not text"),
        (lambda: ActionAssumption(variables=[]), "variables: [] is not a table"),
        (lambda: ActionAssumption(sizes={"A": -1}), "sizes.A: -1 is too small"),
        (lambda: ActionAssumption(pool=1), "pool: 1 is not text"),
        (lambda: Approver(response=5), "response: 5 is not a distribution"),
        (lambda: Approver(rejects=2), "rejects: 2 is not between"),
        (lambda: Approver(rejects_on=(-1,)), "rejects_on: -1 is too small"),
        (lambda: Approver(hours="Mon-Fri"), "hours: 'Mon-Fri' is not WorkingHours"),
        (lambda: Pool(0), "capacity: 0 is too small; the least is 1"),
        (lambda: Pool(float("nan")), "capacity: nan is not a whole number"),
        (lambda: Pool(1, "wait"), "when_full: 'wait' is unknown; choose 'queue' or 'fail'"),
        (lambda: RuleAssumption(fails=3), "fails: 3 is not between"),
        (lambda: RuleAssumption(duration=3), "duration: 3 is not a distribution"),
        (lambda: Delays(start=-1), "start: -1 s is negative"),
        (lambda: Delays(polling=float("inf")), "polling: inf is not a finite number"),
        (lambda: Delays(transfer_rate=-1), "transfer_rate: -1 bytes a second is negative"),
        (lambda: Assumptions(start=datetime(2026, 3, 2)), "start: 2026-03-02 00:00:00 has no time zone"),
        (lambda: Assumptions(start="2026-03-02"), "start: 2026-03-02 has no time zone"),
        (lambda: Assumptions(start=datetime(9999, 1, 1, tzinfo=UTC)), "start: 9999-01-01 00:00:00+00:00 is not"),
        (lambda: Assumptions(actions={"A": Constant(1)}), "actions.A: Constant(value=1.0) is not of type"),
        (lambda: Assumptions(actions={1: ActionAssumption()}), "actions: {1: "),
        (lambda: Assumptions(arrivals=1200), "arrivals: 1200 is no plan of arrivals"),
        (lambda: Assumptions(delays=False), "delays: False is not of type Delays"),
        (lambda: Assumptions(name=None), "name: None is not text"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(AssumptionError) as caught:
        make()

    assert str(caught.value).startswith(words)
