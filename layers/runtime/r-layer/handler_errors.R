# The errors of a handler's name. The first line of each message is for programs, the rest tells the
# user what is there.

stop_bad_name <- function(setting) {
    stop(runtime_error("The handler \"", setting, "\" is not of the form file.function\n",
        handler_forms(), "\n", files_there(), lambda_type = "Runtime.HandlerNotFound"))
}

stop_missing_file <- function(setting, stem) {
    stop(runtime_error("Source file does not exist: ", stem, ".[R|r]\n",
        "The handler is \"", setting, "\". ", handler_forms(), "\n", files_there(),
        lambda_type = "Runtime.HandlerNotFound"))
}

stop_missing_function <- function(setting, found) {
    there <- globalenv()
    functions <- Filter(function(name) exists(name, there, mode = "function", inherits = FALSE),
        ls(there))
    told <- functions_there(found$file, functions)
    if (exists(found$name, there, inherits = FALSE)) {
        told <- paste0(found$name, " is of class ", class(get(found$name, there))[1], ". ", told)
    }
    if (isTRUE(found$bare) && grepl(".", setting, fixed = TRUE)) {
        told <- paste0(told, "\nNo part of the name before a dot is a file. ", files_there())
    }
    stop(runtime_error("Function \"", found$name, "\" does not exist\n",
        "The handler is \"", setting, "\". ", told, lambda_type = "Runtime.HandlerNotFound"))
}

stop_bad_package_handler <- function(setting) {
    told <- if (grepl("^[^:]+:::[^:]+$", setting)) {
        paste0("Only what a package exports can be a handler: ", sub(":::", "::", setting))
    } else {
        handler_forms()
    }
    stop(runtime_error("The handler \"", setting, "\" is not of the form package::function\n", told,
        lambda_type = "Runtime.HandlerNotFound"))
}

# parts: package and name; exports: the names that the package exports.
stop_missing_export <- function(setting, parts, exports) {
    package <- asNamespace(parts[1])
    functions <- sort(Filter(function(name) is_function(name, package), exports))
    told <- functions_there(paste("package", parts[1]), functions)
    if (parts[2] %in% exports) {
        told <- paste0(parts[2], " is no function. ", told)
    } else if (exists(parts[2], package, inherits = FALSE)) {
        told <- paste0(parts[1], " has it, but does not export it. ", told)
    }
    stop(runtime_error("Function \"", parts[2], "\" does not exist\n",
        "The handler is \"", setting, "\". ", told, lambda_type = "Runtime.HandlerNotFound"))
}

functions_there <- function(place, functions) {
    if (length(functions) > 0L) {
        paste0("Functions of ", place, ": ", listing(functions))
    } else {
        paste(place, "has no function")
    }
}

handler_forms <- function() {
    paste0("It is written file.function, folder/file.function for a file in a folder, ",
        "package::function for what a package exports, or function alone for one that runtime.R ",
        "or R/runtime.R defines.")
}

# The R files in the function's code.
files_there <- function() {
    files <- list.files(".", "[.][Rr]$", recursive = TRUE)
    files <- files[!grepl("(^|/)(library|renv)/", files)]
    if (length(files) == 0L) {
        paste("There is no R file in", getwd())
    } else {
        paste0("R files in ", getwd(), ": ", listing(files))
    }
}

listing <- function(names) {
    more <- length(names) - 20L
    paste0(paste(names[seq_len(min(length(names), 20L))], collapse = ", "),
        if (more > 0L) paste(" and", more, "more"))
}
