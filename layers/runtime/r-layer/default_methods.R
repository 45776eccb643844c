# The S3 methods of default packages that are not loaded yet. R looks for a method in a table beside
# the generic function: print.lm, of stats, is in base's. So the tables hold promises for them.

# A package's methods, as the rows of its NAMESPACE file: generic, class, and the function if that
# is not called generic.class. Those for generics of base are promised now.
promise_methods <- function(rows, package, base_generics) {
    names <- paste(rows[, 1L], rows[, 2L], sep = ".")
    functions <- rows[, 3L]
    unnamed <- is.na(functions)
    functions[unnamed] <- names[unnamed]
    of_base <- rows[, 1L] %in% base_generics
    late_methods[[package]] <- list(base = names[of_base], generics = rows[!of_base, 1L],
        names = names[!of_base], functions = functions[!of_base])
    promise(names[of_base], methods_table(.BaseNamespaceEnv), quote(late_method(NAME, PACKAGE)),
        package, functions[of_base])
    setHook(packageEvent(package, "onLoad"), methods_are_loaded, "prepend")
}

group_generics <- c("Math", "Ops", "Summary", "Complex", "matrixOps")

# By package: what it has for base, and what for generics of other packages.
late_methods <- new.env(parent = emptyenv())

# By package: the methods that users have registered in the place of its own.
users_methods <- new.env(parent = emptyenv())

methods_table <- function(namespace) {
    namespace[[".__S3MethodsTable__."]]
}

# The value of a promise in a table.
late_method <- function(name, package) {
    if (is_registering(package)) give_way(package) else get(name, envir = getNamespace(package))
}

# Is R about to put the methods of this package into the tables itself? It looks at what is there
# first, which would read every method from the package's database.
is_registering <- function(package) {
    for (n in rev(seq_len(sys.nframe()))) {
        if (identical(sys.function(n), registerS3methods)) {
            return(identical(sys.frame(n)$package, package))
        }
    }
    FALSE
}

# Takes a package's promises out of base's table, once: then R fills it. Returns NULL: nothing was
# there.
give_way <- function(package) {
    if (is.null(late_methods[[package]])) {
        return(NULL)
    }
    table <- methods_table(.BaseNamespaceEnv)
    names <- intersect(late_methods[[package]]$base, names(table))
    promised <- vapply(names, is_promised, NA, table)
    users_methods[[package]] <- mget(names[!promised], table)
    rm(list = names, envir = table)
    rm(list = package, envir = late_methods)
    NULL
}

# Is what stands in a table still a promise of ours?
is_promised <- function(name, table) {
    code <- eval(call("substitute", as.name(name), table))
    is.call(code) && identical(code[[1L]], quote(late_method))
}

# A default package has been loaded. Methods that users have registered go on standing in for its
# own, and those that other default packages have for its generics are to be found, too.
methods_are_loaded <- function(package, path) {
    list2env(as.list(users_methods[[package]]), methods_table(.BaseNamespaceEnv))
    users_methods[[package]] <- NULL
    owner <- getNamespace(package)
    table <- methods_table(owner)
    for (other in setdiff(names(late_methods), loadedNamespaces())) {
        late <- late_methods[[other]]
        wanted <- late$generics %in% names(owner) & !late$names %in% names(table)
        promise(late$names[wanted], table, quote(late_method(NAME, PACKAGE)), other,
            late$functions[wanted])
    }
}
