# What the writer makes of a value must read back as what jsonlite makes of it.

prepare_json()

random_strings <- c("a", "", "h\u00e9", "\u2713\U1F600", 'q"uo\\te', "line\n\t\r\b\f\001", "</p>",
    NA, "NA", " ", "1")

random_vector <- function(n) {
    x <- switch(sample(8L, 1L),
        sample(c(TRUE, FALSE, NA), n, TRUE),
        sample(c(NA, -5L, 0L, .Machine$integer.max), n, TRUE),
        rnorm(n) * 10^sample(-300:300, 1L),
        sample(c(0.3, 1 / 3, 1e15, 1e16, -0, 5e-324, NA, NaN, Inf, 1e5, 2^53 + 2), n, TRUE),
        sample(random_strings, n, TRUE),
        factor(sample(random_strings[!is.na(random_strings)], n, TRUE)),
        as.Date(sample(c(0, 19000, NA), n, TRUE), origin = "1970-01-01"),
        .POSIXct(sample(c(0, 1.7e9 + 0.5, NA), n, TRUE), sample(c("UTC", "Europe/Berlin"), 1L))
    )
    if (runif(1) < 0.1) I(x) else x
}

random_matrix <- function() {
    x <- switch(sample(3L, 1L), 1:6, rnorm(6L), sample(random_strings, 6L))
    dim(x) <- list(c(2, 3), c(6, 1), c(1, 6), c(1, 2, 3), 6L)[[sample(5L, 1L)]]
    x
}

random_frame <- function(depth) {
    n <- sample(c(0L, 1L, 2L, 4L), 1L)
    columns <- lapply(seq_len(sample(3L, 1L)), function(i) {
        if (runif(1) < 0.2) {
            lapply(seq_len(n), function(j) random_object(depth))
        } else {
            random_vector(n)
        }
    })
    labels <- if (n > 0L && runif(1) < 0.2) paste0("r", seq_len(n)) else seq_len(n)
    class <- if (runif(1) < 0.2) c("tbl_df", "tbl", "data.frame") else "data.frame"
    structure(columns, names = c("a", "b c", "\u00e9")[seq_along(columns)], class = class,
        row.names = labels)
}

random_list <- function(depth) {
    x <- lapply(seq_len(sample(0:4, 1L)), function(i) random_object(depth))
    if (runif(1) < 0.7) {
        names(x) <- sample(c("a", "b", "", "\u00e9", NA, "..."), length(x), TRUE)
    }
    x
}

odd_values <- list(1+2i, as.raw(1:3), quote(a + b), as.difftime(1:2, units = "mins"),
    as.POSIXlt("2024-01-02 03:04:05", tz = "UTC"), pairlist(a = 1), jsonlite::unbox(5),
    structure(list(a = 1), class = c("mine", "list")), structure("[1]", class = "json"), sum,
    table(c("a", "b", "a")), structure(1:3, class = "mine"), data.frame(), matrix(0, 2, 0),
    matrix(list(1, 2, "a", "b"), 2), globalenv())

random_object <- function(depth = 0L) {
    switch(if (depth > 3L) 1L else sample(6L, 1L),
        random_vector(sample(c(0L, 1L, 1L, 3L), 1L)),
        random_list(depth + 1L),
        random_list(depth + 1L),
        random_matrix(),
        random_frame(depth + 1L),
        odd_values[[sample(length(odd_values), 1L)]]
    )
}

theirs <- function(x) {
    jsonlite::toJSON(x, auto_unbox = TRUE, null = "null", na = "null", POSIXt = "ISO8601",
        digits = I(17))
}

read_back <- function(text) {
    tryCatch(jsonlite::parse_json(suppressWarnings(text)), error = function(e) "an error")
}

# jsonlite before 1.9 writes 15 digits where it is asked for 17.
short_digits <- !identical(as.character(theirs(0.1 + 0.2)), "0.30000000000000004")

same <- function(ours, theirs) {
    identical(ours, theirs) ||
        short_digits && isTRUE(all.equal(ours, theirs, tolerance = 1e-14))
}

compare <- function(objects) {
    for (x in objects) {
        if (!same(read_back(write_json(x)), read_back(theirs(x)))) {
            stop(paste(deparse(x), collapse = "\n"))
        }
    }
}

# Every difference that is wanted, and why. The generators below make nothing of these kinds.
# ours and jsonlite: what the two write, as text; NULL where that is no JSON, or an error.
in_bytes <- function(text, encoding) {
    Encoding(text) <- encoding
    text
}
wanted_differences <- list(
    list(
        name = "a result of class json",
        write = write_result,
        example = structure("{\"a\":[1]}", class = "json"),
        ours = "{\"a\":[1]}",
        jsonlite = "\"{\\\"a\\\":[1]}\"",
        reason = "it is JSON already; as a part of a larger result it is text for both"
    ),
    list(
        name = "text that is not in UTF-8",
        write = write_json,
        example = "a\xffb",
        ours = "\"a\ufffdb\"",
        # In older R enc2utf8(), which jsonlite uses, writes such bytes out.
        jsonlite = if (validUTF8(enc2utf8("a\xffb"))) "\"a<ff>b\"",
        reason = "jsonlite writes the bytes as they are, which is not JSON"
    ),
    list(
        name = "text marked as bytes",
        write = write_json,
        example = in_bytes("gr\xc3\xbc\xff", "bytes"),
        ours = "\"gr\u00fc\ufffd\"",
        jsonlite = NULL,
        reason = "as above"
    ),
    list(
        name = "digits",
        write = write_json,
        example = 1 / 3,
        ours = "0.3333333333333333",
        jsonlite = if (short_digits) "0.333333333333333" else "0.33333333333333331",
        reason = "the fewest digits that read back as the same double; read back, it is the same"
    )
)

test("the differences that are wanted are as listed", {
    for (difference in wanted_differences) {
        expect(difference$write(difference$example), difference$ours)
        text <- tryCatch(
            {
                text <- as.character(theirs(difference$example))
                if (jsonlite::validate(text)) text
            },
            error = function(e) NULL
        )
        expect(text, difference$jsonlite)
    }
})

test("5,000 random objects", {
    set.seed(20)
    compare(lapply(1:5000, function(i) random_object(sample(c(0L, 3L, 4L), 1L))))
})

test("15,000 random vectors", {
    set.seed(21)
    compare(lapply(1:15000, function(i) random_vector(sample(0:3, 1L))))
})

test("20,000 random results of JSON's own kinds", {
    set.seed(22)
    make <- function(depth = 0L) {
        size <- sample(0:3, 1L)
        switch(if (depth > 2L) sample(4L, 1L) else sample(6L, 1L),
            sample(c(TRUE, FALSE, NA), size, TRUE),
            sample(random_strings, size, TRUE),
            round(rnorm(size) * 1000, sample(0:9, 1L)),
            sample(1000L, size),
            lapply(seq_len(size), function(i) make(depth + 1L)),
            structure(lapply(seq_len(size), function(i) make(depth + 1L)),
                names = sample(letters, size))
        )
    }
    compare(lapply(1:20000, function(i) make()))
})

test("long vectors of numbers", {
    set.seed(23)
    n <- long_vector + 1000L
    x <- list(
        round(runif(n) * 1000, 6), round(rnorm(n), 2), round(rnorm(n) * 1e6, 7), rnorm(n), 1:n,
        -sample.int(1e9, n),
        sample(c(0, 0.001, 1e-7, 0.05, 999.999, 9999, 10000, 1e14 - 1), n, TRUE),
        sample(c(-1, 0, 1), n, TRUE), rep(0, n), rep(c(1e14 - 1, 3), n), rep(c(2^53, 1), n),
        sample(c(NA, 1.5), n, TRUE), sample(c(NaN, Inf, 1), n, TRUE), rep(c(NA, 7L), n),
        rnorm(n) * 10^sample(-300:300, n, TRUE), rep(c(123456789.1234567, 0.5), n)
    )
    for (numbers in x) {
        ours <- suppressWarnings(write_json(numbers))
        stopifnot(!grepl(" ", ours, fixed = TRUE))
        if (!short_digits) {
            expect(read_json(ours), read_json(as.character(theirs(numbers))))
        }
        if (all(is.finite(numbers))) {
            stopifnot(identical(as.numeric(read_json(ours)), as.numeric(numbers)))
        }
    }
    # Some of them must have taken the way for long vectors.
    made <- !vapply(x, function(numbers) is.null(long_numbers(numbers)), NA)
    stopifnot(sum(made) > 6L, !all(made))
})

test("large data frames", {
    set.seed(24)
    n <- 3000
    frame <- data.frame(id = seq_len(n), x = sample(c(NA, 1.25, 0.1), n, TRUE),
        s = sample(random_strings, n, TRUE), f = factor(sample(letters, n, TRUE)),
        d = as.Date(sample(20000L, n, TRUE), origin = "1970-01-01"),
        l = rep(c(TRUE, NA, FALSE), n / 3))
    compare(list(frame, list(rows = frame), as.list(frame), frame[0, ]))
})

test("long strings", {
    text <- paste(rep(c("plain ", "qu\"o", "\u00fc\n", "</p>", "\\"), 20000), collapse = "")
    compare(list(text, list(a = text, b = list(text)), c(text, "x")))
})
