# The start of the runtime: bootstrap runs this file. The other files of the folder are loaded into
# an environment of their own, below base, so that nothing a handler defines or attaches can get
# between the runtime and the functions it calls. The files that no start can do without are loaded
# at once, each of the others when one of its functions is first used: parsing all of them would
# take longer than the rest of the runtime's start.

local({
    argument <- grep("^--file=", commandArgs(FALSE), value = TRUE)[1]
    folder <- dirname(sub("^--file=", "", argument))
    runtime <- new.env(parent = baseenv())

    load <- function(file) {
        eval(parse(file, keep.source = FALSE), runtime)
    }
    load_for <- function(name, file) {
        load(file)
        runtime[[name]]
    }
    # Promises for what a file assigns: nothing else in it begins at the margin with a name and an
    # arrow.
    load_late <- function(file) {
        lines <- grep("^[a-z][a-z0-9_]* <- ", readLines(file), value = TRUE, perl = TRUE)
        names <- sub(" .*", "", lines)
        value <- as.call(list(load_for, NULL, file))
        .Internal(makeLazy(names, as.list(names), value, baseenv(), runtime))
    }

    early <- c("arguments", "config", "context", "deadline", "default_methods", "default_packages",
        "event", "guard", "handler", "hooks", "http", "invocation", "jit", "json_numbers", "json_read",
        "json_write", "jsonlite_functions", "load_ahead", "log", "package_options", "public_functions", "quit",
        "runtime_api", "session")
    files <- file.path(folder, list.files(folder, "[.]R$"))
    for (file in files[basename(files) != "main.R"]) {
        if (basename(file) %in% paste0(early, ".R")) load(file) else load_late(file)
    }
    runtime$start()
})
