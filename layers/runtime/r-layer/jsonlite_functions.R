# jsonlite's own parser and functions, without its namespace. Loading that namespace means loading
# methods and all of jsonlite's S4 generics, which takes three times as long as starting R. What
# reading JSON needs is a shared object and a dozen plain functions: those are taken from where the
# package is installed. Whatever else is asked of jsonlite loads the real package, at that moment.

# Holds the parts: routines of the shared object under their C names, and R functions. It stands
# in for the namespace while functions are unpacked, and is where they look each other up.
jsonlite_parts <- new.env(parent = baseenv())

# The routines that we call, or that the functions below call.
jsonlite_routines <- c("R_parse", "C_escape_chars", "C_collapse_array", "R_base64_decode",
    "R_base64_encode", "C_null_to_na", "C_is_datelist", "C_is_scalarlist", "C_is_recordlist",
    "C_transpose_list")

# The functions by which jsonlite simplifies what it has parsed; some have other names in older
# versions.
jsonlite_functions <- c("simplify", "simplifyDataFrame", "list_to_vec", "null_to_na",
    "is.scalarlist", "is.recordlist", "is_datelist", "is.datelist", "parse_date",
    "transpose_list", "is.matrixlist", "is.arraylist", "all_identical", "all.identical", "stop")

# Makes jsonlite's parser ready; called once, at the start. Where the package is not built as
# expected, its namespace does the work: jsonlite_parts stays empty, and that is what tells.
prepare_json <- function() {
    if (!has_parts()) {
        tryCatch(borrow_jsonlite(jsonlite_folder()), error = function(e) {
            rm(list = ls(jsonlite_parts, all.names = TRUE), envir = jsonlite_parts)
            loadNamespace("jsonlite")
        })
    }
    invisible()
}

has_parts <- function() {
    !is.null(jsonlite_parts$R_parse)
}

# Where jsonlite is. R's own library goes first: there lies the version that the runtime was
# tested with. A handler's library(jsonlite) finds whichever it would find without us.
jsonlite_folder <- function() {
    folders <- file.path(c(.Library, .libPaths()), "jsonlite")
    folders[file.exists(file.path(folders, "R", "jsonlite.rdx"))][1]
}

# Fills jsonlite_parts from an installed package.
borrow_jsonlite <- function(folder) {
    object <- shared_object(file.path(folder, "libs"), "jsonlite")
    routines <- lapply(jsonlite_routines, getNativeSymbolInfo, PACKAGE = object)
    names(routines) <- jsonlite_routines
    is_wanted <- function(names) names %in% jsonlite_functions
    lazyLoad(file.path(folder, "R", "jsonlite"), jsonlite_parts, is_wanted)
    unpack_functions()
    stopifnot(is.function(jsonlite_parts$simplify), is.function(jsonlite_parts$list_to_vec))
    list2env(routines, jsonlite_parts)
}

# Loads a shared object, and enters it in R's list as loadNamespace() would: so it is loaded once,
# whoever comes first.
shared_object <- function(folder, name) {
    folder <- file.path(folder, .Platform$r_arch)
    file <- file.path(normalizePath(folder, "/", TRUE), paste0(name, .Platform$dynlib.ext))
    for (known in .dynLibs()) {
        if (known[["path"]] == file) {
            return(known)
        }
    }
    object <- dyn.load(file)
    .dynLibs(c(.dynLibs(), list(object)))
    object
}

# Unpacks the functions. Their environment is stored as a reference to the namespace of jsonlite,
# which R would load now; so ours takes its place in R's register meanwhile.
unpack_functions <- function() {
    absent <- !isNamespaceLoaded("jsonlite")
    if (absent) {
        .Internal(registerNamespace("jsonlite", jsonlite_parts))
        on.exit(.Internal(unregisterNamespace("jsonlite")))
    }
    for (name in names(jsonlite_parts)) {
        unpacked <- jsonlite_parts[[name]]
        # With the real package loaded, they come with its namespace.
        if (!absent) {
            environment(unpacked) <- jsonlite_parts
            assign(name, unpacked, envir = jsonlite_parts)
        }
    }
}

# Base64 text to bytes.
base64_decoded <- function(text) {
    if (!nzchar(text)) {
        raw()
    } else if (has_parts()) {
        .Call(jsonlite_parts$R_base64_decode, charToRaw(text))
    } else {
        jsonlite::base64_dec(text)
    }
}

# Bytes to Base64 text, in lines if it is long; base64_text() has it in one.
base64_encoded <- function(bytes) {
    if (has_parts()) {
        .Call(jsonlite_parts$R_base64_encode, bytes)
    } else {
        jsonlite::base64_enc(bytes)
    }
}
