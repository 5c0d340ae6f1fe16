import json
import re

import pytest

from pipesim.assumptions.profile import load_profile, to_toml
from pipesim.assumptions.resolve import resolve
from pipesim.definition.checking import check
from pipesim.formats.load import load
from pipesim.formats.samples import data_folder, profile_names, sample, sample_names, sample_profile

COURSE = ("e-commerce", "startup", "enterprise", "microservices", "environments")


def declaration(name):
    return json.loads(sample(name).read_text(encoding="utf-8"))["pipeline"]


@pytest.mark.parametrize("name", sample_names())
def test_a_pipeline_has_no_problem(name):
    assert check(load(sample(name))) == ()


@pytest.mark.parametrize("name", sample_names())
def test_a_pipeline_comes_back_as_it_was_written(name):
    assert load(sample(name)).to_document() == declaration(name)


@pytest.mark.parametrize("name", sample_names())
def test_a_pipeline_is_called_like_its_file_and_uses_the_example_account_only(name):
    text = sample(name).read_text(encoding="utf-8")

    assert declaration(name)["name"] == name
    assert set(re.findall(r"(?<!\d)\d{12}(?!\d|-|a|b)", text)) <= {"111122223333"}


def test_the_readme_lists_every_pipeline():
    readme = (data_folder() / "pipelines" / "README.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `([a-z0-9-]+)\.json`", readme, re.MULTILINE)

    assert sorted(listed) == list(sample_names())


def test_every_course_pipeline_has_a_profile():
    assert set(profile_names()) == set(COURSE)


@pytest.mark.parametrize("name", COURSE)
def test_a_profile_fits_its_pipeline(name):
    pipeline = load(sample(name))
    assumptions = load_profile(sample_profile(name))

    resolved = resolve(pipeline, assumptions)

    assert assumptions.name == name
    for stage, action in pipeline.actions():
        if action.is_approval:
            assert resolved.approver(stage.name, action.name).response is not None
        else:
            assert f"{stage.name}/{action.name}" in assumptions.actions
            assert resolved.action(stage.name, action.name).duration.mean > 0
    assert load_profile(to_toml(assumptions)) == assumptions


@pytest.mark.parametrize("name", COURSE)
def test_a_profile_says_that_its_durations_are_assumed(name):
    assert "assumption of the course, not a measurement" in sample_profile(name).read_text(encoding="utf-8")


def shape(name):
    return [(stage.name, [[a.name for a in group] for group in stage.groups]) for stage in load(sample(name)).stages]


def test_the_shop_has_its_seven_stages():
    stages = dict(shape("e-commerce"))

    assert list(stages) == ["Source", "Build", "Test", "Staging", "LoadTest", "Approval", "Production"]
    assert stages["Build"] == [["Frontend", "Backend", "UnitTests"], ["Package"]]
    assert stages["Test"] == [["Integration", "EndToEnd", "SecurityScan"]]
    assert stages["Staging"] == [["Deploy"], ["HealthCheck"]]
    assert load(sample("e-commerce")).stage("Production").on_failure.result == "ROLLBACK"


def test_the_enterprise_has_nine_stages_and_two_approvals():
    pipeline = load(sample("enterprise"))

    assert len(pipeline.stages) == 9
    assert sum(action.is_approval for _, action in pipeline.actions()) == 2
    assert shape("enterprise")[-1] == ("Production", [["Executive"], ["Deploy"]])


def test_the_shops_third_security_scan_fails_and_its_changes_come_faster_than_its_tests():
    assumptions = load_profile(sample_profile("e-commerce"))

    assert assumptions.actions["Test/SecurityScan"].fails_on == (3,)
    assert assumptions.actions["Test/EndToEnd"].duration.quantile(0.5) > assumptions.arrivals.interval


@pytest.mark.parametrize(
    ("name", "mode"), [("queued", "QUEUED"), ("parallel-mode", "PARALLEL"), ("superseded", "SUPERSEDED")]
)
def test_the_samples_of_modes_have_their_mode(name, mode):
    assert load(sample(name)).execution_mode == mode


def test_the_sample_of_conditions_has_all_three_gates():
    stage = load(sample("conditions")).stage("Deploy")

    assert [len(gate) for gate in (stage.before_entry, stage.on_success, stage.on_failure.conditions)] == [1, 1, 1]
