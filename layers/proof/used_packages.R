# Which packages R code asks for, by R's own parser: library() and its like with a package's name,
# and package::name. src/function/used_packages finds the same without R.

# Takes paths of files with R code. Returns for each a list of list(package, line); NULL for one that
# R does not understand.
used_packages <- function(files) {
    lapply(files, function(file) tryCatch(uses_in(file), error = function(e) NULL))
}

uses_in <- function(file) {
    lines <- readLines(file, warn = FALSE, encoding = "UTF-8")
    code <- suppressWarnings(parse(text = lines, keep.source = TRUE, encoding = "UTF-8"))
    data <- utils::getParseData(code)
    if (is.null(data)) {
        return(list())
    }
    data <- data[order(data$line1, data$col1), ]
    unname(c(uses_of_namespaces(data), uses_of_calls(data)))
}

# What stands before `::` and `:::`: a name, or a string.
uses_of_namespaces <- function(data) {
    words <- data[data$terminal & data$token != "COMMENT", ]
    before <- words[which(words$token %in% c("NS_GET", "NS_GET_INT")) - 1L, ]
    packages <- vapply(before$text, function(text) as.character(str2lang(text)), "")
    Map(use, packages, before$line1, USE.NAMES = FALSE)
}

# The calls of functions that are told packages.
uses_of_calls <- function(data) {
    names <- gsub("`", "", data$text, fixed = TRUE)
    called <- data[data$token == "SYMBOL_FUNCTION_CALL" & names %in% names(loaders), ]
    parent <- function(ids) data$parent[match(ids, data$id)]
    # The function's name is an expression in that of its call.
    texts <- utils::getParseText(data, parent(called$parent))
    packages <- lapply(texts, function(text) packages_of_call(str2lang(text)))
    uses <- Map(function(packages, line) lapply(packages, use, line), packages, called$line1)
    unlist(unname(uses), recursive = FALSE)
}

use <- function(package, line) {
    list(package = package, line = line)
}

# What these functions are called with, and where they are from.
loaders <- list(
    library = base::library,
    require = base::require,
    requireNamespace = base::requireNamespace,
    loadNamespace = base::loadNamespace,
    attachNamespace = base::attachNamespace,
    getNamespace = base::getNamespace,
    use = function(package, include.only) NULL,
    p_load = function(..., char, install = TRUE, update, character.only = FALSE) NULL
)

# Takes a call of one of them. Returns the packages, none if they are known only when it runs.
packages_of_call <- function(call) {
    name <- name_of(call[[1L]])
    if (is.null(name)) {
        return(character())
    }
    arguments <- tryCatch(
        as.list(match.call(loaders[[name]], call, expand.dots = FALSE)),
        error = function(e) list()
    )
    wanted <- switch(name, attachNamespace = "ns", getNamespace = "name", "package")
    packages <- if (name == "p_load") arguments$... else arguments[names(arguments) == wanted]
    only <- arguments$character.only
    takes_names <- name %in% c("library", "require", "p_load") &&
        (is.null(only) || identical(only, FALSE) || identical(only, quote(F)))
    is_package <- function(x) is.character(x) || takes_names && is.symbol(x)
    vapply(Filter(is_package, packages), as.character, "")
}

# `library`, also of `base::library`; NULL for a function of another package, or a part of an object.
name_of <- function(fun) {
    if (is.symbol(fun)) {
        return(as.character(fun))
    }
    name <- as.character(fun[[3L]])
    from <- if (name == "p_load") "pacman" else "base"
    is_own <- as.character(fun[[1L]]) %in% c("::", ":::") && as.character(fun[[2L]]) == from
    if (is_own) name
}
