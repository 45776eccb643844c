# An HTTP API's event, its fields given by name.
request <- function(...) {
    write_json(list(version = "2.0", requestContext = list(http = list(method = "GET")), ...))
}

# The response that a function's caller would get, parsed.
response_to <- function(fun, text) {
    assign("tested_handler", fun, globalenv())
    handler <- describe_handler("tested_handler", fun)
    output_of(answer <- answer_invocation(handler, charToRaw(text)))
    stopifnot(is.null(answer$failure))
    jsonlite::parse_json(answer$text)
}

# The message in an error's JSON.
message_in <- function(response) {
    jsonlite::parse_json(response$body)$message
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
    expect(message_in(wrong(function(n = 1) n, "x")), 'argument "n" is not a number: "x"')
    expect(wrong(function(n = 1L) n, "1.5")$statusCode, 400L)
    expect(wrong(function(n = TRUE) n, "maybe")$statusCode, 400L)
})

test("repeated query parameters of an HTTP API are split", {
    text <- request(queryStringParameters = list(a = "1,2", b = "x"))
    expect(arguments_of(function(a = 0, b) NULL, text), list(a = c(1, 2), b = "x"))
})

test("several values of a parameter of a REST API", {
    text <- write_json(list(httpMethod = "GET", requestContext = list(stage = "s"),
        queryStringParameters = list(a = "2", b = "x,y"),
        multiValueQueryStringParameters = list(a = list("1", "2"), b = list("x,y"))))
    expect(arguments_of(function(a = 0, b) NULL, text), list(a = c(1, 2), b = "x,y"))
    text <- sub('"multiValueQueryStringParameters":[{][^}]*[}]',
        '"multiValueQueryStringParameters":null', text)
    expect(arguments_of(function(a = 0, b) NULL, text), list(a = 2, b = "x,y"))
})

test("load balancers with multi-value headers", {
    text <- write_json(list(requestContext = list(elb = list(x = 1)), httpMethod = "POST",
        multiValueQueryStringParameters = list("a%20b" = list("%C3%A9", "+")),
        multiValueHeaders = list("content-type" = list("application/x-www-form-urlencoded")),
        body = "f=1+2&f=3"))
    expect(arguments_of(function(...) NULL, text), list(f = c("1 2", "3"),
        "a b" = c("\u00e9", " ")))
})

test("VPC Lattice", {
    text <- write_json(list(version = "2.0", path = "/p", method = "POST",
        headers = list("Content-Type" = list("application/json")), body = '{"a":1}',
        queryStringParameters = list(b = list("1", "2"), c = list("x,y")),
        requestContext = list(serviceNetworkArn = "arn")))
    expect(arguments_of(function(a, b = 0, c) NULL, text), list(a = 1L, b = c(1, 2), c = "x,y"))
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
    expect(arguments_of(function(x) NULL, request(body = "007")), list(x = "007"))
    expect(arguments_of(function(p, x) NULL,
        request(body = "hello", pathParameters = list(p = "1"))), list(p = "1", x = "hello"))
})

test("JSON that curl sends as a form is JSON", {
    form <- list("Content-Type" = "application/x-www-form-urlencoded")
    expect(arguments_of(function(a) NULL, request(headers = form, body = ' {"a":1}')), list(a = 1L))
    expect(arguments_of(function(x) NULL, request(headers = form, body = "[1,2]")), list(x = 1:2))
})

test("a body that was not made a text is taken as the JSON that it is", {
    expect(arguments_of(function(a) NULL, request(body = list(a = 1))), list(a = 1L))
    expect(arguments_of(function(x) NULL, request(body = 5)), list(x = 5L))
})

test("a body that is not base64 is the caller's mistake", {
    response <- response_to(function(...) 1, request(body = "%%%", isBase64Encoded = TRUE))
    expect(response$statusCode, 400L)
    expect(message_in(response), 'not valid base64: "%%%"')
})

test("forms: odd fields", {
    fields <- function(body) form_fields(body)
    expect(fields("a=1&a=2&b"), list(a = c("1", "2"), b = ""))
    expect(unname(fields("=x&&c=%")), list("x", "%"))
    expect(url_decoded(c("%zz+", "a%20b", "%C3%A9%2b+", "%4", "1%", "%00", "")),
        c("%zz+", "a b", "\u00e9+ ", "%4", "1%", "%00", ""))
    expect(url_decoded(c("%4", "1")), c("%4", "1"))
    expect(url_decoded("%ff"), "\ufffd")
})

test("a body that says it is JSON must be", {
    text <- request(body = "{bad", headers = list("content-type" = "application/json; charset=x"))
    response <- response_to(function(...) 1, text)
    expect(response$statusCode, 400L)
    stopifnot(startsWith(message_in(response), "The body is not valid JSON"))
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

