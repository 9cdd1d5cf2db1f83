"""A module whose import kills the interpreter, as a library with a wrong ABI does."""

import ctypes

ctypes.string_at(0)
