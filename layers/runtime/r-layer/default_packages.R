# R's default packages, attached without being loaded. Loading them is most of what R does when it
# starts, and most handlers touch few of them. So bootstrap starts R with base alone, and what
# library() would put on the search path is put there as promises: the first use of a name loads
# the package that it is from. Packages that need a default package load it as they always do.
#
# A session looks like a plain one, but for loadedNamespaces() and for options whose values live in
# packages (str, device, and without the graphics layer bitmapType: set when utils or grDevices is
# loaded).

# In the order in which R attaches them: each goes above those before it.
default_packages <- c("methods", "datasets", "utils", "grDevices", "graphics", "stats")

# Attaches the default packages. From here on the session, and every R that it starts, is like a
# plain one.
attach_default_packages <- function() {
    Sys.unsetenv("R_DEFAULT_PACKAGES")
    options(defaultPackages = c("datasets", "utils", "grDevices", "graphics", "stats", "methods"))
    generics <- c(names(.BaseNamespaceEnv), group_generics)
    for (package in default_packages) {
        attach_late(package, generics)
    }
    set_package_options()
}

# Attaches one package by promises. generics: the names of those that base has.
attach_late <- function(package, generics) {
    folder <- file.path(.Library, package)
    facts <- readRDS(file.path(folder, "Meta", "nsInfo.rds"))
    place <- attach(NULL, name = paste0("package:", package), warn.conflicts = FALSE)
    attr(place, "path") <- folder
    exports <- exported_names(facts, folder, package)
    promise(exports, place, quote(late_export(NAME, PACKAGE)), package)
    data <- lazy_names(file.path(folder, "data", "Rdata.rdx"))
    promise(data, place, quote(late_data(NAME, PACKAGE)), package)
    lockEnvironment(place, TRUE)
    if (length(facts$S3methods) > 0L) {
        promise_methods(facts$S3methods, package, generics)
    }
}

# What a package exports, as its NAMESPACE file says; patterns are for the objects in its database.
exported_names <- function(facts, folder, package) {
    if (length(facts$exportPatterns) == 0L) {
        return(facts$exports)
    }
    objects <- lazy_names(file.path(folder, "R", paste0(package, ".rdx")))
    matching <- lapply(facts$exportPatterns, grep, objects, value = TRUE)
    unique(c(facts$exports, unlist(matching)))
}

# The names in the index of a lazy-load database; none if there is no such file.
lazy_names <- function(index) {
    if (file.exists(index)) names(readRDS(index)$variables) else character()
}

# Assigns promises to names in an environment. value: a call whose arguments stand for the name that
# the object has in the package, and the package. R fills namespaces this way: one call for all.
promise <- function(names, place, value, package, objects = names) {
    value[[3L]] <- package
    .Internal(makeLazy(names, as.list(objects), value, environment(promise), place))
}

late_export <- function(name, package) {
    # Exports may be imports: plot of graphics is of base.
    get(name, envir = getNamespace(package))
}

late_data <- function(name, package) {
    .getNamespaceInfo(getNamespace(package), "lazydata")[[name]]
}
