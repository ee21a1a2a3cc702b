"""The schema registry (Confluent's API): registration, ids, and writer schemas by id.

An id that is not found is poison only when the registry is well. One that is away, that fails, or
that was wiped and no longer serves our own subjects is an outage: every record would look like
poison, and none is.
"""

import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from roas_contracts.errors import MisconfigurationError, PoisonError, TransientError
from roas_contracts.events import AD_IMPRESSIONS, DeadLetterReason
from roas_contracts.subjects import Subject, Version, load_subject

REQUEST_SECONDS: Final = 5.0
"""Bound of one request."""

PATIENCE_SECONDS: Final = 15.0
"""How long a call goes on trying before it says that the registry is away."""

_NOT_FOUND: Final = 404
_SCHEMA_NOT_FOUND: Final = 40403
_CONFLICT: Final = 409
_INVALID: Final = 422

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """One version of a contract and its id in the registry."""

    topic: str
    subject: str
    version: int
    schema_id: int


@dataclass(frozen=True, slots=True)
class HeldSubject:
    """What a registry holds of one subject."""

    versions: Mapping[int, str]
    """Texts of the schemas by their version numbers."""
    mode: str | None
    """The subject's own compatibility mode; None where the registry's default holds."""


class Registry:
    """Our view of a schema registry.

    Args:
        url: base URL of the Confluent API.
        patience_seconds: how long each call goes on trying, with growing, jittered pauses; 0
            tries once.

    Every method raises TransientError when the registry does not answer within that time.
    """

    def __init__(self, url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.url = url
        try:
            self._client = SchemaRegistryClient(
                {"url": url, "timeout": REQUEST_SECONDS, "max.retries": 0}
            )
        except ValueError as error:
            raise MisconfigurationError(
                f"the registry's URL {url!r} is not one: {error}"
            ) from error
        # Also when nobody closes it: a connection that is left open is a warning at best.
        self._close = weakref.finalize(self, self._client.close)
        self._patience = patience_seconds

    def close(self) -> None:
        """Close the connection; it is closed with the object's life at the latest."""
        self._close()

    def register(self, subjects: Iterable[Subject]) -> list[RegisteredVersion]:
        """Set each subject's compatibility mode and register its versions in order. Idempotent.

        Raises:
            MisconfigurationError: the registry refuses a schema, with its reason.
        """
        done = []
        for subject in subjects:
            self._patiently(lambda s=subject: self._set_mode(s))  # type: ignore[misc]
            for version in subject.versions:
                schema_id = self._patiently(
                    lambda s=subject, v=version: self._register(s, v)  # type: ignore[misc]
                )
                done.append(
                    RegisteredVersion(subject.name, subject.subject, version.number, schema_id)
                )
        return done

    def schema_id(self, topic: str, version: int | None = None) -> int:
        """The id of our newest version of a topic's schema, which is what a producer writes with.

        Args:
            topic: the topic.
            version: of another version of ours instead.

        Raises:
            MisconfigurationError: it is not registered.
        """
        subject = load_subject(topic)
        wanted = subject.latest if version is None else subject.versions[version - 1]

        def look_up() -> int:
            found = self._client.lookup_schema(subject.subject, Schema(wanted.text, "AVRO"))
            assert found.schema_id is not None, "a found schema has an id"
            return found.schema_id

        try:
            return self._patiently(look_up)
        except _NotFoundError as error:
            raise MisconfigurationError(
                f"version {wanted.number} of {subject.subject} is not registered at "
                f"{self.url}: run `python -m roas_contracts register`"
            ) from error

    def find_schema(self, schema_id: int) -> str | None:
        """The text of an Avro schema, "" for one of another kind; None if the id is not known."""

        def get() -> str:
            schema = self._client.get_schema(schema_id)
            is_avro = schema.schema_type in (None, "AVRO") and not schema.references
            return str(schema.schema_str) if is_avro else ""

        try:
            return self._patiently(get)
        except _NotFoundError as error:
            if error.code == _SCHEMA_NOT_FOUND:
                return None
            raise TransientError(  # A proxy, or a wrong path: no word about the id.
                f"{self.url} answers 404 without being a schema registry's"
            ) from error

    def subjects(self) -> list[str]:
        """The names of all its subjects."""
        return list(self._patiently(self._client.get_subjects))

    def held(self, subject_name: str) -> HeldSubject | None:
        """What it holds of a subject; None where it has no version of it."""
        try:
            numbers = self._patiently(lambda: self._client.get_versions(subject_name))
        except _NotFoundError:
            return None
        texts = {
            number: str(
                self._patiently(
                    lambda n=number: self._client.get_version(subject_name, n)  # type: ignore[misc]
                ).schema.schema_str
            )
            for number in numbers
        }
        try:
            mode = str(self._patiently(lambda: self._client.get_compatibility(subject_name)))
        except _NotFoundError:
            mode = None
        return HeldSubject(texts, mode) if texts else None

    def serves(self, subject_name: str) -> bool:
        """Whether the registry has any version of a subject."""
        try:
            # Not get_latest_version: the client would answer from its cache for ever.
            return bool(self._patiently(lambda: self._client.get_versions(subject_name)))
        except _NotFoundError:
            return False

    def _set_mode(self, subject: Subject) -> None:
        self._client.set_compatibility(subject.subject, subject.file.compatibility)

    def _register(self, subject: Subject, version: Version) -> int:
        try:
            return int(self._client.register_schema(subject.subject, Schema(version.text, "AVRO")))
        except SchemaRegistryError as error:
            if error.http_status_code in (_CONFLICT, _INVALID):
                raise MisconfigurationError(
                    f"the registry refuses {version.path}: {error.error_message}"
                ) from error
            raise

    def _patiently(self, call: Callable[[], _T]) -> _T:
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_delay(self._patience),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            reraise=True,
        )
        answer: _T = retrying(self._ask, call)
        return answer

    def _ask(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except MisconfigurationError:
            raise
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                raise _NotFoundError(error.error_code) from error
            raise TransientError(f"the registry at {self.url} answers: {error}") from error
        except Exception as error:
            # The client lets its HTTP library's errors through, and which library that is (httpx
            # or httpx2) depends on what is installed.
            raise TransientError(
                f"the registry at {self.url} does not answer ({type(error).__name__}: {error})"
            ) from error


class SchemaSource:
    """Writer schemas by id, cached for ever (an id's schema never changes).

    Args:
        registry: the registry, or its URL.
        topic: the topic whose subject proves that the registry is still the one we know.
    """

    def __init__(self, registry: Registry | str, topic: str = AD_IMPRESSIONS) -> None:
        self._registry = Registry(registry) if isinstance(registry, str) else registry
        self._own_subject = load_subject(topic).subject
        self._known: dict[int, str] = {}

    def schema(self, schema_id: int) -> str:
        """The text of a schema; "" for one that is not Avro.

        Raises:
            PoisonError: UNKNOWN_SCHEMA_ID: the registry answers, serves our own subject and does
                not know this id.
            TransientError: it does not answer, or it was wiped. Wait, and ask again.
        """
        known = self._known.get(schema_id)
        if known is not None:
            return known
        # No registry gives out a negative id: there is nothing to ask for.
        found = None if schema_id < 0 else self._registry.find_schema(schema_id)
        if found is None:
            if not self._registry.serves(self._own_subject):
                raise TransientError(
                    f"the registry at {self._registry.url} does not serve {self._own_subject}: it "
                    "was wiped, or the schemas are not registered yet"
                )
            raise PoisonError(
                DeadLetterReason.UNKNOWN_SCHEMA_ID, f"the registry knows no schema {schema_id}"
            )
        self._known[schema_id] = found
        return found


class _NotFoundError(Exception):
    """The registry answers that there is no such thing; `code` says what there is not."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        super().__init__(code)
