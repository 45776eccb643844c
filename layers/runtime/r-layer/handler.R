# Finding and loading the handler: `file.function`, as the setting "Handler" names it.

# Takes the name. Loads the file into the global environment, where R users expect their code.
# Returns the handler: list(name, parameters, defaults, dots, whole).
load_handler <- function(setting) {
    found <- split_handler_name(setting)
    log_debug("Sourcing '", found$file, "'")
    enter_source(found$file)
    if (!exists(found$name, globalenv(), mode = "function")) {
        stop_missing_function(setting, found)
    }
    describe_handler(found$name, get(found$name, globalenv(), mode = "function"), session$event)
}

# What the runtime needs to know of a function. event: as lambda_config() took it.
describe_handler <- function(name, fun, event = "auto") {
    # A primitive has no formals of its own; args() gives those it documents, if any.
    parameters <- formals(if (is.primitive(fun)) args(fun) else fun)
    if (is.primitive(fun) && is.null(args(fun))) {
        parameters <- alist(... = )
    }
    names <- as.character(names(parameters))
    whole <- switch(event,
        raw = TRUE,
        arguments = FALSE,
        "event" %in% names && all(names %in% c("event", "context", "..."))
    )
    list(name = name, parameters = setdiff(names, "..."), defaults = as.list(parameters),
        dots = match("...", names, nomatch = 0L), order = names, whole = whole)
}

# Runs the file, as source() does; that would load utils. Its own function so that stack traces can
# begin below it.
enter_source <- function(file) {
    lines <- readLines(file, warn = FALSE, encoding = "UTF-8")
    lines[1L] <- sub("^\ufeff", "", lines[1L])
    copy <- srcfilecopy(file, lines, file.mtime(file), isFile = TRUE)
    expressions <- parse(text = lines, srcfile = copy, keep.source = TRUE, encoding = "UTF-8")
    for (i in seq_along(expressions)) {
        eval(expressions[i], globalenv())
    }
}

# Takes "file.function". Both parts may hold dots: the first dot counts that leaves a file that
# exists. Returns list(file, name).
split_handler_name <- function(setting) {
    dots <- gregexpr(".", setting, fixed = TRUE)[[1]]
    stems <- substring(setting, 1L, dots - 1L)
    names <- substring(setting, dots + 1L)
    sensible <- dots > 0L & nzchar(names) & nzchar(basename(stems)) & !grepl("/", names)
    if (!any(sensible)) {
        stop_bad_name(setting)
    }
    files <- vapply(stems, source_file, "")
    exists <- sensible & nzchar(files)
    if (!any(exists)) {
        stop_missing_file(setting, stems[max(which(sensible))])
    }
    first <- which(exists)[1]
    list(file = unname(files[first]), name = names[first])
}

# The file for a stem: stem.R, else stem.r, else "".
source_file <- function(stem) {
    files <- paste0(stem, c(".R", ".r"))
    files <- files[file.exists(files) & !dir.exists(files)]
    c(files, "")[1]
}

# The three ways in which a handler's name can be wrong. The first line of each message is for
# programs, the rest tells the user what is there.

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
    told <- if (length(functions) > 0L) {
        paste0("Functions of ", found$file, ": ", listing(functions))
    } else {
        paste(found$file, "defines no function")
    }
    if (exists(found$name, there, inherits = FALSE)) {
        told <- paste0(found$name, " is of class ", class(get(found$name, there))[1], ". ", told)
    }
    stop(runtime_error("Function \"", found$name, "\" does not exist\n",
        "The handler is \"", setting, "\". ", told, lambda_type = "Runtime.HandlerNotFound"))
}

handler_forms <- function() {
    "It is written file.function, or folder/file.function for a file in a folder."
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
