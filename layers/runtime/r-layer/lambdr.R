# Handlers written for the package lambdr. Where the package is not installed, bootstrap adds
# `library/` of this folder to R's libraries. The lambdr in there notes what start_lambda() is told,
# and this file fetches it once the handler's file has run. Where the package itself is installed,
# its start_lambda() runs lambdr's own loop and never returns: who brings it gets it.

# Takes over the settings. Returns the rest of start_lambda()'s configuration: list(handler, name,
# environ), each if it is known; NULL if nothing was started.
lambdr_config <- function() {
    noted <- if (isNamespaceLoaded("lambdr")) {
        get0("noted", asNamespace("lambdr"), mode = "environment", inherits = FALSE)
    }
    if (is.null(noted)) {
        return(NULL)
    }
    do.call(lambda_config, as.list(noted$settings))
    config <- noted$config
    for (name in c("deserialiser", "serialiser")) {
        if (!is.null(config[[name]])) {
            change_setting(name, config[[name]])
        }
    }
    take_lambdr_ways(config)
    config
}

# Where lambdr differs: what a deserialiser returns is always arguments, and what a serialiser
# returns is the whole answer, also over HTTP.
take_lambdr_ways <- function(config) {
    if (isFALSE(config$decode_base64)) {
        settings$decode_base64 <- FALSE
    }
    if (!is.null(config$deserialiser) && !identical(settings$event, "raw")) {
        settings$event <- "arguments"
    }
    settings$serialise_all <- !is.null(config$serialiser)
}
