# Whatever comes in gets an answer, the session lives on, and nothing of it is evaluated as code.

canary <- file.path(dirname(tempdir()), paste0("canary-", Sys.getpid()))

# Code that would leave a trace, in the ways in which R could be led to run it.
code_of_attack <- c(
    paste0("file.create('", canary, "')"),
    paste0("`system('touch ", canary, "')`"),
    paste0("q(); file.create('", canary, "')"),
    paste0("'); system('touch ", canary, "'); ('"),
    paste0("|touch ", canary),
    paste0("!expr file.create('", canary, "')"),
    paste0("(function() file.create('", canary, "'))()")
)

# Plays events to one handler of the fixture. All must be answered, in order, with JSON.
survives <- function(name, events, last, answer) {
    played <- play(paste0("script.", name), "shapes", c(events, last))
    answers <- played$answers
    if (length(answers) != length(events) + 1L) {
        event <- c(events, last)[[length(answers) + 1L]]
        shown <- if (is.raw(event)) deparse(event) else substr(event, 1L, 500L)
        stop("no answer to ", shown, "\n", substring(played$log, max(1, nchar(played$log) - 1000)))
    }
    paths <- vapply(answers, `[[`, "", "path")
    expect(sub("^.*/(request-[0-9]+)/(response|error)$", "\\1", paths),
        paste0("request-", seq_along(answers)))
    bodies <- vapply(answers, `[[`, "", "body")
    small <- bodies[nchar(bodies, "bytes") < 1e5]
    stopifnot(vapply(small, jsonlite::validate, NA))
    failed <- answers[endsWith(paths, "error")]
    kinds <- vapply(failed, function(one) {
        header(one$headers, "lambda-runtime-function-error-type")
    }, "")
    stopifnot(grepl("^(Runtime|Function)[.][A-Z][A-Za-z]+$", kinds))
    expect(bodies[length(bodies)], answer)
    if (file.exists(canary)) {
        unlink(canary)
        stop("an event was evaluated as code by ", name)
    }
}

pick <- function(from) from[[sample.int(length(from), 1L)]]

odd_texts <- c("", " ", "a b", "...", "..1", "context", "event", "x", "X", "__proto__", "body",
    "headers", "NULL", "NA", "if", "function", "statusCode", "Records", "\\u0000", "\\u0000x",
    "\\ud800", "\\udc00\\ud800", "\\ufeff", "\u00e9", "\U0001f600", "\\\"", "\\\\", "\\n", "1",
    "`x`", "x`", "x y=1", "_row", "names", "class", ".Data", "row.names", code_of_attack)

odd_numbers <- c("0", "-0", "1e999", "-1e999", "1e-999", "1e400", "123456789012345678901234567890",
    strrep("9", 400), "2147483648", "9007199254740993", "0.1", "1E5", "5e-324")

# A random JSON value, as text.
random_json <- function(depth = 4L) {
    kind <- if (depth > 0L) sample.int(7L, 1L) else sample.int(4L, 1L)
    size <- sample.int(4L, 1L) - 1L
    several <- function() vapply(seq_len(size), function(i) random_json(depth - 1L), "")
    keys <- function() paste0("\"", sample(odd_texts, size, TRUE), "\"")
    switch(kind,
        paste0("\"", pick(odd_texts), "\""), pick(odd_numbers), pick(c("true", "false")), "null",
        paste0("[", paste(several(), collapse = ","), "]"),
        paste0("{", paste0(keys(), rep(":", size), several(), collapse = ","), "}"),
        paste0("[", paste(rep(random_json(depth - 1L), 3L), collapse = ","), "]")
    )
}

# Ways in which a field of an event can be wrong.
wrong_values <- c("null", "5", "1e999", "true", "\"\"", "\"x\"", "[]", "{}", "[1,\"a\"]",
    "[[1],[2,3]]", "[[1,2],[3,4]]", "[{\"a\":1},{\"b\":\"c\"}]", "[null]", "{\"\":\"x\"}",
    "{\"x\":null}", "{\"x\":{\"x\":1}}", "{\"x\":[]}", "{\"x\":\"1\",\"x\":\"2\"}",
    "{\"...\":\"1\"}", "\"%zz&=&=%&a=%00\"", "\"\\u0000\"", "\"\\ud800\"", "\"{\"",
    paste0("{\"", code_of_attack[1], "\":\"1\"}"), paste0("{\"n\":\"", code_of_attack[1], "\"}"),
    paste0("\"", code_of_attack[2], "\""))

# The fields of an object, as a named vector of texts, and back.
fields_of <- function(text) {
    vapply(jsonlite::parse_json(text), write_json, "")
}
object_of <- function(fields) {
    paste0("{", paste(quoted(names(fields)), fields, sep = ":", collapse = ","), "}")
}

# An event with one of its fields, or of a field's fields, replaced, left out or doubled.
broken_event <- function(fields) {
    key <- pick(names(fields))
    inner <- if (startsWith(fields[[key]], "{\"") && runif(1) < 0.5) fields_of(fields[[key]])
    fields[[key]] <- if (is.null(inner)) {
        pick(wrong_values)
    } else {
        inner[[pick(names(inner))]] <- pick(wrong_values)
        object_of(inner)
    }
    fields <- fields[runif(length(fields)) > 0.02]
    object_of(if (runif(1) < 0.05) c(fields, fields[1]) else fields)
}

samples_by_name <- function(pattern) {
    files <- list.files(file.path(functions_folder, "..", "..", "events"), pattern,
        full.names = TRUE)
    lapply(files, function(file) paste(readLines(file, encoding = "UTF-8"), collapse = "\n"))
}

random_bytes <- function() {
    files <- samples_by_name("^(sns|alb|direct|function-url)")
    noise <- lapply(1:40, function(i) as.raw(sample(0:255, sample.int(200L, 1L), TRUE)))
    # Bytes that JSON consists of, in no order.
    letters <- charToRaw("{}[]\":,\\ue0123456789-+.tfn \n")
    nearly <- lapply(1:40, function(i) sample(letters, sample.int(60L, 1L), TRUE))
    bent <- lapply(1:40, function(i) {
        bytes <- charToRaw(pick(files))
        bytes[sample(length(bytes), 3L)] <- as.raw(sample(0:255, 3L))
        bytes
    })
    cut <- lapply(1:20, function(i) {
        bytes <- charToRaw(pick(files))
        bytes[seq_len(sample.int(length(bytes), 1L))]
    })
    c(noise, nearly, bent, cut)
}

random_values <- function() {
    objects <- lapply(1:80, function(i) {
        keys <- sample(odd_texts, 1L + sample.int(3L, 1L), TRUE)
        values <- vapply(keys, function(key) random_json(2L), "")
        paste0("{", paste0("\"", keys, "\":", values, collapse = ","), "}")
    })
    c(lapply(1:120, function(i) random_json()), objects)
}

# Keys that mean something to R.
odd_keys <- function() {
    one_key <- lapply(odd_texts, function(key) paste0("{\"", key, "\":1}"))
    with_x <- lapply(odd_texts, function(key) paste0("{\"", key, "\":1,\"x\":2}"))
    code <- lapply(code_of_attack, function(text) paste0("{\"x\":\"", text, "\"}"))
    c(one_key, with_x, code, list('{"x":1,"x":2}', '{"ev":1}', '{"con":1}', '{"":1}',
        '{"cont":1,"x":1}', '{"":1,"":2}', paste0("{\"", strrep("k", 1e4), "\":1}")))
}

# Huge numbers and deep nesting.
extremes <- function() {
    nested <- function(open, inner, close, depth) {
        paste0(strrep(open, depth), inner, strrep(close, depth))
    }
    deep <- lapply(c(499L, 501L, 10000L), function(depth) list(
        nested("[", "1", "]", depth), nested("{\"x\":", "1", "}", depth),
        paste0("{\"x\":", nested("[", "", "]", depth), "}"), strrep("[", depth),
        strrep("{\"x\":", depth), nested("[{\"x\":", "1", "}]", depth %/% 2L),
        # JSON in JSON.
        write_json(list(version = "2.0", requestContext = list(http = list(method = "POST")),
            body = nested("[", "1", "]", depth)))
    ))
    numbers <- lapply(odd_numbers, function(number) paste0("{\"x\":", number, "}"))
    c(numbers, unlist(deep, recursive = FALSE))
}

broken_events <- function() {
    events <- lapply(samples_by_name("^(api|alb|function-url|vpc|sns|eventbridge|sqs)"), fields_of)
    lapply(1:200, function(i) broken_event(pick(events)))
}

set.seed(11)
many_events <- c(random_bytes(), random_values(), broken_events())

# Each shape gets its own part of them, to be done in time, and all keys.
part_of_events <- function() c(sample(many_events, 180L), odd_keys())

test("handlers of one argument", {
    set.seed(21)
    survives("one", c(part_of_events(), extremes()), '{"x":1}', "1")
})

test("handlers of no argument", {
    set.seed(22)
    survives("none", part_of_events(), "{}", '"none"')
})

test("handlers of any arguments", {
    set.seed(23)
    survives("dots", part_of_events(), '{"x":1}', '{"x":1}')
    survives("typed", part_of_events(), '{"n":5}', '[5,2,false,""]')
    survives("raw_keys", part_of_events(), '{"body":1,"headers":2}', "[1,2]")
})

test("handlers of whole events", {
    set.seed(24)
    survives("whole", part_of_events(), '{"x":1}', '{"x":1}')
    survives("whole_context", part_of_events(), '{"x":1}', '{"x":1}')
})

test("handlers that want the context", {
    set.seed(25)
    survives("one_context", part_of_events(), '{"x":1}', "1")
})

test("every part of a gateway event may be anything", {
    fields <- fields_of(samples_by_name("^apigateway-rest-multi")[[1]])
    parts <- c("headers", "multiValueHeaders", "queryStringParameters", "pathParameters",
        "multiValueQueryStringParameters", "requestContext", "body", "isBase64Encoded")
    events <- list()
    for (part in parts) {
        for (value in wrong_values) {
            changed <- replace(fields, part, value)
            changed[["httpMethod"]] <- "\"POST\""
            events <- c(events, object_of(changed))
        }
    }
    survives("typed", events, '{"n":5}', '[5,2,false,""]')
    survives("raw_keys", events, '{"body":1,"headers":2}', "[1,2]")
})

test("events of 6 MB", {
    size <- 6e6
    text <- strrep("x", size)
    request <- function(body, ...) write_json(list(version = "2.0",
        requestContext = list(http = list(method = "POST")), body = body, ...))
    form <- list("content-type" = "application/x-www-form-urlencoded")
    events <- list(
        paste0("{\"x\":\"", text, "\"}"), paste0("{\"y\":\"", text, "\"}"),
        paste0("{\"", text, "\":1}"), paste0("\"", text, "\""),
        paste0("{\"x\":[", strrep("1,", size / 2), "1]}"), strrep(" ", size), text,
        request(text), request(strrep("YWFh", size / 4), isBase64Encoded = TRUE),
        request(strrep("a=%20&", size / 6), headers = form)
    )
    survives("one", events, '{"x":1}', "1")
    survives("whole", events[c(1, 5)], '{"x":1}', '{"x":1}')
})
