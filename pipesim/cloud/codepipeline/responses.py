"""CodePipeline on the wire: a request comes in, the backend answers, JSON goes out."""

from __future__ import annotations

from typing import Any

from moto.codepipeline.responses import CodePipelineResponse as MotoCodePipelineResponse
from moto.sts.models import sts_backends
from werkzeug.exceptions import HTTPException

from pipesim.cloud.codepipeline import shapes
from pipesim.cloud.codepipeline.exceptions import BAD_REQUEST, body_of, not_built, status_of
from pipesim.cloud.codepipeline.models import OPERATIONS, CodePipelineBackend, codepipeline_backends
from pipesim.errors import Refused

CONTENT_TYPE = "application/x-amz-json-1.1"


class CodePipelineResponse(MotoCodePipelineResponse):
    """One request to CodePipeline."""

    @property
    def codepipeline_backend(self) -> CodePipelineBackend:  # type: ignore[override]
        """The backend of the caller's account and region."""
        return codepipeline_backends[self.current_account][self.region]

    @property
    def caller(self) -> str:
        """The ARN of who calls."""
        _, arn, _ = sts_backends[self.current_account]["aws"].get_caller_identity(self.access_key, self.region)
        return str(arn)

    def call_action(self) -> tuple[int, dict[str, str], str]:
        """Answer the request."""
        backend = self.codepipeline_backend
        account = backend.account
        operation = self._get_action()
        try:
            if operation not in OPERATIONS:
                raise not_built(operation or "")
            parameters = shapes.read(operation, self.body)
            self._authenticate_and_authorize_normal_action(self._resource(parameters))
            with account.lock:
                answer = backend.carry_out(operation, parameters, self.caller)
                account.settle()
            return self._reply(200, answer)
        except Refused as refused:
            return self._reply(status_of(refused), body_of(refused), refused.code)
        except HTTPException as error:
            return self._reply(error.code or BAD_REQUEST, error.get_body())

    def _resource(self, parameters: dict[str, Any]) -> str:
        """What the call is about, for IAM: a pipeline, a stage or an action of it, or anything."""
        pipeline = parameters.get("pipeline")
        name = pipeline.get("name") if pipeline else parameters.get("pipelineName") or parameters.get("name")
        if "resourceArn" in parameters:
            return str(parameters["resourceArn"])
        if name is None:
            return "*"
        parts = [name, parameters.get("stageName"), parameters.get("actionName")]
        arn = "/".join(part for part in parts if part)
        return f"arn:aws:codepipeline:{self.region}:{self.current_account}:{arn}"

    def _reply(self, status: int, body: Any, error: str = "") -> tuple[int, dict[str, str], str]:
        headers = dict(self.response_headers)
        headers["Content-Type"] = CONTENT_TYPE
        headers["status"] = str(status)
        if error:
            headers["x-amzn-errortype"] = error
        text = body if isinstance(body, str) else shapes.write(body) if body else ""
        headers, text = self._enrich_response(headers, text)
        return status, headers, text
