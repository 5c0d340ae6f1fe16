"""The CloudFormation deploy: stacks and change sets, made, replaced and deleted under the action's role.

Source: AWS CodePipeline User Guide, "AWS CloudFormation deploy action reference"; AWS CloudFormation User Guide,
"CloudFormation configuration properties reference" for CodePipeline.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.actions.template import (
    Settings,
    as_text,
    read_overrides,
    read_settings,
    read_template,
    refuse_unacknowledged,
    refuse_unknown_parameters,
)
from pipesim.cloud.artifacts import Archive, pack, read, store_of, write
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.gaps import cloudformation as gap
from pipesim.cloud.permissions import require, role_client, session_of, trusts
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

FAILED = frozenset({"CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"})
"""The states in which REPLACE_ON_FAILURE deletes a stack and makes a new one, and CREATE_UPDATE gives up."""

SERVICE = "cloudformation.amazonaws.com"

UNCHANGED = "No updates are to be performed"
REVIEWED = "REVIEW_IN_PROGRESS"
"""The state of a stack that has a first change set and nothing else."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Carry out the action mode."""
    gap.install()
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    deployment = Deployment(account, run)
    mode = run.configuration["ActionMode"]
    try:
        carry_out = MODES[mode]
    except KeyError:
        raise ActionFailed(
            f"ActionMode '{mode}' is unknown: choose one of {', '.join(MODES)}.", FailureType.CONFIGURATION_ERROR
        ) from None
    return carry_out(deployment)


class Deployment:
    """One run of an action, and the stack that it is about.

    Args:
        account: the mocked account.
        run: the action.
    """

    def __init__(self, account: Account, run: ActionRun) -> None:
        self.account = account
        self.run = run
        self.stack = run.configuration["StackName"]
        self.client = role_client(account, run, "cloudformation")
        self._archives: dict[str, Archive] = {}

    # --- the modes -------------------------------------------------------------------------------

    def create_or_update(self, *, replace: bool = False) -> Outcome:
        """CREATE_UPDATE and REPLACE_ON_FAILURE; a stack that is as wanted already is left alone (assumed)."""
        template, members = self._template(), self._members()
        status = self._status()
        if status in FAILED:
            if not replace:
                raise ActionFailed(f"Stack:{self.stack} is in {status} state and can not be updated.")
            self.client.delete_stack(StackName=self.stack)
        if status == REVIEWED:
            self._forget_review()
        if status is None or status in FAILED or status == REVIEWED:
            self._call(self.client.create_stack, StackName=self.stack, TemplateBody=template, **members)
            return self._done("created")
        try:
            self._call(self.client.update_stack, StackName=self.stack, TemplateBody=template, **members)
        except ClientError as error:
            if UNCHANGED not in error.response["Error"]["Message"]:
                raise
            return self._done("left as it is")
        return self._done("updated")

    def replace(self) -> Outcome:
        """REPLACE_ON_FAILURE: like CREATE_UPDATE, but a failed stack is deleted first."""
        return self.create_or_update(replace=True)

    def delete(self) -> Outcome:
        """DELETE_ONLY: a stack that does not exist is as good as deleted."""
        if self._status() is None:
            return Outcome(summary=f"Stack {self.stack} does not exist.", outputs={})
        stack_id = self._describe()["StackId"]
        self.client.delete_stack(StackName=self.stack, **self._role())
        return self._outcome(f"Stack {self.stack} was deleted.", stack_id)

    def replace_change_set(self) -> Outcome:
        """CHANGE_SET_REPLACE: make the change set anew."""
        template, members = self._template(), self._members()
        name = self._change_set_name()
        if (known := self._change_set(name)) is not None:
            self.client.delete_change_set(ChangeSetName=known, StackName=self.stack)
        status = self._status()
        if status in FAILED:
            raise ActionFailed(f"Stack:{self.stack} is in {status} state and can not be updated.")
        if status == REVIEWED:
            self._forget_review()
        kind = "CREATE" if status in (None, REVIEWED) else "UPDATE"
        answer = self._call(
            self.client.create_change_set,
            StackName=self.stack,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateBody=template,
            **{key: value for key, value in members.items() if key != "StackPolicyBody"},
        )
        return self._outcome(f"Change set {name} was created.", answer["Id"])

    def execute_change_set(self) -> Outcome:
        """CHANGE_SET_EXECUTE: let the stack become what the change set says."""
        name = self._change_set_name()
        known = self._change_set(name)
        if known is None:
            raise ActionFailed(
                f"ChangeSet [{name}] of stack [{self.stack}] does not exist: CHANGE_SET_REPLACE makes it.",
                FailureType.CONFIGURATION_ERROR,
            )
        described = self.client.describe_change_set(ChangeSetName=known, StackName=self.stack)
        if described["Status"] == "FAILED" and "didn't contain changes" in described.get("StatusReason", ""):
            return self._done("left as it was")
        if described["ExecutionStatus"] != "AVAILABLE":
            raise ActionFailed(
                f"ChangeSet [{known}] cannot be executed in its current execution status of"
                f" [{described['ExecutionStatus']}]"
            )
        self._call(self.client.execute_change_set, ChangeSetName=known, StackName=self.stack)
        return self._done("updated")

    # --- what they need --------------------------------------------------------------------------

    def _template(self) -> str:
        path = self.run.configuration.get("TemplatePath", "")
        if not path:
            raise ActionFailed(
                f"ActionMode {self.run.configuration['ActionMode']} needs a TemplatePath.",
                FailureType.CONFIGURATION_ERROR,
            )
        text = self._text(path)
        template = read_template(text, path)
        capabilities = {each.strip() for each in self.run.configuration.get("Capabilities", "").split(",")}
        refuse_unacknowledged(template, capabilities - {""})
        refuse_unknown_parameters(template, self._parameters())
        return text

    def _members(self) -> dict[str, Any]:
        """The members that create_stack, update_stack and create_change_set have in common."""
        configuration, settings = self.run.configuration, self._settings()
        members: dict[str, Any] = {
            "Parameters": [{"ParameterKey": name, "ParameterValue": text} for name, text in self._parameters().items()]
        }
        if settings.tags:
            members["Tags"] = [{"Key": key, "Value": str(value)} for key, value in settings.tags.items()]
        if settings.policy is not None:
            members["StackPolicyBody"] = settings.policy
        if capabilities := configuration.get("Capabilities"):
            members["Capabilities"] = [each.strip() for each in capabilities.split(",")]
        return {**members, **self._role()}

    def _role(self) -> dict[str, str]:
        """The member that hands CloudFormation a role of its own; the action's role must be allowed to do that."""
        role = self.run.configuration.get("RoleArn")
        if not role:
            return {}
        require(session_of(self.account, self.run), "iam:PassRole", role)
        if not trusts(role, SERVICE):
            raise ActionFailed(f"Role {role} is invalid or cannot be assumed", FailureType.CONFIGURATION_ERROR)
        return {"RoleARN": role}

    def _settings(self) -> Settings:
        path = self.run.configuration.get("TemplateConfiguration")
        return read_settings(self._text(path), path) if path else Settings()

    def _parameters(self) -> dict[str, str]:
        values = {name: as_text(value) for name, value in self._settings().parameters.items()}
        if overrides := self.run.configuration.get("ParameterOverrides"):
            values.update(read_overrides(overrides, self._artifact_attribute, self._file_value))
        return values

    def _artifact_attribute(self, artifact: str, attribute: str) -> str:
        self._refuse_undeclared(artifact)
        bucket, key = store_of(self.account, self.run).location, self.run.execution.artifacts[artifact]
        region = self.run.plan.action.region or self.account.region
        values = {
            "BucketName": bucket,
            "ObjectKey": key,
            "URL": f"https://s3-{region}.amazonaws.com/{bucket}/{key}",
        }
        if attribute not in values:
            raise ActionFailed(
                f"Artifacts have no attribute '{attribute}': Fn::GetArtifactAtt knows {', '.join(values)}.",
                FailureType.CONFIGURATION_ERROR,
            )
        return values[attribute]

    def _file_value(self, artifact: str, name: str, key: str) -> Any:
        text = self._text(f"{artifact}::{name}")
        try:
            return json.loads(text)[key]
        except (ValueError, KeyError, TypeError):
            raise ActionFailed(
                f"Fn::GetParam finds no key '{key}' in the JSON file [{name}] of artifact [{artifact}].",
                FailureType.CONFIGURATION_ERROR,
            ) from None

    def _text(self, path: str) -> str:
        """Return a file that is written ``Artifact::file``."""
        artifact, separator, name = path.partition("::")
        if not separator or not name:
            raise ActionFailed(f"'{path}' is not of the form Artifact::file.", FailureType.CONFIGURATION_ERROR)
        self._refuse_undeclared(artifact)
        if artifact not in self._archives:
            self._archives[artifact] = read(self.account, self.run, artifact)
        body = self._archives[artifact].read(name)
        if body is None:
            raise ActionFailed(
                f"File [{name}] does not exist in artifact [{artifact}]", FailureType.CONFIGURATION_ERROR
            )
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise ActionFailed(f"File [{name}] in artifact [{artifact}] is not text.") from None

    def _refuse_undeclared(self, artifact: str) -> None:
        if artifact not in self.run.plan.action.input_artifacts:
            raise ActionFailed(
                f"Artifact [{artifact}] is not an input artifact of action '{self.run.plan.action.name}'.",
                FailureType.CONFIGURATION_ERROR,
            )

    def _change_set_name(self) -> str:
        name = self.run.configuration.get("ChangeSetName")
        if not name:
            raise ActionFailed(
                f"ActionMode {self.run.configuration['ActionMode']} needs a ChangeSetName.",
                FailureType.CONFIGURATION_ERROR,
            )
        return name

    def _change_set(self, name: str) -> str | None:
        """Return the id of this stack's change set; moto would take any stack's of that name."""
        region = self.run.plan.action.region
        answer = self.account.client("cloudformation", region).list_change_sets(StackName=self.stack)
        for known in answer["Summaries"]:
            if known["StackName"] == self.stack and known["ChangeSetName"] == name:
                return str(known["ChangeSetId"])
        return None

    def _forget_review(self) -> None:
        """Take the empty stack of a first change set away: moto would put another one of its name beside it."""
        client = self.account.client("cloudformation", self.run.plan.action.region)
        client.delete_stack(StackName=self._describe()["StackId"])

    def _describe(self) -> Mapping[str, Any]:
        stack: Mapping[str, Any] = self.client.describe_stacks(StackName=self.stack)["Stacks"][0]
        return stack

    def _status(self) -> str | None:
        """Return the stack's state, or None when there is none."""
        try:
            return str(self._describe()["StackStatus"])
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise

    def _call(self, call: Any, **members: Any) -> Any:
        """Call CloudFormation; what goes wrong while a resource is made ends the action and names the stack."""
        try:
            return call(**members)
        except ClientError:
            raise
        except Exception as error:
            raise ActionFailed(f"The stack {self.stack} could not be changed: {error}") from error

    def _done(self, what: str) -> Outcome:
        described = self._describe()
        status = described["StackStatus"]
        if status.endswith("FAILED") or "ROLLBACK" in status:
            raise ActionFailed(
                f"The stack {self.stack} ended in {status}: {described.get('StackStatusReason', 'no reason is given')}"
            )
        values = {output["OutputKey"]: str(output["OutputValue"]) for output in described.get("Outputs") or ()}
        return self._outcome(f"Stack {self.stack} was {what}.", described["StackId"], values)

    def _outcome(self, summary: str, external_id: str, values: Mapping[str, str] | None = None) -> Outcome:
        written = {}
        name, artifacts = self.run.configuration.get("OutputFileName"), self.run.plan.action.output_artifacts
        if name and artifacts and values is not None:
            body = pack({name: json.dumps(dict(values)).encode()})
            written = write(self.account, self.run, {artifacts[0].name: body})
        return Outcome(
            summary=summary,
            external_id=external_id,
            external_url=execution_url(self.account, self.run, external_id),
            variables=values or {},
            outputs=written,
        )


MODES = {
    "CREATE_UPDATE": Deployment.create_or_update,
    "REPLACE_ON_FAILURE": Deployment.replace,
    "DELETE_ONLY": Deployment.delete,
    "CHANGE_SET_REPLACE": Deployment.replace_change_set,
    "CHANGE_SET_EXECUTE": Deployment.execute_change_set,
}
