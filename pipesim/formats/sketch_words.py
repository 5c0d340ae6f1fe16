"""The words of the arrow sketch: which action a step such as ``Load Testing`` or ``CodeDeploy (Staging)`` means.

The words are the course's and the everyday ones of CI/CD; the systems behind them are action types of the
catalog. What is read depends on the words and the label alone, never on the other steps.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pipesim.catalog import action_types
from pipesim.definition.model import ActionTypeId

KIND = {
    "Source": "Source",
    "Build": "Build",
    "Test": "Test",
    "Deploy": "Deploy",
    "Approval": "Approval",
    "Invoke": "Invoke",
    "Compute": "Commands",
}
"""What a stage is called after the category of its only action."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one step means.

    Attributes:
        type: the action type.
        action: the name of the action when it stands alone in its stage.
        stage: the name of that stage.
        peer: the name of the action when it stands beside others in a bracket.
    """

    type: ActionTypeId
    action: str
    stage: str
    peer: str


@dataclass(frozen=True, slots=True)
class _Word:
    name: str
    type: ActionTypeId
    also: tuple[str, ...] = ()
    stage: str = ""


def _type(category: str, provider: str, owner: str = "AWS") -> ActionTypeId:
    return ActionTypeId(category, owner, provider)


_CONNECTION = _type("Source", "CodeStarSourceConnection")
_BUILD = _type("Build", "CodeBuild")
_TEST = _type("Test", "CodeBuild")
_DEPLOY = _type("Deploy", "CodeDeploy")
_ECS_BLUE_GREEN = _type("Deploy", "CodeDeployToECS")
_APPROVAL = _type("Approval", "Manual")
_LOAD_TEST = _type("Test", "BlazeMeter", "Custom")

_SOURCES = (
    _Word("CodeCommit", _type("Source", "CodeCommit"), ("source", "git", "code", "repository", "commit")),
    _Word("GitHub", _CONNECTION, ("github enterprise", "github enterprise server", "connection")),
    _Word("Bitbucket", _CONNECTION, ("bit bucket", "atlassian bitbucket")),
    _Word("GitLab", _CONNECTION, ("gitlab self-managed",)),
    _Word("S3", _type("Source", "S3"), ("amazon s3", "s3 source", "bucket")),
    _Word("ECR", _type("Source", "ECR"), ("amazon ecr", "container registry", "elastic container registry")),
)
_LATER = (
    _Word("CodeBuild", _BUILD, ("build", "compile", "aws codebuild", "package")),
    _Word("Jenkins", _type("Build", "Jenkins", "Custom")),
    _Word("CloudBees", _type("Build", "CloudBees", "Custom")),
    _Word("TeamCity", _type("Build", "TeamCity", "Custom")),
    _Word("ECRBuildAndPublish", _type("Build", "ECRBuildAndPublish"), ("docker build", "image build", "build image")),
    _Word("Commands", _type("Compute", "Commands"), ("run commands", "shell")),
    _Word("Test", _TEST, ("tests", "testing", "automated tests")),
    _Word("DeviceFarm", _type("Test", "DeviceFarm"), ("aws device farm", "mobile test", "mobile testing")),
    _Word("BlazeMeter", _LOAD_TEST),
    _Word(
        "LoadTest", _LOAD_TEST, ("load testing", "performance test", "performance testing", "stress test"), "LoadTest"
    ),
    _Word("CodeDeploy", _DEPLOY, ("deploy", "deployment", "aws codedeploy")),
    _Word("CodeDeployToECS", _ECS_BLUE_GREEN, ("codedeploy ecs", "ecs blue/green", "ecs blue green")),
    _Word("ECS", _type("Deploy", "ECS"), ("amazon ecs", "fargate", "elastic container service")),
    _Word("EKS", _type("Deploy", "EKS"), ("amazon eks", "kubernetes")),
    _Word("EC2", _type("Deploy", "EC2"), ("amazon ec2",)),
    _Word("ElasticBeanstalk", _type("Deploy", "ElasticBeanstalk"), ("beanstalk", "aws elastic beanstalk")),
    _Word(
        "CloudFormation", _type("Deploy", "CloudFormation"), ("cfn", "infrastructure", "aws cloudformation", "stack")
    ),
    _Word("S3", _type("Deploy", "S3"), ("amazon s3", "s3 deploy", "static website", "website", "bucket")),
    _Word("AppConfig", _type("Deploy", "AppConfig"), ("feature flags",)),
    _Word("ServiceCatalog", _type("Deploy", "ServiceCatalog")),
    _Word("LambdaDeploy", _type("Deploy", "Lambda"), ("deploy lambda", "lambda function deploy")),
    _Word("ManualApproval", _APPROVAL, ("approval", "approve", "manual", "sign-off", "gate"), "Approval"),
    _Word("Lambda", _type("Invoke", "Lambda"), ("aws lambda", "invoke", "function", "notification", "notify")),
    _Word("StepFunctions", _type("Invoke", "StepFunctions"), ("aws step functions", "state machine", "workflow")),
    _Word("InspectorScan", _type("Invoke", "InspectorScan"), ("inspector", "amazon inspector")),
    _Word("CodePipeline", _type("Invoke", "CodePipeline"), ("start pipeline", "pipeline")),
)
_GENERIC = {"source", "build", "test", "tests", "testing", "deploy", "deployment", "approval", "invoke"}
_ENVIRONMENTS = {
    "dev",
    "development",
    "qa",
    "uat",
    "staging",
    "stage",
    "preprod",
    "pre-production",
    "prod",
    "production",
}
_TESTISH = re.compile(r"\b(tests?|testing|scan|scanning|checks?|lint|linting|smoke|e2e|verification|analysis)\b", re.I)
_PATTERNS = (
    (re.compile(r"(?P<of>.+?)\s+(approval|review|sign-?off)", re.I), _APPROVAL, "Approval"),
    (re.compile(r"(?P<of>.+?)\s+(tests?|testing)", re.I), _TEST, "Test"),
    (re.compile(r"(?P<of>.+?)\s+(scan|scanning|checks?|lint|linting|verification|analysis)", re.I), _TEST, ""),
    (re.compile(r"(?P<of>.+?)\s+builds?", re.I), _BUILD, "Build"),
)
_DEPLOY_OF = re.compile(r"(?P<of>.+?)\s+(deploy|deployment)|(deploy|deployment)\s+(to\s+)?(?P<to>.+)", re.I)
BRANDS = (
    "BlazeMeter",
    "CloudBees",
    "CloudFormation",
    "CodeBuild",
    "CodeCommit",
    "CodeDeployToECS",
    "CodeDeploy",
    "CodePipeline",
    "GitHub",
    "GitLab",
    "TeamCity",
)
"""Names that are one word although a capital stands inside."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def slug(text: str, most: int = 80) -> str:
    """Turn words into a legal name: capitalised words run together, other characters dropped.

    The names of stages and actions allow letters, digits and ``. @ - _`` (CodePipeline API reference,
    StageDeclaration), up to 100 characters.

    >>> slug("Service A"), slug("us-east-1"), slug("Überprüfung")
    ('ServiceA', 'us-east-1', 'Uberprufung')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9.@_\- ]+", " ", plain).split()
    if len(words) > 1:
        words = [word[0].upper() + word[1:] for word in words]
    return "".join(words)[:most]


def spaced(name: str) -> str:
    """Write a name as words when the words give the name back.

    >>> spaced("LoadTest"), spaced("us-east-1")
    ('Load Test', 'us-east-1')
    """
    if name in BRANDS:
        return name
    words = " ".join(_CAMEL.split(name))
    return words if slug(words) == name else name


def read_source_step(words: str, label: str) -> Meaning | None:
    """What a step of the first stage means; None when it is no source."""
    word = _find(_SOURCES, words)
    if word is None:
        return None
    if _folded(words) in _GENERIC:
        named = _find(_SOURCES, label)
        if named is not None:
            word, label = named, ""
    name = slug(label) or word.name
    return Meaning(word.type, word.name if name == "Source" else name, "Source", name)


def read_step(words: str, label: str) -> Meaning | None:
    """What a step after the first stage means; None when its words are unknown."""
    word = _find(_LATER, words)
    if word is not None:
        return _known(word, words, label)
    deploy = _DEPLOY_OF.fullmatch(words)
    if deploy is not None:
        return _deployed(deploy["of"] or deploy["to"], label)
    if _folded(words) in _ENVIRONMENTS:
        return _meaning("CodeDeploy", _DEPLOY, slug(words), label, prefix=slug(words))
    for pattern, action_type, suffix in _PATTERNS:
        found = pattern.fullmatch(words)
        name = slug(f"{found['of']} {suffix}") if found and suffix else slug(words)
        if found and name:
            return _meaning(name, action_type, name, label, prefix=name)
    return None


def is_source(words: str) -> bool:
    """Whether the words name a source and nothing else."""
    return _find(_SOURCES, words) is not None and _find(_LATER, words) is None


def is_artifact_store(words: str, label: str) -> bool:
    """Whether a step is a bare ``S3``, which between two steps only says that artifacts lie in S3."""
    return not label and _folded(words) in ("s3", "amazon s3")


def close_words(words: str, *, sources: bool) -> tuple[str, ...]:
    """The known words that come closest to unknown ones, nearest first."""
    spellings: dict[str, str] = {}
    for word in _SOURCES if sources else _LATER:
        spellings[_folded(word.name)] = spaced(word.name)
        spellings |= {_folded(other): other.title() for other in word.also if not other.startswith(("aws ", "amazon "))}
    close = difflib.get_close_matches(_folded(words), spellings, n=3, cutoff=0.6)
    return tuple(dict.fromkeys(spellings[match] for match in close))


def candidates(action_type: ActionTypeId) -> Iterator[str]:
    """The words that may stand for an action type, the plain ones first."""
    for word in (*_SOURCES, *_LATER):
        if word.type == action_type:
            yield word.name
            yield from (spelling.capitalize() for spelling in word.also if _folded(spelling) in _GENERIC)


def _known(word: _Word, words: str, label: str) -> Meaning:
    folded = _folded(words)
    if folded in _GENERIC and label:
        named = _find(_LATER, label)
        if named is not None and named.type.category == word.type.category and _folded(label) not in _GENERIC:
            word, label = named, ""
    if word.type == _DEPLOY and _folded(label) in ("ecs", "amazon ecs"):
        word, label = next(w for w in _LATER if w.type == _ECS_BLUE_GREEN), ""
    action_type = word.type
    if folded in ("codebuild", "aws codebuild") and _TESTISH.search(label):
        action_type = _TEST
    stage = word.stage or KIND[action_type.category]
    prefix = word.name if word.stage and word.type != _APPROVAL else ""
    return _meaning(word.name, action_type, stage, label, prefix=prefix)


def _deployed(target: str, label: str) -> Meaning | None:
    named = _find(_LATER, target)
    if named is not None and named.type.category == "Deploy":
        return _known(named, target, label)
    name = slug(target)
    return _meaning("CodeDeploy", _DEPLOY, name, label, prefix=name) if name else None


def _meaning(action: str, action_type: ActionTypeId, stage: str, label: str, *, prefix: str) -> Meaning:
    named = slug(label)
    if not named:
        return Meaning(action_type, action, stage, prefix or action)
    return Meaning(action_type, action, named, slug(f"{prefix} {named}") if prefix else named)


def _find(table: tuple[_Word, ...], words: str) -> _Word | None:
    folded = _folded(words)
    for word in table:
        if folded in (_folded(word.name), *map(_folded, word.also)):
            return word
    if table is _LATER:
        for known in action_types.ACTION_TYPES:
            if known.category not in ("Source", "Approval") and _folded(known.provider) == folded:
                return _Word(known.provider, ActionTypeId(known.category, known.owner, known.provider, known.version))
    return None


def _folded(words: str) -> str:
    return re.sub(r"[\s\-_/]+", "", words).casefold()
