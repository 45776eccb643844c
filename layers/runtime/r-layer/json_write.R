# Writing JSON, in the shapes of jsonlite::toJSON(auto_unbox = TRUE, null = "null", na = "null",
# POSIXt = "ISO8601"), but faster, and with numbers that read back as the same double. Values of
# classes that are not known here are left to jsonlite.

# The text of a handler's result. What is JSON already, of class "json", is sent as it is.
write_result <- function(result) {
    not_finite <- FALSE
    note <- function(w) {
        not_finite <<- TRUE
        tryInvokeRestart("muffleWarning")
    }
    text <- withCallingHandlers(result_json(result), not_finite_warning = note)
    if (not_finite) {
        log_warning("the result holds NaN or Inf, which JSON can't express: sent as null")
    }
    text
}

result_json <- function(result) {
    condition <- catch_errors(return(
        if (inherits(result, "json")) verbatim_json(result) else write_json(result)
    ))
    stop(unwritable(result, condition))
}

unwritable <- function(result, condition) {
    runtime_error("The result can't be written as JSON (class ", class(result)[1], "): ",
        message_of(condition), lambda_type = "Runtime.MarshalError")
}

verbatim_json <- function(x) {
    valid_text(paste(unclass(x), collapse = "\n"))
}

# Takes any value. Returns one string.
write_json <- function(x) {
    if (is.null(x)) {
        "null"
    } else if (length(x) == 1L && is.atomic(x) && is.null(attributes(x)) && !is.na(x)) {
        write_scalar(x)
    } else if (is.object(x)) {
        write_classed(x)
    } else if (is.list(x) && is.null(dim(x))) {
        write_list(x)
    } else if (is_plain(x) && length(dim(x)) > 1L && all(dim(x) > 0L)) {
        write_array(x)
    } else if (is_plain(x) && length(dim(x)) < 2L) {
        write_vector(x)
    } else if (is.raw(x) && is.null(dim(x))) {
        quoted(base64_encoded(as.vector(x)))
    } else {
        write_by_jsonlite(x)
    }
}

# A vector without a class; a single value is written without brackets.
write_vector <- function(x) {
    long <- if (is.numeric(x) && length(x) >= long_vector) long_numbers(x)
    if (!is.null(long)) {
        return(long)
    }
    elements <- scalars(x)
    if (length(elements) == 1L) elements else bracketed(elements)
}

# A single value without attributes, not NA: what small results are made of.
write_scalar <- function(x) {
    switch(typeof(x),
        logical = if (x) "true" else "false",
        integer = sprintf("%d", x),
        double = numbers(x),
        character = quoted(x),
        raw = quoted(base64_encoded(x)),
        write_by_jsonlite(x)
    )
}

is_plain <- function(x) {
    is.logical(x) || is.integer(x) || is.double(x) || is.character(x)
}

bracketed <- function(elements) {
    # For many elements R's paste() is slow; for few, the other is.
    if (length(elements) > 100L && has_parts()) {
        .Call(jsonlite_parts$C_collapse_array, elements)
    } else {
        paste0("[", paste(elements, collapse = ","), "]")
    }
}

write_by_jsonlite <- function(x) {
    text <- jsonlite::toJSON(x, auto_unbox = TRUE, null = "null", na = "null",
        POSIXt = "ISO8601", digits = if (is.null(settings$digits)) I(17) else settings$digits)
    paste(unclass(text), collapse = "\n")
}

# A list is an object if it has names, else an array.
write_list <- function(x) {
    elements <- vapply(x, write_json, "", USE.NAMES = FALSE)
    if (is.null(names(x))) {
        return(bracketed(elements))
    }
    if (length(x) == 0L) {
        return("{}")
    }
    before <- paste0(c("{", rep(",", length(x) - 1L)), quoted(keys(names(x))), ":")
    # Values may be large: all is put together in one go.
    paste(c(rbind(before, elements), "}"), collapse = "")
}

# Names fit for an object: places for those that are empty, and no name twice.
keys <- function(names) {
    empty <- is.na(names) | names == ""
    if (any(empty)) {
        names[empty] <- as.character(seq_along(names))[empty]
    }
    if (anyDuplicated(names)) make.unique(names) else names
}

# A matrix row by row; an array by its first dimension, then its second, and so on.
write_array <- function(x) {
    sizes <- dim(x)
    elements <- scalars(c(x))
    while (length(sizes) > 1L) {
        last <- length(sizes)
        dim(elements) <- c(prod(sizes[-last]), sizes[last])
        columns <- lapply(seq_len(sizes[last]), function(j) elements[, j])
        elements <- paste0("[", do.call(paste, c(columns, sep = ",")), "]")
        sizes <- sizes[-last]
    }
    bracketed(elements)
}

# Values with a class attribute.
write_classed <- function(x) {
    if (inherits(x, "json")) {
        # In a larger result it is text, as in toJSON(): a gateway's `body` depends on it.
        write_json(as.character(x))
    } else if (inherits(x, "AsIs")) {
        write_as_is(x)
    } else if (inherits(x, "scalar") && is.atomic(x)) {
        write_json(without_class(x, "scalar"))
    } else if (is_known_vector(x)) {
        elements <- column(x)
        if (length(elements) == 1L) elements else bracketed(elements)
    } else if (is_known_frame(x)) {
        bracketed(rows(x))
    } else if (inherits(x, "lambda_context")) {
        write_json(plain_context(x))
    } else {
        write_by_jsonlite(x)
    }
}

# I(x) keeps a single value in its brackets.
write_as_is <- function(x) {
    plain <- without_class(x, "AsIs")
    text <- write_json(plain)
    single <- is.atomic(plain) && length(plain) == 1L && length(dim(plain)) < 2L
    if (single) bracketed(text) else text
}

without_class <- function(x, class) {
    rest <- setdiff(oldClass(x), class)
    class(x) <- if (length(rest) > 0L) rest
    x
}

is_known_vector <- function(x) {
    inherits(x, c("factor", "Date", "POSIXt")) && is.null(dim(x))
}

# A data frame of columns that are known, with rows. Spatial frames are written another way.
is_known_frame <- function(x) {
    inherits(x, "data.frame") && !inherits(x, c("sf", "scalar")) && length(x) > 0L &&
        nrow(x) > 0L && length(names(x)) == length(x) && all(vapply(x, is_known_column, NA))
}

is_known_column <- function(x) {
    if (inherits(x, "AsIs")) {
        x <- without_class(x, "AsIs")
    }
    if (is.object(x)) {
        is_known_vector(x) || is_known_frame(x)
    } else {
        (is_plain(x) && (is.null(dim(x)) || length(dim(x)) == 2L && all(dim(x) > 0L))) ||
            (is.list(x) && is.null(dim(x)))
    }
}

# The rows of a data frame, each an object. Returns a character vector.
rows <- function(x) {
    labels <- attr(x, "row.names")
    columns <- lapply(x, column)
    if (is.character(labels) && !all(grepl("^[0-9]+$", labels))) {
        columns[["_row"]] <- quoted(labels)
    }
    before <- paste0(",", quoted(keys(names(columns))), ":")
    before[1] <- paste0("{", substring(before[1], 2L))
    do.call(paste0, c(rbind(before, unname(columns)), "}"))
}

# The elements of a column, each as JSON. Returns a character vector, one for a row.
column <- function(x) {
    if (inherits(x, "AsIs")) {
        x <- without_class(x, "AsIs")
    }
    if (inherits(x, "POSIXt")) {
        scalars(format(x, "%Y-%m-%dT%H:%M:%S"))
    } else if (inherits(x, "Date")) {
        scalars(format(x))
    } else if (is.factor(x)) {
        scalars(as.character(x))
    } else if (is.data.frame(x)) {
        rows(x)
    } else if (is.list(x)) {
        vapply(x, write_json, "", USE.NAMES = FALSE)
    } else if (is.matrix(x)) {
        apply(matrix(scalars(c(x)), nrow(x)), 1L, bracketed)
    } else {
        scalars(x)
    }
}

# The elements of a plain vector, each as JSON.
scalars <- function(x) {
    if (length(x) == 0L) {
        return(character())
    }
    text <- switch(typeof(x),
        logical = c("false", "true")[x + 1L],
        integer = sprintf("%d", x),
        double = numbers(x),
        character = quoted(x)
    )
    if (anyNA(x)) {
        text[is.na(x)] <- "null"
    }
    text
}

# Strings in quotes, with what JSON demands escaped.
quoted <- function(x) {
    x <- valid_text(x)
    if (has_parts()) {
        return(.Call(jsonlite_parts$C_escape_chars, x))
    }
    special <- grep("[\"\\\\\\x01-\\x1f]", x, perl = TRUE)
    if (length(special) > 0L) {
        x[special] <- escaped(x[special])
    }
    paste0("\"", x, "\"")
}

escaped <- function(x) {
    x <- gsub("\\", "\\\\", x, fixed = TRUE)
    x <- gsub("\"", "\\\"", x, fixed = TRUE)
    for (code in 1:31) {
        x <- gsub(intToUtf8(code), sprintf("\\u%04x", code), x, fixed = TRUE)
    }
    x
}

# Text in valid UTF-8; a byte that is none becomes the replacement character.
valid_text <- function(x) {
    marks <- Encoding(x)
    if (any(marks == "bytes")) {
        Encoding(x[marks == "bytes"]) <- "UTF-8"
    }
    # What has no mark is UTF-8 in a session that is, and enc2utf8() of older R would spoil what is
    # wrong in it.
    other <- marks == "latin1" | (marks == "unknown" & !l10n_info()[["UTF-8"]])
    if (any(other)) {
        x[other] <- enc2utf8(x[other])
    }
    valid <- validUTF8(x)
    if (!all(valid)) {
        x[!valid] <- iconv(x[!valid], "UTF-8", "UTF-8", sub = "\ufffd")
    }
    x
}
