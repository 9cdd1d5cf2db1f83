#!/bin/sh
# The entry point of the stand-in base: as on AWS's image, one argument names the handler.
if [ $# -ne 1 ]; then
    echo "entrypoint requires the handler name to be the first argument" >&2
    exit 142
fi
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
    echo "This stand-in base has no Lambda emulator: set AWS_LAMBDA_RUNTIME_API to a Runtime API, as Lambda does." >&2
    exit 143
fi
export _HANDLER="$1"
exec /var/runtime/bootstrap
