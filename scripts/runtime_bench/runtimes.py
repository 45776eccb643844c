"""What is measured: each runtime, how it is started, and with which environment."""

from dataclasses import dataclass

# As on Lambda, in a root like Lambda's.
LAMBDA = {
    "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bench",
    "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "R_LIBS": "/tmp/packages/library",
}

# What an image says for an R that its own bootstrap does not prepare: the same R finds the same libraries.
IMAGE = LAMBDA | {
    "PATH": "/opt/R/bin:" + LAMBDA["PATH"],
    "LD_LIBRARY_PATH": "/opt/R/lib:/opt/lib:" + LAMBDA["LD_LIBRARY_PATH"],
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/tmp",
    "RHOME": "/opt/R",
    "TZDIR": "/opt/R/share/zoneinfo",
    "R_LIBS": "/tmp/packages/library:/tmp/lambdr",
}
RSCRIPT = "/opt/R/bin/Rscript"


@dataclass(frozen=True)
class Runtime:
    way: str
    # Which R, by the name of its layer.
    r: str
    command: tuple
    # Whose warm calls, large events and memory are measured too.
    is_compared: bool = True
    is_ours: bool = False
    # _HANDLER, where {} is the file.
    handler: str = "{}.handler"
    extra: tuple = ()

    @property
    def label(self):
        return f"{self.way}, {self.r}"

    def environment(self, handler, api):
        own = {"_HANDLER": self.handler.format(handler), "BENCH_FILE": handler, "AWS_LAMBDA_RUNTIME_API": api}
        return (LAMBDA if self.is_ours else IMAGE) | own | dict(self.extra)


def runtimes_of(r, with_lambdr):
    """The runtimes that are measured with one R."""
    bootstrap = ("/opt/bootstrap",)
    yield Runtime("r-layer", r, bootstrap, is_ours=True)
    yield Runtime("r-layer, the plain way", r, bootstrap, is_compared=False, is_ours=True, extra=(("R_LAYER_EAGER", "1"),))
    if with_lambdr:
        yield Runtime("lambdr", r, (RSCRIPT, "/var/task/lambdr.R"), handler="handler")
    yield Runtime("re-sourcing loop", r, (RSCRIPT, "/var/task/resourcing.R"))


def plain_r(r):
    """Rscript without a runtime: name of what it does, runtime."""
    yield "-e 1", Runtime("Rscript -e 1", r, (RSCRIPT, "-e", "1"))
    for handler in ("tiny", "frame", "dplyr"):
        yield handler, Runtime("Rscript, one call", r, (RSCRIPT, "/var/task/once.R"))
