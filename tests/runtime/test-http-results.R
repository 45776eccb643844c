# From results and errors to responses.

# Events of each kind, with fields given by name.
http_api <- function(...) {
    write_json(list(version = "2.0", requestContext = list(http = list(method = "GET")), ...))
}
rest_api <- function(...) {
    write_json(list(httpMethod = "GET", requestContext = list(stage = "prod"), ...))
}
load_balancer <- function(...) {
    write_json(list(httpMethod = "GET", requestContext = list(elb = list(targetGroupArn = "arn")),
        ...))
}
multi_value <- function(...) {
    load_balancer(multiValueHeaders = list(accept = list("*/*")), ...)
}

# The response that a function's caller would get, parsed.
response_to <- function(fun, text = http_api()) {
    assign("tested_handler", fun, globalenv())
    handler <- describe_handler("tested_handler", fun)
    output_of(answer <- answer_invocation(handler, charToRaw(text)))
    stopifnot(is.null(answer$failure))
    jsonlite::parse_json(answer$text)
}

# The failure of an invocation that is no response.
failure_of <- function(fun, text) {
    assign("tested_handler", fun, globalenv())
    handler <- describe_handler("tested_handler", fun)
    output_of(answer <- answer_invocation(handler, charToRaw(text)))
    answer$failure
}

body_of <- function(response) jsonlite::parse_json(response$body)

test("plain results are wrapped, responses are not", {
    expect(response_to(function() list(a = 1)),
        list(isBase64Encoded = FALSE, statusCode = 200L, body = '{"a":1}'))
    expect(response_to(function() list(statusCode = 201, body = "x")),
        list(statusCode = 201L, body = "x"))
    no_responses <- list(list(statusCode = "201"), list(statusCode = 99),
        list(statusCode = NA_real_), data.frame(statusCode = 200),
        list(statusCode = c(200, 201)))
    for (result in no_responses) {
        stopifnot("isBase64Encoded" %in% names(response_to(function() result)))
    }
})

test("load balancers get the headers that they insist on", {
    type <- list("Content-Type" = "application/json")
    expect(response_to(function() 1, load_balancer(headers = list()))$headers, type)
    response <- response_to(function() 1, multi_value())
    expect(response$multiValueHeaders, list("Content-Type" = list("application/json")))
    stopifnot(!"headers" %in% names(response))
    expect(response_to(function() stop("x"), multi_value())$multiValueHeaders[["Content-Type"]],
        list("application/json"))
})

test("JSON of a class of its own in a response's body stays text", {
    f <- function() list(statusCode = 200, body = jsonlite::toJSON(list(a = 1), auto_unbox = TRUE))
    expect(response_to(f)$body, '{"a":1}')
    expect(response_to(function() jsonlite::toJSON(1:2))$body, "[1,2]")
})

test("results of each shape, as a response's body", {
    body <- function(result) response_to(function() result)$body
    expect(body(NULL), "null")
    expect(body(list()), "[]")
    expect(body(c(1, NaN)), "[1,null]")
    expect(body(data.frame(a = 1:2, f = factor(c("x", NA)))),
        '[{"a":1,"f":"x"},{"a":2,"f":null}]')
    expect(body(as.Date("2024-02-29")), '"2024-02-29"')
    expect(body(as.raw(1:3)), '"AQID"')
    stopifnot(startsWith(body(as.POSIXct("2024-02-29 12:00:00", tz = "UTC")),
        '"2024-02-29T12:00:00'))
})

test("NaN in a result is told in the log", {
    assign("tested_handler", function() c(1, NaN), globalenv())
    handler <- describe_handler("tested_handler", get("tested_handler", globalenv()))
    log <- output_of(answer_invocation(handler, charToRaw(http_api())))
    stopifnot(any(grepl("NaN", log, fixed = TRUE)))
})

test("errors are responses with JSON", {
    response <- response_to(function() stop("no luck"))
    expect(response$statusCode, 500L)
    expect(response$headers[["Content-Type"]], "application/json")
    expect(response$headers[["x-amzn-ErrorType"]], "simpleError")
    expect(response$isBase64Encoded, FALSE)
    expect(body_of(response), list(message = "no luck"))
})

test("a condition's own status", {
    teapot <- function(code) structure(class = c("teapot", "error", "condition"),
        list(message = "m", code = code))
    expect(response_to(function() stop(teapot(418L)))$statusCode, 418L)
    for (code in list(NULL, 99, "404", c(400, 401), NA)) {
        expect(response_to(function() stop(teapot(code)))$statusCode, 500L)
    }
})

test("arguments that are missing, or that there are none for, are the caller's mistakes", {
    response <- response_to(function(x) x)
    expect(response$statusCode, 400L)
    expect(body_of(response)$message, 'argument "x" is missing, with no default')
    response <- response_to(function() 1, http_api(queryStringParameters = list(y = "1")))
    expect(response$statusCode, 400L)
    expect(body_of(response)$message, 'unused argument (y = "1")')
    inner <- function(z) z
    expect(response_to(function(x = 1) inner())$statusCode, 500L)
})

test("whole events: results are not wrapped, errors fail the invocation", {
    expect(response_to(function(event) list(a = 1)), list(a = 1L))
    expect(conditionMessage(failure_of(function(event) stop("x"), http_api())$condition), "x")
})

test("whole events: what says that it is a response is one", {
    f <- function(event, context) http_response("hello", 202)
    expect(response_to(f)[c("statusCode", "body")], list(statusCode = 202L, body = "hello"))
    f <- function(event) stop_http(403)
    expect(response_to(f, rest_api())$statusCode, 403L)
})

test("stop_http(): message, fields, headers", {
    response <- response_to(function() stop_http(404, "no user ", 5, id = 5))
    expect(response$statusCode, 404L)
    expect(body_of(response), list(message = "no user 5", id = 5L))
    expect(response$headers[["x-amzn-ErrorType"]], "lambda_http_error")
    expect(body_of(response_to(function() stop_http(404)))$message, "Not Found")
    expect(body_of(response_to(function() stop_http(299)))$message, "Status 299")
    response <- response_to(function() stop_http(429, headers = c("Retry-After" = 3)))
    expect(response$headers[["Retry-After"]], "3")
    f <- function() tryCatch(stop("inner"), error = function(e) stop_http(502, e))
    expect(body_of(response_to(f))$message, "inner")
    page <- function() stop_http(404, "<p>no", headers = list("content-type" = "text/html"))
    expect(response_to(page)$body, "<p>no")
    type <- list("Content-Type" = "application/problem+json")
    problem <- function() stop_http(400, headers = type)
    expect(body_of(response_to(problem))$message, "Bad Request")
})

test("stop_http() is an error like others", {
    caught <- tryCatch(stop_http(409, "busy"), error = identity)
    expect(conditionMessage(caught), "busy")
    expect(caught$code, 409L)
    failure <- failure_of(function() stop_http(404, "none"), "{}")
    expect(lambda_error_type(failure$condition), "Function.LambdaHttpError")
    expect(error_of(stop_http("404")), "status must be a number from 100 to 599")
    expect(error_of(stop_http(99)), "status must be a number from 100 to 599")
})

test("errors of lambdr's stop_html() are plain text", {
    condition <- structure(class = c("html_error", "error", "condition"),
        list(message = "m", code = 404L))
    expect(response_to(function() stop(condition)), list(statusCode = 404L,
        headers = list("Content-Type" = "text/plain", "x-amzn-ErrorType" = "html_error"),
        isBase64Encoded = FALSE, body = "m"))
})

test("http_response(): bodies and their types", {
    is <- function(response, text, type, base64 = FALSE) {
        expect(response$body, text)
        expect(response$headers[["Content-Type"]], type)
        expect(response$isBase64Encoded, base64)
    }
    is(http_response("hello"), "hello", "text/plain; charset=utf-8")
    is(http_response("{}", content_type = "application/json"), "{}", "application/json")
    is(http_response(list(a = 1)), '{"a":1}', "application/json")
    is(http_response(c("a", "b")), '["a","b"]', "application/json")
    is(http_response(c("a", "b"), content_type = "text/csv"), "a\nb", "text/csv")
    is(http_response(jsonlite::toJSON(1:2)), "[1,2]", "application/json")
    is(http_response(data.frame(a = 1)), '[{"a":1}]', "application/json")
    is(http_response(as.raw(0:2)), "AAEC", "application/octet-stream", TRUE)
    is(http_response(as.raw(0:2), content_type = "image/png"), "AAEC", "image/png", TRUE)
    is(http_response("AAEC", content_type = "image/png", base64 = TRUE), "AAEC", "image/png", TRUE)
    is(http_response(NULL, 204), "", NULL)
    expect(http_response(as.raw(rep(1, 300)))$body, strrep("AQEB", 100))
    stopifnot(grepl("one text", error_of(http_response(list(), base64 = TRUE))))
})

test("http_response(): a header's name has no case", {
    headers <- http_response("x", headers = list("content-type" = "text/css"))$headers
    expect(headers, list("content-type" = "text/css"))
    headers <- http_response("x", headers = list("content-type" = "a/b"), content_type = "c/d")
    expect(headers$headers, list("Content-Type" = "c/d"))
    headers <- response_headers(list(Vary = "a", n = 1, vary = "b", gone = NULL, na = NA))
    expect(headers, list(Vary = c("a", "b"), n = "1"))
})

test("no header can begin another one", {
    wrong <- list(list(a = "x\r\nSet-Cookie: y"), list("a\nb" = "x"), list("x"), list("a b" = 1))
    for (headers in wrong) {
        stopifnot(startsWith(error_of(http_response("x", headers = headers)), "headers need names"))
    }
})

test("http_response(): the form follows the event", {
    f <- function() http_response("x", headers = list("Set-Cookie" = c("a=1", "b=2"),
        Vary = c("c", "d")))
    type <- "text/plain; charset=utf-8"
    both <- list("a=1", "b=2")
    response <- response_to(f, http_api())
    expect(response$cookies, both)
    expect(response$headers, list("Content-Type" = type, Vary = "c, d"))
    response <- response_to(f, rest_api())
    expect(response$headers, list("Content-Type" = type))
    expect(response$multiValueHeaders, list("Set-Cookie" = both, Vary = list("c", "d")))
    response <- response_to(f, multi_value())
    expect(response$multiValueHeaders, list("Content-Type" = list(type), "Set-Cookie" = both,
        Vary = list("c", "d")))
    response <- response_to(f, load_balancer(headers = list()))
    expect(response$headers, list("Content-Type" = type, "Set-Cookie" = "b=2", Vary = "c, d"))
    # A direct event is answered as a function URL would be.
    expect(response_to(f, "{}")$cookies, both)
})

test("a response without headers has an empty object of them", {
    handler <- handler_of(function() NULL)
    event <- read_event(charToRaw(load_balancer(headers = list())), handler)
    text <- answer_text(event, http_response(NULL, 204), TRUE)
    stopifnot(grepl('"headers":{}', text, fixed = TRUE))
})
