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
