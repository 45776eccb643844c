# Reading JSON. jsonlite does it; here is what keeps hostile input from hurting, and ways around
# the slower parts of jsonlite, for the shapes that large events have.

# jsonlite's parser recurses in C, where too deep a nesting would end the process; and what it does
# in R to simplify values needs a good deal of stack for each level.
deepest_json <- 500L

# C's stack holds twice this number of levels: fewer brackets can't overflow it.
harmless_brackets <- 24000L

# Takes JSON text. Returns R values, simplified as jsonlite::fromJSON() does; with tables = FALSE
# arrays of objects stay lists of lists, and only arrays of scalars become vectors; with
# vectors = FALSE these stay lists too. what: named in the error for text that is not JSON.
read_json <- function(text, tables = TRUE, vectors = TRUE, what = "event") {
    if (nchar(text, "bytes") > 2L * deepest_json && is_too_deep(text)) {
        stop(invalid_json(what, "nested deeper than ", deepest_json, " levels"))
    }
    if (grepl("\\u", text, fixed = TRUE, useBytes = TRUE)) {
        text <- checked_escapes(text)
    }
    condition <- catch_errors(return(
        withCallingHandlers(parse_and_simplify(text, tables, vectors), warning = muffle)
    ))
    stop(invalid_json(what, conditionMessage(condition)))
}

# Halves of a pair that stand alone are no characters: the parser would make bytes of them that are
# not UTF-8. They become the replacement character.
without_lone_surrogates <- function(text) {
    fine <- "(?:\\\\\\\\|\\\\u[dD][89abAB]..\\\\u[dD][c-fC-F]..)(*SKIP)(*FAIL)"
    gsub(paste0(fine, "|\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}"), "\\\\ufffd", text, perl = TRUE)
}

muffle <- function(condition) tryInvokeRestart("muffleWarning")

invalid_json <- function(what, ...) {
    runtime_error("The ", what, " is not valid JSON: ", ...,
        lambda_type = "Runtime.UnmarshalError", code = 400L)
}

# What escapes can hold that R can't, or no text should.
checked_escapes <- function(text) {
    if (grepl("\\u0000", text, fixed = TRUE, useBytes = TRUE)) {
        tell_nul(text)
    }
    lone <- grepl("\\\\u[dD][89a-fA-F]", text, perl = TRUE, useBytes = TRUE)
    if (lone) without_lone_surrogates(text) else text
}

tell_nul <- function(text) {
    if (grepl("(?<!\\\\)(\\\\\\\\)*+\\\\u0000", text, perl = TRUE)) {
        log_warning("the event holds \\u0000, which R can't: the text around it ends there")
    }
}

# Not fromJSON(): it would take a text for the name of a file, or an address to fetch.
parse_plainly <- function(text, tables, vectors) {
    jsonlite::parse_json(text, simplifyVector = vectors, simplifyDataFrame = tables && vectors,
        simplifyMatrix = tables && vectors)
}

# The same, by the parts of jsonlite.
parse_and_simplify <- function(text, tables, vectors) {
    if (!has_parts()) {
        return(parse_plainly(text, tables, vectors))
    }
    value <- .Call(jsonlite_parts$R_parse, text, FALSE)
    if (!vectors || !is.list(value)) {
        value
    } else if (may_hold_dates(text)) {
        jsonlite_parts$simplify(value, TRUE, tables, tables)
    } else if (tables) {
        simplify_tables(value)
    } else {
        simplify_lists(value)
    }
}

# {"$date": …} is a time for jsonlite, which knows where that matters. The key may be written with
# escapes.
may_hold_dates <- function(text) {
    grepl("$date", text, fixed = TRUE, useBytes = TRUE) ||
        grepl("\\u00", text, fixed = TRUE, useBytes = TRUE)
}

is_flat <- function(x) .Call(jsonlite_parts$C_is_scalarlist, x)

are_records <- function(x) .Call(jsonlite_parts$C_is_recordlist, x)

# An object is simplified value by value, of which scalars are what they will be.
simplify_tables <- function(x) {
    if (length(x) == 0L || !is.null(names(x)) && is_flat(x)) {
        return(x)
    }
    if (!is.null(names(x))) {
        nested <- vapply(x, is.list, NA, USE.NAMES = FALSE)
        x[nested] <- lapply(x[nested], simplify_tables)
        return(x)
    }
    jsonlite_parts$simplify(x)
}

# Arrays of objects stay as they are, but for the arrays in them.
simplify_lists <- function(x) {
    if (length(x) == 0L) {
        x
    } else if (!is.null(names(x))) {
        if (!is_flat(x)) {
            nested <- vapply(x, is.list, NA, USE.NAMES = FALSE)
            x[nested] <- lapply(x[nested], simplify_lists)
        }
        x
    } else if (are_records(x)) {
        # All records at once, since there may be thousands, and most hold no arrays.
        if (is_flat(unlist(x, FALSE, FALSE))) x else lapply(x, simplify_lists)
    } else {
        jsonlite_parts$simplify(x, TRUE, FALSE, FALSE)
    }
}

# Do brackets nest deeper than we take? Brackets in strings are left out, but only looked for when
# the plain count is too deep, or so high that C's stack is in danger.
is_too_deep <- function(text) {
    bytes <- charToRaw(text)
    opens <- positions(bytes, "[", "{")
    if (length(opens) <= deepest_json) {
        return(FALSE)
    }
    deep <- bracket_depth(opens, positions(bytes, "]", "}")) > deepest_json
    if (!deep && length(opens) <= harmless_brackets || is_shallow(text)) {
        return(FALSE)
    }
    bytes <- charToRaw(gsub("\"(?:[^\"\\\\]++|\\\\.)*+\"?", "", text, perl = TRUE, useBytes = TRUE))
    bracket_depth(positions(bytes, "[", "{"), positions(bytes, "]", "}")) > deepest_json
}

positions <- function(bytes, one, other) {
    found <- lapply(c(one, other), grepRaw, bytes, fixed = TRUE, all = TRUE)
    c(found[[1]], found[[2]])
}

bracket_depth <- function(opens, closes) {
    steps <- rep(c(1L, -1L), c(length(opens), length(closes)))
    max(cumsum(steps[order(c(opens, closes))]), 0L)
}

# Does a text surely nest no deeper than six levels? One pass of a regular expression, which is
# much faster than taking the strings out.
is_shallow <- function(text) {
    flat <- "[^][{}\"]*+(?:\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"[^][{}\"]*+)*+"
    pattern <- flat
    for (level in 1:6) {
        pattern <- paste0(flat, "(?:[\\[{]", pattern, "[\\]}]", flat, ")*+")
    }
    grepl(paste0("\\A", pattern, "\\z"), text, perl = TRUE, useBytes = TRUE)
}

# Bytes as text. JSON is UTF-8; anything else can't be an event.
bytes_to_text <- function(bytes) {
    if (length(grepRaw(as.raw(0), bytes, fixed = TRUE)) > 0L) {
        stop(invalid_json("event", "it holds a zero byte"))
    }
    text <- rawToChar(bytes)
    # In a UTF-8 session text is UTF-8 without the mark, whose setting costs a copy.
    if (!l10n_info()[["UTF-8"]]) {
        Encoding(text) <- "UTF-8"
    }
    if (!validUTF8(text)) {
        stop(invalid_json("event", "it is not in UTF-8"))
    }
    text
}
