# The proof that a package loads, as a handler would load it: its namespace alone, then attached.
load_package <- function(package) {
    loadNamespace(package)
    library(package, character.only = TRUE)
    as.character(getNamespaceVersion(package))
}
