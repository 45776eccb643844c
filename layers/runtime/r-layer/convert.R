# Paths, queries and forms know only text. The default value of a parameter says what it is meant to
# be: `n = 10` wants a number.

# Converts texts to the types of the parameters' defaults. texts: a list named like the parameters;
# what is no text in it stays as it is.
typed <- function(handler, texts) {
    for (name in intersect(names(texts), handler$parameters)) {
        if (is.character(texts[[name]])) {
            texts[[name]] <- convert_text(texts[[name]], name, default_value(handler, name))
        }
    }
    texts
}

# The default of a parameter if it is a plain constant, such as 10, -1L, TRUE or c("a", "b"). Any
# other expression is not evaluated here. NULL when there is none.
default_value <- function(handler, name) {
    default <- handler$defaults[name]
    if (all(all.names(default[[1]]) %in% c("c", "-", "+", "T", "F")) &&
        !identical(default[[1]], quote(expr = ))) {
        tryCatch(eval(default[[1]], baseenv()), error = function(e) NULL)
    }
}

# Converts text to the type of `like`; text that is no such thing is the caller's mistake.
convert_text <- function(text, name, like) {
    wanted <- if (is.factor(like)) "" else typeof(like)
    value <- switch(wanted,
        double = suppressWarnings(as.numeric(text)),
        integer = whole_number(text),
        logical = if (anyNA(like)) text else truth(text),
        text
    )
    if (anyNA(value) && !anyNA(text)) {
        kind <- switch(wanted, integer = "whole number", logical = "truth value", "number")
        stop(runtime_error("argument \"", name, "\" is not a ", kind, ": ",
            encodeString(text[is.na(value)][1], quote = "\""), code = 400L))
    }
    value
}

whole_number <- function(text) {
    value <- suppressWarnings(as.numeric(text))
    value[is.na(value) | value != trunc(value) | abs(value) > .Machine$integer.max] <- NA
    as.integer(value)
}

truth <- function(text) {
    truths <- c(true = TRUE, t = TRUE, "1" = TRUE, yes = TRUE, false = FALSE, f = FALSE,
        "0" = FALSE, no = FALSE)
    unname(truths[tolower(text)])
}
