"""Full clones: an artifact that holds a reference to a commit is followed to the commit's files.

CodeBuild alone does that, under its project's role. Source: AWS CodePipeline User Guide, "Use full clone with a
connection", "Add CodeBuild GitClone permissions"; AWS CodeBuild User Guide, "Troubleshooting".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from moto.codecommit.models import codecommit_backends

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import REFERENCE, Archive, is_reference, pack
from pipesim.cloud.gaps.codecommit.exceptions import CodeCommitError
from pipesim.cloud.gaps.codecommit.models import history_of
from pipesim.cloud.git_signals import connection_of
from pipesim.cloud.permissions import require

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.cloud.gaps.codecommit.models import Commit
    from pipesim.cloud.permissions import Session


def followed(account: Account, archive: Archive, session: Session) -> Archive:
    """Return the files that an input artifact stands for: its own, unless it holds a reference to a commit.

    Args:
        account: the mocked account.
        archive: the input artifact.
        session: who clones.

    Raises:
        ActionFailed: the session may not clone, or the commit is not there any more.
    """
    if not is_reference(archive):
        return archive
    reference = json.loads(archive.read(REFERENCE) or b"{}")
    try:
        commit = (_of_connection if "connection" in reference else _of_codecommit)(account, reference, session)
    except ClientError as error:
        why = error.response["Error"]["Message"]
        raise _refused(reference, why) from None
    except (KeyError, CodeCommitError):
        raise _refused(reference, "the repository or the commit does not exist") from None
    return Archive(pack({path: file.content for path, file in commit.files.items()}))


def _of_codecommit(account: Account, reference: dict[str, str], session: Session) -> Commit:
    arn = reference["repository"]
    require(session, "codecommit:GitPull", arn)
    _, _, _, region, owner, name = arn.split(":")
    return history_of(codecommit_backends[owner][region].repositories[name]).commit(reference["commit"])


def _of_connection(account: Account, reference: dict[str, str], session: Session) -> Commit:
    arn = reference["connection"]
    service = arn.split(":")[2]
    require(session, f"{service}:UseConnection", arn)
    connection = connection_of(account, arn)
    found = connection and account.remotes.find(connection["ProviderType"], reference["repository"])
    if not found:
        raise KeyError(reference["repository"])
    return found.history.commit(reference["commit"])


def _refused(reference: dict[str, str], why: str) -> ActionFailed:
    return ActionFailed(f"authorization failed for primary source and source version {reference['commit']}: {why}")
