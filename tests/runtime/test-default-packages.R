# A session as bootstrap starts it, with the default packages attached by promise, is like a plain
# one. Here is a sample; scripts/equivalence compares R's own tests and examples.

# What comes before the code of a session.
beginning <- quote(local({
    runtime <- new.env(parent = baseenv())
    for (file in list.files(FOLDER, full.names = TRUE)) {
        if (basename(file) != "main.R") sys.source(file, runtime)
    }
    runtime$become_plain()
    Sys.unsetenv("R_LAYER_EAGER")
    assign(".runtime", runtime, globalenv())
    # Tests provoke errors, and go on.
    options(error = expression(NULL), warn = 1)
}))

# What code prints, output and messages, in a session of its own that bootstrap starts: "late" or
# "plain". code: a call of `{`.
printed_by <- function(code, kind) {
    home <- tempfile()
    dir.create(file.path(home, "r-layer"), recursive = TRUE)
    file.copy(file.path(dirname(runtime_folder), "bootstrap"), home)
    begin <- do.call(substitute, list(beginning, list(FOLDER = runtime_folder)))
    lines <- unlist(lapply(c(begin, as.list(code)[-1L]), deparse))
    writeLines(enc2utf8(lines), file.path(home, "r-layer", "main.R"), useBytes = TRUE)
    said <- file.path(home, "said")
    # Rscript's own settings would be taken over.
    command <- paste("cd", home, "&& env -u R_DEFAULT_PACKAGES -u R_LIBS -u R_TESTS",
        paste0("R_LAYER_EAGER=", if (kind == "plain") 1), "./bootstrap >", said, "2>&1")
    status <- system(command)
    lines <- gsub("<(environment|bytecode|pointer): 0x[0-9a-f]+>", "<\\1>", readLines(said))
    c(grep("^<bytecode>$", lines, value = TRUE, invert = TRUE), paste("exit status", status))
}

# Code prints the same in both, and something at that.
expect_same <- function(code) {
    code <- substitute(code)
    plain <- printed_by(code, "plain")
    late <- printed_by(code, "late")
    stopifnot(length(plain) > 1L)
    if (!identical(late, plain)) {
        stop(paste(c("plain:", setdiff(plain, late), "late:", setdiff(late, plain)),
            collapse = "\n"))
    }
}

# What the last expressions of code print in a late session.
late <- function(code) {
    lines <- printed_by(substitute(code), "late")
    expect(lines[length(lines)], "exit status 0")
    lines[-length(lines)]
}

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

test("other packages", {
    expect_same({
        packages <- c("jsonlite", "tools", "stats4", "splines", "parallel", "compiler", "grid")
        for (package in packages) library(package, character.only = TRUE)
        search()
        toJSON(head(iris, 2))
        toTitleCase("a title")
        mle(function(a = 1) (a - 2)^2, method = "BFGS")
        summary(lm(dist ~ bs(speed, df = 5), cars))
        unlist(mclapply(1:2, function(i) i + 1))
        unit(1, "npc") + unit(2, "cm")
    })
})

test("S4", {
    expect_same({
        setClass("P", representation(name = "character", age = "numeric"))
        p <- new("P", name = "a", age = 1)
        p
        isVirtualClass("P")
        setGeneric("area", function(shape) standardGeneric("area"))
        setMethod("area", "P", function(shape) shape@age)
        area(p)
        setMethod("show", "P", function(object) cat("<P>\n"))
        p
        list(p)
        setMethod("summary", "P", function(object, ...) cat("summary of P\n"))
        summary(p)
        setMethod("+", signature("P", "P"), function(e1, e2) "sum")
        p + p
        setMethod("cbind2", signature("P", "missing"), function(x, y, ...) "bound")
        cbind(p)
        try(new("P", other = 1))
        Account <- setRefClass("Account", fields = list(balance = "numeric"),
            methods = list(deposit = function(x) balance <<- balance + x))
        a <- Account$new(balance = 1)
        a$deposit(2)
        a
        is(1, "numeric")
        existsMethod("area", "P")
        showMethods("area")
    })
})

test("models, and what they print", {
    expect_same({
        y ~ x + z
        fit <- lm(mpg ~ wt + factor(cyl), mtcars)
        fit
        summary(fit)
        anova(fit)
        predict(fit, mtcars[1:2, ])
        summary(glm(am ~ wt, binomial, mtcars))
        nls(mpg ~ a + b * wt, mtcars, start = list(a = 40, b = -5))
        aggregate(len ~ ., ToothGrowth, mean)
        t.test(extra ~ group, sleep)
        TukeyHSD(aov(breaks ~ tension, warpbreaks))
        AirPassengers
        arima(lh, order = c(1, 0, 0))
        hclust(dist(USArrests[1:5, ]))
        prcomp(USArrests, scale. = TRUE)
        xtabs(~cyl + gear, mtcars)
        summary(iris)
        quantile(rivers)
        str(airquality)
    })
})

test("random numbers", {
    expect_same({
        set.seed(42)
        sample(10)
        rnorm(3)
        runif(2)
        RNGkind()
        set.seed(1, kind = "Wichmann-Hill")
        rexp(2)
        identical(.Random.seed[1], get(".Random.seed", globalenv())[1])
    })
})

test("plots", {
    expect_same({
        pdf("plots.pdf", compress = FALSE)
        plot(cars)
        hist(rivers)
        boxplot(len ~ dose, ToothGrowth)
        plot(density(rivers))
        biplot(prcomp(USArrests))
        dev.cur()
        dev.off()
        lines <- readLines("plots.pdf", warn = FALSE)
        length(lines)
        lines <- grep("Date", lines, value = TRUE, invert = TRUE, useBytes = TRUE)
        sum(as.integer(charToRaw(paste(lines, collapse = ""))))
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

# Which default packages are loaded ahead for a handler's functions.
ahead_for <- function(functions) {
    code <- do.call(substitute, list(quote({
        FUNCTIONS
        .runtime$load_ahead()
        cat("ahead:", setdiff(.runtime$default_packages, setdiff(.runtime$default_packages,
            loadedNamespaces())), "\n")
    }), list(FUNCTIONS = substitute(functions))))
    lines <- printed_by(code, "late")
    trimws(sub("^ahead:", "", grep("^ahead:", lines, value = TRUE)))
}

test("what the handler's functions name is loaded ahead", {
    expect(ahead_for(f <- function(x) x + 1), "")
    expect(ahead_for(f <- function(x) toupper(paste(x))), "")
    expect(ahead_for(f <- function(x) head(x)), "utils")
    expect(ahead_for(f <- function(x) utils::object.size(x)), "utils")
    expect(ahead_for(f <- function(x) hcl.colors(x)), "grDevices")
    expect(ahead_for(f <- function(x) is(x, "numeric")), "methods")
    stopifnot("stats" %in% strsplit(ahead_for(f <- function(x) sapply(x, sd)), " ")[[1]])
    # Local names, and names of the handler's own.
    expect(ahead_for(f <- function(data, df) {
        head <- data
        head[df]
    }), "")
    expect(ahead_for({
        sd <- function(x) x
        f <- function(x) sd(x)
    }), "")
})

test("what reads objects gets methods before it runs", {
    with_methods <- function(text) {
        code <- bquote({
            .runtime$load_methods_for(parse(text = .(text)))
            cat("methods:", isNamespaceLoaded("methods"), "\n")
        })
        "methods: TRUE " %in% printed_by(code, "late")
    }
    stopifnot(with_methods("model <- readRDS('model.rds')"), with_methods("f <- function(x) x@y"),
        with_methods("load('a.rda')"), !with_methods("f <- function(x) x$y"), !with_methods(""))
    # Who asks first is base itself.
    expect_same({
        .runtime$load_methods_for(quote(unserialize))
        bytes <- serialize(asS4(structure(list(1), class = "P", x = 2)), NULL)
        object <- unserialize(bytes)
        isS4(object)
        try(object@x)
        inherits(object, "P")
        try(letters@x)
    })
})

test("the compiler is off until it is made ready, and then at the level it was left at", {
    said <- late({
        level <- function() .Internal(enableJIT(-1L))
        jit <- .runtime
        invisible(jit$resume_jit())
        cat("at first", level(), isNamespaceLoaded("compiler"), "\n")
        invisible(jit$prepare_jit())
        cat("ready", level(), isNamespaceLoaded("compiler"), "\n")
        invisible(jit$resume_jit())
        cat("in the handler", level(), "\n")
        f <- function(n) for (i in seq_len(n)) i
        for (i in 1:3) f(10)
        cat("compiled", any(grepl("<bytecode", capture.output(f))), "\n")
        invisible(compiler::enableJIT(1))
        invisible(jit$pause_jit())
        cat("between", level(), "\n")
        invisible(jit$resume_jit())
        cat("as left", level(), "\n")
    })
    expect(said, c("at first 0 FALSE ", "ready 0 TRUE ", "in the handler 3 ", "compiled TRUE ",
        "between 0 ", "as left 1 "))
    plain <- printed_by(quote({
        invisible(.runtime$prepare_jit())
        invisible(.runtime$pause_jit())
        cat(.Internal(enableJIT(-1L)), "\n")
    }), "plain")
    expect(plain[1], "3 ")
})

# Snippets after R's own regression tests.
test("what R tests itself with", {
    expect_same({
        x <- factor(c("a", "b", NA, "a"), exclude = NULL)
        summary(x)
        z <- ts(matrix(1:6, 3, 2, dimnames = list(NULL, c("a", "b"))), c(1961, 1), frequency = 12)
        z
        window(z, end = c(1961, 2))
        str(z)
        m <- model.matrix(~ a, data.frame(a = gl(2, 2)))
        m
        d <- data.frame(x = 1:4, g = gl(2, 2))
        by(d, d$g, function(x) mean(x$x))
        merge(d, data.frame(g = gl(2, 1), w = 3:4))
        wide <- data.frame(id = 1:2, x1 = 5:6, x2 = 7:8)
        reshape(wide, direction = "long", varying = 2:3, v.names = "x")
        stack(list(a = 1, b = 2:3))
        format(as.formula("y ~ x"))
        update(y ~ x, . ~ . + z)
        optimize(function(x) (x - 1)^2, c(0, 3))$minimum
        uniroot(function(x) x^2 - 2, c(0, 2))$iter
        integrate(dnorm, -1.96, 1.96)
        spline(1:3, c(1, 4, 9), n = 4)
        ftable(Titanic, row.vars = 1:2)
        kernel("daniell", 2)
        rownames(head(mtcars, 2))
        print(object.size(1:10), units = "B")
        as.roman(4) + as.roman(3)
        toBibtex(bibentry("Misc", title = "T", author = "A B", year = 2000, key = "k"))
        combn(4, 2)
        type.convert(c("1", "2"), as.is = TRUE)
        read.csv(text = "a,b\n1,x\n2,y")
        capture.output(write.csv(data.frame(a = 1), row.names = FALSE))
        rgb(1, 0, 0)
        col2rgb("red")
        xy.coords(1:3, 4:6)$y
        environmentName(environment(eval(quote(median))))
        try(lm(y ~ x, data.frame(x = 1)))
        suppressWarnings(as.numeric("x"))
        warning("a warning")
        nlevels(iris$Species)
        Reduce(`+`, 1:4, accumulate = TRUE)
        vapply(split(mtcars$mpg, mtcars$cyl), median, 0)
    })
})
