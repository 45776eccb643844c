# quit() in a handler would end the process without an answer, and Lambda would report no more than
# "exit status 0". So base's quit() and q() are replaced, in base itself: code in packages calls
# them too, and a mask on the search path would not reach it.

real_quit <- base::quit

# Stands in for base::quit. It leaves by a restart, not by an error, so that a handler's own
# tryCatch(error = ) does not take it for something to recover from. A forked child (as parallel
# makes them) really ends: it must not come back as a second runtime.
handler_quit <- function(save = "default", status = 0, runLast = TRUE) {
    if (!is.null(session$process) && Sys.getpid() != session$process) {
        real_quit("no", status, FALSE)
    }
    tryInvokeRestart("r_layer_leave", quit_error(status), sys.calls())
    stop("quit() was called outside the handler")
}

# Puts the functions of ours that stand in for base's into base.
mask_base <- function() {
    session$process <- Sys.getpid()
    replace_in_base("quit", handler_quit)
    replace_in_base("q", handler_quit)
    replace_in_base("Sys.sleep", handler_sleep)
}

replace_in_base <- function(name, fun) {
    base <- baseenv()
    unlockBinding(name, base)
    assign(name, fun, envir = base)
    lockBinding(name, base)
}
