
### Added by r-layer: what an R of any origin needs on Lambda, in the session of the function and in
### every R that it starts.

## Lambda has no `which`, whose path is fixed when R is configured. Without it Sys.which() fails, and
## with it the loading of utils, which looks for `uname`. This one looks through PATH itself.
##
## While utils is loaded it finds no `uname`: utils would start it, which takes 4 ms, for the variable
## osVersion. Instead that is a promise, whose value utils finds as it always does.
local({
    Sys.which <- function(names) {
        if (identical(names, "uname") && Sys.getenv("_R_NS_LOAD_") == "utils") {
            return(c(uname = ""))
        }
        res <- character(length(names))
        names(res) <- names
        folders <- sub("/+$", "", strsplit(Sys.getenv("PATH"), ":", fixed = TRUE)[[1L]])
        for (i in seq_along(names)) {
            if (is.na(names[i])) {
                res[i] <- NA
                next
            }
            has_folder <- grepl("/", names[i], fixed = TRUE)
            candidates <- if (has_folder) names[i] else file.path(folders, names[i])
            programs <- candidates[file.access(candidates, 1L) == 0L & !dir.exists(candidates)]
            if (length(programs)) res[i] <- programs[1L]
        }
        res
    }
    environment(Sys.which) <- baseenv()
    locked <- bindingIsLocked("Sys.which", baseenv())
    if (locked) unlockBinding("Sys.which", baseenv())
    assign("Sys.which", Sys.which, envir = baseenv())
    if (locked) lockBinding("Sys.which", baseenv())
    setHook(packageEvent("utils", "onLoad"), function(...) {
        utils <- getNamespace("utils")
        if (is.function(utils[[".osVersion"]]) && is.null(utils[["osVersion"]])) {
            unlockBinding("osVersion", utils)
            delayedAssign("osVersion", .osVersion(), utils, utils)
            lockBinding("osVersion", utils)
        }
    })
})

## Without the layer with cairo, png() and its like would warn of a library, and go on to draw into a file that cannot be
## written: they say what is missing instead.
setHook(packageEvent("grDevices", "onLoad"), function(...) {
    devices <- c("png", "jpeg", "tiff", "bmp", "svg", "cairo_pdf", "cairo_ps")
    space <- getNamespace("grDevices")
    if (!file.exists(file.path(.Library, "grDevices", "libs", "cairo.so"))) {
        for (name in devices) {
            device <- space[[name]]
            body(device) <- call("stop", name, "() needs what this function's layers lack, cairo and fonts. ",
                "Type r-layer build graphics, and give the function that layer too; pdf() needs none", call. = FALSE)
            unlockBinding(name, space)
            assign(name, device, envir = space)
            lockBinding(name, space)
        }
    }
})
