# Whole sessions: the runtime as a process, with a stand-in for Lambda.

bodies <- function(played) vapply(played$answers, `[[`, "", "body")
kinds <- function(played) basename(vapply(played$answers, `[[`, "", "path"))

test("one session answers all events", {
    played <- play("script.increment", "basics", list('{"x":1}', '{"y":1}', "", "{", '{"x":2}'))
    expect(kinds(played), c("response", "error", "error", "error", "response"))
    expect(bodies(played)[c(1, 5)], c("2", "3"))
    error <- played$answers[[2]]
    expect(jsonlite::parse_json(error$body)$errorMessage, "unused argument (y = 1)")
    expect(header(error$headers, "lambda-runtime-function-error-type"), "Function.SimpleError")
    expect(header(error$headers, "content-type"), "application/vnd.aws.lambda.error+json")
    expect(error$path, "/2018-06-01/runtime/invocation/request-2/error")
    stopifnot(grepl("ERROR:runtime:simpleError: unused argument", played$log))
})

test("an error has its calls, with places, also for X-Ray", {
    answer <- play("script.fails", "failing", list('{"x":1}'))$answers[[1]]
    trace <- c("fails(x = 1L)", "inner(x) at script.R:6", 'stop("inner ", x) at script.R:2')
    expect(jsonlite::parse_json(answer$body), list(errorMessage = "inner 1 (in inner(x))",
        errorType = "simpleError", stackTrace = as.list(trace)))
    cause <- header(answer$headers, "lambda-runtime-function-xray-error-cause")
    expect(jsonlite::parse_json(cause)$exceptions[[1]]$stack[[1]],
        list(path = "script.R", line = 2L, label = 'stop("inner ", x)'))
    expect(jsonlite::parse_json(cause)$paths, list("script.R"))
})

test("an error while loading has the places in all files", {
    played <- play("sources.h", "failing")
    trace <- unlist(jsonlite::parse_json(bodies(played))$stackTrace)
    stopifnot("helper() at sources.R:3" %in% trace, any(grepl(" at folder/helper.R:2$", trace)))
})

test("state is kept", {
    expect(bodies(play("script.count", "basics", list("", "", ""))), c("1", "2", "3"))
})

test("dropped connections are opened again", {
    events <- c(list('{"x":1}'), rep(list(NULL), 3L), list('{"x":2}'))
    expect(bodies(play("script.increment", "basics", events)), c("2", "3"))
    dropped <- list(body = '{"x":1}', headers = character(), drop = TRUE)
    expect(bodies(play("script.increment", "basics", list(dropped, '{"x":2}'))), c("2", "3"))
})

test("whatever a handler does, the next event is answered", {
    survive <- function(name, event = "{}") {
        played <- play(paste0("script.", name), "failing", list(event, event))
        expect(length(played$answers), 2L)
        played
    }
    for (name in c("quits", "jumps", "interrupts", "recurses", "custom", "needs_package",
        "returns_environment", "warns_as_error")) {
        expect(kinds(survive(name)), c("error", "error"))
    }
    for (name in c("closes_connections", "leaves_sink", "strange_options", "returns_nan")) {
        expect(kinds(survive(name)), c("response", "response"))
    }
    expect(kinds(survive("returns_large", '{"n":7000000}')), c("error", "error"))
})

test("what handlers print is in the log, at once", {
    log <- play("script.talk", "basics", list("{}"))$log
    stopifnot(grepl('[1] "printed"\nno newline at the end', log, fixed = TRUE),
        grepl("a message\n", log), grepl("Warning in talk() : a warning", log, fixed = TRUE))
})

test("the context is everywhere, the trace per event", {
    traced <- list(body = "{}", headers = "Lambda-Runtime-Trace-Id: Root=1")
    expect(bodies(play("script.trace", "basics", list(traced, "{}"))), c('"Root=1"', "null"))
    expect(bodies(play("script.remaining", "basics", list("{}"))), "true")
    expect(bodies(play("script.with_context", "basics", list("{}"))), '{"x":0,"id":"request-1"}')
})

test("text in any script", {
    event <- enc2utf8('{"name":"J\u00fcrgen \u2713"}')
    played <- play("script.greet", "basics", list(event))
    expect(bodies(played), '"Gr\u00fc\u00df dich, J\u00fcrgen \u2713"')
})

test("lambda_config() in the handler's file", {
    expect(bodies(play("raw_mode.handler", "gateway", list('{"a":1}'))),
        '{"keys":"a","id":"request-1"}')
    expect(bodies(play("arguments_mode.handler", "gateway", list('{"event":21}'))), "42")
})

test("a function that can't start says why, and ends with status 1", {
    expect_start <- function(handler, folder, kind, ...) {
        played <- play(handler, folder, ...)
        expect(vapply(played$answers, `[[`, "", "path"), "/2018-06-01/runtime/init/error")
        expect(header(played$answers[[1]]$headers, "lambda-runtime-function-error-type"), kind)
        stopifnot(grepl("exit status 1$", played$log))
        jsonlite::parse_json(bodies(played))$errorMessage
    }
    stopifnot(startsWith(expect_start("missing.f", "basics", "Runtime.HandlerNotFound"),
        "Source file does not exist: missing.[R|r]"))
    expect(expect_start("broken.h", "failing", "Function.SimpleError"), "broken while loading")
    expect(expect_start("syntax.h", "failing", "Function.SyntaxError"),
        "syntax.R:2:0: unexpected end of input\n1: handler <- function(\n   ^")
    escapes <- expect_start("escapes.h", "failing", "Function.SyntaxError")
    stopifnot(endsWith(escapes, "\n    \"\\xff \\u2713\"\n                ^"),
        grepl("escapes.R:2", escapes))
    stopifnot(startsWith(expect_start("sources.h", "failing", "Function.SimpleError"), "no helper"))
    stopifnot(grepl("status 3", expect_start("quits_loading.h", "failing", "Function.QuitError")))
    stopifnot(grepl("add-packages notThere",
        expect_start("missing_package.h", "failing", "Function.PackageNotFoundError")))
    stopifnot(grepl("add-packages nope", expect_start("script.increment", "basics",
        "Function.PackageNotFoundError", environment = "R_LAYER_ATTACH=nope")))
})

test("LOGLEVEL=DEBUG tells each step", {
    log <- play("script.increment", "basics", list('{"x":1}'), "LOGLEVEL=DEBUG")$log
    for (line in c("Sourcing 'script.R'", "Invoking function 'increment' with parameters:",
        "Function returned:", "Posted result:")) {
        stopifnot(grepl(paste0("DEBUG:runtime:", line), log, fixed = TRUE))
    }
})

test("no event can end the session", {
    set.seed(3)
    noise <- lapply(1:40, function(i) as.raw(sample(0:255, sample(60L, 1L), TRUE)))
    odd <- list('{"...":1}', '{"a b":1}', '{"":1}', '{"context":1}', '{"x":1,"x":2}',
        strrep("[", 1e5), paste0(strrep('{"x":', 400), "1", strrep("}", 400)), '{"x\\u0000":1}',
        '{"x":"\\ud800"}', "/etc/passwd", "http://127.0.0.1:1/", "{\"x\":\"system('exit')\"}",
        '{"`q()`":1}', "nul", "-", '{"x":1e999}', '\ufeff{"x":1}')
    for (handler in c("anything", "increment", "echo_event", "with_context")) {
        played <- play(paste0("script.", handler), "basics", c(noise, odd, list('{"x":1}')))
        expect(length(played$answers), length(noise) + length(odd) + 1L)
    }
})

test("the user's own source() is in the trace", {
    folder <- code_folder("script.R" = "source('other.R')", "other.R" = "stop('no')")
    trace <- unlist(jsonlite::parse_json(bodies(play("script.f", folder)))$stackTrace)
    stopifnot(grepl("^source", trace[1]), grepl("^stop", trace[length(trace)]))
})
