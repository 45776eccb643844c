# The cause of a failure for AWS X-Ray, which shows it in the trace of the invocation.

# Takes a failure. Returns JSON for a header: one line, ASCII only, a few kilobytes at most.
xray_cause <- function(failure) {
    failure <- described(failure)
    frames <- failure$frames
    # X-Ray wants the innermost call first.
    stack <- lapply(rev(frames[seq_len(min(length(frames), 50L))]), function(frame) {
        list(
            path = substr(known_or(frame$path, ""), 1L, 200L),
            line = known_or(frame$line, 0L),
            label = substr(frame$text, 1L, 120L)
        )
    })
    paths <- unique(unlist(lapply(frames, `[[`, "path")))
    cause <- list(
        working_directory = known_or(getwd(), ""),
        exceptions = list(list(
            message = substr(valid_text(failure$message), 1L, 1000L),
            type = substr(failure$type, 1L, 100L),
            stack = stack
        )),
        paths = as.list(paths)
    )
    ascii_json(write_json(cause))
}

known_or <- function(x, otherwise) if (is.null(x)) otherwise else x

# JSON with all characters beyond ASCII escaped; those beyond 16 bits are surrogate pairs.
ascii_json <- function(text) {
    codes <- utf8ToInt(text)
    far <- which(codes > 126L)
    if (length(far) == 0L) {
        return(text)
    }
    pieces <- rep("", length(codes))
    near <- codes <= 126L
    pieces[near] <- rawToChar(as.raw(codes[near]), multiple = TRUE)
    above <- codes[far] - 65536L
    pieces[far] <- ifelse(above < 0L,
        sprintf("\\u%04x", codes[far]),
        sprintf("\\u%04x\\u%04x", 55296L + above %/% 1024L, 56320L + above %% 1024L)
    )
    paste(pieces, collapse = "")
}
