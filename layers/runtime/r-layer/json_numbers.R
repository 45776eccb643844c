# Numbers as JSON.

# Doubles with the fewest digits that read back as the same double: 15, 16 or 17.
numbers <- function(x) {
    x <- rounded(as.vector(x))
    finite <- is.finite(x)
    if (all(finite)) {
        return(finite_numbers(x))
    }
    if (any(is.nan(x) | is.infinite(x))) {
        warning(warningCondition("NaN or Inf", class = "not_finite_warning"))
    }
    text <- rep("null", length(x))
    text[finite] <- finite_numbers(x[finite])
    text
}

finite_numbers <- function(x) {
    # Whole numbers of up to 15 digits are exact already.
    short <- x == trunc(x) & abs(x) < 1e15
    if (all(short)) {
        return(sprintf("%.15g", x))
    }
    open <- which(!short)
    digits <- rep(15L, length(x))
    digits[open] <- digits_needed(x[open])
    if (all(digits == 15L)) sprintf("%.15g", x) else sprintf("%.*g", digits, x)
}

# How many digits, 15 to 17, does each number need to read back as the same double?
digits_needed <- function(x) {
    digits <- rep(NA_integer_, length(x))
    size <- abs(x)
    # Decimal places that 15 digits leave.
    places <- 14 - floor(log10(size))
    # 10^22 is the last power that a double holds exactly. Whole numbers below 2^53 and these
    # powers being exact, their quotient is correctly rounded: it is what the text reads back as.
    exact <- places >= 0 & places < 22
    places[!exact] <- 0
    power <- powers_of_ten[places + 1]
    n <- round(size * power)
    exact <- exact & n < 1e15
    digits[exact & n / power == size] <- 15L
    open <- which(exact & is.na(digits))
    digits[open] <- sixteen_or_more(size[open], powers_of_ten[places[open] + 2])
    unknown <- which(is.na(digits))
    digits[unknown] <- digits_by_reading(x[unknown])
    digits
}

# 1, 10, …, 1e22
powers_of_ten <- cumprod(c(1, rep(10, 22)))

# The same for positive numbers that 15 digits do not do for; NA where this can't tell.
sixteen_or_more <- function(size, power) {
    n <- round(size * power)
    # The product is rounded, so the right n may be a neighbour.
    fits <- n / power == size | (n - 1) / power == size | (n + 1) / power == size
    digits <- ifelse(fits, 16L, 17L)
    # Below a power of two doubles lie closer than above: the nearest text may read back as another
    # number though a text further off does not.
    digits[n > 2^53 - 2 | log2(size) == round(log2(size))] <- NA
    digits
}

# The same by trying; for very large and very small numbers.
digits_by_reading <- function(x) {
    digits <- rep(15L, length(x))
    for (more in 16:17) {
        open <- which(digits == more - 1L)
        wrong <- read_numbers(sprintf("%.*g", more - 1L, x[open])) != x[open]
        digits[open[wrong]] <- more
    }
    digits
}

# Reads numbers back, correctly rounded: as.numeric() is not, it errs by one unit in the last place
# once in some ten thousand numbers of 16 digits.
read_numbers <- function(text) {
    as.numeric(read_json(paste0("[", paste(text, collapse = ","), "]")))
}
