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

bodies <- function(played) vapply(played$answers, `[[`, "", "body")

# The message with which a function fails to start.
init_error <- function(played) {
    expect(basename(played$answers[[1]]$path), "error")
    jsonlite::parse_json(played$answers[[1]]$body)$errorMessage
}

test("a bare name is a function of runtime.R", {
    among(c("runtime.R", "a.R"), {
        expect(split_handler_name("f"), list(file = "runtime.R", name = "f", bare = TRUE))
        expect(split_handler_name("my.f"), list(file = "runtime.R", name = "my.f", bare = TRUE))
        expect(split_handler_name("a.f"), list(file = "a.R", name = "f"))
        expect(split_handler_name("runtime.f"), list(file = "runtime.R", name = "f"))
        stopifnot(grepl("is not of the form", error_of(split_handler_name("a/b"))))
        stopifnot(startsWith(error_of(split_handler_name("x/b.f")), "Source file does not exist"))
    })
    among("R/runtime.R", expect(split_handler_name("f")$file, "R/runtime.R"))
    among(c("runtime.R", "R/runtime.R"), expect(split_handler_name("f")$file, "runtime.R"))
})

test("a bare name, in a whole session", {
    folder <- code_folder("R/runtime.R" = "twice <- function(x) 2 * x\nvariable <- 5")
    expect(bodies(play("twice", folder, list('{"x":4}'))), "8")
    for (name in c("absent", "variable", "my.absent")) {
        message <- init_error(play(name, folder))
        stopifnot(startsWith(message, paste0('Function "', name, '" does not exist\n')),
            grepl("Functions of R/runtime.R: twice", message))
    }
    stopifnot(grepl("No part of the name before a dot is a file", message))
})

test("a variable is no handler, also where R has a function of that name", {
    folder <- code_folder("script.R" = "value <- 5\nf <- function() 1")
    message <- init_error(play("script.value", folder))
    stopifnot(startsWith(message, 'Function "value" does not exist\n'),
        grepl("value is of class numeric. Functions of script.R: f", message))
})

test("the forms of a name are told where it has none of them", {
    message <- init_error(play("nonsense", "basics"))
    for (part in c("file.function", "folder/file.function", "package::function", "runtime.R",
        "script.R", "folder/nested.R")) {
        stopifnot(grepl(part, message, fixed = TRUE))
    }
})

test("a function that a package exports", {
    expect(bodies(play("stats::median", "basics", list('{"x":[3,1,2]}', "{}")))[1], "2")
    expect(bodies(play("base::sum", "basics", list('{"a":1,"b":2}'))), "3")
    handler <- load_handler("stats::sd")
    expect(handler$parameters, c("x", "na.rm"))
    expect(handler$target, quote(stats::sd))
})

test("traces show the package", {
    played <- play("stats::weighted.mean", "basics", list('{"x":[1,2],"w":[1,2,3]}'))
    error <- jsonlite::parse_json(bodies(played))
    expect(error$stackTrace[[1]], "stats::weighted.mean(x = 1:2, w = 1:3)")
    expect(error$errorMessage, paste("'x' and 'w' must have the same length",
        "(in weighted.mean.default(x = 1:2, w = 1:3))"))
})

test("what a package does not export, or does not have", {
    message <- error_of(load_handler("stats:::Pillai"))
    expect(message, paste0('The handler "stats:::Pillai" is not of the form package::function\n',
        "Only what a package exports can be a handler: stats::Pillai"))
    message <- error_of(load_handler("stats::Pillai"))
    stopifnot(startsWith(message, 'Function "Pillai" does not exist\n'),
        grepl("stats has it, but does not export it. Functions of package stats: ", message))
    stopifnot(grepl("letters is no function", error_of(load_handler("base::letters"))))
    for (name in c("stats::", "::sd", "stats::sd::x", "a::::b")) {
        stopifnot(grepl("is not of the form package::function", error_of(load_handler(name))))
    }
    stopifnot(grepl("add-packages notThere", init_error(play("notThere::f", "basics"))))
})

test("packages that come with the code", {
    folder <- code_folder("script.R" = "f <- function() c(one::name(), two::name(), three::name())")
    code <- function(name) paste0("name <- function() \"", name, "\"")
    fake_package(file.path(folder, "R", "library"), "one", code("R/library"), "name")
    fake_package(file.path(folder, "library"), "one", code("library"), "name")
    fake_package(file.path(folder, "library"), "two", code("library"), "name")
    fake_package(file.path(folder, "renv", "library", "R-4.5", "x86_64-pc-linux-gnu"), "three",
        code("renv"), "name")
    expect(bodies(play("script.f", folder, list(""))),
        '["R/library","library","renv"]')
    expect(bodies(play("two::name", folder, list(""))), '"library"')
})

test("an error while a handler's package loads has a trace", {
    folder <- code_folder(".keep" = "")
    code <- c(".onLoad <- function(...) f()", "f <- function() stop(\"no database\")")
    fake_package(file.path(folder, "library"), "broken", code, "f")
    played <- play("broken::f", folder)
    error <- jsonlite::parse_json(bodies(played))
    stopifnot(grepl("no database", error$errorMessage),
        startsWith(error$stackTrace[[1]], "loadNamespace("))
})

test("what a project keeps for its developers is not read", {
    folder <- code_folder(
        "script.R" = paste("seen <- function() list(home = Sys.getenv('HOME'),",
            "environ = Sys.getenv('SECRET'), profile = exists('from_profile'),",
            "image = exists('from_image'), folder = basename(getwd()))"),
        ".Renviron" = "SECRET=read", ".Rprofile" = "from_profile <- TRUE"
    )
    from_image <- TRUE
    save(from_image, file = file.path(folder, ".RData"))
    played <- play("script.seen", folder, list(""))
    expect(bodies(played), paste0('{"home":"/tmp","environ":"","profile":false,"image":false,',
        '"folder":"', basename(folder), '"}'))
    named <- paste0("R_ENVIRON_USER=", file.path(folder, ".Renviron"))
    played <- play("script.seen", folder, list(""), named)
    stopifnot(grepl('"environ":"read"', bodies(played)))
})
