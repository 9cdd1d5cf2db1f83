"""Runs the handler that _HANDLER names, with the import path of AWS's Python base image."""

import os
import site
import sys


def layer_folders() -> list[str]:
    """Where layers have packages; an image that sets PYTHONPATH states the whole path itself."""
    if "PYTHONPATH" in os.environ:
        return []
    return ["/opt/python/lib/python3.11/site-packages", "/opt/python"]


def set_default_sys_path() -> None:
    """The function's code comes first, then layers, then everything else."""
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *layer_folders()]


def add_default_site_directories() -> None:
    """Their .pth files run too."""
    for folder in [os.environ["LAMBDA_TASK_ROOT"], *layer_folders()]:
        site.addsitedir(folder)


if __name__ == "__main__":
    import awslambdaric.__main__ as runtime  # type: ignore[import-not-found] # only in the image

    set_default_sys_path()
    add_default_site_directories()
    runtime.main([sys.argv[0], os.environ["_HANDLER"]])
