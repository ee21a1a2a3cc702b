"""Does a registry hold what git holds?"""

from collections.abc import Iterable, Iterator, Mapping

from roas_contracts.compatibility import InvalidSchemaError, parse_schema
from roas_contracts.compatibility.outline import outline
from roas_contracts.registry import HeldSubject
from roas_contracts.subjects import Subject


def contradictions(subject: Subject, held: HeldSubject | None) -> Iterator[str]:
    """Why nothing may be registered: under our numbers the registry has something else.

    Versions that it has beyond ours are none: this checkout may be an older release's.
    """
    versions = held.versions if held is not None else {}
    for version in subject.versions:
        text = versions.get(version.number)
        if text is not None and not _same(text, version.text):
            yield f"{subject.subject} v{version.number}: the registry holds another schema"
        if text is None and any(number > version.number for number in versions):
            yield (
                f"{subject.subject} v{version.number}: the registry does not have it, but has "
                f"v{max(versions)}"
            )


def differences(
    subjects: Iterable[Subject], registry: Mapping[str, HeldSubject], *, all_of_them: bool
) -> Iterator[str]:
    """Every difference between contracts and registry, one sentence each.

    Args:
        subjects: the contracts that are compared.
        registry: what the registry holds, by the subject's name.
        all_of_them: whether `subjects` are all there are, so that others are too many.
    """
    names = set()
    for subject in subjects:
        names.add(subject.subject)
        held = registry.get(subject.subject)
        if held is None:
            yield f"{subject.subject}: the registry does not have it"
            continue
        yield from contradictions(subject, held)
        ours = {version.number for version in subject.versions}
        for number in sorted(ours - held.versions.keys()):
            if number > max(held.versions, default=0):
                yield f"{subject.subject} v{number}: the registry does not have it"
        for number in sorted(held.versions.keys() - ours):
            yield f"{subject.subject} v{number}: the registry has it, git does not"
        if held.mode != subject.file.compatibility:
            yield (
                f"{subject.subject}: the registry's mode is {held.mode or 'its default'}, "
                f"subject.yaml says {subject.file.compatibility}"
            )
    if all_of_them:
        for name in sorted(registry.keys() - names):
            yield f"{name}: the registry has it, git does not"


def _same(held: str, ours: str) -> bool:
    """Whether two texts are one schema: a registry may write what it is given anew."""
    try:
        return held == ours or outline(parse_schema(held)) == outline(parse_schema(ours))
    except InvalidSchemaError:
        return False
