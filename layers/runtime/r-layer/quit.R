# quit() in a handler would end the process without an answer, and Lambda would report no more than
# "exit status 0". So base's quit() and q() are replaced, in base itself: code in packages calls
# them too, and a mask on the search path would not reach it.

real_quit <- base::quit
runtime_process <- Sys.getpid()

# Stands in for base::quit. It leaves by a restart, not by an error, so that a handler's own
# tryCatch(error = ) does not take it for something to recover from. A forked child (as parallel
# makes them) really ends: it must not come back as a second runtime.
handler_quit <- function(save = "default", status = 0, runLast = TRUE) {
    if (Sys.getpid() != runtime_process) {
        real_quit("no", status, FALSE)
    }
    tryInvokeRestart("r_layer_quit", status, sys.calls())
    stop("quit() was called outside the handler")
}

# Replaces quit() and q() in base.
mask_quit <- function() {
    base <- baseenv()
    for (name in c("quit", "q")) {
        unlockBinding(name, base)
        assign(name, handler_quit, envir = base)
        lockBinding(name, base)
    }
}
