"""Stack sets: a template that stands in several accounts and regions, and its instances.

An account that cannot be reached is no failure here; a template that a region refuses is one.
Source: AWS CodePipeline User Guide, "AWS CloudFormation StackSets action reference".
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.actions.template import read_template, refuse_unacknowledged
from pipesim.cloud.artifacts import read
from pipesim.cloud.gaps import cloudformation as gap
from pipesim.cloud.permissions import role_client, session_of
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

NO_SET = "StackSetNotFound"
"""What the codes begin with in which CloudFormation says that there is no such stack set."""

PASSED_ON = {
    "Description": "Description",
    "AdministrationRoleArn": "AdministrationRoleARN",
    "ExecutionRoleName": "ExecutionRoleName",
}


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Create or update the stack set and its instances."""
    gap.install()
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    configuration, name = run.configuration, run.configuration["StackSetName"]
    client = role_client(account, run, "cloudformation")
    path = configuration["TemplatePath"]
    template = _text(account, run, path)
    capabilities = _listed(configuration.get("Capabilities", ""))
    refuse_unacknowledged(read_template(template, path), set(capabilities))
    members: dict[str, Any] = {"StackSetName": name, "TemplateBody": template}
    members |= {there: configuration[here] for here, there in PASSED_ON.items() if here in configuration}
    members["Parameters"] = _parameters(account, run, "Parameters")
    if capabilities:
        members["Capabilities"] = capabilities
    operation = ""
    if _exists(client, name):
        present = client.list_stack_instances(StackSetName=name)["Summaries"]
        if present:
            members["Accounts"] = sorted({one["Account"] for one in present})
            members["Regions"] = sorted({one["Region"] for one in present})
        operation = _call(client.update_stack_set, **members)["OperationId"]
        _update_stacks(account, run, name, template)
    else:
        model = configuration.get("PermissionModel", "SELF_MANAGED")
        _call(client.create_stack_set, PermissionModel=model, **members)
    if "DeploymentTargets" in configuration and "Regions" in configuration:
        operation = _instances(account, run, client)
    return _ended(client, name, operation)


def act_instances(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Create instances of a stack set that is there."""
    gap.install()
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    client = role_client(account, run, "cloudformation")
    return _ended(client, run.configuration["StackSetName"], _instances(account, run, client))


def _instances(account: Account, run: ActionRun, client: Any) -> str:
    """Create the instances that are not there, and return the operation's id."""
    configuration = run.configuration
    targets = _listed(_value(account, run, configuration["DeploymentTargets"]))
    regions = _listed(_value(account, run, configuration["Regions"]))
    units = [one for one in targets if one.startswith(("ou-", "r-"))]
    where: dict[str, Any] = {"DeploymentTargets": {"OrganizationalUnitIds": units}} if units else {"Accounts": targets}
    made = _call(
        client.create_stack_instances,
        StackSetName=configuration["StackSetName"],
        Regions=regions,
        ParameterOverrides=_parameters(account, run, "ParameterOverrides"),
        **where,
    )
    return str(made["OperationId"])


def _update_stacks(account: Account, run: ActionRun, name: str, template: str) -> None:
    """Let the stacks of every instance have the new template; moto changes the stack set alone."""
    from moto.cloudformation.models import cloudformation_backends

    region = run.plan.action.region or account.region
    backends = cloudformation_backends
    stack_set = backends[session_of(account, run).account][region].describe_stack_set(name)
    stack_set.instances.template = template
    for instance in stack_set.stack_instances:
        instance.template = template
        parameters = [dict(one) for one in instance.parameters] if isinstance(instance.parameters, list) else []
        try:
            backends[instance.account_id][instance.region_name].update_stack(
                name=instance.stack.stack_id, template=template, role_arn=None, parameters=parameters, tags=None
            )
        except ClientError:
            raise
        except Exception as error:
            raise ActionFailed(f"The stack in {instance.region_name} could not be updated: {error}") from error


def _ended(client: Any, name: str, operation: str) -> Outcome:
    variables = {"OperationId": operation}
    if operation:
        told = client.describe_stack_set_operation(StackSetName=name, OperationId=operation)["StackSetOperation"]
        variables["StackSetId"] = told["StackSetId"]
        if told["Status"] != "SUCCEEDED":
            raise ActionFailed(f"The operation {operation} on stack set {name} ended with status {told['Status']}.")
    return Outcome(summary=f"Stack set {name} was deployed.", external_id=operation or name, variables=variables)


def _exists(client: Any, name: str) -> bool:
    try:
        client.describe_stack_set(StackSetName=name)
    except ClientError as error:
        if error.response["Error"]["Code"].startswith(NO_SET):
            return False
        raise
    return True


def _call(call: Any, **members: Any) -> Any:
    """Call CloudFormation; a resource that cannot be made ends the action."""
    try:
        return call(**members)
    except ClientError as error:
        if error.response["Error"]["Code"].startswith(NO_SET):
            raise ActionFailed(error.response["Error"]["Message"], FailureType.CONFIGURATION_ERROR) from None
        raise
    except Exception as error:
        raise ActionFailed(f"The stack set {members['StackSetName']} could not be changed: {error}") from error


def _parameters(account: Account, run: ActionRun, key: str) -> list[dict[str, str]]:
    """Parameters out of a file or out of the configuration itself (``ParameterKey=a,ParameterValue=b …``)."""
    text = _value(account, run, run.configuration.get(key, "")).strip()
    if not text.startswith(("[", "{")):
        pairs = [part.split(",ParameterValue=", 1) for part in text.split("ParameterKey=") if part.strip(" ,")]
        return [{"ParameterKey": one[0].strip(), "ParameterValue": one[-1].strip(" ,")} for one in pairs]
    try:
        found = json.loads(text)
    except ValueError:
        raise ActionFailed(f"{key} is no JSON.", FailureType.CONFIGURATION_ERROR) from None
    if isinstance(found, Mapping):
        return [{"ParameterKey": name, "ParameterValue": str(value)} for name, value in found.items()]
    return list(found)


def _listed(text: str) -> list[str]:
    """A list that is written with commas, or as JSON."""
    return [one for part in text.replace("[", " ").replace("]", " ").split(",") if (one := part.strip().strip('"'))]


def _value(account: Account, run: ActionRun, text: str) -> str:
    """What is configured: the text itself, or the file that it names as ``Artifact::file``."""
    artifact = text.partition("::")[0]
    return _text(account, run, text) if "::" in text and artifact in run.plan.action.input_artifacts else text


def _text(account: Account, run: ActionRun, path: str) -> str:
    artifact, _, name = path.partition("::")
    if not name or artifact not in run.plan.action.input_artifacts:
        raise ActionFailed(
            f"'{path}' does not name a file of an input artifact as Artifact::file.", FailureType.CONFIGURATION_ERROR
        )
    body = read(account, run, artifact).read(name)
    if body is None:
        raise ActionFailed(f"File [{name}] does not exist in artifact [{artifact}]", FailureType.CONFIGURATION_ERROR)
    return body.decode(errors="replace")
