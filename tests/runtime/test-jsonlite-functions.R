# jsonlite's parser and functions are used without its namespace, beside it, and instead of it.

prepare_json()

rscript <- file.path(R.home("bin"), "Rscript")

# Runs code in a new R that has nothing but base loaded, started as the runtime is, with the runtime
# in an environment `runtime`, and an event. Returns what it prints.
in_new_session <- function(code) {
    script <- tempfile(fileext = ".R")
    writeLines(c(
        "runtime <- new.env(parent = baseenv())",
        sprintf("folder <- %s", deparse(runtime_folder)),
        "for (file in setdiff(list.files(folder, '[.]R$'), 'main.R')) {",
        "    sys.source(file.path(folder, file), runtime)",
        "}",
        "event <- '{\"a\":[1,2],\"b\":[{\"x\":1.5,\"y\":\"z\"},{\"x\":null}],\"c\":[[1],[2]]}'",
        code
    ), script)
    output <- system2(rscript, script, stdout = TRUE, stderr = TRUE,
        env = c("R_DEFAULT_PACKAGES=NULL", "R_ENABLE_JIT=0"))
    unlink(script)
    output
}

test("reading and writing leave base alone in the session", {
    output <- in_new_session(c(
        "runtime$prepare_json()",
        "value <- runtime$read_json(event)",
        "stopifnot(is.data.frame(value$b), is.matrix(value$c))",
        "whole <- runtime$read_json(event, tables = FALSE)",
        "date <- runtime$read_json('[{\"a\":{\"$date\":1700000000000}},null]')",
        "invisible(runtime$read_json(paste0('[', paste(1:9999 / 7, collapse = ','), ']')))",
        "try(runtime$read_json('[1,'), silent = TRUE)",
        "frame <- data.frame(n = c(1.5, NA), s = c('a', 'b'), f = factor(c('u', 'v')),",
        "    d = as.Date(c('2024-01-01', NA)), t = .POSIXct(c(0, 1), 'UTC'), l = c(TRUE, NA))",
        "results <- list(value, whole, date, frame, 1:3, 1:9999 / 8, rep(pi, 9999), NULL, I(1),",
        "    list(as.raw(1:3)), structure('[]', class = 'json'), matrix(1:4, 2), NaN, 'a\"b',",
        "    'a\\xff', 5e-324)",
        "for (x in results) stopifnot(is.character(runtime$write_result(x)))",
        "stopifnot(runtime$base64_decoded(runtime$base64_encoded(as.raw(7))) == as.raw(7))",
        "cat('loaded:', loadedNamespaces(), '\\n')"
    ))
    expect(output[length(output)], "loaded: base ")
})

test("the real jsonlite can be loaded later, and unloaded, and ours goes on", {
    output <- in_new_session(c(
        "runtime$prepare_json()",
        "objects <- function() sum(vapply(.dynLibs(), function(x) x[['name']] == 'jsonlite', NA))",
        "before <- runtime$read_json(event)",
        "library(jsonlite)",
        "stopifnot(identical(fromJSON(event), before), toJSON(1:2) == '[1,2]', objects() == 1)",
        "stopifnot(identical(environment(jsonlite:::simplify), asNamespace('jsonlite')))",
        "stopifnot(identical(runtime$read_json(event), before))",
        "unloadNamespace('jsonlite')",
        "gc() -> nothing",
        "stopifnot(identical(runtime$read_json(event), before))",
        "stopifnot(runtime$write_json('a\"') == '\"a\\\\\"\"')",
        "library(jsonlite)",
        "stopifnot(identical(fromJSON(event), before), objects() == 1)",
        "cat('good\\n')"
    ))
    expect(output[length(output)], "good")
})

test("the real jsonlite may also be there first", {
    output <- in_new_session(c(
        "library(jsonlite)",
        "runtime$prepare_json()",
        "stopifnot(identical(runtime$read_json(event), fromJSON(event)))",
        "stopifnot(isNamespaceLoaded('jsonlite'))",
        "unloadNamespace('jsonlite')",
        "stopifnot(is.data.frame(runtime$read_json(event)$b))",
        "cat(isNamespaceLoaded('jsonlite'), '\\n')"
    ))
    expect(output[length(output)], "FALSE ")
})

test("another copy of jsonlite in a folder of the function's own", {
    library <- tempfile()
    dir.create(library)
    on.exit(unlink(library, recursive = TRUE))
    file.copy(jsonlite_folder(), library, recursive = TRUE)
    output <- in_new_session(c(
        sprintf(".libPaths(%s)", deparse(library)),
        "runtime$prepare_json()",
        "before <- runtime$read_json(event)",
        "library(jsonlite)",
        sprintf("stopifnot(startsWith(getNamespaceInfo('jsonlite', 'path'), %s))",
            deparse(normalizePath(library))),
        "stopifnot(identical(fromJSON(event), before), toJSON(1:2) == '[1,2]')",
        "unloadNamespace('jsonlite')",
        "stopifnot(identical(runtime$read_json(event), before))",
        "cat('good\\n')"
    ))
    expect(output[length(output)], "good")
})

test("a jsonlite built in another way is loaded as a package", {
    folder <- tempfile()
    dir.create(file.path(folder, "R"), recursive = TRUE)
    on.exit(unlink(folder, recursive = TRUE))
    file.create(file.path(folder, "R", "jsonlite.rdx"))
    output <- in_new_session(c(
        sprintf("runtime$jsonlite_folder <- function() %s", deparse(folder)),
        "runtime$prepare_json()",
        "stopifnot(!runtime$has_parts(), isNamespaceLoaded('jsonlite'))",
        "stopifnot(identical(runtime$read_json(event), jsonlite::fromJSON(event)))",
        "whole <- jsonlite::fromJSON(event, simplifyDataFrame = FALSE, simplifyMatrix = FALSE)",
        "stopifnot(identical(runtime$read_json(event, tables = FALSE), whole))",
        "odd <- list(a = 'q\"u\\\\o\\n\\001', b = 1:200 / 7, c = as.raw(1:3))",
        "written <- jsonlite::parse_json(runtime$write_json(odd), simplifyVector = TRUE)",
        "odd$c <- 'AQID'",
        "stopifnot(identical(written, odd))",
        "stopifnot(identical(runtime$base64_decoded('AQID'), as.raw(1:3)))",
        "cat('good\\n')"
    ))
    expect(output[length(output)], "good")
})

test("Base64", {
    bytes <- as.raw(c(0:255, 0, 255))
    expect(base64_decoded(base64_encoded(bytes)), bytes)
    expect(base64_encoded(bytes), jsonlite::base64_enc(bytes))
    expect(base64_encoded(raw()), "")
    expect(base64_decoded(""), raw())
    outcome <- function(code) tryCatch(code, error = function(e) "an error")
    for (text in c("AQ==", "AQ", "A Q\n==", "@@", "AQIDBA", "AQID\n")) {
        expect(outcome(base64_decoded(text)), outcome(jsonlite::base64_dec(text)))
    }
})
