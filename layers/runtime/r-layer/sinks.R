# What handlers do with sink().

# Where output goes now: the number of sinks, and the connection that messages go to.
sink_state <- function() {
    c(output = sink.number(), message = sink.number(type = "message"))
}

# Closes the sinks that an invocation opened and left: they would swallow the next one's output.
# before: the state to go back to.
restore_sinks <- function(before) {
    left <- sink.number() - before[["output"]]
    for (i in seq_len(max(left, 0L))) {
        sink()
    }
    if (sink.number(type = "message") != before[["message"]]) {
        sink(type = "message")
    }
    if (left > 0L) {
        log_warning("the handler left ", left, " sink() open; closed")
    }
}
