# The S3 methods of default packages that are not loaded yet. R looks for a method in a table beside
# the generic function: print.lm, of stats, is in base's. So the tables hold promises for them.

# A package's methods for generics of base. methods: the rows of generic and class in its
# NAMESPACE file.
promise_methods <- function(methods, package) {
    generics <- methods[, 1L]
    of_base <- generics %in% c(names(.BaseNamespaceEnv), group_generics)
    names <- paste(generics, methods[, 2L], sep = ".")[of_base]
    late_methods[[package]] <- list(base = names, rest = methods[!of_base, , drop = FALSE])
    promise(names, methods_table(.BaseNamespaceEnv), quote(late_method(NAME, PACKAGE)), package)
    setHook(packageEvent(package, "onLoad"), promise_methods_for, "prepend")
}

group_generics <- c("Math", "Ops", "Summary", "Complex", "matrixOps")

# By package: what it has for base, and what for generics of other packages.
late_methods <- new.env(parent = emptyenv())

methods_table <- function(namespace) {
    namespace[[".__S3MethodsTable__."]]
}

# The value of a promise in a table.
late_method <- function(name, package) {
    if (is_registering(package)) give_way(package) else getNamespace(package)[[name]]
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

# Takes a package's promises out of base's table. Returns NULL: nothing was there.
give_way <- function(package) {
    table <- methods_table(.BaseNamespaceEnv)
    rm(list = intersect(late_methods[[package]]$base, names(table)), envir = table)
    NULL
}

# A default package has been loaded: the methods that other default packages have for its generics
# are to be found, too, before those are loaded.
promise_methods_for <- function(package, path) {
    owner <- getNamespace(package)
    for (other in setdiff(names(late_methods), loadedNamespaces())) {
        methods <- late_methods[[other]]$rest
        methods <- methods[methods[, 1L] %in% names(owner), , drop = FALSE]
        names <- paste(methods[, 1L], methods[, 2L], sep = ".")
        table <- methods_table(owner)
        promise(setdiff(names, names(table)), table, quote(late_method(NAME, PACKAGE)), other)
    }
}
