test("a value, visible or not, or none", {
    expect(guard(1), list(value = 1))
    expect(guard(invisible(NULL)), list(value = NULL))
})

test("errors, interrupts, jumps and runaway recursions are failures", {
    message <- function(outcome) conditionMessage(outcome$failure$condition)
    expect(message(guard(stop("boom"))), "boom")
    interrupt <- structure(class = c("interrupt", "condition"), list(message = "", call = NULL))
    expect(message(guard(stop(interrupt))), "the handler was interrupted")
    expect(message(guard(invokeRestart("abort"))), "the handler jumped to the top level")
    recurse <- function(n) recurse(n + 1)
    stopifnot(grepl("infinite recursion|C stack", message(guard(recurse(1)))))
    deep <- function(n) tryCatch(deep(n + 1), warning = identity)
    stopifnot(is.list(guard(deep(1))$failure))
    expect(guard(2), list(value = 2))
})

test("quit() is a failure, and not to be rescued", {
    outcome <- guard(tryCatch(handler_quit(status = 3), error = function(e) "rescued"))
    expect(class(outcome$failure$condition)[1], "quitError")
    stopifnot(grepl("with status 3", conditionMessage(outcome$failure$condition)))
    finished <- FALSE
    guard(tryCatch(handler_quit(), finally = finished <- TRUE))
    stopifnot(finished)
    stopifnot(grepl("outside the handler", error_of(handler_quit())))
})

test("warnings are logged, and the handler goes on", {
    f <- function() {
        warning("careful")
        "done"
    }
    log <- output_of(outcome <- guard(f()))
    expect(outcome, list(value = "done"))
    expect(log, "Warning in f() : careful")
    log <- output_of(guard(warning("no place", call. = FALSE)))
    expect(log, "Warning: no place")
})

test("options(warn) is obeyed", {
    old <- options(warn = 2)
    on.exit(options(old))
    condition <- guard(warning("w"))$failure$condition
    stopifnot(grepl("converted from warning", conditionMessage(condition)))
    options(warn = -1)
    expect(output_of(guard(warning("w"))), character())
})

test("sinks that were left are closed", {
    log <- output_of({
        before <- sink_state()
        sink(tempfile())
        sink(tempfile())
        restore_sinks(before)
        left <- sink_state() - before
    })
    expect(unname(left), c(0L, 0L))
    stopifnot(any(grepl("left 2 sink", log)))
})

test("what the failures of a jump and of an interrupt are called", {
    expect(guard(invokeRestart("abort"))$failure$type, "jumpError")
    interrupt <- structure(class = c("interrupt", "condition"), list(message = "", call = NULL))
    failure <- guard(stop(interrupt))$failure
    expect(c(failure$type, failure$kind), c("interruptError", "Function.InterruptError"))
    expect(guard(handler_quit(status = list()))$failure$kind, "Function.QuitError")
})

test("a second overflow while the first is handled is a failure too", {
    recurse <- function(n) recurse(n + 1)
    again <- list(
        function() tryCatch(recurse(1), error = function(e) recurse(1)),
        function() withCallingHandlers(recurse(1), error = function(e) recurse(1)),
        function() {
            on.exit(recurse(1))
            recurse(1)
        }
    )
    for (fun in again) {
        expect(guard(fun())$failure$kind, "Function.StackOverflow")
        expect(guard(2), list(value = 2))
    }
})

test("messages are the handler's own business, but for JSON", {
    expect(output_of(guard(message("hello"))), "hello")
    expect(guard(suppressMessages(message("hello"))), list(value = NULL))
    caught <- guard(tryCatch(message("hello"), message = conditionMessage))
    expect(caught, list(value = "hello\n"))
})

test("warnings from C have their call, unless it is the runtime's", {
    f <- function() as.integer("x")
    expect(output_of(guard(f())), "Warning in f() : NAs introduced by coercion")
    expect(output_of(guard(as.integer("x"))), "Warning: NAs introduced by coercion")
    file <- tempfile()
    writeLines(c("local({", "f <- function() as.integer('x')", "f()", "})", "as.integer('x')"),
        file)
    expect(output_of(guard(load_source(file))),
        paste0("Warning", c(" in f() ", ""), ": NAs introduced by coercion"))
})

test("an option that leaves few calls is undone", {
    old <- options(expressions = 5000)
    on.exit(options(old))
    guard(options(expressions = 500))
    expect(getOption("expressions"), 5000L)
})
