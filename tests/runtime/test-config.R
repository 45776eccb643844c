# Runs code with settings, and without them afterwards.
with_settings <- function(code, ...) {
    on.exit(rm(list = ls(settings), envir = settings))
    lambda_config(...)
    code
}

# Runs code with environment variables read, and without them afterwards.
with_variables <- function(code, ...) {
    on.exit({
        Sys.unsetenv(names(list(...)))
        rm(list = ls(settings), envir = settings)
    })
    Sys.setenv(...)
    read_settings()
    code
}

bodies <- function(played) vapply(played$answers, `[[`, "", "body")

test("nothing is set by default, nor by variables that are empty", {
    with_variables(expect(length(ls(settings)), 0L), R_LAYER_EVENT = "")
    lambda_config()
    expect(length(ls(settings)), 0L)
})

test("the file changes what it names", {
    with_settings(expect(settings$event, "raw"), event = "raw")
    with_settings(expect(settings$event, "arguments"), "arguments")
    with_settings({
        lambda_config(simplify = FALSE)
        expect(settings$digits, 3)
        expect(settings$simplify, FALSE)
        lambda_config(digits = NULL)
        expect(settings$digits, NULL)
        expect(settings$simplify, FALSE)
    }, digits = 3)
    with_settings(expect(settings$log_level, "WARN"), log_level = "warning")
})

test("variables of the environment", {
    with_variables({
        expect(settings$event, "arguments")
        expect(settings$simplify, FALSE)
        expect(settings$decode_base64, FALSE)
        expect(settings$digits, I(5))
    }, R_LAYER_EVENT = "arguments", R_LAYER_SIMPLIFY = "false", R_LAYER_DIGITS = "I(5)",
        R_LAYER_DECODE_BASE64 = "0")
    with_variables(expect(settings$digits, 4), R_LAYER_DIGITS = "4")
    with_variables(expect(settings$digits, NULL), R_LAYER_DIGITS = "NA")
    with_variables(expect(settings$simplify, TRUE), R_LAYER_SIMPLIFY = "TRUE")
    with_variables(expect(settings$simplify, "vectors"), R_LAYER_SIMPLIFY = "vectors")
})

test("the file goes before the variable", {
    with_variables({
        lambda_config(event = "auto", digits = NA)
        expect(wanted_event(), "auto")
        expect(settings$digits, NULL)
    }, R_LAYER_EVENT = "raw", R_LAYER_DIGITS = "2")
    folder <- code_folder("script.R" = "lambda_config(digits = 3)\nf <- function(event) event")
    expect(bodies(play("script.f", folder, list("[0.12345]"),
        c("R_LAYER_DIGITS=1", "R_LAYER_EVENT=raw"))), "0.123")
})

test("the level of the variable is kept apart from that of the file", {
    with_variables({
        expect(settings$log_level, NULL)
    }, R_LAYER_LOG_LEVEL = "debug")
})

test("a wrong value is told with its setting and what is allowed", {
    wrong <- function(...) error_of(lambda_config(...))
    expect(wrong(event = "whole"), paste0("lambda_config(): the argument event is \"whole\"; ",
        "allowed are \"auto\", \"raw\" and \"arguments\""))
    for (value in list(NULL, NA, 1, c("raw", "auto"), list("raw"), NA_character_)) {
        stopifnot(grepl("argument event is .*; allowed are", wrong(event = value)))
    }
    for (value in list("yes", NA, 1, c(TRUE, TRUE))) {
        stopifnot(grepl("simplify is .*; allowed are TRUE", wrong(simplify = value)))
        stopifnot(grepl("decode_base64 is .*; allowed are TRUE", wrong(decode_base64 = value)))
    }
    for (value in list("3", -1, 16, 1.5, 1:2, I(0), Inf, list(3))) {
        stopifnot(grepl("digits is .*; allowed are whole numbers", wrong(digits = value)))
    }
    stopifnot(grepl("log_level is \"LOUD\"; allowed are TRACE", wrong(log_level = "LOUD")))
    stopifnot(grepl("serialiser is \"json\"; allowed are functions", wrong(serialiser = "json")))
    stopifnot(grepl("deserialiser is 1; allowed are functions", wrong(deserialiser = 1)))
    stopifnot(grepl("unused argument", wrong(digit_count = 1)))
    expect(length(ls(settings)), 0L)
})

test("a wrong value of a variable is an init error", {
    for (variable in c("R_LAYER_EVENT", "R_LAYER_SIMPLIFY", "R_LAYER_DIGITS", "R_LAYER_LOG_LEVEL",
        "R_LAYER_DECODE_BASE64")) {
        played <- play("script.increment", "basics", environment = paste0(variable, "=wrong"))
        stopifnot(grepl("init/error$", played$answers[[1]]$path))
        expect(header(played$answers[[1]]$headers, "lambda-runtime-function-error-type"),
            "Runtime.InvalidConfiguration")
        message <- jsonlite::parse_json(bodies(played))$errorMessage
        stopifnot(startsWith(message,
            paste0("The environment variable ", variable, " is \"wrong\"; allowed are ")))
    }
})

test("a wrong value in the file is an init error with the line", {
    played <- play("script.f", code_folder("script.R" = "\nlambda_config(event = 1)"))
    error <- jsonlite::parse_json(bodies(played))
    expect(error$errorMessage, paste0("lambda_config(): the argument event is 1; ",
        "allowed are \"auto\", \"raw\" and \"arguments\""))
    expect(error$stackTrace[[1]], "lambda_config(event = 1) at script.R:2")
})

records <- '{"x":[{"a":1},{"a":2}],"m":[[1,2],[3,4]],"v":[1,2]}'

test("simplify: what arrays become", {
    arguments <- function(...) {
        with_settings(arguments_of(function(x, m, v) NULL, records), ...)
    }
    whole <- function(...) with_settings(arguments_of(function(event) NULL, records)$event, ...)
    tables <- list(x = data.frame(a = 1:2), m = matrix(1:4, 2L, byrow = TRUE), v = 1:2)
    vectors <- list(x = list(list(a = 1L), list(a = 2L)), m = list(1:2, 3:4), v = 1:2)
    lists <- list(x = list(list(a = 1L), list(a = 2L)),
        m = list(list(1L, 2L), list(3L, 4L)), v = list(1L, 2L))
    expect(arguments(), tables)
    expect(whole(), vectors)
    for (read in list(arguments, whole)) {
        expect(read(simplify = TRUE), tables)
        expect(read(simplify = "vectors"), vectors)
        expect(read(simplify = FALSE), lists)
    }
    expect(arguments(simplify = "auto"), tables)
})

test("simplify: in bodies and messages too, and events are still told apart", {
    http <- write_json(list(requestContext = list(http = list(method = "GET")), version = "2.0",
        queryStringParameters = list(q = "1,2"), body = '{"v":[1,2]}'))
    sns <- write_json(list(Records = list(list(EventSource = "aws:sns",
        Sns = list(Message = '{"v":[1,2]}')))))
    several <- write_json(list(requestContext = list(elb = list(a = "b")), httpMethod = "GET",
        multiValueQueryStringParameters = list(q = c("1", "2"))))
    for (simplify in list("vectors", FALSE)) {
        wanted <- if (isFALSE(simplify)) list(1L, 2L) else 1:2
        with_settings({
            expect(arguments_of(function(v, q) NULL, http), list(v = wanted, q = c("1", "2")))
            expect(arguments_of(function(v) NULL, sns), list(v = wanted))
            expect(arguments_of(function(q) NULL, several), list(q = c("1", "2")))
            expect(arguments_of(function(q = 0) NULL, several), list(q = c(1, 2)))
        }, simplify = simplify)
    }
})

test("digits, as jsonlite has them", {
    set.seed(1)
    # Below 1e-5 jsonlite counts significant digits instead; ours go on to round.
    values <- c(pi, 1 / 3, 0.00123, 123456.789, -2.5e10, 1e300, 0, -1)
    values <- c(values, 2 / 3 * 10^(-3:3), 1 + runif(200))
    for (digits in list(0, 2, 4, 15, I(1), I(3), I(15))) {
        ours <- with_settings(write_json(list(a = values, b = data.frame(x = values))),
            digits = digits)
        theirs <- jsonlite::toJSON(list(a = values, b = data.frame(x = values)), digits = digits)
        same <- all.equal(jsonlite::fromJSON(ours), jsonlite::fromJSON(theirs), tolerance = 1e-14)
        if (!isTRUE(same)) stop(deparse(digits), ": ", same)
    }
    expect(with_settings(write_json(c(pi, -0.001, 1e-7, 1e5)), digits = 2), "[3.14,0,0,100000]")
    expect(with_settings(write_json(c(pi, 123456)), digits = I(3)), "[3.14,123000]")
    # What jsonlite writes for us has them too; those of complex numbers are significant ones.
    expect(with_settings(write_json(1i * pi), digits = 2), "\"0+3.1i\"")
    expect(write_json(pi), "3.141592653589793")
})

test("a deserialiser's value takes the event's place", {
    arguments <- function(fun, value, text = "{}") {
        with_settings(arguments_of(fun, text), deserialiser = function(text) value)
    }
    expect(arguments(function(x, y) NULL, list(y = 1, x = 2)), list(y = 1, x = 2))
    expect(arguments(function(x, y) NULL, list(1, x = 2)), list(y = 1, x = 2))
    expect(arguments(function(x) NULL, "text"), list(x = "text"))
    expect(arguments(function(x) NULL, NULL), list())
    expect(arguments(function(event) NULL, list(y = 1)), list(event = list(y = 1)))
    frame <- data.frame(a = 1:2)
    expect(arguments(function(frame) NULL, frame), list(frame = frame))
    expect(arguments(function(a) NULL, frame), list(a = 1:2))
    expect(names(arguments(function(x, context) NULL, "text")), c("x", "context"))
    expect(error_of(arguments(function(x) NULL, list(n = 1))), "unused argument (n = 1)")
    expect(error_of(arguments(function(xyz) NULL, list(x = 1))), "unused argument (x = 1)")
    texts <- c()
    with_settings(arguments_of(function(...) NULL, " no JSON \n"),
        deserialiser = function(text) texts <<- text)
    expect(texts, " no JSON \n")
})

test("an event for the deserialiser is still one over HTTP", {
    kind <- function(text) with_settings(read_event(charToRaw(text), handler_of(sum))$kind,
        deserialiser = identity)
    expect(kind('{"requestContext":{},"httpMethod":"GET"}'), "http")
    expect(kind('["requestContext"]'), "value")
    expect(kind('{"requestContext'), "value")
    expect(kind(""), "value")
})

test("deserialiser and serialiser, in a whole session", {
    folder <- code_folder("script.R" = "
        lambda_config(
            deserialiser = function(text) list(words = strsplit(text, ' ')[[1]]),
            serialiser = function(result) paste0('<p>', result, '</p>')
        )
        shout <- function(words) toupper(words)
        page <- function(...) list(statusCode = 201, body = 'mine')
        respond <- function(words) html_response('mine')")
    http <- '{"requestContext":{},"httpMethod":"GET"}'
    expect(bodies(play("script.shout", folder, list("two words", "\u00fc", http))), c(
        "<p>TWO</p>\n<p>WORDS</p>", "<p>\u00dc</p>",
        paste0('{"isBase64Encoded":false,"statusCode":200,"body":',
            '"<p>{\\"REQUESTCONTEXT\\":{},\\"HTTPMETHOD\\":\\"GET\\"}<\\/p>"}')))
    expect(bodies(play("script.page", folder, list(http))), '{"statusCode":201,"body":"mine"}')
    expect(bodies(play("script.respond", folder, list(http))),
        '{"body":"mine","isBase64Encoded":false,"statusCode":200}')
})

test("what a serialiser may return", {
    text <- function(value) with_settings(result_text(1), serialiser = function(result) value)
    expect(text(5), "5")
    expect(text(charToRaw("bytes")), "bytes")
    expect(text(NULL), "")
    expect(text(structure("[1]", class = "json")), "[1]")
    expect(text("a\xff"), "a\ufffd")
    expect(error_of(text(list(1))), "The serialiser returned a value of class list, not text")
    expect(error_of(text(globalenv())),
        "The serialiser returned a value of class environment, not text")
})

test("errors in them show where, and the next event is answered", {
    folder <- code_folder("script.R" = "inner <- function() stop('no such format')
        lambda_config(
            deserialiser = function(text) if (text == 'bad') inner() else text,
            serialiser = function(result) if (result == 'worse') inner() else result
        )
        f <- function(x) x")
    played <- play("script.f", folder, list("bad", "worse", "good"))
    traces <- lapply(bodies(played)[1:2], function(body) jsonlite::parse_json(body)$stackTrace)
    expect(traces[[1]][1:2], list('deserialiser("bad")', "inner() at script.R:3"))
    expect(traces[[2]][1:2], list('serialiser("worse")', "inner() at script.R:4"))
    expect(bodies(played)[3], "good")
})

test("a body in base64 stays that if it is wanted", {
    event <- write_json(list(requestContext = list(), httpMethod = "POST", isBase64Encoded = TRUE,
        headers = list("content-type" = "application/json"), body = "eyJhIjo3fQ=="))
    expect(with_settings(arguments_of(function(a) NULL, event), decode_base64 = FALSE),
        list(a = "eyJhIjo3fQ=="))
    expect(arguments_of(function(a) NULL, event), list(a = 7L))
})

test("switches that bootstrap reads are 1 or 0", {
    folder <- code_folder("script.R" = "f <- function() 'stats' %in% loadedNamespaces()")
    eager <- function(text) play("script.f", folder, list(""), paste0("R_LAYER_EAGER=", text))
    expect(bodies(eager("1")), "true")
    expect(bodies(eager("0")), "false")
    expect(jsonlite::parse_json(bodies(eager("yes")))$errorMessage,
        "The environment variable R_LAYER_EAGER is \"yes\"; allowed are 1 and 0")
})
