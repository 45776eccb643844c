# Loading, before the first event, what the handler's code will need: Lambda gives more processor
# time to the start of a function than to its calls.

# Looks at the functions that the handler's file has defined, and loads the default packages that
# they name.
load_ahead <- function() {
    functions <- Filter(is.function, mget(ls(globalenv(), all.names = TRUE), globalenv()))
    names <- used_names(functions)
    # methods goes last: loaded earlier, it takes part in the loading of the others.
    for (package in c("stats", "graphics", "grDevices", "utils", "methods")) {
        wanted <- late_names(package)
        if (any(names %in% wanted)) {
            getNamespace(package)
        }
    }
    if (any(names %in% loops)) {
        prepare_jit()
    }
}

# Loads methods for code, as parsed, that can need it without using one of its names: objects that
# are read from files may be of S4 classes, and then base itself asks it how to treat them. Called
# before the handler's file is run, which may do that at its top level.
load_methods_for <- function(code) {
    if (any(all.names(code) %in% need_methods)) {
        getNamespace("methods")
    }
}

need_methods <- c("@", "readRDS", "load", "unserialize", "attach", "trace", "untrace", "asS4",
    "methods")

loops <- c("for", "while", "repeat")

# The names of a default package that are on the search path as promises, and its own; none if it
# is loaded, or was detached.
late_names <- function(package) {
    place <- match(paste0("package:", package), search())
    if (is.na(place) || isNamespaceLoaded(package)) {
        character()
    } else {
        c(package, names(as.environment(place)))
    }
}

# The names that functions take from elsewhere: those that they call, and those that they mention
# (as `sd` in `sapply(x, sd)`) unless one of them has a variable of that name.
used_names <- function(functions) {
    parts <- lapply(functions, function(f) c(unname(as.list(formals(f))), list(body(f))))
    code <- as.call(c(quote(`{`), unlist(unname(parts), recursive = FALSE)))
    all <- all.names(code)
    mentioned <- all.names(code, functions = FALSE)
    names <- unique(all)
    count <- function(x) tabulate(match(x, names), length(names))
    called <- names[count(all) > count(mentioned)]
    parameters <- unlist(lapply(functions, function(f) names(formals(f))))
    passed <- setdiff(mentioned, c(parameters, names(globalenv())))
    if (length(passed) > 0L) {
        passed <- setdiff(passed, variables(code))
    }
    setdiff(c(called, passed), names(globalenv()))
}

# The names that are assigned, or are parameters, anywhere in a call.
variables <- function(code) {
    if (!is.call(code)) {
        return(character())
    }
    head <- if (is.symbol(code[[1L]])) as.character(code[[1L]]) else ""
    own <- switch(head,
        `<-` = , `=` = , `<<-` = , `for` = if (is.symbol(code[[2L]])) as.character(code[[2L]]),
        `function` = names(code[[2L]])
    )
    c(own, unlist(lapply(as.list(code), variables)))
}
