# Long vectors of numbers as JSON. R makes a string of every number, with a place in its table of
# strings; for half a million numbers that takes longer than all the rest. So digits are looked up
# four at a time, as the four bytes of an integer, and become text in one piece.

# Shorter vectors aren't worth the tables.
long_vector <- 5000L

# The JSON array of a long numeric vector; NULL if it isn't one of this kind: all finite, and
# decimals of up to seven places, fifteen digits in all.
long_numbers <- function(x) {
    if (length(x) < long_vector || !all(is.finite(x))) {
        return(NULL)
    }
    x <- rounded(x)
    size <- abs(as.double(x))
    places <- decimal_places(size)
    if (is.null(places)) {
        return(NULL)
    }
    whole <- trunc(size)
    groups <- c(whole_groups(whole, x < 0), fraction_groups(size, whole, places))
    bytes <- writeBin(as.vector(do.call(rbind, groups)), raw(), endian = "little")
    # Every number begins with a comma.
    bytes[1] <- charToRaw("[")
    bytes <- c(bytes, charToRaw("]"))
    gsub(" ", "", rawToChar(bytes), fixed = TRUE, useBytes = TRUE)
}

# With how many places, 0, 3 or 7, are all numbers exact? NULL if with none. A whole number below
# 2^53 divided by a power of ten is correctly rounded, so it is what the text reads back as.
decimal_places <- function(size) {
    largest <- max(size)
    for (places in c(0, 3, 7)) {
        power <- 10^places
        few <- size[1:1000]
        if (largest * power < 1e15 && all(round(few * power) / power == few) &&
            all(round(size * power) / power == size)) {
            return(places)
        }
    }
    NULL
}

# Digits before the point: one vector of codes for each group of digits, beginning with a comma,
# and the sign if there are any.
whole_groups <- function(whole, negative) {
    signs <- any(negative)
    digits <- max(nchar(sprintf("%.0f", max(whole))), 1L)
    # The comma takes a digit's place in the first group, or has one of its own with a sign.
    low <- if (signs) (digits + 3L) %/% 4L else digits %/% 4L
    # In front of other digits zeros count, else they are left out, but for a zero alone.
    full <- codes(sprintf("%04d", 0:9999))
    leading <- codes(sprintf("%4d", 0:9999))
    groups <- vector("list", low + 1L)
    for (i in seq_len(low)) {
        rest <- trunc(whole / 10000)
        groups[[low + 2L - i]] <- c(full, leading)[whole - rest * 10000 + 10000 * (rest == 0) + 1]
        leading[1] <- codes("    ")
        whole <- rest
    }
    groups[[1]] <- if (signs) {
        codes(c(",   ", ",-  "))[negative + 1L]
    } else {
        codes(c(if (low > 0L) ",   " else ",  0", sprintf(",%3d", 1:999)))[whole + 1]
    }
    groups
}

# Digits after the point, without zeros at the end.
fraction_groups <- function(size, whole, places) {
    if (places == 0) {
        return(NULL)
    }
    power <- 10^places
    fraction <- round(size * power) - whole * power
    short <- codes(blank_zeros(sprintf(".%03d", 0:999)))
    if (places == 3) {
        return(list(short[fraction + 1]))
    }
    first <- trunc(fraction / 10000)
    last <- fraction - first * 10000
    full <- codes(sprintf(".%03d", 0:999))
    list(
        c(full, short)[first + 1000 * (last == 0) + 1],
        codes(blank_zeros(sprintf("%04d", 0:9999)))[last + 1]
    )
}

# Blanks for zeros at the end, and for a point that ends up without digits.
blank_zeros <- function(text) {
    formatted <- sub("[.]?0*$", "", text)
    sprintf("%-4s", formatted)
}

# Strings of four characters as integers of the same bytes.
codes <- function(text) {
    bytes <- charToRaw(paste(text, collapse = ""))
    readBin(bytes, "integer", length(text), endian = "little")
}
