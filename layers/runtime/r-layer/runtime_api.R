# Lambda's Runtime API: where events come from and results go to.

# Takes AWS_LAMBDA_RUNTIME_API, "host:port". Returns an HTTP client for it.
runtime_api <- function(address) {
    if (!nzchar(address)) {
        stop("AWS_LAMBDA_RUNTIME_API is not set: this runtime is started by AWS Lambda")
    }
    api <- http_client(address)
    api$next_request <- request_bytes(api, "GET", api_path("invocation/next"))
    api
}

api_path <- function(...) {
    paste0("/2018-06-01/runtime/", ...)
}

# How long to wait before each of the times that the Runtime API is asked without an answer. A
# dropped connection is no news: at first it is opened again at once.
retry_pauses <- c(0, 0, 0.05, 0.1, 0.2, 0.5, 1, 2)

pause_for <- function(seconds) {
    if (seconds > 0) {
        Sys.sleep(seconds)
    }
}

# Waits for the next event, or for the end. Returns list(id, headers, body).
next_invocation <- function(api) {
    session$stream <- NULL
    session$current <- NULL
    invocation <- unless_shut_down(ask_for_event(api))
    session$current <- list(api = api, id = invocation$id)
    invocation
}

# Asks until there is an event; the process ends when the API is gone.
ask_for_event <- function(api) {
    for (pause in retry_pauses) {
        pause_for(pause)
        asked <- Sys.time()
        answer <- exchange(api, api$next_request)
        # A request that lasted was alive: its end tells nothing about the next one.
        while (is.null(answer) && difftime(Sys.time(), asked, units = "secs") > 10) {
            asked <- Sys.time()
            answer <- exchange(api, api$next_request)
        }
        id <- header(answer$headers, "lambda-runtime-aws-request-id")
        if (identical(answer$status, 200L) && !is.null(id)) {
            return(list(id = id, headers = answer$headers, body = answer$body))
        }
        # Status 500 says that the sandbox is beyond repair.
        if (identical(answer$status, 500L)) {
            break
        }
    }
    log_error("no event from the Runtime API at ", api$address, if (!is.null(answer)) {
        paste0(": status ", answer$status, " ", bytes_to_text(answer$body))
    })
    real_quit("no", 1, FALSE)
}

# Posts a result: text in UTF-8. Returns the answer's status, NA when there was no answer.
post_response <- function(api, id, text) {
    post(api, api_path("invocation/", id, "/response"), "application/json", text)
}

# Posts the error of an invocation: its JSON, and the failure for the header that names its kind.
post_error <- function(api, id, text, failure) {
    cause <- c("Lambda-Runtime-Function-XRay-Error-Cause" = xray_cause(failure))
    post(api, api_path("invocation/", id, "/error"), error_content_type, text, failure, cause)
}

# Posts the error that keeps the function from starting.
post_init_error <- function(api, text, failure) {
    post(api, api_path("init/error"), error_content_type, text, failure)
}

error_content_type <- "application/vnd.aws.lambda.error+json"

post <- function(api, path, content_type, text, failure = NULL, more_headers = NULL) {
    headers <- c("Content-Type" = content_type, more_headers)
    if (!is.null(failure)) {
        headers["Lambda-Runtime-Function-Error-Type"] <- described(failure)$kind
    }
    answer <- post_until_answered(api, path, headers, charToRaw(text))
    checked_status(answer, path)
}

# Posts again when the connection broke before the answer came: the first one may have been taken or
# not. If it was, the API refuses the second one, since that invocation is answered already (400), or
# since it is not the time for an answer (403), and all is well.
post_until_answered <- function(api, path, headers, body) {
    for (i in seq_along(retry_pauses)) {
        pause_for(retry_pauses[i])
        answer <- http_request(api, "POST", path, headers, body)
        if (!is.null(answer)) {
            break
        }
    }
    if (i > 1L && answer$status %in% c(400L, 403L)) {
        answer$status <- 202L
    }
    answer
}

# The status of an answer to a post, NA when there was none; logged if it is a refusal.
checked_status <- function(answer, path) {
    status <- if (is.null(answer)) NA_integer_ else answer$status
    if (is.na(status) || status < 200L || status > 299L) {
        said <- if (is.null(answer)) "no answer" else bytes_to_text(answer$body)
        log_error("the Runtime API refused ", path, ": ", status, " ", said)
    }
    status
}
