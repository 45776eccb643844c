# Entries of the log as JSON, one object a line.

# CloudWatch takes 256 KB a record, and cuts a longer one where it happens to be. Escapes can make
# a text up to six times as long, but only texts of control characters get near that.
longest_message <- 150000L

# Takes texts, all of one level and logger. Returns one line of JSON for each. fields: more keys,
# a named list.
json_records <- function(level, logger, texts, fields = NULL) {
    context <- session$context
    head <- paste0('{"timestamp":"', json_time(Sys.time()), '","level":"', level, '","message":')
    tail <- paste0(
        ',"logger":"', logger, '"',
        if (!is.null(context$aws_request_id)) {
            paste0(',"requestId":', write_json(context$aws_request_id))
        },
        if (!is.null(context$tenant_id)) paste0(',"tenantId":', write_json(context$tenant_id)),
        more_keys(fields), "}"
    )
    bodies <- vapply(texts, function(text) write_json(bounded_text(text)), "", USE.NAMES = FALSE)
    paste0(head, bodies, rep(tail, length(bodies)))[seq_along(bodies)]
}

# Fields as the end of an object. Those that are called like a key of the record get another name.
more_keys <- function(fields) {
    fields <- fields[!vapply(fields, is.null, NA)]
    if (length(fields) == 0L) {
        return("")
    }
    taken <- names(fields) %in% record_keys
    names(fields)[taken] <- paste0(names(fields)[taken], ".1")
    json <- write_record(fields)
    paste0(",", substr(json, 2L, nchar(json) - 1L))
}

record_keys <- c("timestamp", "level", "message", "logger", "requestId", "tenantId")

# A record as JSON. A field that has no JSON must not cost the record: it is given as R code.
write_record <- function(record) {
    protected(quiet_json(record), otherwise = {
        quiet_json(lapply(record, function(field) {
            protected(
                {
                    quiet_json(field)
                    field
                },
                otherwise = paste0(deparse(field, nlines = 1L), "")
            )
        }))
    })
}

# JSON without the warning for NaN. Strings, which is all that most records have, can't cause it.
quiet_json <- function(value) {
    text <- all(vapply(value, is.character, NA))
    if (text) write_json(value) else suppressWarnings(write_json(value))
}

json_time <- function(time) {
    format(time, "%Y-%m-%dT%H:%M:%OS3Z", tz = "UTC")
}

# Text that is short enough for a record, and says so if it was not.
bounded_text <- function(text) {
    size <- nchar(text, "bytes")
    if (is.na(size) || size <= longest_message) {
        return(text)
    }
    bytes <- charToRaw(valid_text(text))[seq_len(longest_message)]
    # Not in the middle of a character: bytes 10xxxxxx continue one.
    last <- longest_message
    while (bytes[last] >= 0x80 && bytes[last] < 0xc0) {
        last <- last - 1L
    }
    kept <- rawToChar(bytes[seq_len(if (bytes[last] < 0x80) last else last - 1L)])
    Encoding(kept) <- "UTF-8"
    paste0(kept, "... (", format_count(size - longest_message), " more bytes)")
}

# Logs a message() of the handler's. Its own newline at the end is no part of it.
log_handler_message <- function(condition) {
    if (log_wanted("INFO")) {
        write_entry("INFO", "message", sub("\n$", "", whole_message(condition)))
    }
}

# From now on what is printed is collected: R has no way to rewrite it as it is written.
collect_output <- function() {
    if (!logs_json() || is_ours(log_state$output) && output_sinks() > 0L) {
        return(invisible())
    }
    log_state$output <- rawConnection(raw(), "r+")
    log_state$collector <- Sys.getpid()
    sink(log_state$output)
}

# Logs what was printed since the last time, a record a line. Called before any other record, so
# that the order is right, and when an invocation ends.
flush_output <- function() {
    connection <- log_state$output
    # A forked child has a copy of what its parent will log.
    if (is.null(connection) || !is_ours(connection) || Sys.getpid() != log_state$collector) {
        return(invisible())
    }
    bytes <- rawConnectionValue(connection)
    if (length(bytes) > 0L) {
        seek(connection, 0, rw = "write")
        truncate(connection)
        if (log_wanted("INFO")) {
            lines <- output_lines(bytes)
            write_past_sinks(json_records("INFO", "output", lines))
        }
    }
}

# Output as lines of text, blank ones left out.
output_lines <- function(bytes) {
    text <- rawToChar(bytes[bytes != 0L])
    Encoding(text) <- "UTF-8"
    lines <- strsplit(valid_text(text), "\r?\n", perl = TRUE)[[1]]
    lines[grepl("[^ \t]", lines)]
}
