"""Lesson 7: deployments, health checks, and the way back."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from pipesim.assumptions.profile import load_profile
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number
from pipesim.classroom.runs import REPOSITORY, ended
from pipesim.cloud.account import Cloud
from pipesim.definition.model import Pipeline
from pipesim.formats.load import load

CHECK = "scripts/check.sh"
QUESTION = "curl --fail http://localhost/health"
APPSPEC = """version: 0.0
os: linux
files:
  - source: /
    destination: /var/www
hooks:
  ValidateService:
    - location: scripts/check.sh
      timeout: 60
"""
GOOD = {"appspec.yml": APPSPEC, CHECK: f"#!/bin/sh\n{QUESTION} || exit 1\n", "index.html": "<p>1</p>\n"}
SICK = {CHECK: f"#!/bin/sh\n{QUESTION}\nexit 1\n"}
TEN_MINUTES = 'actions."Deploy/CodeDeploy".duration = "10m"'
TAG = {"Key": "app", "Value": "shop"}
AN_AMI = "ami-12c6146b"


def _pipeline() -> Pipeline:
    """A repository, and a deployment to the group `live` of the application `shop`."""
    document = copy.deepcopy(load("GitHub -> CodeDeploy").to_document())
    document["name"] = "shop"
    document["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = REPOSITORY
    document["stages"][1]["actions"][0]["configuration"] = {"ApplicationName": "shop", "DeploymentGroupName": "live"}
    return load(document)


class _Shop:
    """A shop on some instances, in a mocked account.

    Args:
        cloud: the account.
        size: how many instances.
        settings: of the deployment group, as CreateDeploymentGroup takes them.
    """

    def __init__(self, cloud: Cloud, size: int, settings: Mapping[str, Any]) -> None:
        self.cloud, self.codedeploy = cloud, cloud.client("codedeploy")
        self.repository = cloud.repository(REPOSITORY)
        tags = [{"ResourceType": "instance", "Tags": [TAG]}]
        made = cloud.client("ec2").run_instances(ImageId=AN_AMI, MinCount=size, MaxCount=size, TagSpecifications=tags)
        self.instances = [str(one["InstanceId"]) for one in made["Instances"]]
        self.codedeploy.create_application(applicationName="shop")
        own = {
            "applicationName": "shop",
            "deploymentGroupName": "live",
            "serviceRoleArn": "arn:aws:iam::123456789012:role/deploy",
            "ec2TagFilters": [{**TAG, "Type": "KEY_AND_VALUE"}],
        }
        self.codedeploy.create_deployment_group(**{**settings, **own})

    def push(self, files: Mapping[str, Any]) -> None:
        """Push a release; the first one stands the pipeline up."""
        self.repository.push(files)
        if not list(self.cloud.pipelines()):
            self.cloud.provision(_pipeline())

    def release(self, files: Mapping[str, Any]) -> dict[str, Any]:
        """Push a release and wait; return what became of its deployment."""
        before = len(self.deployments())
        self.push(files)
        self.cloud.advance(hours=4)
        return self.deployments()[before]

    def deployments(self) -> list[dict[str, Any]]:
        """All deployments, the oldest first."""
        ids = self.codedeploy.list_deployments()["deployments"]
        told = [self.codedeploy.get_deployment(deploymentId=id)["deploymentInfo"] for id in ids]
        return sorted(told, key=lambda one: one["createTime"])

    def failed_events(self, deployment: Mapping[str, Any]) -> list[str]:
        """The lifecycle events that failed on any instance."""
        id = deployment["deploymentId"]
        targets = self.codedeploy.list_deployment_targets(deploymentId=id)["targetIds"]
        told = self.codedeploy.batch_get_deployment_targets(deploymentId=id, targetIds=targets)["deploymentTargets"]
        events = [event for one in told for event in one["instanceTarget"]["lifecycleEvents"]]
        return [str(event["lifecycleEventName"]) for event in events if event["status"] == "Failed"]


@contextmanager
def _shop(size: int = 2, settings: Mapping[str, Any] | None = None) -> Iterator[_Shop]:
    with Cloud(seed=1, assumptions=load_profile(TEN_MINUTES)) as cloud:
        yield _Shop(cloud, size, settings or {})


def _why(deployment: Mapping[str, Any]) -> str:
    """What stopped a deployment, without the general sentence before it."""
    told = str(deployment.get("errorInformation", {}).get("message", ""))
    return told.partition("problems. (")[2].rstrip(")") or told or f"it ended as {deployment['status']}"


def _one_is_down(luck: Random) -> Mapping[str, Any]:
    """Some instances, of which one does not answer."""
    size = luck.randint(5, 8)
    return {
        "pipeline": _pipeline(),
        "instances": size,
        "down": luck.randint(2, size - 2),
        "settings": {"deploymentConfigName": "CodeDeployDefault.OneAtATime"},
        "files": dict(GOOD),
    }


@exercise(
    "07-1",
    "One instance is down",
    kind=Kind.PREDICT,
    wants="two numbers: instances with the new release, and instances that were never touched",
    parts=("with the new release", "never touched"),
    case=_one_is_down,
)
def one_is_down(answer: Any, case: Case, marks: Marks) -> None:
    """Stop the instance, deploy, and read the overview of the deployment."""
    new, untouched = (number(one) for one in answer)
    with _shop(case.instances, case.settings) as shop:
        shop.cloud.client("ec2").stop_instances(InstanceIds=[shop.instances[case.down - 1]])
        overview = shop.release(case.files)["deploymentOverview"]
    marks.part(
        "with the new release",
        close(new, overview["Succeeded"], within=0.1),
        yes=f"{overview['Succeeded']} were done before it came to the one that is down",
        no=f"{new:g} would do if the deployment went on behind the one that is down"
        if close(new, case.instances - 1, within=0.1)
        else f"{new:g} is too {'many' if new > overview['Succeeded'] else 'few'}",
        hint="One at a time, in order. What has succeeded before, stays.",
        stronger="Stand the fleet up as in the lesson, stop that instance, push, and read deploymentOverview.",
    )
    marks.part(
        "never touched",
        close(untouched, overview["Skipped"], within=0.1),
        yes=f"{overview['Skipped']} still run the old release: the fleet is mixed now",
        no=f"{untouched:g} is too {'many' if untouched > overview['Skipped'] else 'few'}",
        hint="With this configuration all instances but one have to stay healthy. One is lost already.",
        stronger="Those behind the one that is down are skipped.",
    )


def _revision(luck: Random) -> Mapping[str, Any]:
    """A revision with two of three faults."""
    files, faults = dict(GOOD), luck.sample(("place", "script", "exit"), 2)
    if "script" in faults:
        files["appspec.yml"] = APPSPEC.replace(CHECK, luck.choice(("script/check.sh", "scripts/health.sh", "check.sh")))
    if "exit" in faults:
        files |= SICK
    if "place" in faults:
        files[luck.choice(("deploy/appspec.yml", "scripts/appspec.yml"))] = files.pop("appspec.yml")
    return {"files": files, "check": CHECK}


@exercise(
    "07-2",
    "Mend a revision",
    kind=Kind.REPAIR,
    wants="a dictionary of files: path and content",
    parts=("it goes out", "the question is still asked", "a sick release is stopped"),
    case=_revision,
)
def revision(answer: Any, case: Case, marks: Marks) -> None:
    """Deploy the revision; then deploy it with a health check that fails."""
    files = {str(path): content for path, content in dict(answer).items()}
    with _shop() as shop:
        healthy = shop.release(files)
        there = case.check in files
        sick = shop.release({case.check: f"#!/bin/sh\n{QUESTION}\n\nexit 1\n"})
        where = shop.failed_events(sick)
    out = marks.part(
        "it goes out",
        healthy["status"] == "Succeeded",
        yes="both instances have it",
        no=_why(healthy),
        hint="The message says what the agent missed, and on which instance. There may be a second fault behind it.",
        stronger="The AppSpec file lies at the top, its locations are paths in the revision, and a script that ends "
        "with an exit other than 0 fails.",
    )
    marks.part(
        "the question is still asked",
        there and QUESTION in str(files[case.check]),
        yes="the script asks the application how it is",
        no=f"{case.check} does not ask any more" if there else f"there is no {case.check} any more",
        hint="A health check that is always content protects nobody. Mend it; do not empty it.",
    )
    if not out:
        return
    marks.part(
        "a sick release is stopped",
        sick["status"] == "Failed" and "ValidateService" in where,
        yes="when the check says no, the deployment fails at ValidateService",
        no="a release whose check fails goes out all the same"
        if sick["status"] == "Succeeded"
        else f"a release whose check fails is stopped at {', '.join(where)}, not at ValidateService",
        hint="Which lifecycle event runs last, when the application has been started?",
        stronger=f"hooks: ValidateService: location: {CHECK}",
    )


def _two_ways(luck: Random) -> Mapping[str, Any]:
    """The same fleet, in place and blue/green."""
    wait = luck.choice((15, 20, 30, 45))
    blue_green = {
        "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        "blueGreenDeploymentConfiguration": {
            "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": wait}
        },
    }
    quick = {"deploymentConfigName": "CodeDeployDefault.AllAtOnce"}
    return {
        "pipeline": _pipeline(),
        "instances": luck.randint(3, 6),
        "settings": {"in_place": quick, "blue_green": {**quick, **blue_green}},
        "good": dict(GOOD),
        "bad": dict(SICK),
    }


@exercise(
    "07-3",
    "In place or blue/green?",
    kind=Kind.CHOOSE,
    wants="three things: 'in_place' or 'blue_green', the instances that fail in place, and the minutes that it costs",
    parts=("the safer way", "what customers would have met", "what it costs"),
    case=_two_ways,
)
def two_ways(answer: Any, case: Case, marks: Marks) -> None:
    """Deploy a good and a bad release in both ways."""
    choice, met, extra = answer
    if choice not in case.settings:
        raise ValueError(f"no way {choice!r} (there are {', '.join(case.settings)})")
    took, hit = {}, {}
    for way, settings in case.settings.items():
        with _shop(case.instances, settings) as shop:
            good = shop.release(case.good)
            bad = shop.release(case.bad)
            took[way] = (good["completeTime"] - good["startTime"]).total_seconds() / 60
            hit[way] = _reached(shop, bad)
    safer = min(hit, key=lambda way: hit[way])
    marks.part(
        "the safer way",
        choice == safer,
        yes=f"the bad release fails on instances that no customer reaches ({hit[safer]} instead of {hit['in_place']})",
        no="there the bad release fails on instances that customers are using",
        hint="On which instances does the health check run, and who reaches them at that moment?",
    )
    marks.part(
        "what customers would have met",
        close(met, hit["in_place"], within=0.1),
        yes=f"all at once, that is {hit['in_place']} of {case.instances} instances",
        no=f"{met} is not what the deployment in place leaves behind",
        hint="deploymentOverview of the deployment of the bad release counts them.",
        stronger="All at once means that every instance is taken before anybody looks.",
    )
    truth = took["blue_green"] - took["in_place"]
    marks.part(
        "what it costs",
        close(extra, truth, within=0.5),
        yes=f"a good release takes {truth:.0f} minutes more, in which two fleets are paid for",
        no=f"{extra} minutes is not the difference between the two deployments of the good release",
        hint="completeTime less startTime of the good release, in both ways.",
        stronger="The old instances are kept for a while before they are terminated, and the action waits for it.",
    )


def _reached(shop: _Shop, deployment: Mapping[str, Any]) -> int:
    """Instances that customers reach, and on which a release has failed."""
    id = deployment["deploymentId"]
    ids = shop.codedeploy.list_deployment_targets(deploymentId=id)["targetIds"]
    told = shop.codedeploy.batch_get_deployment_targets(deploymentId=id, targetIds=ids)["deploymentTargets"]
    targets = [one["instanceTarget"] for one in told]
    return sum(one["status"] == "Failed" and one.get("instanceLabel") != "Green" for one in targets)


def _alarm(luck: Random) -> Mapping[str, Any]:
    return {
        "alarm": luck.choice(("too-many-errors", "checkout-slow", "orders-missing")),
        "pipeline": _pipeline(),
        "instances": luck.randint(2, 4),
    }


@exercise(
    "07-4",
    "Back when the alarm rings",
    kind=Kind.BUILD,
    wants="a dictionary of settings, as create_deployment_group takes them",
    parts=(
        "a healthy release goes out",
        "the alarm stops a release",
        "the old release comes back",
        "also after a failed health check",
    ),
    case=_alarm,
)
def back_on_alarm(answer: Any, case: Case, marks: Marks) -> None:
    """Deploy three releases: a good one, one during which the alarm rings, and one that fails its health check."""
    with _shop(case.instances, dict(answer)) as shop:
        cloudwatch = shop.cloud.client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName=case.alarm, Namespace="Shop", MetricName="Trouble", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=3, ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )  # fmt: skip
        first = shop.release(GOOD)
        shop.push({"index.html": "<p>2</p>\n"})
        shop.cloud.advance(minutes=1)
        for _ in range(5):
            cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Trouble", "Value": 9}])
            shop.cloud.advance(minutes=1)
        shop.cloud.advance(hours=4)
        second, *after_alarm = shop.deployments()[1:]
        count = len(shop.deployments())
        shop.release(SICK)
        after_check = shop.deployments()[count + 1 :]
    marks.part(
        "a healthy release goes out",
        first["status"] == "Succeeded",
        yes="while the alarm is quiet, nothing is in the way",
        no=_why(first),
        hint="Settings that stop everything are no help.",
    )
    marks.part(
        "the alarm stops a release",
        second["status"] == "Stopped",
        yes="the deployment stops within a minute",
        no=f"the alarm {case.alarm} rings, and the deployment ends as {second['status']}",
        hint="A deployment group can be told which alarms to watch.",
        stronger='alarmConfiguration has "enabled" and "alarms", a list of {"name": …}.',
    )
    back = [one for one in after_alarm if one["creator"] == "codeDeployRollback" and one["status"] == "Succeeded"]
    marks.part(
        "the old release comes back",
        bool(back) and back[0]["revision"] == first["revision"],
        yes="the last good revision is deployed again, as a deployment of its own",
        no="nothing is deployed after the alarm: the fleet is left as it was at that moment",
        hint="Stopping and going back are two settings.",
        stronger="autoRollbackConfiguration has a list of events; DEPLOYMENT_STOP_ON_ALARM is one of them.",
    )
    marks.part(
        "also after a failed health check",
        any(one["creator"] == "codeDeployRollback" and one["status"] == "Succeeded" for one in after_check),
        yes="a deployment that fails by itself is taken back, too",
        no="a release fails its health check, and nobody takes it back",
        hint="The events of the rollback are a list. What else can go wrong?",
        stronger="DEPLOYMENT_FAILURE belongs in the list, too.",
    )


def _place(luck: Random) -> Mapping[str, Any]:
    """A pipeline that makes a stack and then deploys to an environment; its change lacks one thing and has a fault."""
    document = load("GitHub -> CloudFormation -> Elastic Beanstalk").to_document() | {"name": "place"}
    document["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = REPOSITORY
    hook = luck.choice((".platform/hooks/postdeploy/01_health.sh", ".platform/hooks/predeploy/01_ready.sh"))
    ends = luck.choice(("exit 1", "exit 3"))
    return {
        "pipeline": load(document),
        "files": {"app.py": "print('shop')\n", hook: f"#!/bin/sh\n{QUESTION}\n\n{ends}\n"},
        "bucket": f"shop-{luck.choice(('pictures', 'invoices', 'uploads'))}-{luck.randint(10, 99)}",
        "team": luck.choice(("checkout", "search", "orders")),
        "output": luck.choice(("Where", "Store", "Place")),
    }


@exercise(
    "07-5",
    "A stack, then a place to run",
    kind=Kind.BUILD,
    wants="a dictionary of files: path and content",
    parts=(
        "the stack is made",
        "the bucket tells whose it is",
        "the output names it",
        "the environment is well",
        "the question is still asked",
    ),
    case=_place,
)
def place(answer: Any, case: Case, marks: Marks) -> None:
    """Push the change; look at the stack and what it has made, and at the environment."""
    files = {str(path): content for path, content in dict(answer).items()}
    with Cloud(seed=1, assumptions=load_profile(TEN_MINUTES)) as cloud:
        cloud.repository(REPOSITORY).push(files)
        cloud.provision(case.pipeline)
        cloud.advance(hours=2)
        stack, site = (ended(cloud, "place", name) for name in ("CloudFormation", "ElasticBeanstalk"))
        owner, outputs = _owner(cloud, case.bucket), _outputs(cloud)
        health = cloud.client("elasticbeanstalk").describe_environments()["Environments"][0]["Health"]
    made = marks.part(
        "the stack is made",
        stack.status == "Succeeded",
        yes=stack.message,
        no=f"the action says: {stack.message.splitlines()[0] if stack.message else stack.status}",
        hint="Where does the action look for the template? case.pipeline says it in TemplatePath.",
        stronger="TemplatePath is SourceOutput::template.yaml, so the file is called template.yaml.",
    )
    marks.part(
        "the question is still asked",
        any(path.startswith(".platform/hooks/") and QUESTION in str(text) for path, text in files.items()),
        yes="a hook asks the application how it is",
        no="no hook asks the application any more",
        hint="A check that was removed finds nothing. Mend the hook; do not throw it away.",
    )
    if not made:
        return
    marks.part(
        "the bucket tells whose it is",
        owner == case.team,
        yes=f"{case.bucket} is there, and has the tag team: {case.team}",
        no=f"the stack has made no bucket that is called {case.bucket}"
        if owner is None
        else f"{case.bucket} is there, and its tag team says {owner or 'nothing'}",
        hint="A resource of type AWS::S3::Bucket has Properties: what it is called, and what is known of it.",
        stronger="Properties: BucketName, and Tags, a list with a Key and a Value each.",
    )
    marks.part(
        "the output names it",
        outputs.get(case.output) == case.bucket,
        yes=f"whoever asks the stack is told {case.output}: {case.bucket}",
        no=f"the stack puts out {outputs or 'nothing'}",
        hint="Beside Resources a template has Outputs; each has a name and a Value.",
        stronger=f"Outputs: {case.output}: Value: !Ref and the name of the resource.",
    )
    marks.part(
        "the environment is well",
        site.status == "Succeeded" and health == "Green",
        yes="the environment runs the new version, and its health is Green",
        no=f"the action says: {site.message or site.status}",
        hint="The message names the command that has failed. How does that script end?",
        stronger="The last line of the hook makes it fail, whatever the application has answered.",
    )


def _owner(cloud: Cloud, bucket: str) -> str | None:
    """What the tag `team` of a bucket says; "" when it has none, None when there is no such bucket."""
    s3 = cloud.client("s3")
    if bucket not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        return None
    try:
        tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError:
        return ""
    return next((str(one["Value"]) for one in tags if one["Key"] == "team"), "")


def _outputs(cloud: Cloud) -> dict[str, str]:
    """What the account's stacks put out."""
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for stack in stacks for one in stack.get("Outputs", [])}
