"""Environment variables: those that an image may change, and those that run other code before the runtime. Data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Lambda sets these itself and ignores the image's values (AWS, "Using Lambda environment variables", "Reserved
# environment variables").
RESERVED = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ]
)
# Set by the base, and an image may set another value (same page, "Unreserved environment variables"; setlocale(3)).
FREE = frozenset(
    [
        "TZ",
        "LANG",
        "LANGUAGE",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "AWS_LAMBDA_DOTNET_PREJIT",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_LOG_LEVEL",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",
        "SHLVL",
        "HOME",
    ]
)
# Lists of folders: an image may add folders, and must keep the base's in their order.
LISTS = frozenset({"PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "NODE_PATH", "GEM_PATH"})
_ANY = r"\S"


@dataclass(frozen=True)
class Loader:
    """A variable that makes a program load or run other code.

    Attributes:
        does: its effect, as the end of a sentence.
        source: where that is documented.
        harmful: the values with this effect, as a regular expression.
    """

    does: str
    source: str
    harmful: str = _ANY


_LD, _PYTHON, _NODE = "ld.so(8)", "Python, Command line and environment", "Node.js, Command-line API"
_JAVA = "JDK, The java Command"
_AGENTS = r"-(?:javaagent|agentlib|agentpath|Xbootclasspath|Xrun|XX:Flags|XX:OnError|XX:OnOutOfMemoryError)|@"
LOADING: Mapping[str, Loader] = {
    "AWS_LAMBDA_EXEC_WRAPPER": Loader("runs a script instead of the runtime", "AWS, Lambda runtime modifications"),
    "LD_PRELOAD": Loader("loads a library into every program", _LD),
    "LD_AUDIT": Loader("loads a library that sees every symbol of every program", _LD),
    "LD_PROFILE": Loader("has the loader write a profile of every program", _LD),
    "GCONV_PATH": Loader("loads libraries for conversions of characters from there", "iconv(1), glibc manual"),
    "GETCONF_DIR": Loader("runs getconf's programs from there", "getconf(1)"),
    "OPENSSL_CONF": Loader(
        "lets OpenSSL load what that file names",
        "openssl-env(7)",
        r"^(?!/dev/null$|/etc/(?:ssl|pki/tls)(?:/|/openssl\.cnf)?$)\S",
    ),
    "OPENSSL_ENGINES": Loader("loads OpenSSL's engines from there", "openssl-env(7)"),
    "OPENSSL_MODULES": Loader("loads OpenSSL's providers from there", "openssl-env(7)"),
    "PYTHONHOME": Loader("takes Python's standard library from there", _PYTHON),
    "PYTHONSTARTUP": Loader("runs a file in interactive Python", _PYTHON),
    "PYTHONINSPECT": Loader("lets Python wait for more when the program has ended", _PYTHON),
    "PYTHONUSERBASE": Loader("adds a folder whose .pth files run when Python starts", _PYTHON),
    "PYTHONEXECUTABLE": Loader("lets Python take another program for itself", _PYTHON),
    "PYTHONPLATLIBDIR": Loader("takes Python's compiled library from there", _PYTHON),
    "PYTHONBREAKPOINT": Loader("imports and calls what it names", _PYTHON, r"^(?!0$|pdb\.set_trace$)\S"),
    "PYTHONWARNINGS": Loader("imports the module that a category names", _PYTHON, r":[^:,]*:\w+\.\w"),
    "PYTHON_PRESITE": Loader("imports a module before any other", _PYTHON),
    "BASH_ENV": Loader("runs a file before every script of bash", "bash(1)"),
    "ENV": Loader("runs a file in an interactive sh", "POSIX, Shell & Utilities, 2.5.3", "[/$`]"),
    "SHELLOPTS": Loader("sets options for every script of bash", "bash(1)"),
    "BASHOPTS": Loader("sets options for every script of bash", "bash(1)"),
    "PROMPT_COMMAND": Loader("runs in every interactive bash", "bash(1)"),
    "NODE_OPTIONS": Loader(
        "loads a module or opens a debugger in every Node.js",
        _NODE,
        r"(?:^|\s)(?:-r\b|--require|--import|--(?:experimental-)?loader|--inspect|--env-file|--eval|-e\b|--openssl-config)",
    ),
    "NODE_REPL_EXTERNAL_MODULE": Loader("loads a module instead of the REPL", _NODE),
    "JAVA_TOOL_OPTIONS": Loader("loads an agent into every Java program", "JDK, JVM Tool Interface", _AGENTS),
    "JDK_JAVA_OPTIONS": Loader("loads an agent into every Java program", _JAVA, _AGENTS),
    "_JAVA_OPTIONS": Loader("loads an agent into every Java program", _JAVA, _AGENTS),
    "RUBYOPT": Loader("loads a library into every Ruby program", "ruby(1)", r"-[rI]|(?:^|\s)-C"),
    "RUBYLIB": Loader("has Ruby look there for libraries before anywhere else", "ruby(1)"),
    "PERL5OPT": Loader("loads a module into every Perl program", "perlrun(1)", r"-[MmId]"),
    "PERL5LIB": Loader("has Perl look there for modules before anywhere else", "perlrun(1)"),
    "PERL5DB": Loader("runs code in Perl's debugger", "perlrun(1)"),
    "LUA_INIT": Loader("runs code before every Lua program", "lua(1)"),
    "PHP_INI_SCAN_DIR": Loader("lets PHP load extensions from settings there", "PHP manual, The configuration file"),
    "DOTNET_STARTUP_HOOKS": Loader("loads an assembly before Main", ".NET, Host startup hook"),
    "DOTNET_ADDITIONAL_DEPS": Loader("loads further assemblies", ".NET, dotnet environment variables"),
    "CORECLR_ENABLE_PROFILING": Loader("loads a profiler", ".NET, runtime configuration settings", "1"),
    "COR_ENABLE_PROFILING": Loader("loads a profiler", ".NET, runtime configuration settings", "1"),
}
# Exported functions of bash replace the commands of the same name (bash(1), "Functions").
_FUNCTION = re.compile(r"^BASH_FUNC_")


def loads_code(name: str, value: str) -> str:
    """What a variable of this value runs before or instead of the runtime, as the end of a sentence, or ""."""
    if _FUNCTION.match(name):
        return "is run instead of a command, in every script of bash"
    loading = LOADING.get(name)
    return loading.does if loading and re.search(loading.harmful, value) else ""


def keeps(value: str, base: str) -> bool:
    """Whether a list of folders contains those of the base, in their order."""
    folders, wanted = ([each.rstrip("/") or "/" for each in text.split(":") if each] for text in (value, base))
    rest = iter(folders)
    return all(each in rest for each in wanted)
