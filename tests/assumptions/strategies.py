"""Random assumptions for the tests of this room."""

from datetime import UTC, date, datetime, time

from hypothesis import strategies as st

from pipesim.assumptions import distributions as kinds
from pipesim.assumptions.arrivals import At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, Delays, Pool, RuleAssumption
from pipesim.vocabulary import FailureType

spans = st.floats(0, 1e7) | st.integers(0, 10_000_000).map(lambda ms: ms / 1000) | st.integers(0, 1_000_000).map(float)
positive = st.floats(0.001, 1e7)
odds = st.floats(0, 1)
runs = st.lists(st.integers(1, 50), max_size=3).map(tuple)
words = st.text(max_size=12)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


def _sorted(count):
    return st.lists(spans, min_size=count, max_size=count).map(sorted)


log_normals = st.tuples(positive, st.floats(1, 30)).map(lambda pair: kinds.LogNormal(pair[0], pair[0] * pair[1]))
simple_distributions = st.one_of(
    st.builds(kinds.Constant, spans),
    _sorted(2).map(lambda bounds: kinds.Uniform(*bounds)),
    _sorted(3).map(lambda points: kinds.Triangular(*points)),
    _sorted(3).map(lambda points: kinds.Pert(*points)),
    log_normals,
    st.builds(kinds.Exponential, positive),
    st.builds(kinds.Weibull, st.floats(0.5, 9), positive),
    st.builds(kinds.Gamma, st.floats(0.5, 50), positive),
    st.builds(kinds.TruncatedNormal, spans, positive),
    st.lists(st.tuples(spans, st.floats(0.1, 9)), min_size=1, max_size=6).map(
        lambda pairs: kinds.Bootstrap(tuple(value for value, _ in pairs), tuple(weight for _, weight in pairs))
    ),
    st.builds(kinds.Bootstrap, st.lists(spans, min_size=1, max_size=6)),
    st.builds(kinds.Empirical, st.lists(spans, min_size=1, max_size=6)),
)
mixtures = st.lists(st.tuples(st.floats(0.01, 9), simple_distributions), min_size=1, max_size=3).map(
    lambda pairs: kinds.Mixture(tuple(weight for weight, _ in pairs), tuple(part for _, part in pairs))
)
distributions = simple_distributions | mixtures | st.builds(kinds.Shifted, spans, simple_distributions)

clock_times = st.builds(time, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
working_hours = st.builds(
    WorkingHours,
    st.sets(st.integers(0, 6), min_size=1).map(tuple),
    clock_times,
    clock_times,
    zones,
    st.lists(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=3).map(tuple),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))

arrivals = st.one_of(
    st.builds(Once, spans),
    st.builds(At, st.lists(spans, max_size=5)),
    st.builds(Every, positive, spans),
    st.builds(Poisson, st.floats(0.01, 1000)),
    st.builds(OfficeHours, st.floats(0.01, 1000), working_hours),
    st.builds(
        lambda day, other, zone, holidays: Weekly(tuple(day + other * 6), zone, tuple(holidays)),
        st.lists(st.floats(0.01, 50), min_size=24, max_size=24),
        st.lists(st.just(0.0) | st.floats(0, 50), min_size=24, max_size=24),
        zones,
        st.lists(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=3),
    ),
)
actions = st.builds(
    ActionAssumption,
    duration=st.none() | distributions,
    fails=odds,
    fails_on=runs,
    fails_after=st.none() | distributions,
    code=st.sampled_from([kind.value for kind in FailureType]),
    message=words,
    variables=st.dictionaries(words, words, max_size=3),
    sizes=st.dictionaries(words, st.integers(0, 10**12), max_size=3),
    pool=st.none() | words,
)
approvers = st.builds(
    Approver,
    response=st.none() | distributions,
    rejects=odds,
    rejects_on=runs,
    hours=st.none() | working_hours,
    name=words,
)
delays = st.just(Delays.none()) | st.builds(Delays, spans, spans, spans, spans, spans, st.floats(0, 1e12))
assumptions = st.builds(
    Assumptions,
    start=moments,
    actions=st.dictionaries(words, actions, max_size=3),
    approvals=st.dictionaries(words, approvers, max_size=2),
    rules=st.dictionaries(words, st.builds(RuleAssumption, st.none() | distributions, odds, runs), max_size=2),
    arrivals=arrivals,
    pools=st.dictionaries(words, st.builds(Pool, st.integers(1, 99), st.sampled_from(["queue", "fail"])), max_size=2),
    delays=delays,
    name=words,
)
