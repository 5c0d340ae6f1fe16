"""A pipeline in a CloudFormation template is the same pipeline, and what cannot be resolved is said with its place."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given

from pipesim.cli import commands
from pipesim.definition.checking import check
from pipesim.definition.document import parse_document, to_document
from pipesim.definition.model import ArtifactStore, EncryptionKey
from pipesim.errors import DeclarationError, SourceError
from pipesim.formats.cloudformation import to_template, to_template_text
from pipesim.formats.load import load
from pipesim.formats.samples import data_folder, sample, sample_names
from tests import strategies

TEMPLATE = data_folder() / "cloudformation" / "startup.yaml"
HEAD = """Resources:
  Shop:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      RoleArn: arn:aws:iam::111122223333:role/p
"""


def name_in(value: str, more: str = "", **options) -> str:
    """Load a template whose pipeline has this name (YAML) and no stages."""
    return load(f"{HEAD}      Stages: []\n      Name: {value}\n{more}", **options).name


def refused(value: str, more: str = "", **options) -> str:
    with pytest.raises(SourceError) as caught:
        name_in(value, more, **options)
    return str(caught.value)


def test_the_startup_template_is_the_sample_but_for_its_names():
    pipeline, wanted = load(TEMPLATE), load(sample("startup"))

    assert check(pipeline) == ()
    assert pipeline.name == "startup-production"
    assert pipeline.role_arn == "arn:aws:iam::123456789012:role/web-app-production-pipeline"
    assert pipeline.artifact_store == ArtifactStore("codepipeline-us-east-1-123456789012")
    assert pipeline.stages[2].actions[0].configuration["NotificationArn"].endswith(":123456789012:web-app-approvals")
    assert pipeline.stages[1].actions[0].configuration == {"ProjectName": "web-app-production"}
    plain = [[replace(a, configuration={}) for a in s.actions] for s in pipeline.stages]
    assert plain == [[replace(a, configuration={}) for a in s.actions] for s in wanted.stages]


def test_parameters_and_pseudo_parameters_are_put_in_their_places():
    pipeline = load(TEMPLATE, parameters={"Environment": "staging", "Branch": "next", "AWS::Region": "eu-west-1"})

    assert [stage.name for stage in pipeline.stages] == ["Source", "Build", "Deploy"]
    assert pipeline.stages[0].actions[0].configuration["BranchName"] == "next"
    assert pipeline.artifact_store == ArtifactStore("codepipeline-eu-west-1-123456789012")


@pytest.mark.parametrize("name", sample_names())
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_every_sample_comes_back_from_its_template(name, form):
    pipeline = replace(load(sample(name)), version=1)

    assert load(to_template_text(pipeline, form=form)) == pipeline


@given(strategies.pipelines(gates=True))
def test_a_template_is_read_back_as_the_same_pipeline(pipeline):
    assert load(to_template(pipeline)) == pipeline
    assert load(to_template_text(pipeline)) == pipeline


@given(strategies.declarations)
def test_any_shape_of_declaration_comes_back(declaration):
    pipeline = replace(parse_document(declaration), version=1)

    assert load(to_template_text(pipeline)) == pipeline


def test_stores_by_region_are_a_list_in_a_template():
    key = EncryptionKey("alias/one")
    pipeline = replace(
        load("GitHub -> CodeBuild -> S3"),
        artifact_store=None,
        artifact_stores={"eu-west-1": ArtifactStore("one", encryption_key=key), "us-east-1": ArtifactStore("two")},
    )

    stores = to_template(pipeline)["Resources"]["Pipeline"]["Properties"]["ArtifactStores"]

    assert stores[0] == {
        "Region": "eu-west-1",
        "ArtifactStore": {"Type": "S3", "Location": "one", "EncryptionKey": {"Id": "alias/one", "Type": "KMS"}},
    }
    assert load(to_template(pipeline)).artifact_stores == pipeline.artifact_stores


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("!Sub ['${A}-${!B}', {A: !Ref AWS::Partition}]", "aws-${B}"),
        ("!Select [1, !Split [',', 'a,b,c']]", "b"),
        ("!FindInMap [Names, one, long]", "first"),
        ("!If [Same, right, wrong]", "right"),
        ("!If [Differs, right, wrong]", "wrong"),
        ("!GetAtt Store.Arn", "arn:aws:s3:::store"),
        ("!Sub '${Build.Arn}'", "arn:aws:codebuild:us-east-1:123456789012:project/b"),
        ("!Ref Build", "b"),
        ("!Ref Topic", "arn:aws:sns:us-east-1:123456789012:Topic"),
        ("!Join ['/', !Ref List]", "x/y"),
        ("{'Fn::Base64': hi}", "aGk="),
        ("2010-09-09", "2010-09-09"),
    ],
)
def test_functions_are_worked_out(value, name):
    more = """
  Store: {Type: AWS::S3::Bucket}
  Build: {Type: AWS::CodeBuild::Project, Properties: {Name: b}}
  Topic: {Type: AWS::SNS::Topic}
Parameters: {List: {Type: CommaDelimitedList, Default: 'x, y'}}
Mappings: {Names: {one: {long: first}}}
Conditions:
  Same: !And [!Not [!Condition Differs], !Equals [a, a]]
  Differs: !Or [!Equals [a, b], !Equals [b, c]]
"""
    assert name_in(value, more) == name


def test_a_pipeline_without_a_name_gets_its_logical_id():
    assert load(f"{HEAD}      Stages: []\n").name == "Shop"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("!Ref Shp", ["Resources.Shop.Properties.Name.Ref", "'Shp'", "did you mean 'Shop'?"]),
        ("!Ref Needed", ["parameter 'Needed' has no default", "load(…, parameters={'Needed': …})"]),
        ("!ImportValue other", ["Name.Fn::ImportValue", "another stack"]),
        ("!Sub '${Build.Endpoint}'", ["only the living resource knows 'Endpoint' of Build"]),
        ("!Cidr [a, 1]", ["does not work out Fn::Cidr"]),
        ("!Select [4, [a]]", ["no entry 4 among 1"]),
        ("!If [Round, a, b]", ["condition 'Round' depends on itself"]),
        ("!If [Nowhere, a, b]", ["no condition 'Nowhere'"]),
        ("!Ref Shop", ["named after itself"]),
        ("!FindInMap [A, b, c]", ["mappings have no 'A'"]),
        ("!Join [a]", ["it takes 2 arguments"]),
        ("!Ref Hidden", ["Parameter Store"]),
        ("!Ref Kind", ["may be a, b, not c"]),
    ],
)
def test_what_cannot_be_resolved_is_said_with_its_place(value, words):
    more = """
  Build: {Type: AWS::CodeBuild::Project}
Parameters:
  Needed: {Type: String}
  Hidden: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a}
  Kind: {Type: String, Default: c, AllowedValues: [a, b]}
Conditions:
  Round: !Not [!Condition Round]
"""
    message = refused(value, more)

    for part in words:
        assert part in message


def test_an_unknown_parameter_is_refused():
    with pytest.raises(SourceError, match="no parameter 'Brnch': did you mean 'Branch'"):
        load(TEMPLATE, parameters={"Brnch": "x"})


def test_one_of_several_pipelines_is_chosen(tmp_path):
    template = to_template(load("GitHub -> CodeBuild -> S3"))
    other = copy.deepcopy(template["Resources"]["Pipeline"])
    other["Properties"]["Name"] = "other"
    template["Resources"]["Other"] = other
    file = tmp_path / "two.json"
    file.write_text(json.dumps(template))

    with pytest.raises(SourceError, match=r"has 2 pipelines: Pipeline, Other\. Choose one"):
        load(file)

    assert load(f"{file}#Other").name == load(file, resource="Other").name == "other"
    with pytest.raises(SourceError, match="no pipeline 'Othr': did you mean 'Other'"):
        load(f"{file}#Othr")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Resources: &a\n  B: *a\n", "line 2, column 6: an alias"),
        ("Resources: {}\nResources: {}\n", "'Resources' stands twice"),
        ("Resources: !!python/object/apply:os.system [ls]\n", "could not determine a constructor"),
        ("Resources: {a: [\n", "is not usable YAML: at line"),
        ("Resources: " + "[" * 5000, "nested too deeply"),
        ("Resources: []\n", "Resources is no object"),
    ],
)
def test_dangerous_or_broken_yaml_is_refused(text, words):
    with pytest.raises(SourceError) as caught:
        load(text)

    assert words in str(caught.value)


def test_an_unknown_property_is_a_problem_of_the_declaration():
    with pytest.raises(DeclarationError) as caught:
        load(f"{HEAD}      Stagess: []\n      Stages: []\n")

    assert [problem.path for problem in caught.value.problems] == ["stagess"]


def test_the_command_line_checks_a_template():
    outcome = CliRunner().invoke(commands, ["check", str(TEMPLATE)])

    assert outcome.exit_code == 0, outcome.output
    assert outcome.output == "startup-production: no problems found\n"


def test_what_the_declaration_lacks_is_left_out():
    template = to_template(load("GitHub -> CodeBuild -> S3"))
    before = load(template)
    template["Resources"]["Pipeline"]["Properties"] |= {"Tags": [], "RestartExecutionOnUpdate": True}

    assert load(template) == before
    assert "version" not in to_document(before) or to_document(before)["version"] == 1
