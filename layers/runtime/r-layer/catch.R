# What R's tryCatch() and withRestarts() are made of. Those call a dozen functions each, which is most of
# what a small event costs; these are one call, for the places that every event passes.
#
# Where nothing happens, the expression itself has to leave: catch_errors(return(value)).

# Evaluates an expression up to its first error, which is returned.
catch_errors <- function(expr) {
    caught_condition(catch_exit("error", list(NULL), return(expr)))
}

# The same for interrupts too.
catch_errors_and_interrupts <- function(expr) {
    caught_condition(catch_exit(c("error", "interrupt"), list(NULL, NULL), return(expr)))
}

# A condition of one of the classes ends this very function, whose value R then makes: the condition, its
# call, and the handler, of which there is none. For an error that R itself raises, the condition is its
# message, or NULL where the message is to be asked for.
catch_exit <- function(classes, handlers, expr) {
    .Internal(.addCondHands(classes, handlers, baseenv(), environment(), FALSE))
    expr
}

# The condition in that value, as tryCatch() has it.
caught_condition <- function(value) {
    condition <- value[[1L]]
    if (is.null(condition)) {
        condition <- .Internal(geterrmessage())
    }
    if (is.character(condition)) simpleError(condition, value[[2L]]) else condition
}

# Evaluates an expression up to where a restart of this name is invoked; returns the list of that
# restart's arguments, NULL if there are none.
catch_restart <- function(name, expr) {
    restart <- list(name = name, exit = environment(), handler = NULL, description = "",
        interactive = NULL)
    class(restart) <- "restart"
    .Internal(.addRestart(restart))
    expr
}
