# HTTP/1.1 over a socket of base R: as much of it as the Runtime API speaks. One connection is
# kept open; it is opened again when the other side has dropped it.

# Lambda freezes the sandbox inside a request for the next event, for hours. So there is no
# time-out worth the name; this is the longest that POSIX promises select() to take. When it is
# over all the same, the request is sent again.
longest_wait <- 31L * 24L * 3600L

# Takes "host:port". Returns a client: an environment that holds the connection.
http_client <- function(address) {
    client <- new.env(parent = emptyenv())
    client$host <- gsub("^\\[|\\]$", "", sub(":[0-9]+$", "", address))
    client$port <- if (grepl(":[0-9]+$", address)) as.integer(sub("^.*:", "", address)) else 80L
    client$address <- address
    client$connection <- NULL
    client
}

# Sends a request, once, and reads the answer. headers: a named character vector; body: raw.
# Returns list(status, headers, body), or NULL when no answer came.
http_request <- function(client, method, path, headers = character(), body = NULL) {
    exchange(client, request_bytes(client, method, path, headers, body))
}

# The bytes of a request, in one piece, so that it goes out in one write.
request_bytes <- function(client, method, path, headers = character(), body = NULL) {
    lines <- c(
        paste(method, path, "HTTP/1.1"),
        paste0("Host: ", client$address),
        if (length(headers) > 0L) paste0(names(headers), ": ", headers),
        if (!is.null(body)) paste0("Content-Length: ", format_count(length(body))),
        "", ""
    )
    c(charToRaw(paste(lines, collapse = "\r\n")), body)
}

# A count in plain digits, whatever options(scipen) says.
format_count <- function(n) sprintf("%.0f", n)

# Writes a request and reads its answer, NULL when the connection fails on the way. open: FALSE for
# the rest of a request, which makes no sense on another connection than its beginning.
exchange <- function(client, request, open = TRUE) {
    answer <- withCallingHandlers(or_null({
        if (open) open_connection(client)
        writeBin(request, client$connection)
        read_answer(client$connection)
    }), warning = muffle)
    if (is.null(answer) || answer$last) {
        close_connection(client)
    }
    answer
}

# The value of an expression, NULL if it ends in an error.
or_null <- function(expr) {
    catch_errors(return(expr))
    NULL
}

# Opens the connection unless it is open. One that was kept has nothing to say between two requests:
# if there is something to be read, it is its end (dropped while the sandbox was frozen, say), and a
# request must not be sent into it.
open_connection <- function(client) {
    ours <- is_ours(client$connection)
    if (ours && socketSelect(list(client$connection), FALSE, 0)) {
        close_connection(client)
        ours <- FALSE
    }
    if (!ours) {
        client$connection <- do.call(socketConnection, c(
            list(client$host, client$port, blocking = TRUE, open = "r+b", timeout = longest_wait),
            no_delay
        ))
    }
}

# Each request goes out at once. R before 4.1 has no way to ask for that, and does without.
no_delay <- if ("options" %in% names(formals(socketConnection))) list(options = "no-delay")

close_connection <- function(client) {
    if (is_ours(client$connection)) {
        suppressWarnings(try(close(client$connection), silent = TRUE))
    }
    client$connection <- NULL
}

# Is this connection still the one we opened? A handler may call closeAllConnections(), and R then
# gives the same number to the next file that is opened.
is_ours <- function(connection) {
    if (is.null(connection)) {
        return(FALSE)
    }
    now <- or_null(getConnection(as.integer(connection)))
    identical(attr(now, "conn_id"), attr(connection, "conn_id"))
}

# Reads one answer. Returns list(status, headers, body, last), last: the connection ends with it.
read_answer <- function(connection) {
    status_line <- read_line(connection)
    headers <- read_headers(connection)
    status <- as.integer(substr(status_line, 10, 12))
    if (status < 200L) {
        return(read_answer(connection))
    }
    last <- startsWith(status_line, "HTTP/1.0") || says(headers, "connection", "close")
    body <- if (status == 204L) {
        raw()
    } else if (says(headers, "transfer-encoding", "chunked")) {
        read_chunks(connection)
    } else if (!is.null(length <- header(headers, "content-length"))) {
        read_bytes(connection, as.numeric(length))
    } else {
        last <- TRUE
        read_rest(connection)
    }
    list(status = status, headers = headers, body = body, last = last)
}

# Reads header lines up to the empty one. Returns a character vector named in lower case.
read_headers <- function(connection) {
    lines <- character()
    while (nzchar(line <- read_line(connection))) {
        lines <- c(lines, line)
    }
    colon <- regexpr(":", lines, fixed = TRUE)
    values <- substr(lines, colon + 1L, longest_line)
    # One blank after the colon is usual, but not demanded; a regular expression takes its time.
    values <- if (all(startsWith(values, " ")) && !any(endsWith(values, " "))) {
        substr(values, 2L, longest_line)
    } else {
        trimws(values)
    }
    names(values) <- tolower(substr(lines, 1L, colon - 1L))
    values
}

longest_line <- 1000000L

# The value of a header, by its name in lower case; NULL when it is not there, or empty.
header <- function(headers, name) {
    at <- match(name, names(headers))
    if (!is.na(at) && nzchar(headers[[at]])) headers[[at]]
}

# Has a header this value, in any case?
says <- function(headers, name, value) {
    at <- match(name, names(headers))
    !is.na(at) && tolower(headers[[at]]) == value
}

read_line <- function(connection) {
    # readLines(warn = FALSE), without the look at its arguments that it takes for each line.
    line <- .Internal(readLines(connection, 1L, TRUE, FALSE, "UTF-8", FALSE))
    if (length(line) == 0L) {
        stop("the connection was dropped")
    }
    line
}

read_bytes <- function(connection, n) {
    bytes <- readBin(connection, "raw", n)
    while (length(bytes) < n) {
        more <- readBin(connection, "raw", n - length(bytes))
        if (length(more) == 0L) {
            stop("the connection was dropped in a body")
        }
        bytes <- c(bytes, more)
    }
    bytes
}

# A body of unknown length ends where the connection does.
read_rest <- function(connection) {
    pieces <- list()
    while (length(piece <- readBin(connection, "raw", 65536L)) > 0L) {
        pieces[[length(pieces) + 1L]] <- piece
    }
    as.raw(unlist(pieces))
}

# A body in chunks: a line with the size in hexadecimal digits, the bytes, an empty line; size 0
# ends it, and trailers may follow.
read_chunks <- function(connection) {
    chunks <- list()
    repeat {
        size <- strtoi(sub("[; \t].*$", "", read_line(connection)), 16L)
        if (is.na(size)) {
            stop("not the size of a chunk")
        }
        if (size == 0L) {
            break
        }
        chunks[[length(chunks) + 1L]] <- read_bytes(connection, size)
        read_line(connection)
    }
    read_headers(connection)
    as.raw(unlist(chunks))
}
