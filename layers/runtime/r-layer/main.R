# The start of the runtime: bootstrap runs this file. The other files of the folder are loaded into
# an environment of their own, below base, so that nothing a handler defines or attaches can get
# between the runtime and the functions it calls.

local({
    argument <- grep("^--file=", commandArgs(FALSE), value = TRUE)[1]
    folder <- dirname(sub("^--file=", "", argument))
    runtime <- new.env(parent = baseenv())
    for (file in setdiff(list.files(folder, "[.]R$"), "main.R")) {
        sys.source(file.path(folder, file), runtime, keep.source = FALSE)
    }
    runtime$start()
})
