"""Object keys of artifacts in the artifact bucket."""

from __future__ import annotations

from hashlib import blake2b

from pipesim.vocabulary import ActionCategory

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def artifact_key(pipeline: str, artifact: str, attempt: str, category: str) -> str:
    """Return the object key under which one attempt of an action writes an artifact.

    Twenty characters of the pipeline's name, ten of the artifact's, seven that look random;
    sources add ``.zip``. Source: CodePipeline User Guide, "Troubleshooting", on shortened names,
    and recorded answers of the service.

    Args:
        pipeline: the pipeline's name.
        artifact: the artifact's name.
        attempt: names the seed and the attempt; the same text gives the same key.
        category: the action's category.

    >>> artifact_key("a-very-long-pipeline-name", "BuildArtifactOut", "1", "Build")
    'a-very-long-pipeline/BuildArtif/UOlLU8V'
    """
    number = int.from_bytes(blake2b(f"{attempt}/{artifact}".encode(), digest_size=8).digest(), "big")
    letters = []
    for _ in range(7):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    suffix = ".zip" if category == ActionCategory.SOURCE else ""
    return f"{pipeline[:20]}/{artifact[:10]}/{''.join(letters)}{suffix}"
