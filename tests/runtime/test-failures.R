# Each way in which an invocation can fail, in one session: the error belongs to that invocation,
# and the next one works.

# Takes expectations, each c(kind of error, pattern of its message); plays all those ways, one
# after the other, with a sound invocation after each.
expect_failures <- function(wanted) {
    ways <- names(wanted)
    events <- lapply(rbind(ways, "works"), function(way) paste0('{"way":"', way, '"}'))
    played <- play("ways.handler", "failing", events)
    expect(length(played$answers), length(events))
    for (i in seq_along(ways)) {
        answer <- played$answers[[2L * i - 1L]]
        after <- played$answers[[2L * i]]
        error <- jsonlite::parse_json(answer$body)
        kind <- header(answer$headers, "lambda-runtime-function-error-type")
        if (basename(answer$path) != "error" || !identical(kind, wanted[[i]][1]) ||
            !grepl(wanted[[i]][2], error$errorMessage) || !identical(after$body, '"works"')) {
            stop(ways[i], ": ", kind, ": ", answer$body, ", then ", after$body)
        }
    }
    played
}

test("errors of the handler's", {
    played <- expect_failures(list(
        empty = c("Function.SimpleError", "^an error without a message"),
        empty_text = c("Function.SimpleError", "^an error without a message"),
        condition = c("Function.MyOwnError", "^own \\(in "),
        no_message = c("Function.BareError", "^an error without a message"),
        broken_message = c("Function.SimpleError", "^no message either"),
        endless_message = c("Function.StackOverflow", "infinite recursion|stack"),
        jumping_message = c("Function.JumpError", "^the handler jumped"),
        quitting_message = c("Function.QuitError", "^quit\\(\\) was called"),
        odd_message = c("Function.OddError", "^1\n"),
        broken_call = c("Function.SimpleError", "^no call either"),
        no_class = c("Function.Error", "^classless$"),
        multibyte_message = c("Function.SimpleError", "^gr(\ufffd+|<fc><df>)e \u2713 \U1F600"),
        multibyte = c("Function.SimpleError", "multibyte"),
        on_exit = c("Function.SimpleError", "^late"),
        on_exit_twice = c("Function.SimpleError", "^(late|early)"),
        warning_as_error = c("Function.SimpleError", "converted from warning"),
        parents = c("Function.RlangError",
            "^Can't write.\nCaused by rlang_error: the disk is full"),
        package = c("Function.PackageNotFoundError", "^there is no package called .notThere."),
        parse = c("Function.SyntaxError", "1:3: unexpected symbol\n1: a b\n"),
        sourced = c("Function.SyntaxError",
            "2:1[0-9]: unexpected '\\{'\n.*2: bad <- function\\( \\{\n")
    ))
    stopifnot(grepl("ERROR:runtime:myOwnError: own (in", played$log, fixed = TRUE))
})

test("what would end the process", {
    expect_failures(list(
        quit = c("Function.QuitError", "with status 3"),
        q_in_package = c("Function.QuitError", "with status 4"),
        quit_on_exit = c("Function.QuitError", "with status 5"),
        odd_quit = c("Function.QuitError", "quit\\(\\) was called"),
        jump = c("Function.JumpError", "^the handler jumped to the top level$"),
        interrupt = c("Function.InterruptError", "^the handler was interrupted$")
    ))
})

test("exhausted stacks and memory", {
    expect_failures(list(
        recursion = c("Function.StackOverflow", "infinite recursion|C stack usage"),
        expressions = c("Function.StackOverflow", "infinite recursion"),
        c_stack = c("Function.StackOverflow", "stack"),
        recursion_in_handler = c("Function.StackOverflow", "infinite recursion|C stack usage"),
        recursion_while_handling = c("Function.StackOverflow", "infinite recursion|C stack usage"),
        memory = c("Runtime.OutOfMemory", "^cannot allocate vector of size")
    ))
})

test("results that can't be sent", {
    expect_failures(list(
        unwritable = c("Runtime.MarshalError", "can't be written as JSON"),
        large = c("Function.ResponseSizeTooLarge", "7000002 bytes")
    ))
})

test("an option that leaves no room for calls", {
    events <- list('{"way":"few_expressions"}', '{"way":"works"}', '{"way":"works"}')
    played <- play("ways.handler", "failing", events)
    expect(played$answers[[3]]$body, '"works"')
})
