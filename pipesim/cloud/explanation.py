"""What `explain` answers: where an execution stands or fell, the likely cause, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from html import escape


class Cause(StrEnum):
    """Why an execution does not go on, or that nothing is wrong with it."""

    SUCCEEDED = "succeeded"
    WORKING = "still working"
    NOT_STARTED = "not started"
    PERMISSION = "permission"
    BUCKET_POLICY = "bucket policy"
    KMS_KEY = "KMS key"
    ARTIFACT = "artifact name"
    CONFIGURATION = "configuration"
    CONNECTION = "connection pending"
    QUOTA = "quota exhausted"
    WORKER_ABSENT = "worker absent"
    HANDLER_SILENT = "handler never answered"
    APPROVAL_WAITING = "approval waiting"
    APPROVAL_REJECTED = "approval rejected"
    TRANSITION_DISABLED = "transition disabled"
    STAGE_LOCK = "waiting for a stage"
    SUPERSEDED = "superseded"
    CONDITION = "condition not met"
    STOPPED = "stopped"
    WORK_FAILED = "the work itself failed"
    SERVICE = "service unavailable"


class Certainty(StrEnum):
    """How sure an explanation is: read off the state, borne out by the account, or by the message alone."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where an execution stands or fell, and why.

    Attributes:
        pipeline: the pipeline's name.
        execution: the execution's id; "" when the pipeline never ran.
        status: the execution's status.
        stage: where it stands or fell; "" when it is nowhere.
        action: the action at fault, or the one waited for; "" when it is none.
        code: the error code; "" without an error.
        message: the error message, or the stage's or execution's own words.
        cause: the likely cause.
        certainty: how sure that is.
        evidence: what was looked at and found, one sentence each.
        next_step: what to do, one sentence.
        command: the command that does it, or shows more; "" when there is nothing to do.
    """

    pipeline: str
    execution: str
    status: str
    stage: str
    action: str
    code: str
    message: str
    cause: Cause
    certainty: Certainty
    evidence: tuple[str, ...]
    next_step: str
    command: str = ""

    @property
    def place(self) -> str:
        """Stage and action, such as ``Build/CodeBuild``; "" when it is nowhere."""
        return "/".join(filter(None, (self.stage, self.action)))

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("Execution", f"{self.execution or 'none'} ({self.status})"),
            ("Where", self.place),
            ("Error", ": ".join(filter(None, (self.code, self.message)))),
            ("Cause", f"{self.cause} ({self.certainty})"),
            *(("Because", fact) for fact in self.evidence),
            ("Next step", self.next_step),
            ("Command", self.command),
        ]
        return [(title, text) for title, text in rows if text]

    def __str__(self) -> str:
        return "\n".join(
            [f"Pipeline {self.pipeline}", *(f"  {title + ':':<11} {text}" for title, text in self._rows())]
        )

    def to_markdown(self) -> str:
        """Return it as Markdown; what users wrote cannot become markup."""
        lines = [f"**Pipeline {_plain(self.pipeline)}**", ""]
        for title, text in self._rows():
            lines.append(f"- {title}: " + (_code(text) if title == "Command" else _plain(text)))
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row' style='text-align:left;vertical-align:top'>{title}</th><td style='text-align:left'>"
            + (f"<code>{escape(text)}</code>" if title == "Command" else escape(text))
            + "</td></tr>"
            for title, text in self._rows()
        )
        return f"<table><caption>Pipeline {escape(self.pipeline)}</caption><tbody>{rows}</tbody></table>"


def _plain(text: str) -> str:
    """Markdown that shows a text as it stands."""
    text = escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{letter}" if letter in "\\`*_[]#|~!" else letter for letter in text)


def _code(text: str) -> str:
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"
