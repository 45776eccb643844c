# Runs code in a folder of the given files, empty ones.
among <- function(files, code) {
    folder <- tempfile()
    for (file in file.path(folder, files)) {
        dir.create(dirname(file), FALSE, TRUE)
        file.create(file)
    }
    old <- setwd(folder)
    on.exit(setwd(old))
    code
}

test("file.function, with .R before .r", {
    among(c("a.R", "a.r", "b.r", "d/c.R"), {
        expect(split_handler_name("a.f"), list(file = "a.R", name = "f"))
        expect(split_handler_name("b.f"), list(file = "b.r", name = "f"))
        expect(split_handler_name("d/c.f"), list(file = "d/c.R", name = "f"))
        expect(split_handler_name("./d/c.f"), list(file = "./d/c.R", name = "f"))
    })
})

test("the first dot counts that leaves a file", {
    among(c("a.b.R", "c.R", "c.d.R"), {
        expect(split_handler_name("a.b.f"), list(file = "a.b.R", name = "f"))
        expect(split_handler_name("c.d.f"), list(file = "c.R", name = "d.f"))
    })
})

test("a file that is not there", {
    among(c("a.R", "renv/library/x/y.R"), {
        message <- error_of(split_handler_name("missing.f"))
        stopifnot(startsWith(message, "Source file does not exist: missing.[R|r]\n"))
        stopifnot(grepl(": a.R$", message))
        expect(split_handler_name("a.b.c.f")$name, "b.c.f")
        message <- error_of(split_handler_name("x.y.f"))
        stopifnot(startsWith(message, "Source file does not exist: x.y.[R|r]\n"))
    })
})

test("names of another form", {
    among("a.R", for (name in c("", "a", ".f", "a.", "/.f", "a.b/c")) {
        stopifnot(grepl("is not of the form file.function", error_of(split_handler_name(name))))
    })
})

test("a function that is not there", {
    old <- setwd(file.path(functions_folder, "basics"))
    on.exit({
        setwd(old)
        rm(list = ls(globalenv(), pattern = "^not_a_function$"), envir = globalenv())
    })
    message <- error_of(load_handler("script.f"))
    stopifnot(startsWith(message, 'Function "f" does not exist\n'), grepl("increment", message))
    message <- error_of(load_handler("script.not_a_function"))
    stopifnot(startsWith(message, 'Function "not_a_function" does not exist\n'),
        grepl("class character", message))
    expect(load_handler("script.parity")$parameters, "number")
})
