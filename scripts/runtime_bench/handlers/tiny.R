# The least that a handler can do.
handler <- function(x) x + 1
