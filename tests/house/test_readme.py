"""What README.md claims, and what proves it.

Every item of a list in the README, and every other sentence that promises something, stands in `CLAIMS`
beside the tests (``file::name``) or the files that show it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipesim.cli import commands

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
VIEWS = "tests/views/"
LOAD = "tests/formats/test_load.py::"

CLAIMS: dict[str, tuple[str, ...]] = {
    "It needs no AWS account, no credentials and no network.": (
        "tests/test_notebooks.py::test_it_runs_from_top_to_bottom",
    ),
    "This needs Python 3.11 or newer and nothing else.": (".ci/run", "tests/house/test_commands.py::test_ci_runs_both"),
    "A diagram of the pipeline at any moment: stages in their order, parallel actions together, every status as "
    "colour, symbol and word.": (
        VIEWS + "test_diagram.py",
        VIEWS + "test_theme.py::test_every_pair_differs_in_colour_or_in_hatch_and_always_in_sign_and_word",
    ),
    "A timeline: one lane an execution or a stage, with waiting told apart from working and named by its reason.": (
        VIEWS + "test_timeline.py::test_waiting_is_hatched_and_work_is_not",
        VIEWS + "test_timeline.py::test_stages_show_who_holds_them_and_the_queue_in_front",
        VIEWS + "test_timeline.py::test_waiting_for_a_pool_names_the_pool",
    ),
    "The board: what the console would show at one moment.": (
        VIEWS + "test_board.py::test_it_shows_who_is_inside_and_who_waits",
    ),
    "Tables of executions, events, spans and measures, as pandas frames.": (
        VIEWS + "test_tables.py::test_columns_and_types_do_not_depend_on_the_rows",
    ),
    "Diagrams need no Graphviz on the machine; where the real `dot` is present it is used.": (
        VIEWS + "test_render.py",
        ".ci/run",
    ),
    "CodePipeline's own JSON, as `aws codepipeline get-pipeline` prints it or `create-pipeline` takes it, V1 and V2.": (
        LOAD + "test_every_wrapping_gives_the_same_pipeline",
        LOAD + "test_to_document_and_load_are_each_others_inverse",
    ),
    "A sketch: `GitHub → CodeBuild → Manual Approval → Elastic Beanstalk` is a complete pipeline too.": (
        "tests/formats/test_sketch.py::test_the_courses_lines_are_valid_pipelines",
    ),
    "Assumptions: what AWS does not write down (durations, failures, arrivals, approvers) stands in a TOML profile.": (
        "tests/assumptions/test_profile.py::test_every_member_is_read",
    ),
    "Every problem of a declaration is reported at once, each with its place and a way out.": (
        "tests/definition/test_checking.py::test_problems_are_in_document_order_without_duplicates",
        "tests/definition/test_rules.py::test_every_rule_has_a_sample_that_breaks_it_and_no_other",
    ),
    "The same seed gives the same trace, in another process too.": (
        "tests/engine/test_laws.py::test_same_seed_same_trace_and_the_trace_survives_writing",
        ".ci/run",
    ),
    "Each has `--help` with examples.": ("tests/house/test_readme.py::test_commands_have_help_with_examples",),
    "The exit status is 0 when all is well, 1 when problems were found, 2 when the input cannot be used.": (
        "tests/cli/",
    ),
    "The solutions of its exercises are in `notebooks/solutions/`.": (
        "tests/test_notebooks.py::test_built_files_equal_their_sources",
    ),
    "Exercises check themselves by behaviour: a learner's pipeline is simulated, a policy or a function is run in a "
    "mocked account, and the answer says what is right, what is not yet, and where to look.": (
        "tests/classroom/lessons/test_l19.py::test_least_privilege",
        "tests/classroom/lessons/test_l10.py::test_a_queue",
        "tests/browser/test_lessons.py::test_a_wrong_and_then_a_right_answer",
    ),
    "With a name, every learner has numbers of their own; no answer stands in the source.": (
        "tests/classroom/test_course.py::test_names_are_people_not_letters",
        "tests/classroom/lessons/test_l01.py::test_the_faults_differ_between_learners",
    ),
    "`pipesim lab` run again never overwrites what a learner wrote; `pipesim lab --update` brings new lessons.": (
        "tests/classroom/test_folder.py::test_run_again_nothing_is_touched",
        "tests/classroom/test_folder.py::test_update_brings_what_is_new_and_keeps_what_is_mine",
    ),
    "For a class with grades, `pipesim classroom release` makes nbgrader's assignments with hidden tests and partial "
    "points; `pipesim classroom report` shows who is stuck where.": (
        "tests/classroom/test_release.py::test_wrong_submissions_earn_their_part",
        "tests/classroom/test_report.py::test_who_passed_who_is_stuck_and_who_has_not_begun",
    ),
    "Durations, failures and people are assumptions; AWS does not publish them. [docs/fidelity.md](docs/fidelity.md) "
    "says for every behaviour whether it is modelled, assumed or left out.": (
        "tests/house/test_fidelity.py::test_a_row_is_whole",
    ),
    "`pipesim.widgets.Builder()`: a pipeline is put together by drag and drop or by keyboard alone, and every problem "
    "stands beside the field it belongs to.": (
        "tests/browser/test_builder.py::test_the_startup_pipeline_is_built_by_drag_and_drop",
        "tests/browser/test_builder.py::test_the_startup_pipeline_is_built_by_keyboard_alone",
        "tests/widgets/test_builder.py",
    ),
    "`pipesim.widgets.Player(trace)`: the life of a pipeline is played, scrubbed and stepped through; with a "
    "simulation or a mocked account behind it, changes are started, approved, broken and retried, and builds show "
    "their logs.": (
        "tests/browser/test_player.py::test_a_trace_is_played_scrubbed_and_stepped_through",
        "tests/browser/test_player.py::test_live_a_change_is_broken_retried_approved_and_refused",
        "tests/browser/test_desks.py::test_a_player_of_a_cloud_with_its_logs_and_the_inbox",
    ),
    "`pipesim.widgets.WhatIf(pipeline)`: every assumption is a slider; lead time, waits and cost of 1,000 replications "
    "follow at once, beside a pinned baseline.": (
        "tests/browser/test_whatif.py::test_a_knob_moves_the_lead_time_within_a_fifth_of_a_second",
        "tests/widgets/test_whatif.py::test_the_code_gives_the_same_numbers",
    ),
    "`pipesim.widgets.Approvals(cloud)`, `Events(cloud)` and `Troubleshoot(cloud)`: a stakeholder's inbox, the stream "
    "of events with a rule that catches each, and a broken pipeline to put right.": (
        "tests/widgets/test_desks.py::test_an_answer_goes_through_the_service",
        "tests/widgets/test_desks.py::test_the_rule_catches_the_event_and_its_kind_alone",
        "tests/browser/test_desks.py::test_a_broken_pipeline_is_explored_and_heals",
    ),
    "`pipesim.widgets.Workbench()`: builder, player and sliders at one place; `pipesim app FILE` serves it as a "
    "page.": ("tests/browser/test_app.py::test_build_run_approve_and_turn_a_knob",),
    "`pipesim app` without a file is a gallery in big type, for a projector: the course's pipelines as picture, film "
    "and sliders (`--dark` for a dark room).": (
        "tests/browser/test_gallery.py::test_each_pipeline_opens_as_picture_film_and_knobs",
        "tests/widgets/test_gallery.py",
    ),
    "All operations of CodePipeline's API answer, on top of moto, from the same engine that simulates; "
    "[docs/api.md](docs/api.md) says what holds for each.": ("tests/cloud/codepipeline/",),
    "Time is virtual: a week's approval passes in a moment, and every mocked service carries the same clock.": (
        "tests/cloud/test_account.py::test_all_services_live_in_virtual_time",
        "tests/cloud/test_account.py::test_time_passes_when_told_to",
    ),
    "Permissions bind: take one away from the pipeline's role, and that action fails as the service would let it "
    "fail.": ("tests/cloud/actions/test_lambda.py::test_the_pipelines_role_needs_every_permission_and_heals",),
    "`@ps.mock_codepipeline` does the same for your own test suite, and leaves moto as it was.": (
        "tests/cloud/test_testing.py::test_as_a_decorator",
        "tests/cloud/test_swap.py",
    ),
    "`pipesim serve` puts the account behind one port of the loopback address, for the AWS CLI and any SDK.": (
        "tests/cloud/test_server.py::test_only_the_loopback_address_is_used",
        "tests/cloud/test_cli_story.py::test_a_whole_story",
    ),
    "Replications with common random numbers: each difference comes with its interval, and a queue that cannot keep "
    "up is said to be unstable instead of given a number.": ("tests/whatif/test_compare.py",),
    "Where no pool is shared, whole replications are computed at once as arrays, with the engine's own numbers.": (
        "tests/whatif/test_vectorised.py",
        "tests/whatif/test_fast.py::test_every_measure_agrees_with_the_engine",
    ),
    "In a simulation no action does its work: a build takes a while and perhaps fails. In the mocked account "
    "artifacts, stacks, functions and deployments are real there, but a build's commands are never run.": (
        "pipesim/engine/behaviours/work.py::work",
        "tests/cloud/actions/test_codebuild.py",
        "tests/cloud/test_cloudformation.py",
    ),
    "PDF diagrams need the real `dot` or `pip install 'pipesim[pdf]'`.": (VIEWS + "test_render.py",),
}


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def bullets() -> list[str]:
    return re.findall(r"^- (.+)$", README, flags=re.MULTILINE)


def defined_names(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


@pytest.mark.parametrize("bullet", bullets(), ids=lambda text: text[:40])
def test_every_item_of_a_list_is_a_proven_claim(bullet: str):
    assert bullet in CLAIMS


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda text: text[:40])
def test_every_claim_stands_in_the_readme_and_has_its_proof(claim: str):
    assert claim in plain(README)
    assert CLAIMS[claim]
    for proof in CLAIMS[claim]:
        place, _, name = proof.partition("::")
        assert (ROOT / place).exists(), proof
        if place.endswith("/"):
            assert list((ROOT / place).glob("test_*.py")), proof
        if name:
            assert name in defined_names(ROOT / place), proof


def test_links_and_pictures_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", README)

    assert targets
    for target in targets:
        assert (ROOT / target).is_file(), target


def test_pictures_have_words_for_those_who_do_not_see_them():
    assert all(len(words) > 30 for words in re.findall(r"!\[(.*?)\]", README))


EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("example", "said"), list(zip(EXAMPLES, ["E5", "'status': 'Succeeded'"], strict=True)))
def test_the_python_examples_run(example: str, said: str):
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_commands_have_help_with_examples():
    names = re.findall(r"^pipesim (\w+)", README, flags=re.MULTILINE)

    assert set(names) == set(commands.commands)
    for name in sorted(set(names)):
        shown = CliRunner().invoke(commands, [name, "--help"])
        assert shown.exit_code == 0
        if name != "fidelity":
            assert f"pipesim {name}" in shown.output.split("Examples:")[1]


def test_options_of_the_readme_exist():
    names = "|".join(commands.commands)
    for name, rest in re.findall(rf"pipesim ({names}) ([^\n`]*)", README):
        known = {option for parameter in commands.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z]+", rest)) <= known, rest


def test_the_readme_names_no_machine_and_no_registry():
    assert not re.search(r"/(home|root)/|https?://(?!keepachangelog|semver)", README)
