# A function for whose end Lambda sends a signal: it registers as an extension, on two connections of
# its own, before it asks for an event. Returns the connection of that.
start_signalled <- function(handler) {
    started <- start_function(handler, "life", "R_LAYER_SHUTDOWN=1")
    started$extension <- accept(started)
    request <- expect_request(started$extension, "POST", "/2020-01-01/extension/register")
    expect(header(request$headers, "lambda-extension-name"), "r-layer-shutdown")
    expect(request$body, "{\"events\":[]}")
    reply(started$extension, "200 OK", "{}", "Lambda-Extension-Identifier: an-id")
    request <- expect_request(started$extension, "GET", "/2020-01-01/extension/event/next")
    expect(header(request$headers, "lambda-extension-identifier"), "an-id")
    started$connection <- accept(started)
    expect_request(started$connection, "GET", next_path)
    started
}

end_function <- function(started) {
    tools::pskill(started$pid(), tools::SIGTERM)
}

# The log of a function that has ended by a signal.
log_at_end <- function(started) {
    log <- finished_log(started$log)
    close(started$extension)
    close(started$connection)
    close(started$socket)
    log
}

# The hooks were called, once each and from the last to the first, and the end was in order.
expect_hooks <- function(log) {
    lines <- strsplit(log, "\n", fixed = TRUE)[[1]]
    expect(grep("^hook registered", lines, value = TRUE),
        c("hook registered last", "hook registered first"))
    stopifnot(grepl("simpleError: a hook that fails", log))
    expect(utils::tail(lines, 1L), "exit status 0")
}

test("on_init() hooks are called once, in order, before the first event", {
    played <- play("script.look", "life", list("{}", "{}"))
    expect(vapply(played$answers, `[[`, "", "body"), rep("[\"first\",\"second\"]", 2L))
})

test("an on_init() hook that fails is an init error", {
    played <- play("fails.handler", "life")
    expect(played$answers[[1]]$path, "/2018-06-01/runtime/init/error")
    error <- jsonlite::parse_json(played$answers[[1]]$body)
    expect(error$errorMessage, "no model (in hook())")
    expect(unlist(error$stackTrace), c("hook()", "stop(\"no model\") at fails.R:1"))
})

test("hooks are functions, and on_init() is for the start", {
    expect(error_of(on_init(1)), "on_init() takes a function, not an object of class numeric")
    expect(error_of(on_shutdown("f")),
        "on_shutdown() takes a function, not an object of class character")
    error <- jsonlite::parse_json(play("script.late_init", "life", "{}")$answers[[1]]$body)
    stopifnot(grepl("after the start", error$errorMessage))
})

test("SIGTERM while the function waits for an event", {
    started <- start_signalled("script.look")
    end_function(started)
    expect_hooks(log_at_end(started))
})

test("SIGTERM after an event, to all processes, as AWS's emulator sends it", {
    started <- start_signalled("script.look")
    send_event(started$connection, "{}", "one")
    expect_request(started$connection, "POST", answer_path("one"))
    accepted(started$connection)
    expect_request(started$connection, "GET", next_path)
    children <- sprintf("/proc/%1$d/task/%1$d/children", started$pid())
    r <- as.integer(strsplit(readLines(children, warn = FALSE), " ")[[1]])
    tools::pskill(c(r, started$pid()), tools::SIGTERM)
    expect_hooks(log_at_end(started))
})

test("SIGTERM while a handler runs: its invocation fails, then the hooks are called", {
    started <- start_signalled("script.slow")
    send_event(started$connection, "{}", "one")
    wait_for(started, "begun")
    end_function(started)
    error <- expect_request(started$connection, "POST", answer_path("one", "error"))
    stopifnot(grepl("interrupted", error$body))
    accepted(started$connection)
    expect_hooks(log_at_end(started))
})

test("a handler that catches the interrupt answers, and the function ends all the same", {
    started <- start_signalled("script.stubborn")
    send_event(started$connection, "{}", "one")
    wait_for(started, "begun")
    end_function(started)
    answer <- expect_request(started$connection, "POST", answer_path("one"))
    expect(answer$body, "\"caught\"")
    accepted(started$connection)
    expect_hooks(log_at_end(started))
})

test("an interrupt without a reason does not end the function, a child does not run its hooks", {
    started <- start_signalled("script.child")
    children <- sprintf("/proc/%1$d/task/%1$d/children", started$pid())
    r <- as.integer(strsplit(readLines(children, warn = FALSE), " ")[[1]])
    tools::pskill(r, tools::SIGINT)
    send_event(started$connection, "{}", "one")
    answer <- expect_request(started$connection, "POST", answer_path("one"))
    accepted(started$connection)
    expect(answer$body, "\"try-error\"")
    expect_request(started$connection, "GET", next_path)
    stopifnot(!grepl("hook registered", paste(readLines(started$log), collapse = "\n")))
    end_function(started)
    expect_hooks(log_at_end(started))
})

test("without a signal to come, there is no parent, and hooks for it are warned of", {
    started <- start_function("script.look", "life")
    connection <- accept(started)
    expect_request(connection, "GET", next_path)
    program <- readLines(sprintf("/proc/%d/status", started$pid()), 1L)
    expect(program, "Name:\tR")
    reply(connection, "500 Internal Server Error", "over")
    close(connection)
    close(started$socket)
    log <- finished_log(started$log)
    stopifnot(grepl("R_LAYER_SHUTDOWN=1", log), !grepl("hook registered", log))
})

test("a function that ends by itself ends with its own status, below a parent too", {
    started <- start_function("absent.handler", "life", "R_LAYER_SHUTDOWN=1")
    connection <- accept(started)
    expect_request(connection, "POST", "/2018-06-01/runtime/init/error")
    accepted(connection)
    close(connection)
    close(started$socket)
    stopifnot(grepl("exit status 1$", finished_log(started$log)))
})

test("an interrupt at any time costs no answer", {
    started <- start_signalled("script.look")
    children <- sprintf("/proc/%1$d/task/%1$d/children", started$pid())
    r <- as.integer(strsplit(readLines(children, warn = FALSE), " ")[[1]])
    # About a thousand a second, beside the events; some of these hit the runtime between two of them. The pause is what a
    # handler of an interrupt needs to be done with it: R holds no more than a few of them inside each other.
    storm <- paste("for i in $(seq 1000); do kill -INT", r, "|| break; sleep 0.001; done; echo over >>", started$log)
    system(paste("(", storm, ") 2> /dev/null"), wait = FALSE)
    for (i in 1:300) {
        send_event(started$connection, "{}", "one")
        answer <- read_request(started$connection)
        stopifnot(answer$path %in% c(answer_path("one"), answer_path("one", "error")))
        accepted(started$connection)
        expect_request(started$connection, "GET", next_path)
    }
    wait_for(started, "over")
    end_function(started)
    expect_hooks(log_at_end(started))
})
