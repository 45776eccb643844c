# A handler whose file begins with a package that is long in loading.
library(dplyr)

handler <- function(x) {
    tibble(group = c("a", "a", "b"), value = x + 1:3) %>%
        group_by(group) %>%
        summarise(value = sum(value))
}
