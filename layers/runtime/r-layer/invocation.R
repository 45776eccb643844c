# One invocation, from its event to its answer.

# Lambda refuses larger answers.
largest_response <- 6291556

# Waits for an event and answers it.
serve <- function(api, handler) {
    invocation <- next_invocation(api)
    enter_context(invocation$headers)
    sinks <- sink_state()
    answer <- answer_invocation(handler, invocation$body)
    restore_sinks(sinks)
    end_log()
    send_answer(api, invocation$id, answer)
    prepare_jit()
}

# Runs the handler on the bytes of an event. Returns list(text) or list(text, failure), text: JSON.
answer_invocation <- function(handler, bytes) {
    state <- new.env(parent = emptyenv())
    state$over_http <- FALSE
    outcome <- guard(within_deadline(session$deadline_ms, run_handler(handler, bytes, state)))
    if (is.null(outcome$failure)) {
        return(list(text = outcome$value))
    }
    log_failure(outcome$failure)
    condition <- outcome$failure$condition
    # What is in a stream already can't be taken back: the error goes to its end.
    if (!stream_begun() && is_answer_over_http(state$event, state$over_http, condition)) {
        return(list(text = http_error_text(handler, state$event, condition, state$arguments)))
    }
    list(text = error_body(outcome$failure), failure = outcome$failure)
}

# From bytes to the text of the result. state: takes what an error's answer depends on.
run_handler <- function(handler, bytes, state) {
    event <- read_event(bytes, handler)
    state$event <- event
    # A handler of whole events speaks for itself: neither results nor errors are wrapped.
    state$over_http <- event$kind == "http" && !handler$whole
    state$arguments <- arguments_for(handler, event, session$context)
    told <- log_wanted("DEBUG")
    if (told) {
        log_debug("Invoking function '", handler$name, "' with parameters:\n",
            printed(state$arguments))
    }
    result <- enter_handler(handler$target, state$arguments, handler$place)
    if (told) {
        log_debug("Function returned:\n", printed(result))
    }
    if (inherits(result, "stream_response")) {
        run_stream(result, over_http = event$kind == "http")
        return(NULL)
    }
    refuse_large(answer_text(event, result, state$over_http))
}

# Calls the handler by its name, or by `package::name`, so that errors and traces show that, not the
# function's text. Its own function so that stack traces can begin below it.
enter_handler <- function(name, arguments, place = globalenv()) {
    resume_jit()
    on.exit(pause_jit())
    if (is.call(name)) {
        eval(as.call(c(name, arguments)), place)
    } else {
        do.call(name, arguments, envir = place)
    }
}

refuse_large <- function(text) {
    size <- nchar(text, "bytes")
    if (size > largest_response) {
        stop(runtime_error("The result is too large: ", format_count(size), " bytes of JSON, ",
            "and Lambda takes ", format_count(largest_response), ". Return where it is instead.",
            lambda_type = "Function.ResponseSizeTooLarge", code = 500L))
    }
    text
}

# Posts an answer. An answer that Lambda refuses must still end the invocation.
send_answer <- function(api, id, answer) {
    if (stream_begun()) {
        return(end_stream(api, id, answer$failure))
    }
    if (!is.null(answer$failure)) {
        post_error(api, id, answer$text, answer$failure)
        return(invisible())
    }
    status <- post_response(api, id, answer$text)
    if (status %in% c(400L, 413L)) {
        condition <- runtime_error("Lambda refused the result, with status ", status,
            lambda_type = "Function.ResponseRefused")
        failure <- list(condition = condition, calls = NULL, depth = 0L)
        post_error(api, id, error_body(failure), failure)
    }
    log_debug("Posted result:\n", answer$text)
}
