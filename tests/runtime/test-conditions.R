test("the kind of an error, as Lambda takes it", {
    kind <- function(class) lambda_error_type(structure(list(), class = c(class, "condition")))
    expect(kind("simpleError"), "Function.SimpleError")
    expect(kind("my_own-error2"), "Function.MyOwnError")
    expect(kind("\u00fc"), "Function.Error")
    expect(kind("x"), "Function.Error")
    expect(lambda_error_type(runtime_error("m", lambda_type = "Runtime.X")), "Runtime.X")
    for (class in c("a1b2", "simpleError", "..", "rlang_error", "9")) {
        stopifnot(grepl("^(Runtime|Function)[.][A-Z][a-zA-Z]+$", kind(class)))
    }
})

test("the body of an error", {
    failure <- guard(stop("boom"))$failure
    expect(jsonlite::parse_json(error_body(failure)),
        list(errorMessage = "boom", errorType = "simpleError", stackTrace = list()))
})

test("a missing argument is a simpleError, compiled or not", {
    f <- function(x) x + 1
    expect(error_type(guard(f())$failure$condition), "simpleError")
    expect(error_type(guard(compiler::cmpfun(f)())$failure$condition), "simpleError")
    expect(error_type(guard(library("notThere", character.only = TRUE))$failure$condition),
        "packageNotFoundError")
})

test("a missing package's layer is told when the function can't start", {
    failure <- guard(library("notThere", character.only = TRUE))$failure
    stopifnot(grepl("r-layer add-packages notThere", error_body(failure, init = TRUE)))
    stopifnot(!grepl("r-layer", error_body(failure)))
})

test("strange conditions have a message too", {
    expect(message_of(structure(list(message = c("a", "b")), class = "condition")), "a\nb")
    expect(message_of(structure(1, class = c("odd", "condition"))), "a condition of class odd")
    expect(nchar(message_of(simpleCondition(strrep("x", 2e5)))), 100000L)
})

test("traces begin at the handler and know lines", {
    assign("tested_handler", eval(parse(text = "function(x) {\n    log(-1)\n    stop('boom')\n}",
        keep.source = TRUE, srcfile = srcfilecopy("code.R", c("function(x) {", "    log(-1)",
        "    stop('boom')", "}")))[[1]]), globalenv())
    output_of(failure <- guard(enter_handler("tested_handler", list(x = 1)))$failure)
    expect(stack_trace(failure), c("tested_handler(x = 1)", 'stop("boom") at code.R:3'))
})

test("traces stay short", {
    assign("tested_handler", function(n) if (n == 0) stop("end") else tested_handler(n - 1),
        globalenv())
    environment(tested_handler <- get("tested_handler", globalenv()))
    trace <- stack_trace(guard(enter_handler("tested_handler", list(n = 200)))$failure)
    expect(length(trace), 41L)
    expect(trace[21], "... 162 more calls")
    stopifnot(all(nchar(call_text(call("f", 1:1e5))) < 130L))
})

# A failure of a handler, with what is told about it.
failure_of <- function(code) {
    assign("tested_handler", code, globalenv())
    on.exit(rm("tested_handler", envir = globalenv()))
    guard(enter_handler("tested_handler", list()))$failure
}

test("the message is the condition's own, then its call", {
    told <- function(code) failure_of(code)$message
    inner <- function(x) stop("boom ", x)
    expect(told(function() inner(1)), "boom 1 (in inner(1))")
    expect(told(function() stop("boom")), "boom (in tested_handler())")
    expect(told(function() stop("boom", call. = FALSE)), "boom")
    expect(told(function() stop("two\nlines")), "two\nlines\n(in tested_handler())")
    expect(told(function() log("a")), 'non-numeric argument to mathematical function (in log("a"))')
    expect(told(function() stop("")), "an error without a message (in tested_handler())")
    expect(told(function() inner(1, 2)), "unused argument (2) (in inner(1, 2))")
})

test("the calls by which the runtime gets to the user's code are not told", {
    expect(guard(stop("boom"))$failure$message, "boom")
    file <- tempfile()
    writeLines('stop("boom")', file)
    expect(guard(load_source(file))$failure$message, "boom")
})

test("kinds of R's own errors", {
    kind <- function(code) failure_of(code)$kind
    expect(kind(function() numeric(1e14)), "Runtime.OutOfMemory")
    expect(kind(function() parse(text = "a b")), "Function.SyntaxError")
    recurse <- function(n) recurse(n + 1)
    expect(kind(function() recurse(1)), "Function.StackOverflow")
    expect(kind(function() stop("1:2: not of a parser")), "Function.SimpleError")
})

test("what a condition's methods spoil is left out", {
    methods <- c("conditionMessage.spoilt", "conditionCall.spoilt")
    on.exit(rm(list = methods, envir = globalenv()))
    spoil <- list(
        function(c) stop("no"),
        function(c) invokeRestart("abort"),
        function(c) handler_quit(),
        eval(quote(function(c) conditionMessage(c)), globalenv()),
        function(c) sum
    )
    failure <- list(depth = 0L,
        condition = structure(class = c("spoilt", "condition"), list(message = "m", call = NULL)))
    for (fun in spoil) {
        for (method in methods) assign(method, fun, globalenv())
        body <- jsonlite::parse_json(error_body(failure))
        expect(body$errorType, "spoilt")
        expect(body$errorMessage, "a condition of class spoilt")
    }
    assign("conditionMessage.spoilt", function(c) "its own", globalenv())
    expect(described(failure)$message, "its own")
})

test("causes are told, once, and not for ever", {
    chained <- function(message, parent) {
        structure(class = c("rlang_error", "error", "condition"),
            list(message = message, call = NULL, parent = parent))
    }
    told <- function(condition) guard(stop(condition))$failure$message
    expect(told(chained("outer", simpleError("inner"))), "outer\nCaused by simpleError: inner")
    expect(told(chained("outer: inner", simpleError("inner"))), "outer: inner")
    long <- simpleError("0")
    for (i in 1:30) long <- chained(paste0("level ", i, "."), long)
    expect(length(strsplit(told(long), "\n")[[1]]), 11L)
    expect(told(chained("odd", "a parent")), "odd")
})

test("files below the task root are told from there", {
    root <- normalizePath(tempfile("root"), mustWork = FALSE)
    dir.create(file.path(root, "deep"), recursive = TRUE)
    old <- Sys.getenv("LAMBDA_TASK_ROOT")
    Sys.setenv(LAMBDA_TASK_ROOT = root)
    on.exit(Sys.setenv(LAMBDA_TASK_ROOT = old))
    file <- file.path(root, "deep", "code.R")
    writeLines(c("", "tested_code <- function() stop('boom')"), file)
    place <- function(...) {
        source(file, local = globalenv(), keep.source = TRUE, ...)
        stack_trace(failure_of(function() get("tested_code", globalenv())()))
    }
    stopifnot(any(grepl('stop("boom") at deep/code.R:2', place(), fixed = TRUE)))
    stopifnot(any(grepl('stop("boom") at deep/code.R:2', place(chdir = TRUE), fixed = TRUE)))
})

test("the cause for X-Ray is one short line of ASCII", {
    inner <- function() stop("\u00fc \U1F600\n", strrep("\u2713", 5000))
    failure <- failure_of(function() inner())
    text <- xray_cause(failure)
    stopifnot(nchar(text) < 32000, !grepl("[^ -~]", text))
    cause <- jsonlite::parse_json(text)
    expect(cause$working_directory, getwd())
    exception <- cause$exceptions[[1]]
    stopifnot(startsWith(exception$message, "\u00fc \U1F600\n\u2713"))
    expect(exception$type, "simpleError")
    expect(vapply(exception$stack, `[[`, "", "label")[2:3], c("inner()", "tested_handler()"))
    expect(names(exception$stack[[1]]), c("path", "line", "label"))
    recurse <- function(n) if (n == 0) stop(strrep("\U1F600", 1e5)) else recurse(n - 1)
    stopifnot(nchar(xray_cause(failure_of(function() recurse(200)))) < 32000)
})
