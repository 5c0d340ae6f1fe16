from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from pipesim.assumptions.arrivals import At, Every, OfficeHours, Once, Poisson
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Constant, Empirical, Exponential, LogNormal, Triangular, Uniform
from pipesim.assumptions.model import (
    DEFAULT_APPROVER,
    ActionAssumption,
    Approver,
    Assumptions,
    Delays,
    Pool,
    RuleAssumption,
)
from pipesim.assumptions.profile import load_profile, to_toml
from pipesim.errors import AssumptionError

from . import strategies

SHOP = """
name = "shop"
start = 2026-03-02T10:00:00+01:00

[arrivals]
every = "20m"
first = "5m"

[actions."Build/Frontend"]
duration = { median = "6m", p95 = "11m" }
fails = 0.05
fails_on = [2]
fails_after = "1m"
code = "JobFailed"
message = "tests failed"
variables = { IMAGE = "shop:1" }
sizes = { App = 1000 }
pool = "builds"

[approvals."Approve/Stakeholders"]
response = { median = "25m", p95 = "3h" }
rejects = 0.05
rejects_on = [3]
hours = "Mon-Fri 09:00-17:00"
time_zone = "Europe/Berlin"
holidays = [2026-12-25]
name = "Ada"

[rules.Alarm]
duration = 10
fails = 0.5

[pools.builds]
capacity = 3
when_full = "fail"

[delays]
between_stages = "1.5s"
transfer_rate = 1000
"""


def test_every_member_is_read():
    shop = load_profile(SHOP)

    assert shop.name == "shop"
    assert datetime(2026, 3, 2, 9, tzinfo=UTC) == shop.start
    assert Every(1200, 300) == shop.arrivals
    assert {
        "Build/Frontend": ActionAssumption(
            duration=LogNormal(360, 660),
            fails=0.05,
            fails_on=(2,),
            fails_after=Constant(60),
            message="tests failed",
            variables={"IMAGE": "shop:1"},
            sizes={"App": 1000},
            pool="builds",
        )
    } == shop.actions
    hours = WorkingHours.parse("Mon-Fri 09:00-17:00", "Europe/Berlin", [datetime(2026, 12, 25).date()])
    assert {"Approve/Stakeholders": Approver(LogNormal(1500, 10800), 0.05, (3,), hours, "Ada")} == shop.approvals
    assert {"Alarm": RuleAssumption(Constant(10), 0.5)} == shop.rules
    assert {"builds": Pool(3, "fail")} == shop.pools
    assert Delays(between_stages=1.5, transfer_rate=1000) == shop.delays


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"8m"', Constant(480)),
        ("480", Constant(480)),
        ("0.5", Constant(0.5)),
        ('{ low = "1m", high = 120 }', Uniform(60, 120)),
        ('{ low = "1m", mode = "90s", high = "2m" }', Triangular(60, 90, 120)),
        ('{ mean = "1h" }', Exponential(3600)),
        ('{ values = ["1m", 30] }', Empirical((30, 60))),
    ],
)
def test_forms_of_a_duration(text, expected):
    assert expected == load_profile(f"actions.A.duration = {text}").actions["A"].duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('every = "20m"', Every(1200)),
        ('list = ["25m", "0m"]', At((0, 1500))),
        ("poisson_per_hour = 3", Poisson(3)),
        ('once = "1m"', Once(60)),
        (
            'office = { per_day = 20, hours = "Mon-Fri 08:00-16:00", time_zone = "Europe/Berlin" }',
            OfficeHours(20, WorkingHours.parse("Mon-Fri 08:00-16:00", "Europe/Berlin")),
        ),
    ],
)
def test_plans_of_arrivals(text, expected):
    assert expected == load_profile(f"[arrivals]\n{text}").arrivals


def test_an_approval_without_response_is_answered_as_by_default_and_never_means_a_command():
    silent = load_profile("[approvals.A]\nrejects = 0.5\n[approvals.B]\nresponse = 'never'").approvals

    assert DEFAULT_APPROVER.response == silent["A"].response
    assert silent["B"].response is None


def test_delays_can_be_switched_off_as_a_whole():
    assert Delays.none() == load_profile("delays = false").delays
    assert Delays() == load_profile("delays = true").delays


@given(strategies.assumptions)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_writing_and_reading_is_identity(assumptions):
    assert assumptions == load_profile(to_toml(assumptions))


def test_a_written_profile_is_written_for_people():
    text = to_toml(load_profile(SHOP))

    assert 'duration = { median = "6m", p95 = "11m" }' in text
    assert '[approvals."Approve/Stakeholders"]' in text
    assert 'hours = "Mon-Fri 09:00-17:00"' in text
    assert 'between_stages = "1.5s"' in text
    assert "polling" not in text


def test_a_file_is_read_with_byte_order_mark_and_foreign_line_ends(tmp_path: Path):
    path = tmp_path / "shop = 1.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SHOP.replace("\n", "\r\n").encode())

    assert load_profile(SHOP) == load_profile(path) == load_profile(str(path))


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("[action.A]", "action", "did you mean 'actions'"),
        ('[actions."Build/Web"]\nduratoin = "8m"', 'actions."Build/Web".duratoin', "did you mean 'duration'"),
        ("[actions.A]\nduration = nan", "actions.A.duration", "nan"),
        ("[actions.A]\nduration = inf", "actions.A.duration", "inf"),
        ('[actions.A]\nduration = "-8m"', "actions.A.duration", "'-8m' is negative"),
        ("[actions.A]\nduration = -8", "actions.A.duration", "-8 is negative"),
        ("[actions.A]\nduration = 1" + "0" * 400, "actions.A.duration", "longer than 100 years"),
        ('[actions.A]\nduration = "soon"', "actions.A.duration", "'soon' is not a duration"),
        ("[actions.A]\nduration = [1]", "actions.A.duration", "[1] is not a duration"),
        ("[actions.A]\nduration = true", "actions.A.duration", "True is not a duration"),
        ("[actions.A]\nduration = {}", "actions.A.duration", "{ median, p95 }"),
        ("[actions.A]\nduration = { median = 60 }", "actions.A.duration", "a table with median"),
        ("[actions.A]\nduration = { median = 60, p95 = 30 }", "actions.A.duration.p95", "30 s is less than the median"),
        ("[actions.A]\nduration = { low = 60, high = 30 }", "actions.A.duration.low", "60 s is more than high"),
        ("[actions.A]\nduration = { low = 1, mode = 9, high = 3 }", "actions.A.duration.mode", "more than high"),
        ("[actions.A]\nduration = { medain = 60 }", "actions.A.duration.medain", "did you mean 'median'"),
        ("[actions.A]\nduration = { values = [] }", "actions.A.duration.values", "empty"),
        ("[actions.A]\nduration = { values = 3 }", "actions.A.duration.values", "3 is not a list"),
        ("[actions.A]\nduration = { pert = { low = 1 } }", "actions.A.duration.pert.mode", "missing"),
        ("[actions.A]\nduration = { mixture = [{ of = 1 }] }", "actions.A.duration.mixture", "weight"),
        ("[actions.A]\nfails = 1.5", "actions.A.fails", "1.5 is not between 0 and 1"),
        ("[actions.A]\nfails = nan", "actions.A.fails", "nan"),
        ('[actions.A]\nfails = "5%"', "actions.A.fails", "'5%' is not a number"),
        ("[actions.A]\nfails_on = [0]", "actions.A.fails_on", "0 is too small"),
        ("[actions.A]\nfails_on = 2", "actions.A.fails_on", "2 is not a list"),
        ('[actions.A]\ncode = "JobFaild"', "actions.A.code", "did you mean 'JobFailed'"),
        ("[actions.A]\nvariables = { X = 3 }", "actions.A.variables.X", "3 is not text"),
        ("[actions.A]\nsizes = { X = -3 }", "actions.A.sizes.X", "-3 is too small"),
        ("[actions.A]\npool = 3", "actions.A.pool", "3 is not text"),
        ("[actions]\nA = 3", "actions.A", "3 is not a table"),
        ("actions = 3", "actions", "3 is not a table"),
        ("[approvals.A]\nrejects = -1", "approvals.A.rejects", "-1 is not between"),
        ('[approvals.A]\nhours = "Mo-Fr 9-17"', "approvals.A.hours", "'Mo-Fr 9-17'"),
        ('[approvals.A]\nhours = "Mon-Fry 09:00-17:00"', "approvals.A.hours", "did you mean 'Fri'"),
        ('[approvals.A]\nhours = "Mon-Fri 09:00-25:00"', "approvals.A.hours", "25:00 is not a time of day"),
        ('[approvals.A]\ntime_zone = "UTC"', "approvals.A.time_zone", "needs hours"),
        (
            '[approvals.A]\nhours = "Mon 09:00-17:00"\ntime_zone = "Europe/Berln"',
            "approvals.A.time_zone",
            "did you mean 'Europe/Berlin'",
        ),
        ('[approvals.A]\nhours = "Mon 09:00-17:00"\ntime_zone = "../etc"', "approvals.A.time_zone", "'../etc'"),
        ('[approvals.A]\nhours = "Mon 09:00-17:00"\nholidays = ["25.12."]', "approvals.A.holidays", "'25.12.'"),
        ("[rules.A]\nfails = 2", "rules.A.fails", "2 is not between"),
        ("[pools.builds]\ncapacity = 0", "pools.builds.capacity", "0 is too small"),
        ("[pools.builds]\ncapacity = 1.5", "pools.builds.capacity", "1.5 is not a whole number"),
        ("[pools.builds]\ncapacity = true", "pools.builds.capacity", "True is not a whole number"),
        ("[pools.builds]", "pools.builds.capacity", "missing"),
        ('[pools.builds]\ncapacity = 1\nwhen_full = "wait"', "pools.builds.when_full", "'wait' is unknown"),
        ("[arrivals]", "arrivals", "found none"),
        ('[arrivals]\nevery = "1m"\nonce = 0', "arrivals", "found every and once"),
        ("[arrivals]\nevery = 0", "arrivals.every", "0 s"),
        ("[arrivals]\nonce = 0\nfirst = 1", "arrivals.first", "belongs to every"),
        ("[arrivals]\npoisson_per_hour = 0", "arrivals.poisson_per_hour", "0 changes"),
        ("[arrivals]\noffice = { per_day = nan }", "arrivals.office.per_day", "nan"),
        ("[arrivals]\nlist = '1m'", "arrivals.list", "'1m' is not a list"),
        ("[delays]\nstart = -1", "delays.start", "-1 is negative"),
        ("[delays]\ntransfer_rate = -1", "delays.transfer_rate", "-1 bytes"),
        ("start = 2026-03-02", "start", "2026-03-02 is a date without a time"),
        ("start = 2026-03-02T09:00:00", "start", "no time zone"),
        ("start = 0001-01-01T00:00:00+14:00", "start", "1970"),
        ("name = 3", "name", "3 is not text"),
        ("name =", "profile", "not valid TOML"),
        ('name = "a"\nname = "b"', "profile", "not valid TOML"),
        ("x = " + "[" * 5000, "profile", "not valid TOML"),
    ],
)
def test_a_fault_names_path_and_value(text, path, words):
    with pytest.raises(AssumptionError) as caught:
        load_profile(text)

    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_bytes(b'name = "\xff"'), "is not UTF-8 text (byte 8)"),
        (lambda path: path.write_text("name ="), "is not valid TOML"),
        (lambda path: path.write_text("[actions.A]\nfails = 2"), "actions.A.fails: 2 is not between"),
        (lambda path: path.write_bytes(b"#" * 11_000_000), "is larger than 10 MB"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, make, words):
    path = tmp_path / "shop.toml"
    make(path)

    for source in (path, str(path)):
        with pytest.raises(AssumptionError) as caught:
            load_profile(source)
        assert f"profile {str(path)!r}: " in str(caught.value)
        assert words in str(caught.value)


@pytest.mark.parametrize("source", [None, 3, b"name = 'a'", "null\0byte"])
def test_sources_of_a_wrong_kind(source):
    with pytest.raises(AssumptionError):
        load_profile(source)


def test_an_empty_text_is_all_defaults():
    assert Assumptions() == load_profile("")


def test_own_classes_cannot_be_written():
    class Never:
        mean = 0.0

        def sample(self, rng, size):
            raise AssertionError

        def quantile(self, p):
            raise AssertionError

    with pytest.raises(AssumptionError, match=r"actions\.A: a profile cannot hold"):
        to_toml(Assumptions(actions={"A": ActionAssumption(duration=Never())}))
