# The functions that the runtime offers to handlers, and how they are called here.

public_functions <- c(
    lambda_context = "lambda_context", lambda_config = "lambda_config",
    log_debug = "public_log_debug", log_info = "public_log_info", log_warn = "public_log_warn",
    log_error = "public_log_error",
    http_response = "http_response", stop_http = "stop_http", html_response = "html_response",
    stream_response = "stream_response", from_base64 = "from_base64",
    on_init = "on_init", on_shutdown = "on_shutdown"
)

# Puts them on the search path, below the global environment: as promises, so that the files of those
# that a handler does not use are not read.
attach_public_functions <- function() {
    place <- attach(NULL, name = "r-layer", warn.conflicts = FALSE)
    .Internal(makeLazy(names(public_functions), as.list(public_functions),
        quote(public_function(NAME)), environment(attach_public_functions), place))
}

public_function <- function(name) {
    get(name, mode = "function")
}
