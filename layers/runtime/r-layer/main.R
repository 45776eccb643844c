# The start of the runtime: bootstrap runs this file. The other files of the folder are loaded into
# an environment of their own, below base, so that nothing a handler defines or attaches can get
# between the runtime and the functions it calls.
#
# In a layer there is a folder `start`: functions.R is what every start needs, made of files of this
# folder; `index` names for each other file the functions in it, which is loaded when one of them is
# first used. Parsing everything would take longer than the rest of the runtime's start.

local({
    argument <- grep("^--file=", commandArgs(FALSE), value = TRUE)[1]
    folder <- dirname(sub("^--file=", "", argument))
    runtime <- new.env(parent = baseenv())

    load <- function(file) {
        eval(parse(file.path(folder, file), keep.source = FALSE), runtime)
    }
    load_for <- function(name, file) {
        load(file)
        runtime[[name]]
    }

    index <- file.path(folder, "start", "index")
    if (file.exists(index)) {
        load("start/functions.R")
        for (line in strsplit(readLines(index), " ", fixed = TRUE)) {
            value <- as.call(list(load_for, NULL, line[1L]))
            .Internal(makeLazy(line[-1L], as.list(line[-1L]), value, baseenv(), runtime))
        }
    } else {
        for (file in setdiff(list.files(folder, "[.]R$"), "main.R")) load(file)
    }
    runtime$start()
})
