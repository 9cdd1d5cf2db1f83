"""Runs the handler that _HANDLER names, with the import path of AWS's Python base image."""

import os
import sys

import awslambdaric.__main__ as runtime  # type: ignore[import-not-found] # only in the image

# Unless PYTHONPATH is set, the function's code comes first, then layers, then everything else.
if "PYTHONPATH" not in os.environ:
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], "/opt/python/lib/python3.11/site-packages", "/opt/python"]

runtime.main([sys.argv[0], os.environ["_HANDLER"]])
