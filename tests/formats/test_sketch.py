import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipesim.catalog.action_types import ACTION_TYPES
from pipesim.definition.checking import check
from pipesim.definition.document import parse_document
from pipesim.errors import DeclarationError, SourceError
from pipesim.formats.load import load
from pipesim.formats.samples import sample, sample_names
from pipesim.formats.sketch import parse_sketch, to_sketch

COURSE = {
    "e-commerce": (
        "Source → Build → Test → Deploy → Load Testing → Manual Approval → Production Deploy",
        ["Source", "Build", "Test", "Deploy", "LoadTest", "Approval", "Production"],
        ["CodeCommit", "CodeBuild", "CodeBuild", "CodeDeploy", "BlazeMeter", "Manual", "CodeDeploy"],
    ),
    "artifact flow": (
        "CodeCommit (Source) → S3 → CodeBuild (Build) → S3 → CodeDeploy (Deploy)",
        ["Source", "Build", "Deploy"],
        ["CodeCommit", "CodeBuild", "CodeDeploy"],
    ),
    "startup": (
        "GitHub → CodeBuild → Manual Approval → Elastic Beanstalk",
        ["Source", "Build", "Approval", "Deploy"],
        ["CodeStarSourceConnection", "CodeBuild", "Manual", "ElasticBeanstalk"],
    ),
    "enterprise": (
        "CodeCommit → CodeBuild → Security Testing → CodeDeploy (Dev) → \nIntegration Testing → Manual Approval → "
        "CodeDeploy (Staging) → \nLoad Testing → Executive Approval → CodeDeploy (Prod)",
        [
            *("Source", "Build", "SecurityTest", "Dev", "IntegrationTest", "Approval"),
            *("Staging", "LoadTest", "ExecutiveApproval", "Prod"),
        ],
        [
            *("CodeCommit", "CodeBuild", "CodeBuild", "CodeDeploy", "CodeBuild", "Manual"),
            *("CodeDeploy", "BlazeMeter", "Manual", "CodeDeploy"),
        ],
    ),
    "microservices": (
        "GitHub → CodeBuild (Service A) → CodeBuild (Service B) → \nCodeDeploy (ECS) → API Testing → "
        "Lambda (Notification)",
        ["Source", "ServiceA", "ServiceB", "Deploy", "APITest", "Notification"],
        ["CodeStarSourceConnection", "CodeBuild", "CodeBuild", "CodeDeployToECS", "CodeBuild", "Lambda"],
    ),
}


@pytest.mark.parametrize("example", COURSE)
@pytest.mark.parametrize("arrow", ["→", "->"])
def test_the_courses_lines_are_valid_pipelines(example, arrow):
    text, stages, providers = COURSE[example]

    pipeline = parse_sketch(text.replace("→", arrow))

    assert [stage.name for stage in pipeline.stages] == stages
    assert [action.provider for _, action in pipeline.actions()] == providers
    assert check(pipeline) == ()


@pytest.mark.parametrize(
    ("words", "category", "provider", "stage"),
    [
        ("Security Testing", "Test", "CodeBuild", "SecurityTest"),
        ("Integration Testing", "Test", "CodeBuild", "IntegrationTest"),
        ("API Testing", "Test", "CodeBuild", "APITest"),
        ("Unit Tests", "Test", "CodeBuild", "UnitTest"),
        ("CodeBuild (Unit Tests)", "Test", "CodeBuild", "UnitTests"),
        ("Security Scan", "Test", "CodeBuild", "SecurityScan"),
        ("Load Testing", "Test", "BlazeMeter", "LoadTest"),
        ("Executive Approval", "Approval", "Manual", "ExecutiveApproval"),
        ("Legal Review", "Approval", "Manual", "LegalApproval"),
        ("Production Deploy", "Deploy", "CodeDeploy", "Production"),
        ("Deploy to Staging", "Deploy", "CodeDeploy", "Staging"),
        ("Staging", "Deploy", "CodeDeploy", "Staging"),
        ("Deploy (ECS)", "Deploy", "ECS", "Deploy"),
        ("CodeDeploy (ECS)", "Deploy", "CodeDeployToECS", "Deploy"),
        ("Elastic Beanstalk (EU)", "Deploy", "ElasticBeanstalk", "EU"),
        ("CloudFormation", "Deploy", "CloudFormation", "Deploy"),
        ("kubernetes", "Deploy", "EKS", "Deploy"),
        ("S3", "Deploy", "S3", "Deploy"),
        ("Lambda (Notification)", "Invoke", "Lambda", "Notification"),
        ("Step Functions", "Invoke", "StepFunctions", "Invoke"),
        ("Jenkins", "Build", "Jenkins", "Build"),
        ("Build (TeamCity)", "Build", "TeamCity", "Build"),
        ("Docker Build", "Build", "ECRBuildAndPublish", "Build"),
        ("Device Farm", "Test", "DeviceFarm", "Test"),
    ],
)
def test_words_get_sensible_action_types(words, category, provider, stage):
    pipeline = parse_sketch(f"GitHub → {words}")

    found = pipeline.stages[1]
    assert (found.actions[0].category, found.actions[0].provider, found.name) == (category, provider, stage)
    assert check(pipeline) == ()


@pytest.mark.parametrize(
    "known",
    [t for t in ACTION_TYPES if t.category != "Source" and (t.category, t.provider) != ("Test", "Jenkins")],
    ids=lambda known: f"{known.category}-{known.provider}",
)
def test_every_type_of_the_catalog_can_be_sketched(known):
    words = {("Test", "CodeBuild"): "Test", ("Deploy", "Lambda"): "Deploy Lambda"}
    pipeline = parse_sketch(f"GitHub → Build → {words.get((known.category, known.provider), known.provider)}")

    action = pipeline.stages[2].actions[0]
    assert (action.category, action.type.owner, action.provider) == (known.category, known.owner, known.provider)
    assert check(pipeline) == ()
    assert (pipeline.pipeline_type == "V2") == known.v2_only


def inputs(pipeline):
    return {action.name: action.input_artifacts for _, action in pipeline.actions()}


def test_parallel_builds_give_separate_artifacts_and_a_test_takes_all():
    pipeline = parse_sketch("GitHub → [CodeBuild (Service A) | CodeBuild (Service B)] → Integration Testing")

    action = pipeline.stages[2].actions[0]
    assert inputs(pipeline)["ServiceA"] == inputs(pipeline)["ServiceB"] == ("SourceOutput",)
    assert action.input_artifacts == ("ServiceAOutput", "ServiceBOutput")
    assert action.configuration["PrimarySource"] == "ServiceAOutput"


def test_a_deployment_takes_the_artifact_that_its_label_names():
    pipeline = parse_sketch(
        "GitHub → [CodeBuild (Frontend) | CodeBuild (Backend)] → [S3 (Frontend) | CodeDeploy (Backend) | ECS (Worker)]"
    )

    taken = {action.name: action.input_artifacts for action in pipeline.stages[2].actions}
    assert taken == {"Frontend": ("FrontendOutput",), "Backend": ("BackendOutput",), "Worker": ("BackendOutput",)}


def test_a_build_after_parallel_builds_gathers_them():
    pipeline = parse_sketch("GitHub → [CodeBuild (A) | CodeBuild (B)] → CodeBuild (Package) → CodeDeploy")

    assert inputs(pipeline)["CodeBuild"] == ("AOutput", "BOutput")
    assert inputs(pipeline)["CodeDeploy"] == ("PackageOutput",)


def test_what_a_build_gathers_is_replaced_and_the_rest_stays():
    pipeline = parse_sketch("GitHub → [CodeBuild (A) | CodeBuild (B)] → CodeBuild (Image A) → [S3 (Image) | ECS (B)]")

    assert inputs(pipeline)["CodeBuild"] == ("AOutput",)
    assert inputs(pipeline)["Image"] == ("ImageAOutput",)
    assert inputs(pipeline)["B"] == ("BOutput",)


def test_a_build_takes_the_source_that_its_label_names():
    pipeline = parse_sketch(
        "[GitHub (Web) | GitHub (Api)] → [CodeBuild (Web Site) | CodeBuild (Api) | CodeBuild (Both)]"
    )

    taken = [action.input_artifacts for action in pipeline.stages[1].actions]
    assert taken == [("WebOutput",), ("ApiOutput",), ("WebOutput", "ApiOutput")]


def test_without_a_build_everything_takes_the_source():
    pipeline = parse_sketch("GitHub → Unit Tests → Elastic Beanstalk")

    assert inputs(pipeline)["UnitTest"] == inputs(pipeline)["ElasticBeanstalk"] == ("SourceOutput",)


def test_a_bracket_with_an_arrow_has_action_groups():
    stage = parse_sketch("GitHub → [CodeDeploy → Smoke Test | Lambda] (Staging)").stages[1]

    assert stage.name == "Staging"
    assert [[action.name for action in group] for group in stage.groups] == [["CodeDeploy"], ["SmokeTest", "Lambda"]]


def test_several_sources_are_all_taken_by_the_build():
    pipeline = parse_sketch("[GitHub | S3 (Assets)] → CodeBuild")

    assert inputs(pipeline)["CodeBuild"] == ("GitHubOutput", "AssetsOutput")
    assert check(pipeline) == ()


def test_s3_between_a_build_and_a_notification_is_a_deployment():
    pipeline = parse_sketch("GitHub → CodeBuild → S3 → Lambda")

    assert [action.provider for _, action in pipeline.actions()][2:] == ["S3", "Lambda"]


def test_a_deployment_to_s3_before_another_is_written_with_its_stage():
    pipeline = parse_sketch("GitHub → CodeBuild → [S3] → CodeDeploy")

    assert to_sketch(pipeline) == "GitHub → CodeBuild → S3 (Deploy) → CodeDeploy (Deploy2)"
    assert parse_sketch(to_sketch(pipeline)) == pipeline


def test_equal_names_are_numbered():
    pipeline = parse_sketch("GitHub → CodeBuild → CodeDeploy → CodeDeploy → [Lambda | Lambda]")

    assert [stage.name for stage in pipeline.stages] == ["Source", "Build", "Deploy", "Deploy2", "Invoke"]
    assert [action.name for action in pipeline.stages[4].actions] == ["Lambda", "Lambda2"]


def test_a_type_that_needs_v2_makes_a_v2_pipeline():
    assert parse_sketch("GitHub → CodeBuild").pipeline_type == "V1"
    assert parse_sketch("GitHub → Docker Build").pipeline_type == "V2"


def test_the_pipeline_is_named_after_its_ends_or_as_told():
    assert parse_sketch("GitHub → CodeBuild → Elastic Beanstalk").name == "github-to-elastic-beanstalk"
    assert parse_sketch("GitHub → CodeBuild", name="shop").name == "shop"
    assert parse_sketch("GitHub → CodeBuild", name="shop").stages[1].actions[0].configuration["ProjectName"] == (
        "shop-build"
    )


def test_load_takes_a_sketch():
    assert load("GitHub -> CodeBuild") == parse_sketch("GitHub → CodeBuild")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("GitHub → CodeBiuld → S3", ["column 10", "'CodeBiuld'", "Did you mean 'CodeBuild'"]),
        ("GitHub → CodeBuild → Elastic Beanstalc", ["column 22", "'Elastic Beanstalk'"]),
        ("Githb → CodeBuild", ["column 1", "no source", "'GitHub'"]),
        ("GitHub → [CodeBuild | Frobnicate]", ["column 23", "'Frobnicate'", "Known are"]),
        ("GitHub → 部署", ["column 10", "'部署'"]),
    ],
)
def test_an_unknown_system_is_named_with_its_place(text, words):
    with pytest.raises(SourceError) as caught:
        parse_sketch(text)

    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("GitHub", "stages", ["column 1", "minimum of 2 stages"]),
        (
            "CodeBuild → CodeDeploy",
            "stages[0]",
            ["column 1", "only contains source actions", "'CodeBuild' is no source"],
        ),
        ("Development → Testing → Staging → Production", "stages[0]", ["column 1", "GitHub → Development"]),
        ("[GitHub | CodeBuild] → S3", "stages[0]", ["column 11", "'CodeBuild' is no source"]),
        ("GitHub → CodeBuild → CodeCommit", "stages[2]", ["column 22", "in the first stage", "[GitHub | CodeCommit]"]),
        ("GitHub" + " → Lambda" * 50, "stages", ["too many stages", "51"]),
        ("GitHub → [" + " | ".join(["Lambda"] * 51) + "]", "stages[1].actions", ["51 actions", "column 10"]),
    ],
)
def test_what_is_no_pipeline_is_refused_with_its_place(text, path, words):
    with pytest.raises(DeclarationError) as caught:
        parse_sketch(text)

    assert [problem.path for problem in caught.value.problems] == [path]
    assert [word for word in words if word not in str(caught.value)] == []


def test_fifty_stages_and_fifty_actions_are_allowed():
    assert len(parse_sketch("GitHub" + " → Lambda" * 49).stages) == 50
    assert len(parse_sketch("GitHub → [" + " | ".join(["Lambda"] * 50) + "]").stages[1].actions) == 50


LABELS = st.text(min_size=1, max_size=12, alphabet="abzAZ09 .@_-éß部").filter(str.strip)
SOURCES = st.sampled_from(["GitHub", "CodeCommit", "S3", "ECR", "Bitbucket", "source", "GitLab"])
SYSTEMS = st.sampled_from(
    [
        *(
            "CodeBuild",
            "Build",
            "Jenkins",
            "Test",
            "Load Testing",
            "Security Scan",
            "Unit Tests",
            "CodeDeploy",
            "Deploy",
        ),
        *("ECS", "CodeDeployToECS", "Elastic Beanstalk", "CloudFormation", "S3", "Manual Approval", "QA Approval"),
        *("Lambda", "Step Functions", "Production Deploy", "Staging", "Inspector", "Commands", "EKS", "Docker Build"),
        *("Lambda Deploy", "Device Farm", "AppConfig", "CodePipeline", "EC2", "BlazeMeter", "Service Catalog"),
    ]
)


def steps(systems):
    labelled = st.builds("{} ({})".format, systems, LABELS | st.sampled_from(["Service A", "Prod", "ECS", "API test"]))
    return systems | labelled


def brackets(systems):
    group = st.lists(steps(systems), min_size=1, max_size=4).map(" | ".join)
    inside = st.lists(group, min_size=1, max_size=3).map(" -> ".join)
    return st.builds("[{}]{}".format, inside, st.just("") | LABELS.map(" ({})".format))


SKETCHES = st.builds(
    lambda source, rest: " → ".join([source, *rest]),
    steps(SOURCES) | brackets(SOURCES),
    st.lists(steps(SYSTEMS) | brackets(SYSTEMS), min_size=1, max_size=8),
)


@given(SKETCHES)
def test_every_sketch_is_a_valid_pipeline_that_is_written_back(text):
    pipeline = parse_sketch(text)

    assert check(pipeline) == ()
    assert parse_document(pipeline.to_document()) == pipeline
    assert parse_sketch(to_sketch(pipeline)) == pipeline


@given(SKETCHES, st.sampled_from(["shop", "A.b_c-d@e", "x" * 100]))
def test_a_sketch_is_written_back_under_its_name(text, name):
    pipeline = parse_sketch(text, name=name)

    assert check(pipeline) == ()
    assert parse_sketch(to_sketch(pipeline), name=name) == pipeline


@given(st.text(alphabet="GitHub CodeBuild→->()[]|\n\t S3部", max_size=60))
def test_any_text_is_a_pipeline_or_refused(text):
    try:
        pipeline = parse_sketch(text)
    except (SourceError, DeclarationError):
        return
    assert check(pipeline) == ()


def outline(pipeline):
    return [(stage.name, [(a.name, a.type, a.run_order) for a in stage.actions]) for stage in pipeline.stages]


@pytest.mark.parametrize("name", [name for name in sample_names() if name not in ("v1", "run-order")])
def test_samples_keep_their_outline_as_sketches(name):
    pipeline = load(sample(name))

    assert outline(parse_sketch(to_sketch(pipeline))) == outline(pipeline)


def test_what_no_word_stands_for_is_refused():
    with pytest.raises(SourceError, match="ThirdParty/Source/GitHub"):
        to_sketch(load(sample("v1")))
