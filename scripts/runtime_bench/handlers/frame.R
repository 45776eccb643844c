# A handler that uses stats and a data.frame.
handler <- function(x) {
    measured <- data.frame(group = rep(c("a", "b"), each = 5L), time = 1:10, value = x + 2 * (1:10))
    fit <- lm(value ~ time, data = measured)
    means <- aggregate(value ~ group, data = measured, FUN = mean)
    list(slope = round(coef(fit)[["time"]], 3), spread = round(sd(measured$value), 3), means = means)
}
