# What a function does once when it starts, and once when it ends.
#
# Lambda ends a sandbox with SIGTERM only where an extension is registered; without one it just stops
# it. R has no way to catch SIGTERM. So where the signal can come, bootstrap stays as R's parent,
# catches it, leaves a note in the file named by R_LAYER_NOTE, and sends R an interrupt, which R does
# notice: while it waits for an event at once, in a handler where R looks for interrupts.

# The hooks that the handler's file has registered.
registered <- new.env(parent = emptyenv())
registered$init <- list()
registered$shutdown <- list()
registered$started <- FALSE

# For handlers, in their file: a function without arguments that is called once, when the file has
# been read and before the first event. Its errors are those of a function that can't start.
on_init <- function(hook) {
    if (registered$started) {
        stop("on_init() was called after the start: it belongs at the top of the handler's file")
    }
    registered$init <- c(registered$init, as_hook(hook, "on_init"))
    invisible()
}

# For handlers, in their file: a function without arguments that is called when Lambda ends the
# function, with SIGTERM. The last one that was registered is called first.
on_shutdown <- function(hook) {
    registered$shutdown <- c(as_hook(hook, "on_shutdown"), registered$shutdown)
    invisible()
}

as_hook <- function(hook, name) {
    if (!is.function(hook)) {
        stop(name, "() takes a function, not an object of class ", class(hook)[1])
    }
    list(hook)
}

run_init_hooks <- function() {
    for (hook in registered$init) {
        enter_hook(hook)
    }
    registered$started <- TRUE
}

# Its own function so that stack traces can begin below it.
enter_hook <- function(hook) {
    hook()
}

# Evaluates what waits for an event, unless the end comes before or meanwhile. An interrupt by
# anybody else is none of the session's business.
unless_shut_down <- function(expr) {
    if (shutdown_asked()) {
        shut_down()
    }
    # Not by tryCatch(): an interrupt that comes while another is looked at must not end the waiting.
    withCallingHandlers(expr, interrupt = function(e) {
        if (shutdown_asked()) {
            shut_down()
        }
        tryInvokeRestart("resume")
    })
}

# Evaluates what an interrupt must not break off: the session, but for what looks for interrupts
# itself (a handler, waiting for an event). The note that came with it is found before the next event.
# While a handler of conditions runs, those around it are in force, but not itself: so there are some,
# one around the other, for interrupts that come while others are looked at.
uninterrupted <- function(expr, handlers = 6L) {
    if (handlers == 0L) {
        return(expr)
    }
    withCallingHandlers(uninterrupted(expr, handlers - 1L), interrupt = function(e) {
        tryInvokeRestart("resume")
    })
}

# Has bootstrap been told to end? Only where it is there to be told.
shutdown_asked <- function() {
    note <- Sys.getenv("R_LAYER_NOTE")
    nzchar(note) && isTRUE(file.size(note) > 0)
}

# Calls the hooks and ends the process. A hook that fails does not keep the others from their work.
# A forked child is not the function and has nothing to end.
shut_down <- function() {
    if (Sys.getpid() == session$process) {
        for (hook in registered$shutdown) {
            outcome <- guard(enter_hook(hook))
            if (!is.null(outcome$failure)) {
                log_failure(outcome$failure)
            }
        }
        end_log()
    }
    real_quit("no", 0, FALSE)
}

# Makes Lambda send SIGTERM at the end of a function that has hooks for it, without an extension of
# others: with R_LAYER_SHUTDOWN=1 the runtime registers as one, which wants no events.
register_for_shutdown <- function(api) {
    if (length(registered$shutdown) == 0L || length(list.files("/opt/extensions")) > 0L) {
        return(invisible())
    }
    if (!nzchar(Sys.getenv("R_LAYER_NOTE"))) {
        log_warning("on_shutdown() has no effect: Lambda ends this function without a signal. ",
            "Set R_LAYER_SHUTDOWN=1 for the function, or add a layer with an extension")
        return(invisible())
    }
    client <- http_client(api$address)
    answer <- http_request(client, "POST", "/2020-01-01/extension/register",
        c("Lambda-Extension-Name" = "r-layer-shutdown", "Content-Type" = "application/json"),
        charToRaw("{\"events\":[]}"))
    id <- header(answer$headers, "lambda-extension-identifier")
    if (!identical(answer$status, 200L) || is.null(id)) {
        log_warning("on_shutdown() may have no effect: the runtime could not register as an ",
            "extension", if (!is.null(answer)) paste0(": status ", answer$status))
        return(invisible())
    }
    # An extension is ready once it asks for an event. This one never gets any, so that the question
    # stays open, on a connection of its own.
    open_connection(client)
    writeBin(request_bytes(client, "GET", "/2020-01-01/extension/event/next",
        c("Lambda-Extension-Identifier" = id), NULL), client$connection)
    session$extension <- client
    invisible()
}
