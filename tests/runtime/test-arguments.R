test("the keys of an object are the arguments", {
    expect(arguments_of(function(x, y) NULL, '{"x":1,"y":"a"}'), list(x = 1L, y = "a"))
    expect(arguments_of(function(x) NULL, "{}"), structure(list(), names = character()))
    expect(arguments_of(function(x) NULL, '{"x":null}'), list(x = NULL))
})

test("direct arguments are simplified", {
    expect(arguments_of(function(x) NULL, '{"x":[[1,2],[3,4]]}'),
        list(x = matrix(c(1L, 3L, 2L, 4L), 2L)))
    expect(arguments_of(function(x) NULL, '{"x":[{"a":1},{"a":2}]}'),
        list(x = data.frame(a = 1:2)))
})

test("any other JSON value is the first argument", {
    expect(arguments_of(function(x) NULL, "[1,2]"), list(x = 1:2))
    expect(arguments_of(function(x) NULL, "5"), list(x = 5L))
    expect(arguments_of(function(x) NULL, "null"), list(x = NULL))
    expect(arguments_of(function(...) NULL, '"a"'), list("a"))
    expect(arguments_of(function(context, x) NULL, "5"),
        list(x = 5L, context = list(aws_request_id = "id")))
})

test("no body is no arguments", {
    expect(arguments_of(function(x) NULL, ""), list())
    expect(arguments_of(function(x) NULL, " \n"), list())
})

test("names must be exact", {
    expect(error_of(arguments_of(function(number) NULL, '{"n":5}')), "unused argument (n = 5)")
    got <- do.call(function(number = 0, ...) list(number, ...),
        arguments_of(function(number = 0, ...) NULL, '{"n":5}'))
    expect(got, list(0, n = 5L))
})

test("an argument that is not there is R's own error", {
    expect(error_of(arguments_of(function(x) NULL, '{"x":1,"y":1}')), "unused argument (y = 1)")
    expect(error_of(arguments_of(function() NULL, '{"x":1,"y":"a"}')),
        'unused arguments (x = 1, y = "a")')
})

test("odd keys are only names", {
    for (key in c("...", "a b", "", "`x`", "q()", "x;y", "\\u0000", "NULL", "if")) {
        text <- paste0('{"', key, '":1}')
        output_of(message <- error_of(arguments_of(function(x) NULL, text)))
        stopifnot(startsWith(message, "unused argument ("))
        text <- sub("1}", '1,"x":2}', text)
        f <- function(x = 9, ...) list(x, ...)
        output_of(got <- do.call(f, arguments_of(f, text)))
        expect(unname(got), list(2L, 1L))
    }
    expect(error_of(arguments_of(function(x = 9, ...) NULL, '{"":1}')), "unused argument (1)")
    f <- function(x = 9, ...) x
    expect(do.call(f, arguments_of(f, '{"...":1}')), 9)
})

test("a parameter `context` gets the context, unless the event has that key", {
    f <- function(x, context) NULL
    expect(arguments_of(f, '{"x":1}'), list(x = 1L, context = list(aws_request_id = "id")))
    log <- output_of(arguments <- arguments_of(f, '{"context":2}'))
    expect(arguments, list(context = 2L))
    stopifnot(grepl("WARNING:runtime:.*context", log))
})

test("a query, a message or a body does not stand in for the context", {
    context <- list(aws_request_id = "id")
    text <- write_json(list(version = "2.0", requestContext = list(http = list(method = "GET")),
        queryStringParameters = list(context = "false", x = "1"), body = '{"context":2}'))
    log <- output_of(arguments <- arguments_of(function(x, context) NULL, text))
    expect(arguments, list(x = "1", context = context))
    stopifnot(grepl("WARNING:runtime:.*context", log))
    expect(arguments_of(function(...) NULL, text), list(context = 2L, x = "1"))
    text <- '{"detail-type":"t","source":"s","detail":{"context":1}}'
    output_of(arguments <- arguments_of(function(context) NULL, text))
    expect(unname(arguments), list(context))
})

test("unused arguments of any size are told by their beginning", {
    message <- error_of(arguments_of(function(x) NULL, paste0('{"a":"', strrep("x", 1e6), '"}')))
    stopifnot(startsWith(message, 'unused argument (a = "xxx'), nchar(message) < 9000L)
    numbers <- paste0('{"a":[', strrep("1.5,", 1e5), "1]}")
    message <- error_of(arguments_of(function(x) NULL, numbers))
    stopifnot(startsWith(message, "unused argument (a = c(1.5, 1.5,"), nchar(message) < 9000L)
})

test("a handler of whole events gets them as lists of records", {
    f <- function(event, context) NULL
    got <- arguments_of(f, '{"Records":[{"a":1},{"a":2}],"v":[1,2],"m":[[1],[2]]}')
    expect(got$event$Records, list(list(a = 1L), list(a = 2L)))
    expect(got$event$v, 1:2)
    expect(got$event$m, list(1L, 2L))
    expect(got$context, list(aws_request_id = "id"))
})

test("which parameters make a handler of whole events", {
    whole <- function(fun, event = "auto") handler_of(fun, event)$whole
    stopifnot(
        whole(function(event) NULL), whole(function(event, ...) NULL),
        whole(function(context, event) NULL), !whole(function(event, x) NULL),
        !whole(function(context) NULL), !whole(function(...) NULL), !whole(function() NULL),
        whole(function(x) NULL, "raw"), !whole(function(event) NULL, "arguments")
    )
})

test("raw mode hands over the event as the first argument", {
    expect(arguments_of(function(x, y) NULL, '{"y":1}', "raw"), list(x = list(y = 1L)))
    expect(arguments_of(function(event) NULL, '{"event":1}', "arguments"), list(event = 1L))
})

test("an absent event is an empty one for a handler of whole events", {
    empty <- structure(list(), names = character())
    expect(arguments_of(function(event) NULL, ""), list(event = empty))
})

test("primitives are handlers too", {
    expect(arguments_of(sum, "[1,2]"), list(1:2))
    expect(arguments_of(abs, '{"x":-1}'), list(x = -1L))
})

test("a key that the handler names and the event lacks is NULL", {
    event <- '{"requestContext":{"http":{"method":"GET"}},"headers":{"a":"b"},"rawPath":"/"}'
    expect(arguments_of(function(body, headers, ...) NULL, event)["body"], list(body = NULL))
})
