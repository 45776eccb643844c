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
