"""SimulatePrincipalPolicy for roles: what a role's own policies say, as the account judges them.

Source: AWS IAM API reference, "SimulatePrincipalPolicy".
"""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.iam.exceptions import NoSuchEntity
from moto.iam.responses import IamResponse as MotoResponse
from moto.iam.urls import url_paths

from pipesim.cloud.gaps.swap_paths import Swap
from pipesim.cloud.permissions import own_answer
from pipesim.cloud.policies import Answer

DECISIONS = {Answer.ALLOW: "allowed", Answer.DENY: "explicitDeny", Answer.SILENT: "implicitDeny"}


class IamResponse(MotoResponse):
    """moto's IAM with one operation more."""

    def simulate_principal_policy(self) -> ActionResult:
        """SimulatePrincipalPolicy."""
        source = self._get_param("PolicySourceArn")
        if ":role/" not in source:
            raise NoSuchEntity(f"The role with ARN {source} cannot be found; users may do everything here.")
        self.backend.get_role(source.rsplit("/", 1)[-1])
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": DECISIONS[own_answer(source, action, resource)],
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action in self._get_param("ActionNames", [])
            for resource in self._get_param("ResourceArns") or ["*"]
        ]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})


_swap = Swap(url_paths, IamResponse.dispatch)
install = _swap.install
uninstall = _swap.uninstall
