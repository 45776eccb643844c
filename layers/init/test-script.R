# Tests of script.R, in base R. On this machine:
#   Rscript tests/test-script.R
# By the layer's R, in a root like Lambda's, where the handler loads only if they pass:
#   r-layer invoke --handler tests/test-script.passed
source("script.R")

stopifnot(
    identical(parity(5), list(parity = "odd")),
    identical(parity(4), list(parity = "even"))
)

refused <- tryCatch(parity("five"), error = conditionMessage)
stopifnot(grepl("has to be one number", refused, fixed = TRUE))

passed <- function() "passed"
