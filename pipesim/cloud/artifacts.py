"""Artifacts: zips in the artifact bucket, read and written under the role that an action works under.

Source: AWS CodePipeline User Guide, "Input and output artifacts", "Configure server-side encryption for
artifacts" and "Quotas"; recorded answers of the service for object keys.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.permissions import role_client
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.definition.model import ArtifactStore
    from pipesim.engine.action import ActionRun

MOST_FILES = 100_000
MOST_BYTES = 512 * 2**20
"""What one archive may unpack to: the documented number of files, and so many bytes as a learner's machine bears
(the service's own limit is some gigabytes)."""

REFERENCE = "codepipeline-clone-reference.json"
"""The one file of an artifact that holds a reference to a commit instead of its files (CODEBUILD_CLONE_REF)."""

UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    UnicodeError,
    ValueError,
)


class Archive:
    """A zip that is read no further than its limits.

    Args:
        body: its bytes.

    >>> Archive(pack({"index.html": b"<p>hello</p>"})).read("index.html")
    b'<p>hello</p>'
    """

    def __init__(self, body: bytes) -> None:
        self.body = body

    @cached_property
    def entries(self) -> tuple[zipfile.ZipInfo, ...]:
        """What the archive lists, folders left out.

        Raises:
            ActionFailed: it is no zip, or it unpacks to more than the limits allow.
        """
        found = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        size = sum(entry.file_size for entry in found)
        if len(found) > MOST_FILES:
            raise ActionFailed(f"The archive holds {len(found)} files; at most {MOST_FILES} are allowed.")
        if size > MOST_BYTES:
            raise ActionFailed(
                f"The archive is too large: it unpacks to {size} bytes; at most {MOST_BYTES} bytes are allowed."
            )
        return tuple(found)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file with its contents, in the archive's order, names as they stand there."""
        for entry in self.entries:
            yield entry.filename, self._contents(entry)

    def names(self) -> tuple[str, ...]:
        """The names of its files."""
        return tuple(entry.filename for entry in self.entries)

    def read(self, name: str) -> bytes | None:
        """Return a file's contents, or None when there is none of this name."""
        entry = next((entry for entry in reversed(self.entries) if entry.filename == name.removeprefix("./")), None)
        return None if entry is None else self._contents(entry)

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(io.BytesIO(self.body))
        except UNREADABLE:
            raise malformed() from None

    def _contents(self, entry: zipfile.ZipInfo) -> bytes:
        try:
            return self._zip.read(entry)
        except UNREADABLE:
            raise malformed() from None


def malformed() -> ActionFailed:
    """What an action answers that was given no readable zip."""
    return ActionFailed("The archive is malformed.")


def pack(files: Mapping[str, bytes | str], moment: datetime | None = None) -> bytes:
    """Return a zip of these files; the same files at the same moment give the same bytes.

    Args:
        files: contents by name, as bytes or text.
        moment: the files' date; None: 1 January 1980, the oldest that a zip can hold.
    """
    date = (1980, 1, 1, 0, 0, 0) if moment is None else moment.timetuple()[:6]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in files.items():
            entry = zipfile.ZipInfo(name, date)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, contents)
    return packed.getvalue()


def store_of(account: Account, run: ActionRun, region: str | None = None) -> ArtifactStore:
    """Return the artifact store of a region.

    Args:
        account: the mocked account.
        run: the action.
        region: which; None: the region in which the action works.
    """
    pipeline = run.execution.plan.pipeline
    store = pipeline.artifact_stores.get(region or run.plan.action.region or account.region) or pipeline.artifact_store
    assert store is not None
    return store


def read(account: Account, run: ActionRun, name: str, s3: Any = None) -> Archive:
    """Return an input artifact.

    Args:
        account: the mocked account.
        run: the action that reads it.
        name: the artifact's name.
        s3: the client that reads; None: one under the action's role.

    Raises:
        ActionFailed: the object is not there, or only CodeBuild could read it.
        ClientError: reading it was refused.
    """
    expire(account)
    bucket, key = store_of(account, run).location, run.execution.artifacts[name]
    if (home := _home(account, run, name)) != bucket:
        _copy(account, home, bucket, key)
    try:
        answer = (s3 or role_client(account, run, "s3")).get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            raise ActionFailed(
                f"The input artifact '{name}' of action '{run.plan.action.name}' does not exist: bucket {bucket},"
                f" object {key} (Error: Amazon S3:NoSuchKey).",
                FailureType.CONFIGURATION_ERROR,
            ) from None
        raise
    archive = Archive(answer["Body"].read())
    if run.plan.action.provider != "CodeBuild" and is_reference(archive):
        raise ActionFailed(
            f"The input artifact '{name}' of action '{run.plan.action.name}' is a full clone (CODEBUILD_CLONE_REF): a"
            " reference that only CodeBuild actions can follow. Use the CODE_ZIP format, or the output of a build.",
            FailureType.CONFIGURATION_ERROR,
        )
    return archive


def is_reference(archive: Archive) -> bool:
    """Whether an artifact holds a reference to a commit instead of its files."""
    return REFERENCE.encode() in archive.body and archive.names() == (REFERENCE,)


def read_all(account: Account, run: ActionRun, s3: Any = None) -> dict[str, Archive]:
    """Return every input artifact by its name, in the order of the declaration."""
    return {name: read(account, run, name, s3) for name in run.plan.action.input_artifacts}


def write(account: Account, run: ActionRun, bodies: Mapping[str, bytes], s3: Any = None) -> dict[str, str]:
    """Write output artifacts under new keys, and return the keys.

    Args:
        account: the mocked account.
        run: the action that writes them.
        bodies: the bytes of each artifact.
        s3: the client that writes; None: one under the action's role.

    Raises:
        ClientError: writing was refused.
    """
    store, keys = store_of(account, run), run.sim.new_keys(run)
    written = {name: keys[name] for name in bodies}
    for name, key in written.items():
        put(s3 or role_client(account, run, "s3"), store, key, bodies[name])
    return written


def put(s3: Any, store: ArtifactStore, key: str, body: bytes) -> None:
    """Put one object into an artifact store, encrypted as the store says.

    Args:
        s3: the client that writes.
        store: the bucket, and its key where it has one.
        key: the object's key.
        body: its bytes.
    """
    extra = {} if store.encryption_key is None else {"SSEKMSKeyId": store.encryption_key.id}
    s3.put_object(Bucket=store.location, Key=key, Body=body, ServerSideEncryption="aws:kms", **extra)


def expire_daily(account: Account) -> None:
    """Let lifecycle rules take effect once a day of virtual time: whoever looks after midnight finds things gone.

    Args:
        account: any account of the cloud, always the same.
    """
    today = account.now.date()
    if account.swept_on != today:
        account.swept_on = today
        expire(account)


def expire(account: Account) -> int:
    """Let the lifecycle rules of every bucket take effect, and return how many objects went.

    moto keeps the rules and does nothing by itself. Rules by prefix, by days and by date are obeyed, for
    current and for noncurrent versions; an object goes at the midnight (UTC) after its days are over.
    Source: Amazon S3 User Guide, "Lifecycle configuration elements".
    """
    gone = 0
    now = account.now.replace(tzinfo=None)
    for backends in list(s3_backends.values()):
        backend = backends["aws"]
        for bucket in list(backend.buckets.values()):
            for rule in bucket.rules:
                if rule.status == "Enabled":
                    gone += _expire(backend, bucket, rule, now)
    return gone


def _expire(backend: Any, bucket: Any, rule: Any, now: datetime) -> int:
    prefix = rule.prefix or (rule.filter.prefix if rule.filter is not None else None) or ""
    gone = 0
    for name in [name for name in bucket.keys if name.startswith(prefix)]:
        versions = sorted(bucket.keys.getlist(name), key=lambda version: version.last_modified)
        if isinstance(versions[-1], FakeKey) and _is_due(rule, versions[-1], now):
            backend.delete_object(bucket.name, name)
            gone += 1
        if rule.nve_noncurrent_days:
            for old, successor in pairwise(versions):
                if (
                    isinstance(old, (FakeKey, FakeDeleteMarker))
                    and _midnight_after(successor.last_modified, int(rule.nve_noncurrent_days)) <= now
                ):
                    backend.delete_object(bucket.name, name, version_id=old.version_id)
                    gone += 1
    return gone


def _is_due(rule: Any, version: FakeKey, now: datetime) -> bool:
    if rule.expiration_date:
        due = datetime.fromisoformat(rule.expiration_date.replace("Z", "+00:00")).replace(tzinfo=None)
        return due <= now
    return bool(rule.expiration_days) and _midnight_after(version.last_modified, int(rule.expiration_days)) <= now


def _midnight_after(moment: datetime, days: int) -> datetime:
    due = moment.replace(tzinfo=None) + timedelta(days=days)
    midnight = due.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == due else midnight + timedelta(days=1)


def _home(account: Account, run: ActionRun, name: str) -> str:
    """The bucket into which an artifact's producer wrote it."""
    for _, action in run.execution.plan.pipeline.actions():
        if any(artifact.name == name for artifact in action.output_artifacts):
            return store_of(account, run, action.region or account.region).location
    return store_of(account, run, account.region).location


def _copy(account: Account, source: str, target: str, key: str) -> None:
    """Copy an artifact into another region's bucket, as the service does before an action there begins."""
    s3 = account.client("s3")
    try:
        body = s3.get_object(Bucket=source, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return
        raise
    s3.put_object(Bucket=target, Key=key, Body=body, ServerSideEncryption="aws:kms")
