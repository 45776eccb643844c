# What is known about an invocation beside its event.

# Takes the headers of the answer that brought the event. Returns a list of class lambda_context.
invocation_context <- function(headers) {
    told <- headers[match(context_headers, names(headers))]
    names(told) <- names(context_headers)
    told <- as.list(told[!is.na(told) & nzchar(told)])
    deadline_ms <- milliseconds(told$deadline)
    known <- known_function()
    context <- list(
        aws_request_id = told$request_id,
        invoked_function_arn = told$arn,
        function_name = known[[1L]], function_version = known[[2L]],
        memory_limit_in_mb = known[[3L]], log_group_name = known[[4L]],
        log_stream_name = known[[5L]],
        deadline = .POSIXct(deadline_ms / 1000),
        deadline_ms = deadline_ms,
        remaining_time_in_millis = function() deadline_ms - 1000 * as.numeric(Sys.time()),
        trace_id = told$trace_id,
        client_context = header_json(told$client_context),
        identity = header_json(told$identity),
        tenant_id = told$tenant_id
    )
    class(context) <- "lambda_context"
    context
}

context_headers <- c(request_id = "lambda-runtime-aws-request-id", deadline = "lambda-runtime-deadline-ms",
    arn = "lambda-runtime-invoked-function-arn", trace_id = "lambda-runtime-trace-id",
    client_context = "lambda-runtime-client-context", identity = "lambda-runtime-cognito-identity",
    tenant_id = "lambda-runtime-aws-tenant-id")

# What Lambda tells of the function in variables, which stays; read once.
known_function <- function() {
    if (is.null(session$known)) {
        session$known <- Sys.getenv(function_variables, names = FALSE)
    }
    session$known
}

# In the order in which the context has it.
function_variables <- c("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME")

# A number of milliseconds, NA for what is none: without the warning that as.numeric() would give.
milliseconds <- function(text) {
    digits <- if (is.null(text)) raw() else charToRaw(text)
    points <- digits == 0x2e
    known <- length(digits) > sum(points) && sum(points) < 2L &&
        all(points | digits >= 0x30 & digits <= 0x39)
    if (known) as.numeric(text) else NA_real_
}

# The JSON in a header as a list. A header that is no JSON stays text: it must not cost the event.
header_json <- function(text) {
    if (is.null(text)) {
        return(NULL)
    }
    tryCatch(read_json(text, tables = FALSE), error = function(e) text)
}

# Makes the invocation with these headers the current one. Its context is made when it is first asked for,
# which most handlers never do. The X-Ray SDK's variable is set for anybody.
enter_context <- function(headers) {
    delayedAssign("context", invocation_context(headers), environment(), session)
    session$deadline_ms <- milliseconds(header(headers, "lambda-runtime-deadline-ms"))
    trace_id <- header(headers, "lambda-runtime-trace-id")
    if (is.null(trace_id)) {
        Sys.unsetenv("_X_AMZN_TRACE_ID")
    } else {
        Sys.setenv("_X_AMZN_TRACE_ID" = trace_id)
    }
}

# A context as a plain list of what can be shown or sent: for handlers that return theirs.
plain_context <- function(context) {
    plain <- unclass(context)
    plain[setdiff(names(plain), c("deadline_ms", "remaining_time_in_millis"))]
}

# Makes print() and R's own printing show our objects in a readable form, from any code.
register_print_methods <- function() {
    registerS3method("print", "lambda_context", print_context, baseenv())
}

# The method of print() for a context: a line for each thing that is known.
print_context <- function(x, ...) {
    known <- plain_context(x)
    known <- known[!vapply(known, is.null, NA)]
    left <- format_count(x$remaining_time_in_millis())
    values <- vapply(names(known), function(name) {
        value <- known[[name]]
        if (name == "deadline") {
            paste0(format(value, "%Y-%m-%d %H:%M:%S %Z"), " (", left, " ms left)")
        } else if (is.character(value) && length(value) == 1L) {
            value
        } else {
            write_json(value)
        }
    }, "")
    cat("<lambda_context>\n", paste0("  ", format(names(values)), "  ", values, "\n"), sep = "")
    invisible(x)
}
