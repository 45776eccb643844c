# What is brought in before it is used: packages that a handler names, methods, the compiler.

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
