"""What one build does on the account, under its project's role: variables, logs, inputs and outputs.

Source: AWS CodeBuild User Guide, "Build specification reference", "Environment variables in build
environments", "Build phase transitions" and "Troubleshooting".
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import Archive, pack, read_all, write
from pipesim.cloud.buildspec import PHASES, ArtifactSpec, Buildspec, assigned, exit_status, parse_buildspec
from pipesim.cloud.clones import followed
from pipesim.cloud.permissions import Session, assume, client
from pipesim.errors import SourceError

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

CODEBUILD = "codebuild.amazonaws.com"
SESSION = "AWSCodeBuild"
EVERYTHING = ArtifactSpec(files=("**/*",))


class BuildFailed(Exception):
    """A build cannot go on.

    Attributes:
        phase: the phase in which it went wrong, such as ``DOWNLOAD_SOURCE``.
        code: such as ``CLIENT_ERROR``.
    """

    def __init__(self, phase: str, code: str, message: str) -> None:
        super().__init__(message)
        self.phase = phase
        self.code = code


@dataclass(slots=True)
class Workshop:
    """One build at work.

    Attributes:
        account: the mocked account.
        run: the action that it works for.
        project: moto's description of the project.
        record: moto's record of the build.
        primary: the name of the input artifact that is the source.
        given: the environment variables of the action.
        region: where it works.
        variables: the values of its environment variables.
        source: the files of the source.
        spec: its buildspec.
        outputs: the object keys of what it wrote.
        lines: what its log says in each phase.
        is_part: whether it is one build of a batch, which writes the outputs of all.
        buildspec: the file of its own buildspec, in a batch; empty: the project's.
        made: the files of each output artifact.
    """

    account: Account
    run: ActionRun
    project: Mapping[str, Any]
    record: dict[str, Any]
    primary: str
    given: list[dict[str, str]]
    region: str
    variables: dict[str, str] = field(default_factory=dict)
    source: dict[str, bytes] = field(default_factory=dict)
    spec: Buildspec = field(default_factory=lambda: parse_buildspec("version: 0.2"))
    outputs: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    is_part: bool = False
    buildspec: str = ""
    made: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Open the log, fetch the inputs, read the buildspec and set the variables.

        Raises:
            BuildFailed: one of these did not work.
        """
        with self._phase("PROVISIONING"):
            self._open_log()
        with self._phase("DOWNLOAD_SOURCE"):
            archives = read_all(self.account, self.run, self.client("s3"))
            source = followed(self.account, archives[self.primary], self.session())
            self.source = dict(source.files())
            self.spec = self._read_buildspec(source)
            self._set_variables()

    def work(self) -> None:
        """Tell of the commands and write the outputs.

        Raises:
            BuildFailed: writing did not work.
        """
        for phase in PHASES:
            for command in self.spec.commands.get(phase, ()):
                if status := exit_status(command):
                    self._tell_commands(failing=(phase, command))
                    raise BuildFailed(
                        phase.upper(),
                        "COMMAND_EXECUTION_ERROR",
                        f"Error while executing command: {command}. Reason: exit status {status}",
                    )
        self._tell_commands()
        with self._phase("UPLOAD_ARTIFACTS"):
            self.made = self._select()
            if self.made and not self.is_part:
                bodies = {name: pack(files, self.account.now) for name, files in self.made.items()}
                self.outputs = write(self.account, self.run, bodies, self.client("s3"))

    def break_down(self, message: str) -> BuildFailed:
        """Fail in the build phase, as is assumed; return the failure.

        Args:
            message: what is assumed to have gone wrong; empty: a command's exit status.
        """
        commands = self.spec.commands.get("build") or ("the build",)
        self._tell_commands(failing=("build", commands[-1]))
        text = message or f"Error while executing command: {commands[-1]}. Reason: exit status 1"
        return BuildFailed("BUILD", "COMMAND_EXECUTION_ERROR", text)

    def exported(self) -> dict[str, str]:
        """The variables that the build exports.

        Assumed values come first, then those of the environment. Commands are not executed: what only they
        would have set gets a made-up value.
        """
        assumed = self.run.plan.assumption.variables
        made_up = self.run.plan.success.variables if self.run.plan.success is not None else {}
        names = self.spec.exported or tuple(assumed)
        name_of_action = self.run.plan.action.name
        exported = {
            name: assumed.get(name) or self.variables.get(name) or made_up.get(name) or f"{name_of_action}.{name}"
            for name in names
        }
        return {**exported, **assumed}

    def write_log(self, starts: Mapping[str, datetime], failed: BuildFailed | None) -> None:
        """Write the build's log; without effect when its role may not.

        Args:
            starts: when each phase began.
            failed: what went wrong, or None.
        """
        events = []
        for phase, begun in starts.items():
            texts = [f"Entering phase {phase}", *self.lines.get(phase, ())]
            if failed is not None and phase == failed.phase:
                texts.append(f"Phase complete: {phase} State: FAILED")
                texts.append(f"Phase context status code: {failed.code} Message: {failed}")
            elif phase not in ("SUBMITTED", "QUEUED", "COMPLETED"):
                texts.append(f"Phase complete: {phase} State: SUCCEEDED")
            stamp = f"[Container] {begun:%Y/%m/%d %H:%M:%S}"
            events += [{"timestamp": int(begun.timestamp() * 1000), "message": f"{stamp} {text}"} for text in texts]
        with suppress(ClientError):
            place = self.record["logs"]
            self.client("logs").put_log_events(
                logGroupName=place["groupName"], logStreamName=place["streamName"], logEvents=events
            )

    def client(self, service: str) -> Any:
        """A client under the build's role; ClientError when the role cannot be assumed."""
        return client(self.account, self.session(), service, self.region)

    def session(self) -> Session:
        """The build's role, assumed; ClientError when it cannot be."""
        return assume(self.account, self.record["serviceRole"], CODEBUILD, SESSION)

    @contextmanager
    def _phase(self, phase: str) -> Generator[None]:
        """Turn whatever goes wrong inside into the failure of this phase."""
        try:
            yield
        except SourceError as broken:
            raise BuildFailed(phase, "YAML_FILE_ERROR", str(broken)) from None
        except ActionFailed as failed:
            raise BuildFailed(phase, "CLIENT_ERROR", str(failed)) from None
        except ClientError as error:
            detail = error.response["Error"]
            raise BuildFailed(phase, "CLIENT_ERROR", f"{detail['Code']}: {detail['Message']}") from None

    def _open_log(self) -> None:
        logs, place = self.client("logs"), self.record["logs"]
        try:
            logs.create_log_stream(logGroupName=place["groupName"], logStreamName=place["streamName"])
        except logs.exceptions.ResourceNotFoundException:
            logs.create_log_group(logGroupName=place["groupName"])
            logs.create_log_stream(logGroupName=place["groupName"], logStreamName=place["streamName"])

    def _read_buildspec(self, source: Archive) -> Buildspec:
        said = (
            self.buildspec
            or self.run.configuration.get("BuildspecOverride")
            or self.project["source"].get("buildspec")
            or ""
        )
        if "\n" in said or said.lstrip().startswith(("{", "version")):
            return parse_buildspec(said)
        name = said or "buildspec.yml"
        found = source.read(name)
        if found is None and not said:
            found = source.read("buildspec.yaml")
        if found is None:
            raise SourceError(f"stat /codebuild/output/src/{name}: no such file or directory")
        return parse_buildspec(found.decode("utf-8", errors="replace"))

    def _set_variables(self) -> None:
        build_id = self.record["id"]
        self.variables = {
            **self.spec.variables,
            **{name: self._parameter(place) for name, place in self.spec.parameters.items()},
            **{name: self._secret(place) for name, place in self.spec.secrets.items()},
        }
        for given in (*self.project["environment"].get("environmentVariables", ()), *self.given):
            kind, value = given.get("type", "PLAINTEXT"), given["value"]
            fetch = {"PARAMETER_STORE": self._parameter, "SECRETS_MANAGER": self._secret}.get(kind)
            self.variables[given["name"]] = value if fetch is None else fetch(value)
        told = [command for phase in PHASES for command in self.spec.commands.get(phase, ())]
        self.variables |= dict(pair for command in told if (pair := assigned(command)) is not None)
        self.variables |= {
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "CODEBUILD_SRC_DIR": "/codebuild/output/src",
            **{f"CODEBUILD_SRC_DIR_{name}": f"/codebuild/output/{name}" for name in self._secondary()},
            "CODEBUILD_BUILD_ARN": self.record["arn"],
            "CODEBUILD_BUILD_ID": build_id,
            "CODEBUILD_BUILD_NUMBER": str(self.record["buildNumber"]),
            "CODEBUILD_INITIATOR": self.record["initiator"],
            "CODEBUILD_RESOLVED_SOURCE_VERSION": self.record.get("resolvedSourceVersion", ""),
            "CODEBUILD_SOURCE_VERSION": self.record["sourceVersion"],
        }

    def _secondary(self) -> list[str]:
        return [name for name in self.run.plan.action.input_artifacts if name != self.primary]

    def _parameter(self, name: str) -> str:
        return str(self.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])

    def _secret(self, reference: str) -> str:
        """The value of ``secret-id:json-key:version-stage:version-id``, of which the first part is enough."""
        import json

        name, key, *_ = [*reference.split(":"), ""] if not reference.startswith("arn:") else [reference, ""]
        text = str(self.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        return str(json.loads(text)[key]) if key else text

    def _tell_commands(self, failing: tuple[str, str] | None = None) -> None:
        for phase in PHASES:
            lines = self.lines.setdefault(phase.upper(), [])
            for command in self.spec.commands.get(phase, ()):
                lines.append(f"Running command {command}")
                if (phase, command) == failing:
                    lines.append(f"Command did not exit successfully {command} exit status {exit_status(command) or 1}")
                    return

    def _select(self) -> dict[str, dict[str, bytes]]:
        """The files of each output artifact: what the buildspec names for it, else the whole source."""
        made = f"made by build {self.record['id']}\n".encode()
        selected = {}
        for artifact in self.run.plan.action.output_artifacts:
            section = self.spec.secondary.get(artifact.name) or self.spec.artifacts or EVERYTHING
            selected[artifact.name] = section.select(self.source, made)
        return selected
