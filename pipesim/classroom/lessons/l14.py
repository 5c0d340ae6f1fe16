"""Lesson 14: find out what is wrong, and heal it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.cloud.account import Cloud
from pipesim.cloud.explanation import Cause, Explanation
from pipesim.cloud.policies import Answer, Request, judge
from pipesim.definition.model import Pipeline
from pipesim.formats.load import load

NAMES = ("shop", "orders", "billing", "search", "stock")
SKETCH = "S3 -> CodeBuild -> S3"
FAULTS = ("transition disabled", "permission", "bucket policy", "KMS key")
CAUSES = (
    Cause.PERMISSION,
    Cause.BUCKET_POLICY,
    Cause.KMS_KEY,
    Cause.ARTIFACT,
    Cause.CONFIGURATION,
    Cause.QUOTA,
    Cause.APPROVAL_WAITING,
    Cause.TRANSITION_DISABLED,
    Cause.STAGE_LOCK,
)
WAITS = (Cause.QUOTA, Cause.APPROVAL_WAITING, Cause.TRANSITION_DISABLED, Cause.STAGE_LOCK)


FORBIDDEN = {
    "iam:CreateRole": "arn:aws:iam::123456789012:role/another",
    "s3:DeleteBucket": "arn:aws:s3:::another",
    "ec2:RunInstances": "arn:aws:ec2:us-east-1:123456789012:instance/*",
}
"""What no pipeline of this lesson has to do."""

OTHERS = {
    "codebuild": "arn:aws:codebuild:us-east-1:123456789012:project/another",
    "codecommit": "arn:aws:codecommit:us-east-1:123456789012:another",
    "lambda": "arn:aws:lambda:us-east-1:123456789012:function:another",
}
"""Things of somebody else, by service."""

LOSSES = {
    "S3 -> CodeBuild -> [Lambda (Check)] (Verify) -> S3": ("codebuild:StartBuild", "lambda:InvokeFunction"),
    "CodeCommit -> CodeBuild -> S3": ("codecommit:UploadArchive", "codebuild:StartBuild"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A pipeline that goes well once, and is broken then.

    Attributes:
        pipeline: what is stood up.
    """

    pipeline: Pipeline
    _fault: str
    _seed: int

    def __call__(self, cloud: Cloud) -> None:
        """Let it happen in an open cloud.

        Args:
            cloud: without a pipeline of this name.
        """
        record = cloud.provision(self.pipeline)
        cloud.run_until_idle()
        cloud.break_(self._fault, record, seed=self._seed)
        cloud.run_until_idle()
        _explanations[self] = cloud.explain(record)

    def __repr__(self) -> str:
        return f"what happened to {self.pipeline.name}: call it with an open cloud"


def _broken(luck: Random) -> Mapping[str, Any]:
    name = luck.choice(NAMES)
    happens = Fault(replace(load(SKETCH), name=name), luck.choice(FAULTS), luck.randint(1, 99))
    return {
        "name": name,
        "happens": happens,
        "causes": tuple(str(one) for one in CAUSES),
        "bucket": "codepipeline-us-east-1-123456789012",
        "role": happens.pipeline.role_arn.rsplit("/", 1)[-1],
    }


@exercise(
    "14-1",
    "What is it?",
    kind=Kind.FIND,
    wants="a pair: the name of a stage, and one of the causes",
    parts=("where", "why"),
    case=_broken,
)
def what_is_it(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with what `explain` said when it happened in the learner's cloud; else it happens in one of its own."""
    place, cause = answer
    truth = _explained(case.happens)
    stages = [stage.name for stage in case.happens.pipeline.stages]
    given = str(place).partition("/")[0].strip()
    marks.part(
        "where",
        given == truth.stage,
        yes=f"in {truth.stage}, or in front of it" if truth.cause in WAITS else f"in {truth.stage}",
        no=f"there is no stage {given!r} (there are {', '.join(stages)})"
        if given not in stages
        else f"nothing is wrong with {given}",
        hint="get_pipeline_state tells the status of each stage, and the state of the door in front of it.",
        stronger="A stage that is Failed, or one whose inboundTransitionState is not enabled.",
    )
    said = str(cause).strip()
    if said not in case.causes:
        why = f"{said!r} is none of the causes"
    elif (Cause(said) in WAITS) and truth.cause not in WAITS:
        why = f"with {said!r} nothing would fail, but an action has failed"
    elif (truth.cause in WAITS) and Cause(said) not in WAITS:
        why = f"with {said!r} an action would have failed, but none has"
    else:
        why = f"{said!r} would be told in other words"
    marks.part(
        "why",
        said == truth.cause,
        yes=str(truth.cause),
        no=why,
        hint="Has an action failed, or does the execution wait? If it failed, list_action_executions has the message.",
        stronger="The message names the service that said no, and why: whose policy, which key, which object?"
        if truth.cause not in WAITS
        else "Nothing has failed: look at tokens, doors, and the other executions.",
    )


_explanations: dict[Fault, Explanation] = {}
"""What was wrong when it happened: what the learner does afterwards changes nothing about it."""


def _explained(fault: Fault) -> Explanation:
    if fault not in _explanations:
        with Cloud(seed=1) as cloud:
            fault(cloud)
    return _explanations[fault]


@exercise(
    "14-2",
    "Heal it",
    kind=Kind.REPAIR,
    wants="your open cloud, in which the pipeline is healed",
    parts=("an open cloud", "the pipeline is as it was", "a change goes through", "no door too many"),
    case=_broken,
    luck_of="14-1",
)
def heal_it(answer: Any, case: Case, marks: Marks) -> None:
    """Send one more change through the learner's own cloud."""
    if not isinstance(answer, Cloud):
        raise TypeError(f"{type(answer).__name__} is no cloud")
    record = answer.account.pipelines.get(case.name) if answer.is_open else None
    there = marks.part(
        "an open cloud",
        record is not None,
        yes=f"it has pipeline {case.name}",
        no=f"it has no pipeline {case.name}" if answer.is_open else "it is closed",
        hint="Open a cloud, let it happen there, and leave it open until the check is done.",
    )
    if not there or record is None:
        return
    marks.part(
        "the pipeline is as it was",
        len(record.versions) == 1,
        yes="the declaration was not touched",
        no=f"the declaration was changed: it is version {len(record.versions)}",
        hint="The declaration is sound. What is around it, is not.",
    )
    answer.run_until_idle()
    started = answer.client("codepipeline").start_pipeline_execution(name=case.name)["pipelineExecutionId"]
    answer.run_until_idle()
    found = answer.explain(case.name, started)
    marks.part(
        "a change goes through",
        found.cause is Cause.SUCCEEDED,
        yes="one more change went from the source to the target",
        no=f"one more change is {found.status}: it did not get past {found.place}" + _words(found.message),
        hint="Heal the cause that you found in exercise 1; a retry alone changes nothing.",
        stronger=found.next_step,
    )
    wide = sorted({name for policy in _policies(answer, case.role) for name in FORBIDDEN if _allows(policy, name)})
    marks.part(
        "no door too many",
        not wide,
        yes="the role may not do more than it has to",
        no=f"the role may now do {', '.join(wide)} as well",
        hint="Give back what was missing, and no star.",
    )


def _words(message: str) -> str:
    return f" ({message})" if message else ""


def _policies(cloud: Cloud, role: str) -> Iterator[Mapping[str, Any]]:
    """The inline policies of a role."""
    iam = cloud.client("iam")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield json.loads(document) if isinstance(document, str) else document


def _allows(policy: Mapping[str, Any], action: str, thing: str = "") -> bool:
    request = Request(action, thing or FORBIDDEN[action], frozenset(), {})
    return judge(policy, request) is Answer.ALLOW


@dataclass(frozen=True, slots=True)
class Loss:
    """A pipeline that goes well once, and whose role loses some permissions then.

    Attributes:
        pipeline: what is stood up.
    """

    pipeline: Pipeline
    _lost: tuple[str, ...]

    def __call__(self, cloud: Cloud) -> None:
        """Let it happen in an open cloud.

        Args:
            cloud: without a pipeline of this name.
        """
        record = cloud.provision(self.pipeline)
        cloud.run_until_idle()
        iam, role = cloud.client("iam"), record.pipeline.role_arn.rsplit("/", 1)[-1]
        for policy in list(_policies(cloud, role)):
            for statement in policy["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                statement["Action"] = [one for one in actions if one not in self._lost]
            kept = {**policy, "Statement": [one for one in policy["Statement"] if one["Action"]]}
            iam.put_role_policy(RoleName=role, PolicyName="pipesim", PolicyDocument=json.dumps(kept))
        cloud.client("codepipeline").start_pipeline_execution(name=record.name)
        cloud.run_until_idle()

    def __repr__(self) -> str:
        return f"what happened to the role of {self.pipeline.name}: call it with an open cloud"


def _lost(luck: Random) -> Mapping[str, Any]:
    sketch = luck.choice(tuple(LOSSES))
    pipeline = replace(load(sketch), name=luck.choice(NAMES))
    return {
        "name": pipeline.name,
        "role": pipeline.role_arn.rsplit("/", 1)[-1],
        "happens": Loss(pipeline, LOSSES[sketch]),
    }


@exercise(
    "14-3",
    "One message after the other",
    kind=Kind.WRITE,
    wants="an IAM policy as a dictionary with Version and Statement",
    parts=("a policy", "a change goes through", "only what is missing", "only on these things"),
    case=_lost,
    points=6,
)
def one_after_the_other(answer: Any, case: Case, marks: Marks) -> None:
    """Add the policy to the role in a cloud of its own, and send a change through; then ask what else it allows."""
    policy = json.loads(answer) if isinstance(answer, str) else dict(answer)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    marks.part(
        "a policy",
        policy.get("Version") == "2012-10-17"
        and all({"Effect", "Action", "Resource"} <= set(one) for one in statements),
        yes="it has a version, and each statement an effect, actions and resources",
        no="Version should be 2012-10-17, and each statement needs Effect, Action and Resource",
        hint="The lesson has one, in section 3.",
    )
    lost: tuple[str, ...] = case.happens._lost
    with Cloud(seed=1) as cloud:
        case.happens(cloud)
        cloud.client("iam").put_role_policy(RoleName=case.role, PolicyName="given", PolicyDocument=json.dumps(policy))
        cloud.client("codepipeline").start_pipeline_execution(name=case.name)
        cloud.run_until_idle()
        found = cloud.explain(case.name)
    marks.part(
        "a change goes through",
        found.cause is Cause.SUCCEEDED,
        yes="with this policy the pipeline does its work again",
        no=f"it does not get past {found.place}{_words(found.message)}",
        hint="The message names what is missing now. Add it, and look for the next one.",
        stronger="Action and Resource stand in the message, after 'perform' and after 'on resource'.",
    )
    named = [one for statement in statements for one in _listed(statement["Action"])]
    more = sorted({one for one in named if one not in lost})
    marks.part(
        "only what is missing",
        not more and not any(_allows(policy, one) for one in FORBIDDEN),
        yes=f"{len(set(named))} actions, and no other",
        no=f"{', '.join(more)} was not missing",
        hint="What no message has asked for, is not missing.",
        stronger="Name each action in full, without a star.",
    )
    wide = [one for one in lost if _allows(policy, one, OTHERS[one.partition(":")[0]])]
    marks.part(
        "only on these things",
        bool(named) and not wide,
        yes="things of other teams are out of reach",
        no=f"it allows {', '.join(wide)} on things of other teams",
        hint="The message names the resource, too.",
    )


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value]
