"""What a rule asks of a record, and what its steps do to it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from roas_contracts.events import DeadLetter
from roas_dlq_handler.operation import UnchangedError
from roas_dlq_handler.rules_file import FieldCondition, Rule, Step


def is_about(rule: Rule, letter: DeadLetter) -> bool:
    """Whether a rule is meant for a dead letter, as far as that shows without decoding it."""
    when = rule.when
    return (
        (not when.topics or letter.topic in when.topics)
        and (not when.reasons or letter.reason in when.reasons)
        and (not when.services or letter.service in when.services)
        and (not when.schema_ids or letter.schema_id in when.schema_ids)
    )


def holds(condition: FieldCondition, datum: Mapping[str, Any], name: str) -> bool:
    """Whether a condition holds for a field of a decoded record."""
    if name not in datum:
        return False
    value = datum[name]
    if condition.is_null is not None and (value is None) != condition.is_null:
        return False
    if "equals" in condition.model_fields_set and value != condition.equals:
        return False
    if condition.matches is not None and not (
        isinstance(value, str) and re.fullmatch(condition.matches, value)
    ):
        return False
    if condition.at_least is None and condition.below is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    number = Decimal(str(value))
    return (condition.at_least is None or number >= condition.at_least) and (
        condition.below is None or number < condition.below
    )


def take_step(step: Step, datum: dict[str, Any]) -> None:
    """Change a decoded record in place.

    Raises:
        UnchangedError: the step can't be taken: the record lacks the field, or it does not fit.
    """
    if step.set is not None:
        datum[step.set.field] = step.set.value
    elif step.rename is not None:
        datum[step.rename.to] = _taken(datum, step.rename.field)
    elif step.drop is not None:
        _taken(datum, step.drop.field)
    elif step.cast is not None:
        datum[step.cast.field] = _cast(_given(datum, step.cast.field), step.cast.to)
    elif step.multiply is not None:
        name, by = step.multiply.field, step.multiply.by
        datum[name] = _calculated(datum, name, lambda number: number * by)
    elif step.add is not None:
        name, amount = step.add.field, step.add.amount
        datum[name] = _calculated(datum, name, lambda number: number + amount)


def _given(datum: Mapping[str, Any], name: str) -> Any:
    if name not in datum:
        raise UnchangedError(f"it has no field {name!r}")
    return datum[name]


def _taken(datum: dict[str, Any], name: str) -> Any:
    _given(datum, name)
    return datum.pop(name)


def _calculated(
    datum: Mapping[str, Any], name: str, function: Callable[[Decimal], Decimal]
) -> int | float | None:
    value = _given(datum, name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnchangedError(f"{name} is no number: cast it first")
    result = function(Decimal(str(value)))
    return int(result) if result == result.to_integral_value() else float(result)


def _cast(value: Any, to: str) -> Any:
    if value is None:
        return None
    if to == "text":
        return value if isinstance(value, str) else json.dumps(value)
    if to == "boolean":
        known = {"true": True, "1": True, "false": False, "0": False}
        text = str(value).lower()
        if text not in known:
            raise UnchangedError(f"{value!r} is neither true nor false")
        return known[text]
    try:
        number = Decimal(str(value))
        whole = number == number.to_integral_value()
    except InvalidOperation:
        raise UnchangedError(f"{value!r} is no number") from None
    if to == "number":
        return float(number)
    if not whole:
        raise UnchangedError(f"{value!r} is not a whole number")
    return int(number)
