# Lambda's Runtime API: where events come from and results go to.

# Takes AWS_LAMBDA_RUNTIME_API, "host:port". Returns an HTTP client for it.
runtime_api <- function(address) {
    if (!nzchar(address)) {
        stop("AWS_LAMBDA_RUNTIME_API is not set: this runtime is started by AWS Lambda")
    }
    http_client(address)
}

api_path <- function(...) {
    paste0("/2018-06-01/runtime/", ...)
}

# Waits for the next event. Returns list(id, headers, body). A dropped connection is no news: it is
# asked again, a little later each time, and the process ends only when the API is gone.
next_invocation <- function(api) {
    for (pause in c(0, 0.05, 0.1, 0.2, 0.5, 1, 2)) {
        Sys.sleep(pause)
        asked <- Sys.time()
        answer <- http_request(api, "GET", api_path("invocation/next"))
        # A request that lasted was alive: its end tells nothing about the next one.
        while (is.null(answer) && difftime(Sys.time(), asked, units = "secs") > 10) {
            asked <- Sys.time()
            answer <- http_request(api, "GET", api_path("invocation/next"))
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
    answer <- http_request(api, "POST", path, headers, charToRaw(text))
    status <- if (is.null(answer)) NA_integer_ else answer$status
    if (!status %in% 200:299) {
        said <- if (is.null(answer)) "no answer" else bytes_to_text(answer$body)
        log_error("the Runtime API refused ", path, ": ", status, " ", said)
    }
    status
}
