# What handlers do with sink().

# What sink.number() tells, without the 4 microseconds that it takes to match its argument.
output_sinks <- function() .Internal(sink.number(TRUE))
message_sink <- function() .Internal(sink.number(FALSE))

# Where output goes now: the number of sinks, and the connection that messages go to.
sink_state <- function() {
    c(output = output_sinks(), message = message_sink())
}

# Closes the sinks that an invocation opened and left: they would swallow the next one's output.
# before: the state to go back to.
restore_sinks <- function(before) {
    left <- output_sinks() - before[["output"]]
    for (i in seq_len(max(left, 0L))) {
        sink()
    }
    if (message_sink() != before[["message"]]) {
        sink(type = "message")
    }
    if (left > 0L) {
        log_warning("the handler left ", left, " sink() open; closed")
    }
}
