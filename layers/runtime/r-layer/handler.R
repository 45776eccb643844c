# Finding and loading the handler, as the setting "Handler" names it: `file.function`,
# `package::function`, or `function` of runtime.R.

# Takes the name. Loads the file into the global environment, where R users expect their code.
# Returns the handler, as describe_handler() makes it.
load_handler <- function(setting) {
    if (grepl("::", setting, fixed = TRUE)) {
        return(load_package_handler(setting))
    }
    found <- split_handler_name(setting)
    log_debug("Sourcing '", found$file, "'")
    load_source(found$file)
    config <- lambdr_config()
    if (is.function(config$handler) && (isTRUE(found$bare) || !is_function(found$name))) {
        found$name <- config$name
        place <- new.env(parent = globalenv())
        assign(found$name, config$handler, place)
    } else {
        place <- if (is.environment(config$environ)) config$environ else globalenv()
    }
    if (!is_function(found$name, place)) {
        stop_missing_function(setting, found)
    }
    fun <- get(found$name, place, mode = "function")
    describe_handler(found$name, fun, wanted_event(), place = place)
}

is_function <- function(name, place = globalenv()) {
    exists(name, place, mode = "function")
}

# Takes "package::function". Loads the package, from wherever R finds it.
load_package_handler <- function(setting) {
    parts <- strsplit(setting, "::", fixed = TRUE)[[1]]
    if (length(parts) != 2L || !all(nzchar(parts)) || grepl("^:", parts[2])) {
        stop_bad_package_handler(setting)
    }
    log_debug("Loading package '", parts[1], "'")
    exports <- getNamespaceExports(enter_package(parts[1]))
    fun <- if (parts[2] %in% exports) getExportedValue(parts[1], parts[2])
    if (!is.function(fun)) {
        stop_missing_export(setting, parts, exports)
    }
    call <- call("::", as.name(parts[1]), as.name(parts[2]))
    describe_handler(setting, fun, wanted_event(), target = call)
}

wanted_event <- function() {
    if (is.null(settings$event)) "auto" else settings$event
}

# What the runtime needs to know of a function. event: as lambda_config() took it. target, place:
# by what the handler is called, a name or `package::function`, and where.
describe_handler <- function(name, fun, event = "auto", target = name, place = globalenv()) {
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
    list(name = name, target = target, place = place, parameters = setdiff(names, "..."),
        defaults = as.list(parameters), dots = match("...", names, nomatch = 0L), order = names,
        whole = whole)
}

# Runs a file as source() does, which with an encoding would load utils.
load_source <- function(file) {
    expressions <- parsed_source(file)
    load_methods_for(expressions)
    enter_source(expressions)
}

parsed_source <- function(file) {
    lines <- readLines(file, warn = FALSE, encoding = "UTF-8")
    lines[1L] <- sub("^\ufeff", "", lines[1L])
    copy <- srcfilecopy(file, lines, file.mtime(file), isFile = TRUE)
    parse(text = lines, srcfile = copy, keep.source = TRUE, encoding = "UTF-8")
}

# Its own function so that stack traces can begin below it.
enter_source <- function(expressions) {
    for (i in seq_along(expressions)) {
        eval(expressions[i], globalenv())
    }
}

# Loads a package. Its own function for the same reason.
enter_package <- function(package) {
    loadNamespace(package)
}

# Takes "file.function". Both parts may hold dots: the first dot counts that leaves a file that
# exists. Any other name is one of runtime.R's functions, where that is. Returns list(file, name),
# for those with bare = TRUE.
split_handler_name <- function(setting) {
    dots <- gregexpr(".", setting, fixed = TRUE)[[1]]
    stems <- substring(setting, 1L, dots - 1L)
    names <- substring(setting, dots + 1L)
    sensible <- dots > 0L & nzchar(names) & nzchar(basename(stems)) & !grepl("/", names)
    if (!any(sensible)) {
        bare <- bare_handler(setting)
        return(if (is.null(bare)) stop_bad_name(setting) else bare)
    }
    files <- vapply(stems, source_file, "")
    exists <- sensible & nzchar(files)
    if (!any(exists)) {
        bare <- bare_handler(setting)
        stem <- stems[max(which(sensible))]
        return(if (is.null(bare)) stop_missing_file(setting, stem) else bare)
    }
    first <- which(exists)[1]
    list(file = unname(files[first]), name = names[first])
}

# A function of runtime.R or R/runtime.R; NULL if there is none, or for what can be no name.
bare_handler <- function(setting) {
    files <- c(source_file("runtime"), source_file("R/runtime"))
    file <- c(files[nzchar(files)], NA)[1]
    if (!is.na(file) && nzchar(setting) && !grepl("/", setting, fixed = TRUE)) {
        list(file = file, name = setting, bare = TRUE)
    }
}

# The file for a stem: stem.R, else stem.r, else "".
source_file <- function(stem) {
    files <- paste0(stem, c(".R", ".r"))
    files <- files[file.exists(files) & !dir.exists(files)]
    c(files, "")[1]
}
