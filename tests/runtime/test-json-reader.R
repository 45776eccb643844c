# What the reader makes of JSON text must be what jsonlite makes of it, simplified with tables as
# fromJSON() does it, and without them for handlers of whole events.

prepare_json()

reader_strings <- c("", "a", "h\u00e9llo", "\u2713\U1F600", "q\\\"uo\\\\te", "line\\n\\t\\r\\b\\f",
    "\\u00e9", "\\ud83d\\ude00", "\\/", "</p>", "NA", "NaN", "Inf", "-Inf", "1", "true", "null",
    "[1,2]", "]}", "{\\\"a\\\":1}", "2024-01-01T00:00:00Z", "\\u0001", " ", "x, y")
reader_numbers <- c("0", "-0", "1", "-7", "2147483647", "2147483648", "-2147483647",
    "-2147483648", "9007199254740993", "9223372036854775807", "12345678901234567890", "1.5",
    "-0.0", "0.1", "1e3", "1E-7", "2.5e+10", "1e400", "-1e400", "5e-324", "1e-400",
    "0.30000000000000004", "123456789.123456789", "8.41", "1e22", "1.7976931348623157e308")
reader_keys <- c("a", "b", "c", "x y", "\u00e9", "", "_row", "a.b", "...", "NA", "\\u0062", "$date")

pick <- function(from, n = 1L) sample(from, n, TRUE)

# A random number, one that is listed or one of many digits.
number_text <- function() {
    if (runif(1) < 0.7) {
        pick(reader_numbers)
    } else {
        sprintf(pick(c("%.3f", "%.15g", "%.17g", "%.0f")), rnorm(1) * 10^sample(-12:14, 1L))
    }
}

scalar_text <- function(kind = sample(5L, 1L)) {
    switch(kind,
        paste0("\"", pick(reader_strings), "\""),
        number_text(),
        pick(c("true", "false")),
        "null",
        as.character(sample(100L, 1L))
    )
}

array_text <- function(elements) {
    space <- if (runif(1) < 0.1) " \n" else ""
    paste0("[", space, paste(elements, collapse = paste0(",", space)), space, "]")
}

object_text <- function(keys, values) {
    paste0("{", paste0("\"", keys, "\":", values, collapse = ","), "}")
}

# Arrays of one kind of scalar, with null now and then.
vector_text <- function(n = sample(0:4, 1L)) {
    kind <- sample(5L, 1L)
    values <- vapply(seq_len(n), function(i) scalar_text(if (runif(1) < 0.1) 4L else kind), "")
    array_text(values)
}

# Arrays of arrays, regular or ragged.
matrix_text <- function(depth) {
    sizes <- if (runif(1) < 0.7) rep(sample(0:3, 1L), sample(3L, 1L)) else sample(0:3, 3L, TRUE)
    rows <- if (depth < 2L && runif(1) < 0.3) {
        replicate(2L, matrix_text(depth + 1L))
    } else {
        vapply(sizes, vector_text, "")
    }
    array_text(rows)
}

# Arrays of objects with much the same keys; some lack fields, hold null or other types.
records_text <- function(depth) {
    keys <- unique(pick(reader_keys, sample(4L, 1L)))
    kinds <- sample(5L, length(keys), TRUE)
    record <- function(i) {
        if (runif(1) < 0.05) {
            return(pick(c("null", "{}")))
        }
        here <- if (runif(1) < 0.2) runif(length(keys)) < 0.6 else rep(TRUE, length(keys))
        values <- vapply(kinds[here], function(kind) {
            if (runif(1) < 0.1) value_text(depth + 1L) else scalar_text(kind)
        }, "")
        if (any(here)) object_text(keys[here], values) else "{}"
    }
    array_text(vapply(seq_len(sample(4L, 1L)), record, ""))
}

value_text <- function(depth = 0L) {
    switch(if (depth > 3L) sample(2L, 1L) else sample(8L, 1L),
        scalar_text(),
        vector_text(),
        matrix_text(0L),
        records_text(depth),
        records_text(depth),
        array_text(replicate(sample(0:3, 1L), value_text(depth + 1L))),
        object_text(pick(reader_keys, 2L), replicate(2L, value_text(depth + 1L))),
        if (runif(1) < 0.2) "{}" else object_text("a", value_text(depth + 1L))
    )
}

# An array or an object: of scalars there are few.
text_of_event <- function() {
    if (runif(1) < 0.4) {
        object_text(pick(reader_keys, 2L), replicate(2L, value_text(1L)))
    } else {
        switch(sample(4L, 1L), matrix_text(0L), records_text(0L), records_text(0L),
            array_text(replicate(sample(4L, 1L), value_text(1L))))
    }
}

# A value, or the fact that there is none: what we say of wrong JSON is our own.
outcome_of <- function(code) {
    tryCatch(list(suppressWarnings(code)), error = function(e) "an error")
}

# The one wanted difference: half of a surrogate pair is no character, and jsonlite makes bytes of it
# that are not UTF-8. Ours is what jsonlite reads from the replacement character in its place.
as_we_read <- function(text) {
    if (!validUTF8(text)) {
        return(text)
    }
    gsub("\\\\ud83d(?!\\\\ude00)|(?<!\\\\ud83d)\\\\ude00", "\\\\ufffd", text, perl = TRUE)
}

# Does our reader do as jsonlite does?
same_as_jsonlite <- function(text) {
    theirs <- as_we_read(text)
    identical(
        outcome_of(read_json(text)),
        outcome_of(jsonlite::parse_json(theirs, simplifyVector = TRUE))
    ) && identical(
        outcome_of(read_json(text, tables = FALSE)),
        outcome_of(jsonlite::parse_json(theirs, simplifyVector = TRUE, simplifyDataFrame = FALSE,
            simplifyMatrix = FALSE))
    )
}

differing <- function(texts) {
    wrong <- texts[!vapply(texts, same_as_jsonlite, NA)]
    if (length(wrong) > 0L) {
        stop(length(wrong), " of ", length(texts), " differ, first of all:\n", wrong[1])
    }
}

test("20,000 random JSON texts", {
    set.seed(4)
    texts <- replicate(20000, text_of_event())
    # They must be of all kinds, or the comparison is worth less than it says.
    stopifnot(mean(startsWith(texts, "[")) > 0.5, mean(startsWith(texts, "{")) > 0.1,
        length(unique(texts)) > 15000)
    differing(texts)
})

test("texts picked by hand", {
    corpus <- readLines(file.path(functions_folder, "..", "..", "runtime", "json-corpus.txt"),
        encoding = "UTF-8")
    corpus <- corpus[nzchar(corpus) & !startsWith(corpus, "# ")]
    stopifnot(length(corpus) > 100L)
    # What is told of \u0000 belongs in the log, not here.
    output_of(differing(corpus))
    # As values of keys and in arrays, where other rules apply.
    output_of(differing(c(
        paste0("{\"k\":", corpus, "}"), paste0("[", corpus, ",", corpus, "]")
    )))
})

test("wrong JSON is wrong for both", {
    set.seed(5)
    texts <- replicate(2000, value_text())
    cut <- substring(texts, 1L, pmax(1L, floor(nchar(texts) * runif(length(texts)))))
    differing(cut)
    differing(c("", " ", "[1,]", "[,1]", "{\"a\"}", "{a:1}", "'a'", "[1 2]", "01", "1.", ".5", "+1",
        "NaN", "Inf", "nul", "tru", "\"\t\"", "\"\\x\"", "\"\\u12\"", "[1]]", "1 2", "// c\n1"))
    broken <- rawToChar(as.raw(c(0x22, 0xff, 0x22)))
    differing(broken)
})

test("large arrays and records", {
    set.seed(6)
    record <- function(i) sprintf("{\"id\":%d,\"s\":\"n%d\",\"v\":%.15g,\"t\":null}", i, i, i / 7)
    records <- array_text(vapply(1:3000, record, ""))
    numbers <- array_text(sprintf("%.17g", rnorm(3000) * 10^sample(-20:20, 3000, TRUE)))
    matrix <- array_text(rep("[1,2.5]", 3000))
    differing(c(records, numbers, matrix, paste0("{\"x\":", records, ",\"y\":", numbers, "}")))
    many <- array_text(rep("{\"a\":\"]\"}", harmless_brackets + 10L))
    differing(many)
})

test("fromJSON() reads the same where it takes the text for JSON", {
    set.seed(7)
    for (text in replicate(500, array_text(value_text()))) {
        stopifnot(identical(outcome_of(read_json(text)), outcome_of(jsonlite::fromJSON(text))))
    }
})

test("nesting: an answer at any depth", {
    nested <- function(n) paste0(strrep("[", n), strrep("]", n))
    # Older R needs more of its stack for a level, and says so in an error before 500.
    expect(error_of(read_json(nested(200L))), "no error")
    for (n in c(deepest_json + 1L, 10000L, 1000000L)) {
        expect(error_of(read_json(nested(n))),
            "The event is not valid JSON: nested deeper than 500 levels")
    }
    objects <- paste0(strrep("{\"a\":", 10000), "1", strrep("}", 10000))
    stopifnot(grepl("nested deeper", error_of(read_json(objects, tables = FALSE))))
    # Brackets in strings neither count nor hide the others.
    expect(read_json(paste0("[\"", strrep("[", 30000), "\"]")), strrep("[", 30000))
    hidden <- paste0(strrep("[\"]\",", 30000), "1", strrep("]", 30000))
    stopifnot(grepl("nested deeper", error_of(read_json(hidden))))
})
