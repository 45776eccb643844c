# For handlers: log_debug(), log_info(), log_warn() and log_error(), attached under these names.
# Parts without a name are pasted together, those with a name are fields: keys of the record in
# JSON, "name=value" after the text otherwise. Below the threshold nothing is evaluated.

public_log_debug <- function(...) log_of_handler(..., .level = "DEBUG")
public_log_info <- function(...) log_of_handler(..., .level = "INFO")
public_log_warn <- function(...) log_of_handler(..., .level = "WARN")
public_log_error <- function(...) log_of_handler(..., .level = "ERROR")

# `.level` comes after the dots, so that no field can be taken for it.
log_of_handler <- function(..., .level) {
    if (!log_wanted(.level)) {
        return(invisible())
    }
    parts <- list(...)
    named <- nzchar(argument_names(parts))
    text <- paste0(unlist(lapply(unname(parts[!named]), log_text)), collapse = "")
    fields <- c(condition_fields(parts[!named]), parts[named])
    if (!logs_json() && any(named)) {
        text <- paste(c(text[nzchar(text)], text_fields(parts[named])), collapse = " ")
    }
    write_entry(.level, "handler", text, fields)
    invisible()
}

# What a part adds to the text: a condition its message, a vector its elements.
log_text <- function(part) {
    if (inherits(part, "condition")) {
        message_of(part)
    } else {
        protected(paste0(generic(as.character, part), collapse = " "),
            otherwise = paste0("<", class(part)[1], ">"))
    }
}

# The class of a condition among the parts, as a field.
condition_fields <- function(parts) {
    for (part in parts) {
        if (inherits(part, "condition")) {
            return(list(errorType = error_type(part)))
        }
    }
}

# Fields as "name=value". Values with spaces or quotes are in quotes, and all that is no single
# value is JSON.
text_fields <- function(fields) {
    values <- vapply(fields, function(value) {
        value <- if (is.character(value)) valid_text(value) else value
        if (is.character(value) && length(value) == 1L && !grepl("[[:space:]\"=]|^$", value)) {
            return(value)
        }
        json <- write_record(list(value))
        substr(json, 2L, nchar(json) - 1L)
    }, "")
    paste0(names(fields), "=", values)
}
