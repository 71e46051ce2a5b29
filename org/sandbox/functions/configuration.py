"""What moto does with functions otherwise: it drops settings, keeps the oldest of them, and runs code in Docker."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction

from org.sandbox.deliveries import find_queue

_DEAD_LETTERS = "sandbox_dead_letters"


def dead_letters_of(function: LambdaFunction) -> str:
    """Answer the ARN of where events go that a function could not take; empty where there is none."""
    return str(getattr(function, _DEAD_LETTERS, {}).get("TargetArn") or "")


def set_dead_letters(function: LambdaFunction, given: dict[str, Any] | None) -> None:
    setattr(function, _DEAD_LETTERS, dict(given or {}))


_moto_create = LambdaBackend.create_function
_moto_map = LambdaBackend.create_event_source_mapping
_moto_put = LambdaBackend.put_function_event_invoke_config
_moto_show = LambdaFunction.get_configuration
_moto_update = LambdaFunction.update_configuration


def _create(self: LambdaBackend, spec: dict[str, Any]) -> LambdaFunction:
    function = _moto_create(self, spec)
    set_dead_letters(function, spec.get("DeadLetterConfig"))
    return function


def _put(self: LambdaBackend, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
    answer = _moto_put(self, function_name, config)
    function = self.get_function(function_name)
    function.event_invoke_config = function.event_invoke_config[-1:]
    return answer


def _show(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:  # as moto has it
    target = dead_letters_of(self)
    shown = _moto_show(self, on_create)
    return {**shown, "DeadLetterConfig": {"TargetArn": target}} if target else shown


def _update(self: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
    if "DeadLetterConfig" in config_updates:
        set_dead_letters(self, config_updates["DeadLetterConfig"])
    return _moto_update(self, config_updates)


def _map(self: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    """Make a mapping; only of queues, which moto would hand to the function itself, in the midst of who sends."""
    if str(spec.get("EventSourceArn", "")).split(":")[2:3] != ["sqs"]:
        raise NotImplementedError(f"event source mappings of {spec.get('EventSourceArn')}: only of queues")
    mapping = _moto_map(self, spec)
    queue = find_queue(mapping.event_source_arn)
    if queue is not None:
        queue.lambda_event_source_mappings.clear()
    return mapping


def _run(self: LambdaFunction, *_: Any, **__: Any) -> Any:
    raise NotImplementedError(f"this way to run {self.function_name}")


def install() -> None:
    LambdaBackend.create_event_source_mapping = _map  # type: ignore[method-assign]
    LambdaFunction.invoke = _run  # type: ignore[method-assign]
    LambdaBackend.create_function = _create  # type: ignore[method-assign]
    LambdaBackend.put_function_event_invoke_config = _put  # type: ignore[method-assign]
    LambdaFunction.get_configuration = _show  # type: ignore[method-assign]
    LambdaFunction.update_configuration = _update  # type: ignore[method-assign]
