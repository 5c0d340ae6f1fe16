"""The resource types that moto's CloudFormation lacks and pipelines need.

Source: AWS CloudFormation Template Reference, the page of each type ("Return values", "Update requires").
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, ClassVar

from moto.cloudformation import parsing

from pipesim.cloud.gaps.cloudformation.properties import model_of, translate
from pipesim.cloud.gaps.cloudformation.resource import Resource, TakenError

BESIDE = ("Tags", "DisableInboundStageTransitions", "RestartExecutionOnUpdate")


class Pipeline(Resource):
    """AWS::CodePipeline::Pipeline; Ref is its name."""

    type, service, named_by = "AWS::CodePipeline::Pipeline", "codepipeline", "Name"
    attributes: ClassVar = ("Arn", "Version")
    replaced_by: ClassVar = frozenset({"Name"})

    def create(self) -> None:
        """CreatePipeline, and DisableStageTransition for each that is to be disabled."""
        tags = {"tags": _small(self.properties["Tags"])} if self.properties.get("Tags") else {}
        self.call("CreatePipeline", pipeline=self._declaration(self.properties), **tags)
        self._disable(self.properties)

    def change(self, properties: Mapping[str, Any]) -> None:
        """UpdatePipeline where the declaration differs; then transitions and tags."""
        declaration = self._declaration(properties)
        if declaration != self._declaration(self.properties):
            self.call("UpdatePipeline", pipeline=declaration)
        for one in self.properties.get("DisableInboundStageTransitions", ()):
            if one not in properties.get("DisableInboundStageTransitions", ()):
                self.call(
                    "EnableStageTransition",
                    pipelineName=self.name,
                    stageName=one["StageName"],
                    transitionType="Inbound",
                )
        self._disable(properties, but=self.properties.get("DisableInboundStageTransitions", ()))
        arn = self.call("GetPipeline", name=self.name)["metadata"]["pipelineArn"]
        _retag(self, arn, properties)
        if str(properties.get("RestartExecutionOnUpdate", False)).lower() == "true":
            self.call("StartPipelineExecution", name=self.name)

    def remove(self) -> None:
        """DeletePipeline."""
        self.call("DeletePipeline", name=self.name)

    def get_cfn_attribute(self, name: str) -> str:
        """Version, as it is now, and the ARN."""
        if name in self.attributes:
            told = self.call("GetPipeline", name=self.name)
            return str(told["pipeline"]["version"] if name == "Version" else told["metadata"]["pipelineArn"])
        return super().get_cfn_attribute(name)

    def _declaration(self, properties: Mapping[str, Any]) -> Any:
        document = {key: value for key, value in properties.items() if key not in BESIDE}
        if isinstance(document.get("ArtifactStores"), list):
            document["ArtifactStores"] = {one["Region"]: one["ArtifactStore"] for one in document["ArtifactStores"]}
        return translate(model_of(self.service).shape_for("PipelineDeclaration"), document)

    def _disable(self, properties: Mapping[str, Any], but: Any = ()) -> None:
        for one in properties.get("DisableInboundStageTransitions", ()):
            if one not in but:
                self.call(
                    "DisableStageTransition",
                    pipelineName=self.name,
                    stageName=one["StageName"],
                    transitionType="Inbound",
                    reason=one["Reason"],
                )


class CustomActionType(Resource):
    """AWS::CodePipeline::CustomActionType."""

    type, service = "AWS::CodePipeline::CustomActionType", "codepipeline"
    attributes: ClassVar = ("Id",)
    replaced_by: ClassVar = frozenset(
        {
            "Category", "ConfigurationProperties", "InputArtifactDetails", "OutputArtifactDetails", "Provider",
            "Settings", "Version",
        }
    )  # fmt: skip

    def create(self) -> None:
        """CreateCustomActionType, which itself takes the same type twice; CloudFormation does not."""
        wanted = tuple(str(self.properties[part]) for part in ("Category", "Provider", "Version"))
        for one in self.call("ListActionTypes", actionOwnerFilter="Custom")["actionTypes"]:
            if wanted == tuple(one["id"][part] for part in ("category", "provider", "version")):
                raise TakenError(self.type, "|".join(wanted))
        made = self.ask("CreateCustomActionType", self.properties)["actionType"]["id"]
        self.values["Id"] = "|".join(made[part] for part in ("category", "provider", "version"))

    def remove(self) -> None:
        """DeleteCustomActionType."""
        self.ask("DeleteCustomActionType", {key: self.properties[key] for key in ("Category", "Provider", "Version")})


class Webhook(Resource):
    """AWS::CodePipeline::Webhook; Ref is its name."""

    type, service, named_by = "AWS::CodePipeline::Webhook", "codepipeline", "Name"
    attributes: ClassVar = ("Url",)
    replaced_by: ClassVar = frozenset({"Name"})

    def create(self) -> None:
        """PutWebhook, and RegisterWebhookWithThirdParty where it is to be registered."""
        self._put(self.properties)

    def change(self, properties: Mapping[str, Any]) -> None:
        """PutWebhook; registered or not as wanted."""
        self._put(properties)

    def remove(self) -> None:
        """DeleteWebhook."""
        self.call("DeleteWebhook", name=self.name)

    def _put(self, properties: Mapping[str, Any]) -> None:
        beside = ("Tags", "RegisterWithThirdParty", "TargetPipelineVersion")
        definition = {key: value for key, value in properties.items() if key not in beside}
        tags = {"tags": _small(properties["Tags"])} if properties.get("Tags") else {}
        shape = model_of(self.service).shape_for("WebhookDefinition")
        made = self.call("PutWebhook", webhook=translate(shape, definition), **tags)
        self.values["Url"] = made["webhook"]["url"]
        registered = str(properties.get("RegisterWithThirdParty", False)).lower() == "true"
        verb = "Register" if registered else "Deregister"
        self.call(f"{verb}WebhookWithThirdParty", webhookName=self.name)


class Project(Resource):
    """AWS::CodeBuild::Project; Ref is its name."""

    type, service, named_by = "AWS::CodeBuild::Project", "codebuild", "Name"
    attributes: ClassVar = ("Arn",)
    replaced_by: ClassVar = frozenset({"Name"})

    def create(self) -> None:
        """CreateProject."""
        self.values["Arn"] = self.ask("CreateProject", self.properties)["project"]["arn"]

    def change(self, properties: Mapping[str, Any]) -> None:
        """UpdateProject."""
        self.ask("UpdateProject", properties)

    def remove(self) -> None:
        """DeleteProject."""
        self.call("DeleteProject", name=self.name)


class Repository(Resource):
    """AWS::CodeCommit::Repository; Ref is its id. Code is its first commit."""

    type, service, named_by = "AWS::CodeCommit::Repository", "codecommit", "RepositoryName"
    attributes: ClassVar = ("Arn", "CloneUrlHttp", "CloneUrlSsh", "Name")

    def create(self) -> None:
        """CreateRepository, and CreateCommit with the files of the archive that Code names."""
        properties = {key: value for key, value in self.properties.items() if key != "Code"}
        made = self.ask("CreateRepository", properties)["repositoryMetadata"]
        self._note(made)
        if (code := self.properties.get("Code")) is not None:
            place = code["S3"]
            body = self.client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read()
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                files = [
                    {"filePath": name, "fileContent": archive.read(name)}
                    for name in archive.namelist()
                    if not name.endswith("/")
                ]
            self.call(
                "CreateCommit",
                repositoryName=self.name,
                branchName=code.get("BranchName", "main"),
                putFiles=files,
                commitMessage="Initial commit",
            )

    def change(self, properties: Mapping[str, Any]) -> None:
        """UpdateRepositoryName and UpdateRepositoryDescription; Code counts at the creation alone."""
        name, description = properties[self.named_by], properties.get("RepositoryDescription", "")
        if name != self.name:
            self.call("UpdateRepositoryName", oldName=self.name, newName=name)
            self.name = name
        if description != self.properties.get("RepositoryDescription", ""):
            self.call("UpdateRepositoryDescription", repositoryName=name, repositoryDescription=description)
        self._note(self.call("GetRepository", repositoryName=name)["repositoryMetadata"])

    def _note(self, told: Mapping[str, Any]) -> None:
        self.physical_resource_id = told["repositoryId"]
        self.values = {
            "Arn": told["Arn"],
            "CloneUrlHttp": told["cloneUrlHttp"],
            "CloneUrlSsh": told["cloneUrlSsh"],
            "Name": told["repositoryName"],
        }

    def remove(self) -> None:
        """DeleteRepository."""
        self.call("DeleteRepository", repositoryName=self.name)


class Application(Resource):
    """AWS::CodeDeploy::Application; Ref is its name."""

    type, service, named_by = "AWS::CodeDeploy::Application", "codedeploy", "ApplicationName"
    replaced_by: ClassVar = frozenset({"ApplicationName", "ComputePlatform"})

    def create(self) -> None:
        """CreateApplication."""
        self.ask("CreateApplication", self.properties)

    def remove(self) -> None:
        """DeleteApplication."""
        self.call("DeleteApplication", applicationName=self.name)


class DeploymentGroup(Resource):
    """AWS::CodeDeploy::DeploymentGroup; Ref is its name."""

    type, service, named_by = "AWS::CodeDeploy::DeploymentGroup", "codedeploy", "DeploymentGroupName"
    replaced_by: ClassVar = frozenset({"ApplicationName", "DeploymentGroupName"})

    def create(self) -> None:
        """CreateDeploymentGroup."""
        self.ask("CreateDeploymentGroup", self.properties)

    def change(self, properties: Mapping[str, Any]) -> None:
        """UpdateDeploymentGroup; what the template says no more is empty."""
        gone = {key: self.properties[key] for key in self.properties if key not in properties}
        emptied = {key: type(value)() for key, value in gone.items() if isinstance(value, (dict, list))}
        given = _without({**emptied, **properties}, "DeploymentGroupName", "Deployment", "Tags")
        self.ask("UpdateDeploymentGroup", {**given, "CurrentDeploymentGroupName": self.name})

    def remove(self) -> None:
        """DeleteDeploymentGroup."""
        application = self.properties["ApplicationName"]
        self.call("DeleteDeploymentGroup", applicationName=application, deploymentGroupName=self.name)


class Connection(Resource):
    """AWS::CodeConnections::Connection; Ref is its ARN. Somebody must complete the handshake."""

    type, service = "AWS::CodeConnections::Connection", "codeconnections"
    attributes: ClassVar = ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")
    replaced_by: ClassVar = frozenset({"ConnectionName", "ProviderType", "HostArn"})

    def create(self) -> None:
        """CreateConnection."""
        self.physical_resource_id = self.ask("CreateConnection", self.properties)["ConnectionArn"]

    def remove(self) -> None:
        """DeleteConnection."""
        self.call("DeleteConnection", ConnectionArn=self.physical_resource_id)

    def get_cfn_attribute(self, name: str) -> str:
        """What GetConnection says."""
        if name in self.attributes:
            told = self.call("GetConnection", ConnectionArn=self.physical_resource_id)["Connection"]
            return str(told[name])
        return super().get_cfn_attribute(name)


class StarConnection(Connection):
    """AWS::CodeStarConnections::Connection, the same under its older name."""

    type, service = "AWS::CodeStarConnections::Connection", "codestar-connections"


class NotificationRule(Resource):
    """AWS::CodeStarNotifications::NotificationRule; Ref is its ARN."""

    type, service = "AWS::CodeStarNotifications::NotificationRule", "codestar-notifications"
    attributes: ClassVar = ("Arn",)
    replaced_by: ClassVar = frozenset({"Resource"})

    def create(self) -> None:
        """CreateNotificationRule."""
        made = self.ask("CreateNotificationRule", _without(self.properties, "CreatedBy"))
        self.physical_resource_id = self.values["Arn"] = made["Arn"]

    def change(self, properties: Mapping[str, Any]) -> None:
        """UpdateNotificationRule."""
        given = _without(properties, "CreatedBy", "Resource", "Tags")
        self.ask("UpdateNotificationRule", {**given, "Arn": self.physical_resource_id})

    def remove(self) -> None:
        """DeleteNotificationRule."""
        self.call("DeleteNotificationRule", Arn=self.physical_resource_id)


TYPES: tuple[type[Resource], ...] = (
    Pipeline,
    CustomActionType,
    Webhook,
    Project,
    Repository,
    Application,
    DeploymentGroup,
    Connection,
    StarConnection,
    NotificationRule,
)

_replaced: list[tuple[dict[str, Any], str, Any]] = []


def register() -> None:
    """Teach moto's CloudFormation these types."""
    for kind in TYPES:
        for table, value in ((parsing.get_model_map(), kind), (parsing.get_name_type_map(), kind.named_by)):
            known: dict[str, Any] = table
            _replaced.append((known, kind.type, known.get(kind.type)))
            known[kind.type] = value


def unregister() -> None:
    """Let moto's CloudFormation forget them."""
    while _replaced:
        table, name, before = _replaced.pop()
        if before is None:
            del table[name]
        else:
            table[name] = before


def _small(tags: Any) -> list[dict[str, str]]:
    return [{"key": one["Key"], "value": str(one["Value"])} for one in tags]


def _without(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in names}


def _retag(resource: Resource, arn: str, properties: Mapping[str, Any]) -> None:
    old, new = resource.properties.get("Tags") or (), properties.get("Tags") or ()
    if gone := sorted({one["Key"] for one in old} - {one["Key"] for one in new}):
        resource.call("UntagResource", resourceArn=arn, tagKeys=gone)
    if new and new != old:
        resource.call("TagResource", resourceArn=arn, tags=_small(new))
