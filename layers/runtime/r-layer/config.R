# Settings: from the handler's file, by lambda_config(), else from an environment variable of the
# function, else the default. In the file an argument that is left out changes nothing.
#
# lambda_config()  environment variable     values, the default first
# event            R_LAYER_EVENT            "auto", "raw", "arguments": what the handler gets. The
#                                           handler's own parameters decide; the whole event; its
#                                           keys as arguments
# simplify         R_LAYER_SIMPLIFY         "auto", TRUE, "vectors", FALSE: JSON arrays. As TRUE for
#                                           arguments, as "vectors" for handlers of whole events;
#                                           vectors, matrices and data frames, as jsonlite makes
#                                           them; arrays of scalars are vectors, others are lists;
#                                           all arrays are lists
# digits           R_LAYER_DIGITS           NA: numbers that read back as the same number; n, from 0
#                                           to 15: n digits after the point; I(n), from 1 to 15: n
#                                           significant digits
# log_level        R_LAYER_LOG_LEVEL        "INFO", TRACE, DEBUG, WARN, ERROR, FATAL: the least that
#                                           is logged. Lambda's own setting and LOGLEVEL go before
#                                           the variable
# decode_base64    R_LAYER_DECODE_BASE64    TRUE, FALSE: is the body of an HTTP request that came in
#                                           base64 decoded?
# deserialiser     -                        NULL, a function: gets the event's text, and what it
#                                           returns takes the event's place; a list is arguments
# serialiser       -                        NULL, a function: gets the handler's result, and what it
#                                           returns is sent as it is; over HTTP it is the body
# -                R_LAYER_ATTACH           packages to attach before the file runs: "jsonlite,R6"
# -                R_LAYER_EAGER            1: R's default packages are loaded at the start, as in
#                                           any other R session

# What differs from the defaults. An environment, because all files of the runtime read it.
settings <- new.env(parent = emptyenv())

setting_variables <- c(event = "R_LAYER_EVENT", simplify = "R_LAYER_SIMPLIFY",
    digits = "R_LAYER_DIGITS", log_level = "R_LAYER_LOG_LEVEL",
    decode_base64 = "R_LAYER_DECODE_BASE64")

# For handlers, in their file: changes the settings that it names.
lambda_config <- function(event, simplify, digits, log_level, decode_base64, deserialiser,
                          serialiser) {
    for (name in names(match.call())[-1]) {
        change_setting(name, get(name, inherits = FALSE), "lambda_config(): the argument ", name)
    }
    invisible(as.list(settings))
}

# Reads the environment variables.
read_settings <- function() {
    check_switches()
    texts <- Sys.getenv(setting_variables)
    for (name in names(setting_variables)[nzchar(texts)]) {
        text <- texts[[setting_variables[[name]]]]
        change_setting(name, value_of_text(name, text), "The environment variable ",
            setting_variables[[name]])
    }
    # Checked only: other variables go before this one, and the log reads them all.
    rm(list = intersect("log_level", names(settings)), envir = settings)
}

# Variables that bootstrap reads, before R: it takes anything but 1 for no.
check_switches <- function() {
    for (name in c("R_LAYER_EAGER", "R_LAYER_SHUTDOWN")) {
        text <- Sys.getenv(name)
        if (!text %in% c("", "0", "1")) {
            stop(runtime_error("The environment variable ", name, " is ", call_text(text),
                "; allowed are 1 and 0", lambda_type = "Runtime.InvalidConfiguration"))
        }
    }
}

# What the text of an environment variable means; text that means nothing is left for the error.
value_of_text <- function(name, text) {
    if (name == "digits") {
        significant <- grepl("^I[(][0-9]+[)]$", text)
        value <- suppressWarnings(as.numeric(gsub("[I()]", "", text)))
        if (is.na(value) && text != "NA") text else if (significant) I(value) else value
    } else if (name %in% c("simplify", "decode_base64")) {
        switch(tolower(text), true = , "1" = TRUE, false = , "0" = FALSE, text)
    } else {
        text
    }
}

# Sets a setting; `...`: what the error for a wrong value begins with.
change_setting <- function(name, value, ...) {
    checked <- checked_setting(name, value)
    if (is.null(checked)) {
        stop(runtime_error(..., " is ", call_text(value), "; allowed are ", allowed_values[[name]],
            lambda_type = "Runtime.InvalidConfiguration"))
    }
    settings[[name]] <- checked$value
}

allowed_values <- c(
    event = "\"auto\", \"raw\" and \"arguments\"",
    simplify = "TRUE, FALSE, \"vectors\" and \"auto\"",
    digits = "whole numbers from 0 to 15, I(1) to I(15) for significant digits, and NA for all",
    log_level = "TRACE, DEBUG, INFO, WARN, ERROR and FATAL",
    decode_base64 = "TRUE and FALSE",
    deserialiser = "functions of one argument and NULL",
    serialiser = "functions of one argument and NULL"
)

# Returns list(value) as the setting is kept, NULL for a value that is not allowed.
checked_setting <- function(name, value) {
    switch(name,
        event = checked_choice(value, c("auto", "raw", "arguments")),
        simplify = if (isTRUE(value) || isFALSE(value)) {
            list(value = value)
        } else {
            checked_choice(value, c("auto", "vectors"))
        },
        digits = checked_digits(value),
        log_level = checked_log_level(value),
        decode_base64 = if (isTRUE(value) || isFALSE(value)) list(value = value),
        deserialiser = ,
        serialiser = if (is.null(value) || is.function(value)) list(value = value)
    )
}

checked_choice <- function(value, choices) {
    if (is_text(value) && value %in% choices) list(value = value)
}

# No limit is NULL.
checked_digits <- function(value) {
    if (is.null(value) || length(value) == 1L && is.atomic(value) && is.na(value)) {
        return(list(value = NULL))
    }
    least <- if (inherits(value, "AsIs")) 1 else 0
    fits <- is.numeric(value) && length(value) == 1L && value >= least && value <= 15 &&
        value == trunc(value)
    if (fits) list(value = value)
}

checked_log_level <- function(value) {
    level <- if (is_text(value)) sub("^WARNING$", "WARN", toupper(value))
    checked_choice(level, c("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"))
}

# Are arrays of objects to be data frames, and arrays of arrays matrices? `usual`: by default.
wants_tables <- function(usual) {
    simplify <- settings$simplify
    if (is.null(simplify) || identical(simplify, "auto")) usual else isTRUE(simplify)
}

# Are arrays of scalars to be vectors?
wants_vectors <- function() {
    !isFALSE(settings$simplify)
}

# Numbers of a result with as many digits as are wanted. Adding zero makes -0 a plain 0.
rounded <- function(x) {
    digits <- settings$digits
    if (is.null(digits)) {
        x
    } else if (inherits(digits, "AsIs")) {
        signif(x, unclass(digits)) + 0
    } else {
        round(x, digits) + 0
    }
}
