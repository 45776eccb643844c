# Reading JSON. jsonlite does it; here is what keeps hostile input from hurting.

# jsonlite's parser recurses in C, where too deep a nesting would end the process; and what it does
# in R to simplify values needs a good deal of stack for each level.
deepest_json <- 500L

# Takes JSON text. Returns R values, simplified as jsonlite::fromJSON() does; with tables = FALSE
# arrays of objects stay lists of lists, and only arrays of scalars become vectors; with
# vectors = FALSE these stay lists too. what: named in the error for text that is not JSON.
read_json <- function(text, tables = TRUE, vectors = TRUE, what = "event") {
    if (nesting(text) > deepest_json) {
        stop(invalid_json(what, "nested deeper than ", deepest_json, " levels"))
    }
    if (grepl("(?<!\\\\)(\\\\\\\\)*\\\\u0000", text, perl = TRUE)) {
        log_warning("the event holds \\u0000, which R can't: the text around it ends there")
    }
    if (grepl("\\\\u[dD][89a-fA-F]", text, perl = TRUE)) {
        text <- without_lone_surrogates(text)
    }
    # Not fromJSON(): it would take a text for the name of a file, or an address to fetch.
    parsed <- tryCatch(
        list(suppressWarnings(jsonlite::parse_json(text, simplifyVector = vectors,
            simplifyDataFrame = tables && vectors, simplifyMatrix = tables && vectors))),
        error = function(e) stop(invalid_json(what, conditionMessage(e)))
    )
    parsed[[1]]
}

# Halves of a pair that stand alone are no characters: the parser would make bytes of them that are
# not UTF-8. They become the replacement character.
without_lone_surrogates <- function(text) {
    fine <- "(?:\\\\\\\\|\\\\u[dD][89abAB]..\\\\u[dD][c-fC-F]..)(*SKIP)(*FAIL)"
    gsub(paste0(fine, "|\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}"), "\\\\ufffd", text, perl = TRUE)
}

invalid_json <- function(what, ...) {
    runtime_error("The ", what, " is not valid JSON: ", ...,
        lambda_type = "Runtime.UnmarshalError", code = 400L)
}

# How deep do brackets nest, at most? Those in strings are left out, but only looked for when the
# plain count could be too deep.
nesting <- function(text) {
    depth <- bracket_depth(text)
    if (depth > deepest_json) {
        depth <- bracket_depth(gsub("\"(?:[^\"\\\\]++|\\\\.)*+\"?", "", text, perl = TRUE))
    }
    depth
}

bracket_depth <- function(text) {
    bytes <- charToRaw(text)
    opens <- bytes == 0x5b | bytes == 0x7b
    if (sum(opens) <= deepest_json) {
        return(sum(opens))
    }
    closes <- bytes == 0x5d | bytes == 0x7d
    max(cumsum(opens - closes))
}

# Bytes as text. JSON is UTF-8; anything else can't be an event.
bytes_to_text <- function(bytes) {
    if (any(bytes == 0L)) {
        stop(invalid_json("event", "it holds a zero byte"))
    }
    text <- rawToChar(bytes)
    Encoding(text) <- "UTF-8"
    if (!validUTF8(text)) {
        stop(invalid_json("event", "it is not in UTF-8"))
    }
    text
}
