"""The zip function that serves today's traffic, with its layers and its schedules."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from localaws.seed.release import SeededRelease

_MADE = (2024, 1, 1, 0, 0, 0)
_HANDLER = '''\
"""A placeholder for the zip function, which the release must not change."""


def lambda_handler(event, context):
    return {"statusCode": 200, "function": context.function_name}
'''


def seed(functions: Any, events: Any, scheduler: Any, release: SeededRelease) -> None:
    """Create layers, function, rule, schedule and permission, unless the function exists or the release has none."""
    if not release.zip_function:
        return
    try:
        functions.get_function(FunctionName=release.zip_function)
    except functions.exceptions.ResourceNotFoundException:
        arn = _function(functions, release, _layers(functions))
        _schedule(functions, events, release, arn)
        _schedule_by_scheduler(scheduler, release, arn)


def _layers(functions: Any) -> list[str]:
    _layer(functions, "chromedriver", "first")
    return [_layer(functions, "chromedriver", "second"), _layer(functions, "selenium", "first")]


def _layer(functions: Any, name: str, content: str) -> str:
    published = functions.publish_layer_version(
        LayerName=name,
        Content={"ZipFile": archive({f"python/{name}/VERSION": content})},
        CompatibleRuntimes=["python3.7"],
    )
    arn: str = published["LayerVersionArn"]
    return arn


def _function(functions: Any, release: SeededRelease, layers: list[str]) -> str:
    created = functions.create_function(
        FunctionName=release.zip_function,
        Runtime="python3.7",
        Handler="lambda_function.lambda_handler",
        Role=release.role_arn(release.zip_role),
        Code={"ZipFile": archive({"lambda_function.py": _HANDLER})},
        Layers=layers,
        MemorySize=512,
        Timeout=300,
        Environment={"Variables": {"LOG_LEVEL": "INFO"}},
    )
    functions.get_waiter("function_active_v2").wait(
        FunctionName=release.zip_function, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
    )
    arn: str = created["FunctionArn"]
    return arn


def _schedule(functions: Any, events: Any, release: SeededRelease, function: str) -> None:
    rule = events.put_rule(Name=release.rule, ScheduleExpression="rate(20 minutes)", State="ENABLED")
    events.put_targets(Rule=release.rule, Targets=[{"Id": "1", "Arn": function}])
    functions.add_permission(
        FunctionName=release.zip_function,
        StatementId="scheduled",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule["RuleArn"],
    )


def _schedule_by_scheduler(scheduler: Any, release: SeededRelease, function: str) -> None:
    """A schedule of EventBridge Scheduler, which invokes the function with a role."""
    scheduler.create_schedule(
        Name=release.schedule,
        ScheduleExpression="cron(0 0 1 * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": function, "RoleArn": release.role_arn(release.scheduler_role)},
        State="ENABLED",
    )


def archive(files: dict[str, str]) -> bytes:
    """A zip file with these files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive_file:
        for name, text in files.items():
            archive_file.writestr(zipfile.ZipInfo(name, _MADE), text)
    return buffer.getvalue()
