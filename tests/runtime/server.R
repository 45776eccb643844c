# For tests that play Lambda step by step: the bootstrap as a process, and a server whose every
# connection and byte is the test's own business.

# Starts the bootstrap on a handler of tests/fixtures/functions. Returns list(socket, log, pid), pid:
# a function, as the process may not run yet.
start_function <- function(handler, folder, environment = character()) {
    api <- listen()
    log <- tempfile()
    pid <- tempfile()
    settings <- c(
        paste0("AWS_LAMBDA_RUNTIME_API=127.0.0.1:", api$port),
        paste0("LAMBDA_TASK_ROOT=", shQuote(file.path(functions_folder, folder))),
        paste0("_HANDLER=", shQuote(handler)), environment
    )
    bootstrap <- file.path(dirname(runtime_folder), "bootstrap")
    start <- paste("echo $$ >", pid, "; exec env --default-signal=INT", paste(settings, collapse = " "), bootstrap)
    command <- paste("sh -c", shQuote(start), "; echo exit status $?")
    # Appended to, because tests write to it too.
    system(paste0("(", command, ") >> ", log, " 2>&1"), wait = FALSE)
    list(socket = api$socket, log = log, pid = function() as.integer(readLines(pid)))
}

accept <- function(started) socketAccept(started$socket, TRUE, "r+b", timeout = 20)

# Waits until the log says something.
wait_for <- function(started, text) {
    for (i in 1:400) {
        if (any(grepl(text, readLines(started$log, warn = FALSE), fixed = TRUE))) {
            return(invisible())
        }
        Sys.sleep(0.05)
    }
    stop("the log does not say ", text, ":\n", paste(readLines(started$log), collapse = "\n"))
}

# Reads a request and makes sure that it is this one.
expect_request <- function(connection, method, path) {
    request <- read_request(connection)
    expect(c(request$method, request$path), c(method, path))
    request
}

next_path <- "/2018-06-01/runtime/invocation/next"
answer_path <- function(id, kind = "response") {
    paste0("/2018-06-01/runtime/invocation/", id, "/", kind)
}

accepted <- function(connection) reply(connection, "202 Accepted", "{\"status\":\"OK\"}")

# Ends a function whose next request is for an event.
finish <- function(started, connection) {
    expect_request(connection, "GET", next_path)
    reply(connection, "500 Internal Server Error", "over")
    close(connection)
    close(started$socket)
    finished_log(started$log)
}

# Reads a body in chunks. Returns list(chunks, trailers), chunks: one raw vector for each.
read_stream <- function(connection) {
    chunks <- list()
    while ((size <- strtoi(read_line(connection), 16L)) > 0L) {
        chunks[[length(chunks) + 1L]] <- read_bytes(connection, size)
        expect(read_line(connection), "")
    }
    list(chunks = chunks, trailers = read_headers(connection))
}
