"""The builder as a Python object: everything that the page can do, done without a page."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipesim
from pipesim.catalog import action_types, rule_types
from pipesim.definition.paths import split
from pipesim.errors import DeclarationError, SourceError
from pipesim.formats.samples import sample, sample_names
from pipesim.widgets import Builder
from pipesim.widgets.builder_document import value_at, with_entry, with_value, without
from pipesim.widgets.builder_fields import with_field
from pipesim.widgets.builder_form import form_of, place_of
from pipesim.widgets.builder_model import COMMANDS, Draft, applied, new_document, opened, redone, undone
from pipesim.widgets.builder_palette import find_item, label_of, palette_items
from pipesim.widgets.builder_stages import groups_of, produced_before
from pipesim.widgets.builder_view import palette_data, view_of

GITHUB = "Source/AWS/CodeStarSourceConnection/1#GitHub"
CODEBUILD = "Build/AWS/CodeBuild/1"
APPROVAL = "Approval/AWS/Manual/1"
BEANSTALK = "Deploy/AWS/ElasticBeanstalk/1"
TESTS = "Test/AWS/CodeBuild/1"
INVALID = Path(__file__).parents[2] / "data" / "invalid"


def startup() -> Builder:
    builder = Builder()
    for item in (GITHUB, CODEBUILD, APPROVAL, BEANSTALK):
        builder.apply({"op": "add", "item": item, "where": "stage"})
    return builder


def names(builder: Builder) -> list[list[list[str]]]:
    """The names of the actions by stage and group."""
    return [
        [[stage["actions"][index]["name"] for index in group] for group in groups_of(stage)]
        for stage in builder.document["stages"]
    ]


def fields_of(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}

    def visit(sections: list[dict[str, Any]]) -> None:
        for section in sections:
            found.update({field["path"]: field for field in section["fields"]})
            visit(section["sections"])

    visit(form["sections"])
    return found


def complaints(form: dict[str, Any]) -> list[tuple[str, str]]:
    """Every problem of a form: where it is shown, and what it says."""
    found = [("", problem["message"]) for problem in form["problems"]]

    def visit(sections: list[dict[str, Any]]) -> None:
        for section in sections:
            for holder in (section, *section["fields"]):
                found.extend((holder["path"], problem["message"]) for problem in holder["problems"])
            visit(section["sections"])

    visit(form["sections"])
    return found


class TestBuilding:
    def test_the_startup_pipeline_is_built_from_the_palette_and_is_valid_when_filled_in(self):
        builder = startup()

        assert [stage["name"] for stage in builder.document["stages"]] == ["Source", "Build", "Approval", "Deploy"]
        assert {problem.rule for problem in builder.problems} == {"missing-configuration"}
        with pytest.raises(DeclarationError, match="not complete yet, 6 problems") as caught:
            _ = builder.pipeline
        assert caught.value.problems == builder.problems

        builder.apply({"op": "examples"})

        assert builder.problems == ()
        assert builder.pipeline.stage("Deploy").actions[0].input_artifacts == ("BuildOutput",)
        assert pipesim.simulate(builder.pipeline, executions=1).executions

    def test_an_empty_builder_says_what_is_missing(self):
        builder = Builder()

        assert [problem.rule for problem in builder.problems] == ["too-few-stages"]
        assert builder.diagram == ""

    def test_every_entry_of_the_palette_can_be_added(self):
        for item in palette_items():
            draft = applied(Draft(new_document()), {"op": "add", "item": item.id, "where": "stage"})
            action = value_at(draft.document, draft.selection)
            rules = {problem.rule for problem in pipesim.check(draft.document)}

            assert action["name"], item
            assert not rules & {"name-pattern", "text-pattern", "unknown-action-type", "too-many-artifacts"}, item

    def test_every_action_type_of_the_catalog_is_in_the_palette_with_help(self):
        known = {(item.type.category, item.type.owner, item.type.provider) for item in palette_items()}
        labels = [f"{entry['category']} {item['label']}" for entry in palette_data() for item in entry["items"]]

        assert known == {(one.category, one.owner, one.provider) for one in action_types.ACTION_TYPES}
        assert len(labels) == len(set(labels)) == len(palette_items())
        assert all(item["help"] for entry in palette_data() for item in entry["items"])

    def test_new_actions_are_named_apart_and_wired_to_the_newest_artifact(self):
        builder = startup()
        builder.apply({"op": "select", "path": "stages[1].actions[0]"})
        builder.apply({"op": "add", "item": CODEBUILD, "where": "next"})

        second = builder.document["stages"][1]["actions"][1]
        assert second["name"] == "CodeBuild2"
        assert second["inputArtifacts"] == [{"name": "BuildOutput"}]
        assert second["outputArtifacts"] == [{"name": "BuildOutput2"}]

    def test_where_an_action_is_added_follows_the_selection(self):
        builder = startup()
        builder.apply({"op": "select", "path": "stages[1].actions[0]"})
        builder.apply({"op": "add", "item": TESTS, "where": "together"})
        builder.apply({"op": "add", "item": "Invoke/AWS/Lambda/1", "where": "next"})
        builder.apply({"op": "select", "path": "stages[3]"})
        builder.apply({"op": "add", "item": APPROVAL, "where": "together"})
        builder.apply({"op": "select", "path": ""})
        builder.apply({"op": "add", "item": TESTS, "where": "next"})

        assert names(builder)[1] == [["CodeBuild", "CodeBuildTest"], ["LambdaFunction"]]
        assert names(builder)[3] == [["ElasticBeanstalk", "ManualApproval"], ["CodeBuildTest"]]

    def test_a_drop_says_the_place_itself(self):
        builder = startup()
        builder.apply({"op": "add", "item": TESTS, "place": {"stage": 3, "group": 0}})
        builder.apply({"op": "add", "item": TESTS, "place": {"stage": 3, "group": 1, "together": True}})
        builder.apply({"op": "add", "item": TESTS, "place": {"stage": 2, "newStage": True}})

        assert names(builder)[2] == [["CodeBuildTest"]]
        assert names(builder)[4] == [["CodeBuildTest"], ["ElasticBeanstalk", "CodeBuildTest2"]]
        assert [action["runOrder"] for action in builder.document["stages"][4]["actions"]] == [1, 2, 2]


class TestMoving:
    def test_an_action_walks_up_and_down_through_the_groups(self):
        builder = Builder(sample("run-order"))
        before = names(builder)[1]
        builder.apply({"op": "select", "path": "stages[1].actions[0]"})
        moves = []
        for direction in ("down", "down", "down", "down", "up", "up", "up", "up"):
            builder.apply({"op": "nudge", "direction": direction})
            moves.append(names(builder)[1])

        assert moves[0] != before
        assert moves[-1][0] == [before[0][0]]
        assert sorted(name for group in moves[-1] for name in group) == sorted(n for group in before for n in group)

    def test_an_action_is_made_parallel_and_sequential_again(self):
        builder = startup()
        builder.apply({"op": "move", "path": "stages[2].actions[0]", "place": {"stage": 3, "group": 0}})
        assert names(builder)[3] == [["ManualApproval"], ["ElasticBeanstalk"]]

        builder.apply({"op": "join", "path": "stages[3].actions[1]"})
        assert names(builder)[3] == [["ManualApproval", "ElasticBeanstalk"]]

        builder.apply({"op": "part", "path": "stages[3].actions[0]"})
        assert names(builder)[3] == [["ElasticBeanstalk"], ["ManualApproval"]]
        assert builder.selection == "stages[3].actions[1]"

    def test_a_stage_that_its_last_action_leaves_says_so(self):
        builder = startup()
        builder.apply({"op": "nudge", "path": "stages[2].actions[0]", "direction": "left"})

        assert names(builder)[1] == [["CodeBuild"], ["ManualApproval"]]
        assert "Stage 'Approval' must contain at least 1 action" in {problem.message for problem in builder.problems}

    def test_a_sole_action_dropped_between_stages_takes_its_stage_along(self):
        builder = startup()
        builder.apply({"op": "move", "path": "stages[2].actions[0]", "place": {"stage": 1, "newStage": True}})

        assert [stage["name"] for stage in builder.document["stages"]] == ["Source", "Approval", "Build", "Deploy"]

    def test_stages_move_and_stop_at_the_ends(self):
        builder = startup()
        builder.apply({"op": "move", "path": "stages[3]", "place": {"stage": 1, "newStage": True}})
        assert [stage["name"] for stage in builder.document["stages"]] == ["Source", "Deploy", "Build", "Approval"]

        builder.apply({"op": "nudge", "direction": "right"})
        assert builder.selection == "stages[2]"
        builder.apply({"op": "nudge", "path": "stages[0]", "direction": "left"})
        assert builder.message["text"] == "stage Source cannot go further left"
        assert [stage["name"] for stage in builder.document["stages"]] == ["Source", "Build", "Deploy", "Approval"]

    def test_a_name_that_is_taken_in_the_new_stage_gets_a_number(self):
        builder = Builder("GitHub -> CodeBuild -> [CodeBuild (Build) -> Elastic Beanstalk]")
        first = builder.document["stages"][1]["actions"][0]["name"]
        builder.apply({"op": "set", "path": "stages[2].actions[0].name", "value": first})
        builder.apply({"op": "nudge", "path": "stages[1].actions[0]", "direction": "right"})

        assert names(builder)[2][-1] == [f"{first}2"]

    def test_what_is_removed_leaves_its_neighbour_selected(self):
        builder = startup()
        builder.apply({"op": "remove", "path": "stages[1]"})
        assert [stage["name"] for stage in builder.document["stages"]] == ["Source", "Approval", "Deploy"]
        assert builder.selection == "stages[1]"
        builder.apply({"op": "remove", "path": "stages[2].actions[0]"})
        assert builder.document["stages"][2]["actions"] == []
        assert builder.selection == "stages[2]"


class TestFields:
    @pytest.mark.parametrize("path", sorted(INVALID.glob("*.json")), ids=lambda path: path.stem)
    def test_every_problem_of_every_broken_declaration_is_shown_once_where_it_belongs(self, path: Path):
        document = json.loads(path.read_text())
        document = document.get("pipeline", document)
        problems = pipesim.check(document)
        if not all(isinstance(stage, dict) for stage in document["stages"]):
            pytest.skip("not a document that a builder can hold")
        shown = []
        for place in {place_of(problem.path) for problem in problems}:
            shown += complaints(form_of(document, place, problems))

        assert sorted(message for _, message in shown) == sorted(problem.message for problem in problems)
        for where, message in shown:
            problem = next(one for one in problems if one.message == message)
            assert split(problem.path)[: len(split(where))] == split(where)

    @pytest.mark.parametrize(
        ("file", "field"),
        [
            ("missing-configuration", "stages[2].actions[0].configuration.DeploymentGroupName"),
            ("input-artifact-unknown", "stages[2].actions[0].inputArtifacts"),
            ("stage-name-duplicate", "stages[3].name"),
            ("unknown-action-type", "stages[1].actions[0].actionTypeId"),
            ("trigger-pattern", "triggers[0].gitConfiguration.push[0].branches.includes"),
            ("v1-execution-mode", "executionMode"),
            ("timeout-range", "stages[2].actions[0].timeoutInMinutes"),
            ("missing-rule-configuration", "stages[2].onSuccess.conditions[0].rules[0].configuration.AlarmName"),
            ("variable-name-duplicate", "variables[1].name"),
            ("namespace-duplicate", "stages[1].actions[0].namespace"),
            ("unknown-configuration", "stages[1].actions[0].configuration.EnvironmentVariable"),
        ],
    )
    def test_a_problem_stands_beside_its_field_in_the_services_words(self, file: str, field: str):
        document = json.loads((INVALID / f"{file}.json").read_text())
        document = document.get("pipeline", document)
        problems = pipesim.check(document)
        form = form_of(document, place_of(problems[0].path), problems)

        assert (field, problems[0].message) in complaints(form)
        assert problems[0].message in [one["message"] for one in fields_of(form)[field]["problems"]]

    def test_the_form_of_an_action_comes_from_the_catalog(self):
        for item in palette_items():
            draft = applied(Draft(new_document()), {"op": "add", "item": item.id, "where": "stage"})
            fields = fields_of(form_of(draft.document, draft.selection, ()))
            for known in item.type.properties:
                field = fields[f"{draft.selection}.configuration.{known.name}"]
                assert field["required"] is known.required
                assert field["help"] == known.description

    def test_artifacts_are_offered_from_what_runs_before(self):
        builder = startup()
        builder.apply({"op": "add", "item": CODEBUILD, "place": {"stage": 1, "group": 0, "together": True}})
        beside = fields_of(builder.view["form"])[f"{builder.selection}.inputArtifacts"]
        builder.apply({"op": "select", "path": "stages[3].actions[0]"})
        after = fields_of(builder.view["form"])["stages[3].actions[0].inputArtifacts"]

        assert [option["value"] for option in beside["options"]] == ["SourceOutput"]
        assert [option["value"] for option in after["options"]] == ["SourceOutput", "BuildOutput", "BuildOutput2"]
        assert produced_before(builder.document, 0, 0) == ()

    def test_a_renamed_artifact_is_followed_by_its_readers_letter_by_letter(self):
        builder = startup()
        for text in ("BuildOutpu", "BuildOutp", "App", "Application"):
            builder.apply({"op": "set", "path": "stages[1].actions[0].outputArtifacts", "value": [text]})

        assert builder.document["stages"][3]["actions"][0]["inputArtifacts"] == [{"name": "Application"}]
        assert len(builder.draft.past) == 5

    def test_a_new_name_that_another_artifact_has_pulls_no_readers_over(self):
        builder = startup()
        builder.apply({"op": "set", "path": "stages[1].actions[0].outputArtifacts", "value": ["SourceOutput"]})
        builder.apply({"op": "set", "path": "stages[1].actions[0].outputArtifacts", "value": ["SourceOutput2"]})

        assert builder.document["stages"][1]["actions"][0]["inputArtifacts"] == [{"name": "SourceOutput"}]

    def test_a_renamed_source_is_followed_by_its_trigger(self):
        builder = startup()
        builder.apply({"op": "add_entry", "path": "triggers"})
        builder.apply({"op": "set", "path": "stages[0].actions[0].name", "value": "Fetch"})

        assert value_at(builder.document, "triggers[0].gitConfiguration.sourceActionName") == "Fetch"

    def test_text_in_place_of_a_number_is_kept_and_complained_about(self):
        builder = startup()
        path = "stages[2].actions[0].timeoutInMinutes"
        builder.apply({"op": "select", "path": "stages[2].actions[0]"})
        builder.apply({"op": "set", "path": path, "value": "soon"})
        field = fields_of(builder.view["form"])[path]

        assert field["value"] == "soon"
        assert [problem["rule"] for problem in field["problems"]] == ["wrong-type"]
        builder.apply({"op": "set", "path": path, "value": "60"})
        assert value_at(builder.document, path) == 60
        builder.apply({"op": "set", "path": path, "value": ""})
        assert "timeoutInMinutes" not in builder.document["stages"][2]["actions"][0]

    def test_triggers_variables_conditions_and_modes_can_all_be_made(self):
        builder = startup()
        builder.apply({"op": "examples"})
        for command in (
            {"op": "set", "path": "executionMode", "value": "QUEUED"},
            {"op": "add_entry", "path": "variables"},
            {"op": "set", "path": "variables[0].defaultValue", "value": "blue"},
            {"op": "add_entry", "path": "triggers"},
            {"op": "set", "path": "triggers[0].gitConfiguration.push[0].branches.includes", "value": ["main", "dev/*"]},
            {"op": "add_entry", "path": "triggers[0].gitConfiguration.pullRequest"},
            {"op": "add_entry", "path": "stages[3].beforeEntry.conditions"},
            {"op": "set", "path": "stages[3].beforeEntry.conditions[0].rules[0].configuration.AlarmName", "value": "a"},
            {"op": "set", "path": "stages[3].onFailure.result", "value": "RETRY"},
            {"op": "set", "path": "stages[3].onFailure.retryConfiguration.retryMode", "value": "ALL_ACTIONS"},
            {"op": "set", "path": "stages[2].actions[0].timeoutInMinutes", "value": "90"},
        ):
            builder.apply(command)

        pipeline = builder.pipeline
        assert pipeline.execution_mode == "QUEUED"
        assert pipeline.variables[0].default_value == "blue"
        assert pipeline.triggers[0].push[0].branches.includes == ("main", "dev/*")
        assert pipeline.triggers[0].pull_request[0].events == ("OPEN",)
        assert pipeline.stage("Deploy").before_entry[0].rules[0].configuration == {"AlarmName": "a"}
        assert pipeline.stage("Deploy").on_failure.retry_mode == "ALL_ACTIONS"
        assert pipeline.stage("Approval").actions[0].timeout_in_minutes == 90

        for path in ("triggers[0]", "variables[0]", "stages[3].beforeEntry.conditions[0]"):
            builder.apply({"op": "remove", "path": path})
        assert not {"triggers", "variables"} & set(builder.document)
        assert "beforeEntry" not in builder.document["stages"][3]

    def test_a_store_is_added_for_the_region_of_an_action(self):
        builder = startup()
        builder.apply({"op": "examples"})
        builder.apply({"op": "set", "path": "stages[3].actions[0].region", "value": "ap-south-1"})
        assert {problem.rule for problem in builder.problems} == {"cross-region-single-store"}

        builder.apply({"op": "add_entry", "path": "artifactStores"})
        assert list(builder.document["artifactStores"]) == ["us-east-1", "ap-south-1"]
        assert builder.problems == ()

        builder.apply({"op": "remove", "path": "artifactStores.ap-south-1"})
        assert [problem.rule for problem in builder.problems] != []
        for _ in range(8):
            builder.apply({"op": "add_entry", "path": "artifactStores"})
        assert "eu-central-1" in builder.document["artifactStores"]

    def test_every_rule_type_has_its_form(self):
        builder = startup()
        builder.apply({"op": "select", "path": "stages[3]"})
        builder.apply({"op": "add_entry", "path": "stages[3].onSuccess.conditions"})
        base = "stages[3].onSuccess.conditions[0].rules[0]"
        for known in rule_types.RULE_TYPES:
            builder.apply({"op": "set", "path": f"{base}.ruleTypeId.provider", "value": known.provider})
            fields = fields_of(builder.view["form"])
            assert {f"{base}.configuration.{one.name}" for one in known.properties} <= set(fields)

    @pytest.mark.parametrize("name", sample_names())
    def test_every_value_of_the_samples_can_be_seen_in_a_form_and_set_to_itself(self, name: str):
        draft = opened(Draft(new_document()), sample(name))
        places = ["", *(place for place in map(place_of, _leaves(draft.document, "")) if place)]
        seen = set()
        for place in dict.fromkeys(places):
            for path, field in fields_of(form_of(draft.document, place, ())).items():
                value = field["value"]
                if field["kind"] == "lines":
                    value = value.split("\n") if value else []
                seen.add(path)
                assert with_field(draft.document, path, value) == draft.document, path
        hidden = {"version", "providerType", "owner", "category", "provider"}
        for leaf in _leaves(draft.document, ""):
            steps = split(leaf)
            if steps[-1] in hidden or leaf.endswith("artifactStore.type") or "artifactStores" in steps:
                continue
            assert any(steps[: len(split(path))] == split(path) for path in seen), leaf


class TestHistory:
    def test_undo_and_redo_walk_through_all_states(self):
        builder = startup()
        states = [builder.document]
        for command in ({"op": "remove", "path": "stages[2]"}, {"op": "examples"}, {"op": "new"}):
            builder.apply(command)
            states.append(builder.document)
        for state in reversed(states[:-1]):
            builder.undo()
            assert builder.document == state
        for state in states[1:]:
            builder.redo()
            assert builder.document == state
        builder.redo()
        assert builder.message["text"] == "Nothing to redo"

    def test_the_letters_of_a_field_are_undone_together(self):
        builder = startup()
        steps = len(builder.draft.past)
        for text in ("s", "sh", "shop"):
            builder.apply({"op": "set", "path": "name", "value": text})
        builder.apply({"op": "set", "path": "stages[0].name", "value": "Fetch"})

        assert len(builder.draft.past) == steps + 2
        builder.undo()
        builder.undo()
        assert builder.document["name"] == "my-pipeline"

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_any_walk_changes_no_document_in_place_and_can_be_undone_to_its_beginning(self, data: st.DataObject):
        draft = start = opened(Draft(new_document()), sample("run-order"))
        memory = [(draft.document, copy.deepcopy(draft.document))]
        items = st.sampled_from([item.id for item in palette_items()])
        wheres = st.sampled_from(["stage", "next", "together"])
        wheres = st.sampled_from(["stage", "next", "together"])
        for _ in range(data.draw(st.integers(1, 12))):
            places = [""] + [
                path
                for index, stage in enumerate(draft.document["stages"])
                for path in (
                    f"stages[{index}]",
                    *(f"stages[{index}].actions[{number}]" for number in range(len(stage["actions"]))),
                )
            ]
            path = data.draw(st.sampled_from(places))
            draft = applied(draft, {"op": "select", "path": path})
            stages = len(draft.document["stages"])
            place = {
                "stage": data.draw(st.integers(0, max(stages - 1, 0))),
                "group": data.draw(st.none() | st.integers(0, 4)),
                "together": data.draw(st.booleans()),
                "newStage": data.draw(st.booleans()) or not stages,
            }
            commands = [
                {"op": "add", "item": data.draw(items), "place": place},
                {
                    "op": "add",
                    "item": data.draw(items),
                    "where": data.draw(wheres),
                },
                {"op": "add_stage"},
                {"op": "remove"},
                {"op": "undo"},
                {"op": "redo"},
            ]
            if path:
                direction = data.draw(st.sampled_from(["up", "down", "left", "right"]))
                commands += [
                    {"op": "nudge", "direction": direction},
                    {"op": "move", "path": path, "place": place},
                    {"op": "set", "path": f"{path}.name", "value": data.draw(st.text(max_size=3))},
                ]
            if ".actions[" in path:
                commands += [{"op": "join"}, {"op": "part"}]
            draft = applied(draft, data.draw(st.sampled_from(commands)))
            memory.append((draft.document, copy.deepcopy(draft.document)))
            json.dumps(view_of(draft, pipesim.check(draft.document)))
            assert draft.selection == "" or value_at(draft.document, draft.selection) is not None
            for stage in draft.document["stages"]:
                assert sorted(i for group in groups_of(stage) for i in group) == list(range(len(stage["actions"])))

        assert all(document == copied for document, copied in memory)
        last = draft.document
        steps = len(draft.past)
        while draft.past:
            draft = undone(draft)
        assert draft.document in (start.document, new_document())
        for _ in range(steps):
            draft = redone(draft)
        assert draft.document == last


class TestOpeningAndSaving:
    @pytest.mark.parametrize("name", sample_names())
    def test_samples_come_back_as_they_are(self, name: str, tmp_path: Path):
        builder = Builder()
        builder.apply({"op": "template", "name": name})

        assert builder.problems == ()
        assert builder.pipeline == pipesim.load(sample(name))
        assert pipesim.load(builder.save(tmp_path / "p.json")) == builder.pipeline

    @pytest.mark.parametrize(
        "source",
        [
            "{broken",
            b"\xff\xfe\x00",
            "",
            "no such file.json",
            '{"a": 1}',
            '{"name": "x", "stages": 7}',
            "Fish -> Chips",
            7,
        ],
    )
    def test_what_cannot_be_read_leaves_all_as_it_was(self, source: Any):
        builder = startup()
        before = builder.draft
        with pytest.raises((SourceError, DeclarationError)):
            builder.load(source)
        with pytest.raises((SourceError, DeclarationError)):
            builder.pipeline = source

        assert builder.draft is before

    def test_setting_the_pipeline_redraws_and_can_be_undone(self):
        builder = startup()
        views = []
        builder.observe(lambda change: views.append(change["new"]["name"]), "view")
        builder.pipeline = pipesim.load(sample("e-commerce"))

        assert views == ["e-commerce"]
        assert "e-commerce" in builder.diagram
        builder.undo()
        assert builder.document["name"] == "my-pipeline"

    def test_followers_see_every_document(self):
        builder = startup()
        seen = []
        builder.observe(lambda change: seen.append(change["new"]["name"]), "document")
        builder.apply({"op": "set", "path": "name", "value": "shop"})

        assert seen == ["shop"]

    def test_a_file_that_cannot_be_written_is_said(self, tmp_path: Path):
        with pytest.raises(SourceError, match="cannot write"):
            startup().save(tmp_path)


class TestMessages:
    def send(self, builder: Builder, content: dict[str, Any], buffers: list[bytes] = []) -> None:  # noqa: B006
        builder._handle_custom_msg(content, buffers)

    def test_a_broken_file_is_explained_and_nothing_is_lost(self):
        builder = startup()
        before = builder.document
        self.send(builder, {"op": "open", "number": 3}, [b'{"name": "shop", "stages": ['])

        assert builder.document is before
        assert builder.message["kind"] == "error"
        assert "What was here is unchanged" in builder.message["text"]
        assert builder.view["answered"] == 3

    def test_a_file_of_the_wrong_shape_lists_its_problems(self):
        builder = startup()
        self.send(builder, {"op": "open", "number": 1}, [b'{"name": "shop", "stages": [{"name": 7}, {}]}'])

        assert builder.message["kind"] == "error"
        assert any("roleArn" in line for line in builder.message["details"])

    def test_a_file_of_the_learners_computer_keeps_its_name_and_its_ending_says_what_it_is(self, tmp_path: Path):
        builder = startup()
        template = builder.save(tmp_path / "made.yaml").read_bytes()
        before = builder.document
        for name, body in (
            ("half.yaml", b"Resources: {}"),
            ("cut.json", b'{"name": '),
            ("shape.json", b'{"stages": 7}'),
        ):
            self.send(builder, {"op": "open", "name": f"../{name}", "number": 1}, [body])
            assert builder.message["kind"] == "error"
            assert name in builder.message["text"]
            assert "tmp" not in builder.message["text"]
            assert builder.document == before
        builder.apply({"op": "new"})
        self.send(builder, {"op": "open", "name": "made.yaml", "number": 2}, [template])
        assert pipesim.load(builder.document) == pipesim.load(before)

    def test_an_uploaded_sketch_is_read(self):
        builder = Builder()
        self.send(builder, {"op": "open", "number": 1}, ["GitHub → CodeBuild → ECS".encode()])

        assert len(builder.pipeline.stages) == 3

    @pytest.mark.parametrize(
        "content",
        [
            {},
            {"op": "fly"},
            {"op": "add", "item": "x"},
            {"op": "nudge", "path": "stages[9]", "direction": "up"},
            {"op": "set"},
            {"op": "move", "path": "stages[0]"},
            {"op": "template", "name": "x"},
            {"op": "save", "path": "/"},
        ],
    )
    def test_nonsense_is_refused_and_changes_nothing(self, content: dict[str, Any]):
        builder = startup()
        before = builder.document
        self.send(builder, {**content, "number": 9})

        assert builder.document == before
        assert builder.message["kind"] == "error"
        assert builder.view["answered"] == 9

    def test_the_page_has_the_text_to_save(self):
        builder = startup()
        builder.apply({"op": "set", "path": "name", "value": "shop"})

        assert json.loads(builder.text)["pipeline"] == builder.document
        assert '"name": "shop"' in builder.text

    @pytest.mark.parametrize("name", ["shop.yaml", "shop.yml", "shop.template", "SHOP.YAML"])
    def test_a_template_is_saved_and_opened_again(self, tmp_path, name):
        builder = startup()
        written = builder.save(tmp_path / name)
        other = Builder()
        other.load(written)

        assert "AWS::CodePipeline::Pipeline" in written.read_text(encoding="utf-8")
        assert other.document["stages"] == builder.document["stages"]

    def test_what_happened_is_said_for_those_who_hear_it(self):
        builder = startup()
        builder.apply({"op": "nudge", "path": "stages[2].actions[0]", "direction": "right"})

        assert builder.message["text"] == "action ManualApproval moved right (stage 4 of 4, group 2 of 2)"
        builder.apply({"op": "set", "path": "stages[1].actions[0].configuration.ProjectName", "value": "shop"})
        assert builder.message["text"] == ""
        assert builder.view["undo"] == "Changed configuration ProjectName of stage Build, action CodeBuild"


class TestSize:
    def test_fifty_stages_and_35_parallel_actions_answer_quickly(self):
        import time

        document = json.loads(sample("two-stages").read_text())["pipeline"]
        for number in range(48):
            document = with_entry(document, "stages", {**document["stages"][1], "name": f"Deploy{number}"})
        action = document["stages"][1]["actions"][0]
        parallel = [{**action, "name": f"Action{number}"} for number in range(35)]
        document = with_value(document, "stages[1].actions", parallel)
        builder = Builder(document)
        builder.show_diagram = False
        start = time.perf_counter()
        builder.apply({"op": "set", "path": "stages[1].name", "value": "Wide"})

        assert time.perf_counter() - start < 1
        assert len(builder.view["stages"]) == 50
        assert len(builder.view["stages"][1]["groups"][0]) == 35

    def test_names_that_look_like_markup_are_only_text(self):
        hostile = "<img src=x onerror=alert(1)>"
        builder = startup()
        builder.apply({"op": "set", "path": "stages[1].name", "value": hostile})
        builder.apply({"op": "set", "path": "stages[1].actions[0].name", "value": hostile})

        assert builder.view["stages"][1]["name"] == hostile
        assert "<img" not in builder.diagram
        assert "&lt;img" in builder.diagram


def test_documents_are_changed_as_copies():
    document = {"stages": [{"name": "A", "onFailure": {"conditions": [{"result": "FAIL"}]}}]}
    before = copy.deepcopy(document)

    assert with_value(document, "stages[0].name", "B")["stages"][0]["name"] == "B"
    assert without(document, "stages[0].onFailure.conditions[0]") == {"stages": [{"name": "A"}]}
    assert with_entry(document, "stages", {"name": "Z"}, 0)["stages"][0] == {"name": "Z"}
    assert document == before


def test_common_names_find_their_type():
    words = {item["label"]: item["words"] for entry in palette_data() for item in entry["items"]}

    assert "kubernetes" in words["EKS"]
    assert "fargate" in words["ECS"]
    assert label_of({"category": "Approval", "owner": "AWS", "provider": "Manual"}) == "Manual approval"
    assert find_item("nothing") is None


def test_importing_pipesim_brings_no_widgets():
    code = "import sys, pipesim; assert not {'ipywidgets', 'anywidget'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_command_is_named_in_the_table():
    assert {"add", "move", "nudge", "join", "part", "remove", "set", "undo", "redo", "open", "template"} <= set(
        COMMANDS
    )


def test_the_pages_logic_passes_nodes_tests():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    done = subprocess.run(
        [node, "--test", str(Path(__file__).parent / "builder.test.mjs")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _leaves(value: Any, path: str) -> list[str]:
    from pipesim.definition.paths import join

    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, join(path, key))]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in _leaves(inner, join(path, index))]
    return [path]


# --- action types of one's own ------------------------------------------------------------------------

ACME = {
    "category": "Test",
    "provider": "AcmeCheck",
    "version": "2",
    "configurationProperties": [
        {"name": "Suite", "required": True, "key": True, "secret": False, "description": "Which suite runs."},
        {"name": "Token", "required": False, "key": False, "secret": True},
    ],
    "inputArtifactDetails": {"minimumCount": 1, "maximumCount": 1},
    "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
}


def test_a_custom_type_stands_in_the_palette_and_has_a_form():
    builder = Builder("GitHub -> CodeBuild -> S3", custom_types=[ACME])
    tests = next(group for group in builder.palette if group["category"] == "Test")
    assert [item["label"] for item in tests["items"] if item["id"] == "Test/Custom/AcmeCheck/2"] == ["Acme Check"]

    builder.apply({"op": "select", "path": "stages[1]"})
    builder.apply({"op": "add", "item": "Test/Custom/AcmeCheck/2", "where": "stage"})
    place = builder.selection
    stage, action = (int(number) for number in re.findall(r"\d+", place))
    added = builder.document["stages"][stage]["actions"][action]
    assert added["actionTypeId"] == {
        "category": "Test", "owner": "Custom", "provider": "AcmeCheck", "version": "2",
    }  # fmt: skip
    assert len(added["inputArtifacts"]) == 1
    shown = json.dumps(builder.view)
    assert "Which suite runs." in shown
    assert "(unknown)" not in shown
    builder.apply({"op": "set", "path": f"{place}.configuration.Suite", "value": "smoke"})
    assert builder.pipeline.stages[stage].actions[action].configuration["Suite"] == "smoke"


def test_a_custom_type_is_known_to_its_builder_alone():
    Builder(custom_types=[ACME])
    other = Builder()
    assert "AcmeCheck" not in json.dumps(other.palette)
    with pytest.raises(SourceError, match="the palette has no"):
        other.apply({"op": "add", "item": "Test/Custom/AcmeCheck/2", "where": "stage"})


def test_custom_types_of_an_account_are_taken_as_it_lists_them():
    with pipesim.Cloud() as cloud:
        pipelines = cloud.client("codepipeline")
        details = {"minimumCount": 0, "maximumCount": 1}
        pipelines.create_custom_action_type(
            category="Build", provider="Forge", version="1", inputArtifactDetails=details, outputArtifactDetails=details
        )
        builder = Builder(custom_types=pipelines.list_action_types(actionOwnerFilter="Custom")["actionTypes"])
    assert "Build/Custom/Forge/1" in json.dumps(builder.palette)
    with pytest.raises(SourceError, match="it needs category"):
        Builder(custom_types=[{"category": "Luck", "provider": "X", "version": "1"}])
