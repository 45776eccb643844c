# A session as bootstrap starts it, with the default packages attached by promise, is like a plain
# one. Here is a sample; scripts/equivalence compares R's own tests and examples.

test("a late session is late, and a plain one is not", {
    loaded <- quote({
        cat(intersect(.runtime$default_packages, loadedNamespaces()))
        cat("\n", .Internal(enableJIT(-1L)), nchar(Sys.getenv("R_LAYER_LATE")), "\n")
    })
    expect(printed_by(loaded, "late")[1:2], c("", " 0 0 "))
    plain <- printed_by(loaded, "plain")
    expect(strsplit(plain[1], " ")[[1]], default_packages)
    expect(plain[2], " 3 0 ")
})

test("the search path and what is on it", {
    expect_same({
        search()
        for (place in search()[-1]) {
            environment <- as.environment(place)
            print(attributes(environment))
            print(environmentName(environment))
            print(environmentIsLocked(environment))
            names <- sort(ls(environment, all.names = TRUE), method = "radix")
            print(names)
            locked <- vapply(names, bindingIsLocked, NA, environment)
            print(names[!locked])
        }
        conflicts(detail = TRUE)
        try(assign("sd", 1, as.environment("package:stats")))
        exists("sd")
        exists("no such thing")
        environment(sd)
        identical(stats::sd, sd)
        find("lm")
        getAnywhere("print.lm")
        apropos("^read[.]")
        environmentName(topenv())
    })
})

test("options but for the three that live in packages", {
    show <- quote({
        all <- options()
        dput(all[!names(all) %in% c("str", "device", "bitmapType")])
        for (package in c("utils", "grDevices")) loadNamespace(package)
        dput(options())
    })
    plain <- printed_by(show, "plain")
    expect(printed_by(show, "late"), plain)
    stopifnot(any(grepl("contr.treatment", plain)), any(grepl("HTTPUserAgent", plain)))
})

test("methods of packages that are not loaded", {
    expect_same(structure(list(call = quote(lm(y ~ x)), coefficients = c(a = 1)), class = "lm"))
    expect_same(structure(1:8, tsp = c(2000, 2001.75, 4), class = "ts"))
    expect_same(structure(1:4, tsp = c(2000, 2000.75, 4), class = "ts") + 1)
    expect_same(format(structure(123456, class = "object_size"), units = "auto"))
    expect_same(pretty(as.Date("2020-01-01") + 0:3))
    expect_same({
        tree <- structure(list(structure(1L, leaf = TRUE, height = 0, members = 1L, label = "a"),
            structure(2L, leaf = TRUE, height = 0, members = 1L, label = "b")),
            members = 2L, height = 3, midpoint = 0.5, class = "dendrogram")
        str(tree)
        rev(tree)
        tree
    })
    expect_same({
        head(letters, 3)
        tail(structure(1:8, tsp = c(2000, 2001.75, 4), class = "ts"), 3)
        str(structure(1:8, tsp = c(2000, 2001.75, 4), class = "ts"))
        head(data.frame(a = 1:9), -6)
        str(list(a = 1, b = factor("x")))
    })
    expect_same(getS3method("print", "lm"))
    expect_same(print(methods("print")))
    expect_same(print(methods(class = "ts")))
})

# Each order in which packages are loaded fills the tables in another way.
test("all methods are registered, whichever package is loaded first", {
    for (first in c("utils", "grDevices", "graphics", "stats", "methods")) {
        code <- bquote({
            loadNamespace(.(first))
            for (package in .runtime$default_packages) loadNamespace(package)
            for (package in c("base", .runtime$default_packages)) {
                table <- getNamespace(package)[[".__S3MethodsTable__."]]
                for (name in sort(names(table), method = "radix")) {
                    cat(package, name, environmentName(environment(table[[name]])), "\n")
                }
            }
            print.smooth.spline <- NULL
            smooth.spline(1:10, c(1, 3, 2, 5, 4, 6, 8, 7, 9, 10))
        })
        plain <- printed_by(code, "plain")
        stopifnot(length(plain) > 600L)
        expect(setdiff(plain, printed_by(code, "late")), character())
    }
})

test("what users define goes before what packages have", {
    expect_same({
        print.lm <- function(x, ...) cat("mine\n")
        sd <- function(x) "mine too"
        lm(dist ~ speed, cars)
        sd(1:3)
        stats::sd(1:3)
        rm(print.lm, sd)
        lm(dist ~ speed, cars)
        sd(1:3)
    })
    expect_same({
        registerS3method("print", "lm", function(x, ...) cat("registered\n"))
        registerS3method("format", "person", function(x, ...) "registered, too")
        lm(dist ~ speed, cars)
        person("A", "B")
        summary(lm(dist ~ speed, cars))
    })
    expect_same({
        head.mine <- function(x, ...) "my head"
        head(structure(1, class = "mine"))
        print.table <- function(x, ...) cat("my table\n")
        table(c(1, 1, 2))
    })
})

test("packages are detached, and attached again", {
    expect_same({
        detach("package:stats")
        search()
        sd(1:3)
        structure(1:4, tsp = c(2000, 2000.75, 4), class = "ts")
        library(stats)
        search()
        sd(1:3)
        detach("package:utils", unload = TRUE)
        head(1:3)
        utils::head(1:10, 2)
        detach("package:datasets", character.only = TRUE)
        cars
    })
})

test("an R that a late session starts is a plain one", {
    show <- quote({
        program <- file.path(R.home("bin"), "Rscript")
        expression <- paste("cat(loadedNamespaces(), search(), .Internal(enableJIT(-1L)),",
            "Sys.getenv('R_LAYER_LATE'), getOption('defaultPackages'))")
        cat(system2(program, c("-e", shQuote(expression)), stdout = TRUE), sep = "\n")
    })
    plain <- printed_by(show, "plain")
    stopifnot(grepl("stats", plain[1]), grepl("package:methods", plain[1]))
    expect(printed_by(show, "late"), plain)
})

test("osVersion, which is made when it is read", {
    expect_same({
        utils::osVersion
        bindingIsLocked("osVersion", getNamespace("utils"))
        basename(Sys.which("uname"))
    })
    expect(late(identical(utils::osVersion, utils:::.osVersion())), "[1] TRUE")
})

test("a package that can't be loaded harms nothing else, and is tried again", {
    said <- late({
        home <- .Library
        broken <- file.path(tempdir(), "library")
        dir.create(broken)
        for (package in setdiff(dir(home), "stats")) {
            file.symlink(file.path(home, package), broken)
        }
        .Library <- broken
        unlockBinding(".Library", baseenv())
        assign(".Library", broken, baseenv())
        .libPaths(character(), FALSE)
        inherits(try(sd(1:3), silent = TRUE), "try-error")
        inherits(try(print(structure(1, class = "lm")), silent = TRUE), "try-error")
        nchar("abc")
        assign(".Library", home, baseenv())
        .libPaths(character(), FALSE)
        suppressWarnings(sd(1:3))
        suppressWarnings(structure(1:2, tsp = c(1, 2, 1), class = "ts"))
    })
    expect(said[1:4], c("[1] TRUE", "[1] TRUE", "[1] 3", "[1] 1"))
    stopifnot("Time Series:" %in% said)
})
