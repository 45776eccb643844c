# The handler: Lambda calls it with every event. Its arguments are the event's keys, and what it
# returns becomes JSON.
parity <- function(number) {
    if (!is.numeric(number) || length(number) != 1L) {
        stop("`number` has to be one number, as in {\"number\": 5}")
    }
    list(parity = if (number %% 2 == 0) "even" else "odd")
}
