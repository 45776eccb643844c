headers <- c("lambda-runtime-aws-request-id" = "id",
    "lambda-runtime-deadline-ms" = "1700000000123",
    "lambda-runtime-invoked-function-arn" = "arn", "lambda-runtime-trace-id" = "Root=1",
    "lambda-runtime-client-context" = '{"custom":{"a":1}}',
    "lambda-runtime-cognito-identity" = "not json", "lambda-runtime-aws-tenant-id" = "tenant")

test("what the context holds", {
    Sys.setenv(AWS_LAMBDA_FUNCTION_NAME = "f", AWS_LAMBDA_FUNCTION_MEMORY_SIZE = "128")
    context <- invocation_context(headers)
    expect(class(context), "lambda_context")
    expect(context$aws_request_id, "id")
    expect(context$invoked_function_arn, "arn")
    expect(context$function_name, "f")
    expect(context$memory_limit_in_mb, "128")
    expect(context$deadline_ms, 1700000000123)
    expect(format(context$deadline, tz = "UTC"), "2023-11-14 22:13:20")
    expect(context$client_context, list(custom = list(a = 1L)))
    expect(context$identity, "not json")
    expect(context$tenant_id, "tenant")
})

test("the clock runs", {
    deadline <- 1000 * as.numeric(Sys.time()) + 5000
    headers["lambda-runtime-deadline-ms"] <- format(deadline, digits = 15)
    remaining <- invocation_context(headers)$remaining_time_in_millis()
    stopifnot(remaining > 3000, remaining <= 5001)
})

test("headers that are not there", {
    context <- invocation_context(c(x = "y"))
    expect(context$aws_request_id, NULL)
    expect(context$deadline_ms, NA_real_)
    expect(context$client_context, NULL)
})

test("the trace of X-Ray is set, and unset again", {
    enter_context(c("lambda-runtime-trace-id" = "Root=1"))
    expect(Sys.getenv("_X_AMZN_TRACE_ID"), "Root=1")
    enter_context(character())
    expect(Sys.getenv("_X_AMZN_TRACE_ID", NA), NA_character_)
    enter_context(headers)
    expect(lambda_context()$aws_request_id, "id")
})

test("a context prints itself, from any code", {
    register_print_methods()
    context <- invocation_context(headers)
    lines <- output_of(print(context))
    expect(lines[1], "<lambda_context>")
    told <- function(name, value) any(grepl(paste0("^  ", name, " +", value), lines))
    stopifnot(told("aws_request_id", "id$"), told("trace_id", "Root=1$"),
        told("deadline", "2023-11-14 22:13:20.* ms left"),
        told("client_context", '[{]"custom":[{]"a":1[}][}]$'))
    stopifnot(!any(grepl("function|deadline_ms", sub("function_|_function_", "", lines))))
    bare <- output_of(print(invocation_context(c(x = "y"))))
    expect(bare[1], "<lambda_context>")
})

test("a deadline that is no number is none", {
    context <- invocation_context(c("lambda-runtime-deadline-ms" = "soon"))
    expect(context$deadline_ms, NA_real_)
    stopifnot(inherits(context$deadline, "POSIXct"), is.na(context$remaining_time_in_millis()))
})

test("handlers print their context, and have it wherever they are", {
    traced <- list(body = "{}", headers = c("Lambda-Runtime-Aws-Tenant-Id: t",
        'Lambda-Runtime-Client-Context: {"env":{"locale":"\u00fc"}}',
        'Lambda-Runtime-Cognito-Identity: {"identityId":"i"}'))
    played <- play("context.shows", "basics", list(traced, "{}"))
    expect(lapply(played$answers, function(answer) jsonlite::parse_json(answer$body)), list(
        list(class = "lambda_context", tenant = "t", locale = "\u00fc", identity = "i",
            same = TRUE, seconds = TRUE),
        list(class = "lambda_context", tenant = NULL, locale = NULL, identity = NULL,
            same = TRUE, seconds = TRUE)))
    stopifnot(grepl("<lambda_context>\n  aws_request_id +request-1\n", played$log))
})

test("a context can be a result", {
    sent <- jsonlite::parse_json(write_result(list(context = invocation_context(headers))))
    expect(sent$context$aws_request_id, "id")
    stopifnot(!any(c("deadline_ms", "remaining_time_in_millis") %in% names(sent$context)))
})
