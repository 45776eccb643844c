# What the writer makes of random objects must read back as what jsonlite makes of them.

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

read_back <- function(text) {
    tryCatch(jsonlite::parse_json(suppressWarnings(text)), error = function(e) "an error")
}

test("1,500 random objects", {
    set.seed(20)
    for (i in 1:1500) {
        x <- random_object()
        ours <- read_back(write_json(x))
        theirs <- read_back(jsonlite::toJSON(x, auto_unbox = TRUE, null = "null", na = "null",
            POSIXt = "ISO8601", digits = I(17)))
        if (!identical(ours, theirs)) {
            stop("object ", i, ": ", paste(deparse(x), collapse = "\n"))
        }
    }
})
