# R's just-in-time compiler, late. Starting with it costs the loading of the compiler before the
# first event, and compiling the runtime's own functions costs more than it gains. So bootstrap
# starts R without, and here it is on while the handler runs: from the second invocation on, or from
# the first if the handler's code has loops.

jit <- new.env(parent = emptyenv())
jit$level <- 0L
jit$late <- FALSE

# R's own level: what code would run with, had bootstrap not said otherwise.
usual_jit_level <- 3L

# Takes over the compiler in a session that was started without. Every R that it starts has it.
take_over_jit <- function() {
    Sys.unsetenv("R_ENABLE_JIT")
    jit$late <- TRUE
}

# Makes the compiler ready; loads it.
prepare_jit <- function() {
    if (jit$late && jit$level == 0L) {
        .Internal(enableJIT(usual_jit_level))
        jit$level <- usual_jit_level
        .Internal(enableJIT(0L))
    }
}

# The compiler is on for the handler, at the level it was left at.
resume_jit <- function() {
    if (jit$level > 0L) {
        .Internal(enableJIT(jit$level))
    }
}

pause_jit <- function() {
    if (jit$level > 0L) {
        jit$level <- max(.Internal(enableJIT(0L)), 1L)
    }
}
