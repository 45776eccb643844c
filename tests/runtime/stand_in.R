# A stand-in for Lambda: it starts the runtime as a process and plays the Runtime API for it.

# Opens a listening socket on a free port. Returns list(socket, port).
listen <- function() {
    for (port in sample(20000:60000, 50L)) {
        socket <- tryCatch(suppressWarnings(serverSocket(port)), error = function(e) NULL)
        if (!is.null(socket)) {
            return(list(socket = socket, port = port))
        }
    }
    stop("no free port")
}

# Starts the runtime on a handler of tests/fixtures/functions and sends it events: texts, raw
# vectors, or list(body, headers, drop), drop: the connection is dropped right after the event;
# NULL drops the connection instead of sending an event.
# Returns list(answers, log): each answer list(path, headers, body); a last one without an event
# when the function could not start. folder: of those fixtures, or an absolute path.
play <- function(handler, folder, events = list(), environment = character()) {
    api <- listen()
    on.exit(close(api$socket))
    log <- tempfile()
    root <- if (startsWith(folder, "/")) folder else file.path(functions_folder, folder)
    settings <- c(
        paste0("AWS_LAMBDA_RUNTIME_API=127.0.0.1:", api$port),
        paste0("LAMBDA_TASK_ROOT=", shQuote(root)),
        paste0("_HANDLER=", shQuote(handler)), "AWS_LAMBDA_FUNCTION_NAME=tested", environment
    )
    # As Lambda starts it: by bootstrap, which is beside the runtime's folder. A test that runs in the
    # background of a shell would else make it deaf to interrupts.
    bootstrap <- file.path(dirname(runtime_folder), "bootstrap")
    command <- paste("cd", shQuote(root), "&& env --default-signal=INT", paste(settings, collapse = " "),
        shQuote(bootstrap), ">", log, "2>&1; echo exit status $? >>", log)
    system(paste0("(", command, ")"), wait = FALSE)
    answers <- serve_events(api$socket, events)
    list(answers = answers, log = finished_log(log))
}

# Makes a folder of code: names are paths, values the text. Returns its path.
code_folder <- function(...) {
    files <- list(...)
    folder <- tempfile("code")
    for (name in names(files)) {
        path <- file.path(folder, name)
        dir.create(dirname(path), FALSE, TRUE)
        writeLines(files[[name]], path)
    }
    folder
}

# Makes an installed package, as small as R takes it, in a library. code: its R code as text.
fake_package <- function(library, name, code, exports) {
    folder <- file.path(library, name)
    dir.create(file.path(folder, "R"), FALSE, TRUE)
    dir.create(file.path(folder, "Meta"))
    description <- c(Package = name, Version = "9.9.9", Title = "Fake", License = "MIT")
    write.dcf(as.list(description), file.path(folder, "DESCRIPTION"))
    writeLines(paste0("export(", exports, ")"), file.path(folder, "NAMESPACE"))
    writeLines(code, file.path(folder, "R", name))
    built <- list(R = getRversion(), Platform = "", Date = "2026-01-01 00:00:00 UTC",
        OStype = "unix")
    saveRDS(list(DESCRIPTION = description, Built = built),
        file.path(folder, "Meta", "package.rds"))
}

# Waits until the process has ended, and returns its output.
finished_log <- function(log) {
    for (i in 1:100) {
        lines <- readLines(log, warn = FALSE)
        if (any(startsWith(lines, "exit status"))) {
            break
        }
        Sys.sleep(0.05)
    }
    paste(lines, collapse = "\n")
}

# Hands out events and collects answers, over one connection after the other. When all events are
# answered, the next request gets status 500, upon which the runtime ends.
serve_events <- function(socket, events) {
    answers <- list()
    connection <- NULL
    on.exit(if (!is.null(connection)) close(connection))
    repeat {
        if (is.null(connection)) {
            connection <- tryCatch(
                suppressWarnings(socketAccept(socket, TRUE, "r+b", timeout = 10)),
                error = function(e) NULL
            )
            if (is.null(connection)) {
                return(answers)
            }
        }
        request <- tryCatch(read_request(connection), error = function(e) NULL)
        if (is.null(request)) {
            close(connection)
            connection <- NULL
        } else if (request$method == "POST") {
            answers[[length(answers) + 1L]] <- request
            reply(connection, "202 Accepted", "{\"status\":\"OK\"}")
            if (grepl("init/error", request$path)) {
                return(answers)
            }
        } else if (length(events) == 0L) {
            reply(connection, "500 Internal Server Error", "over")
            return(answers)
        } else {
            event <- events[[1]]
            events <- events[-1]
            if (is.null(event)) {
                close(connection)
                connection <- NULL
            } else {
                send_event(connection, event, paste0("request-", length(answers) + 1L))
                if (is.list(event) && isTRUE(event$drop)) {
                    close(connection)
                    connection <- NULL
                }
            }
        }
    }
}

# Reads one request. Returns list(method, path, headers, body), the body as text.
read_request <- function(connection) {
    first <- strsplit(read_line(connection), " ", fixed = TRUE)[[1]]
    headers <- read_headers(connection)
    length <- header(headers, "content-length")
    body <- if (is.null(length)) "" else rawToChar(read_bytes(connection, as.numeric(length)))
    Encoding(body) <- "UTF-8"
    list(method = first[1], path = first[2], headers = headers, body = body)
}

reply <- function(connection, status, body, headers = character()) {
    body <- if (is.raw(body)) body else charToRaw(body)
    head <- c(paste("HTTP/1.1", status), headers, paste0("Content-Length: ", length(body)), "", "")
    writeBin(c(charToRaw(paste(head, collapse = "\r\n")), body), connection)
}

send_event <- function(connection, event, id) {
    deadline <- 1000 * as.numeric(Sys.time()) + 3000
    headers <- c(paste0("Lambda-Runtime-AWS-Request-Id: ", id),
        paste0("Lambda-Runtime-Deadline-Ms: ", sprintf("%.0f", deadline)))
    if (is.list(event)) {
        # The first header of a name counts, so that an event can have its own deadline.
        headers <- c(event$headers, headers)
        event <- event$body
    }
    reply(connection, "200 OK", event, headers)
}

# A handler made of a function, for tests of one step.
handler_of <- function(fun, event = "auto") {
    describe_handler("fun", fun, event)
}

# The arguments that a handler would get for an event's text.
arguments_of <- function(fun, text, event = "auto") {
    handler <- handler_of(fun, event)
    arguments_for(handler, read_event(charToRaw(text), handler), list(aws_request_id = "id"))
}
