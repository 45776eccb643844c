# An HTTP API's event, its fields given by name.
request <- function(...) {
    write_json(list(version = "2.0", requestContext = list(http = list(method = "GET")), ...))
}

# The response that a function's caller would get, parsed.
response_to <- function(fun, text) {
    assign("tested_handler", fun, globalenv())
    handler <- describe_handler("tested_handler", fun)
    output_of(answer <- answer_invocation(handler, charToRaw(text), list()))
    stopifnot(is.null(answer$failure))
    jsonlite::parse_json(answer$text)
}

test("path parameters before the body's fields before query parameters", {
    text <- request(pathParameters = list(a = "path"), body = '{"a":1,"b":2}',
        queryStringParameters = list(a = "query", b = "query", c = "query"))
    expect(arguments_of(function(a, b, c) NULL, text), list(a = "path", b = 2L, c = "query"))
})

test("text takes the type of the parameter's default", {
    text <- request(queryStringParameters = list(n = "5", i = "7", f = "true", s = "1", p = "2"))
    got <- arguments_of(function(n = 0.5, i = -1L, f = FALSE, s = "", p) NULL, text)
    expect(got, list(n = 5, i = 7L, f = TRUE, s = "1", p = "2"))
    got <- arguments_of(function(n = stop("no"), i, f = F, s = c("a", "b"), p = NULL) NULL, text)
    expect(got, list(n = "5", i = "7", f = TRUE, s = "1", p = "2"))
})

test("a default that is more than a constant is not evaluated", {
    evaluated <- new.env()
    f <- function(n) NULL
    formals(f)$n <- bquote(assign("once", TRUE, .(evaluated)))
    expect(arguments_of(f, request(queryStringParameters = list(n = "5"))), list(n = "5"))
    expect(ls(evaluated), character())
})

test("text that is not of the default's type is the caller's mistake", {
    wrong <- function(fun, value) {
        response_to(fun, request(queryStringParameters = list(n = value)))
    }
    expect(wrong(function(n = 1) n, "x")$body, 'argument "n" is not a number: "x"')
    expect(wrong(function(n = 1L) n, "1.5")$statusCode, 400L)
    expect(wrong(function(n = TRUE) n, "maybe")$statusCode, 400L)
})

test("repeated query parameters of an HTTP API are split", {
    text <- request(queryStringParameters = list(a = "1,2", b = "x"))
    expect(arguments_of(function(a = 0, b) NULL, text), list(a = c(1, 2), b = "x"))
})

test("load balancers: encoded query, and headers in the response", {
    text <- write_json(list(requestContext = list(elb = list(x = 1)), httpMethod = "GET",
        queryStringParameters = list("a+b" = "%C3%A9+x", c = "%zz"), body = "", headers = list()))
    expect(arguments_of(function(...) NULL, text), list("a b" = "\u00e9 x", c = "%zz"))
    expect(response_to(function(...) 1, text)$headers, list("Content-Type" = "application/json"))
})

test("bodies: base64, form, other JSON, text, bytes", {
    base64 <- function(bytes) request(body = jsonlite::base64_enc(bytes), isBase64Encoded = TRUE)
    expect(arguments_of(function(a) NULL, base64(charToRaw('{"a":1}'))), list(a = 1L))
    expect(arguments_of(function(a) NULL, base64(as.raw(c(255, 0, 1)))),
        list(a = as.raw(c(255, 0, 1))))
    form <- request(headers = list("Content-Type" = "application/x-www-form-urlencoded"),
        body = "a=1&b=x+%26&b=y&c")
    expect(arguments_of(function(a = 0, b, c) NULL, form),
        list(a = 1, b = c("x &", "y"), c = ""))
    expect(arguments_of(function(x) NULL, request(body = "[1,2]")), list(x = 1:2))
    expect(arguments_of(function(x) NULL, request(body = "hello")), list(x = "hello"))
    expect(arguments_of(function(x) NULL, request(body = "")), list())
    expect(arguments_of(function(p, x) NULL,
        request(body = "hello", pathParameters = list(p = "1"))), list(p = "1", x = "hello"))
})

test("a body that says it is JSON must be", {
    text <- request(body = "{bad", headers = list("content-type" = "application/json; charset=x"))
    response <- response_to(function(...) 1, text)
    expect(response$statusCode, 400L)
    stopifnot(startsWith(response$body, "The body is not valid JSON"))
})

test("a handler may take the event's own keys", {
    text <- request(body = "b", headers = list(h = "x"))
    expect(names(arguments_of(function(body, ...) NULL, text)),
        c("version", "requestContext", "body", "headers"))
    expect(names(arguments_of(function(version, requestContext, body, headers, x) NULL, text)),
        c("version", "requestContext", "body", "headers"))
    # It does not name every key and has no dots: the convenient arguments.
    expect(arguments_of(function(body) NULL, text), list(body = "b"))
    # Dots alone are not enough.
    expect(arguments_of(function(...) NULL, text), list("b"))
})

test("plain results are wrapped, responses are not", {
    expect(response_to(function() list(a = 1), request()),
        list(isBase64Encoded = FALSE, statusCode = 200L, body = '{"a":1}'))
    expect(response_to(function() list(statusCode = 201, body = "x"), request()),
        list(statusCode = 201L, body = "x"))
    no_responses <- list(list(statusCode = "201"), list(statusCode = 99),
        list(statusCode = NA_real_), data.frame(statusCode = 200),
        list(statusCode = c(200, 201)))
    for (result in no_responses) {
        stopifnot("isBase64Encoded" %in% names(response_to(function() result, request())))
    }
})

test("JSON of a class of its own in a response's body stays text", {
    f <- function() list(statusCode = 200, body = jsonlite::toJSON(list(a = 1), auto_unbox = TRUE))
    expect(response_to(f, request())$body, '{"a":1}')
})

test("errors are responses", {
    response <- response_to(function() stop("no luck"), request())
    expect(response, list(statusCode = 500L, headers = list("Content-Type" = "text/plain",
        "x-amzn-ErrorType" = "simpleError"), isBase64Encoded = FALSE, body = "no luck"))
    teapot <- structure(class = c("teapot", "error", "condition"),
        list(message = "m", code = 418L))
    expect(response_to(function() stop(teapot), request())$statusCode, 418L)
    expect(response_to(function(x) x, request())$body, 'argument "x" is missing, with no default')
    expect(response_to(function(x) x, request())$statusCode, 400L)
    unused <- request(queryStringParameters = list(y = "1"))
    expect(response_to(function() 1, unused)$statusCode, 400L)
    inner <- function(z) z
    expect(response_to(function(x = 1) inner(), request())$statusCode, 500L)
})

test("whole events are not wrapped", {
    expect(response_to(function(event) list(a = 1), request()), list(a = 1L))
})
