"""The function's handler."""

from __future__ import annotations

import json
from typing import Any

import certifi


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer the gate's safe event; put the function's own work in the other branch."""
    if event.get("action") == "healthcheck":
        return {"ok": True, "certificates": certifi.where()}
    raise ValueError(f"no such event: {json.dumps(event)}")
