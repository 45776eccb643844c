prepare_json()

test("numbers have the fewest digits that read back", {
    expect(write_json(0.1 + 0.2), "0.30000000000000004")
    expect(write_json(1 / 3), "0.3333333333333333")
    expect(write_json(0.1), "0.1")
    expect(write_json(c(1, 100000, 123456789012)), "[1,100000,123456789012]")
    expect(write_json(c(1L, NA)), "[1,null]")
    expect(write_json(5e-324), "4.94065645841247e-324")
})

test("every double reads back as itself", {
    set.seed(1)
    x <- c(rnorm(20000) * 10^runif(20000, -300, 300), round(runif(5000) * 1000, 2), 2^(0:1023))
    back <- unlist(jsonlite::parse_json(write_json(x)))
    stopifnot(identical(as.numeric(back), x))
    digits <- function(text) nchar(gsub("^[-0.]+|[.]|e.*$|0+$", "", text))
    for (format in c("%.15g", "%.16g")) {
        shorter <- sprintf(format, x)
        enough <- unlist(jsonlite::parse_json(bracketed(shorter))) == x
        stopifnot(all(digits(numbers(x))[enough] <= digits(shorter)[enough]))
    }
})

test("numbers do not depend on the session's options", {
    old <- options(OutDec = ",", scipen = -9, digits = 3)
    on.exit(options(old))
    expect(write_json(c(0.5, 100000, 1e-7)), "[0.5,100000,1e-07]")
})

test("NaN and infinities become null, with a warning", {
    lines <- output_of(text <- write_result(list(NaN, c(1, Inf), NA)))
    expect(text, "[null,[1,null],null]")
    stopifnot(length(lines) == 1L, grepl("WARNING:runtime:.*NaN or Inf", lines))
    expect(length(output_of(write_result(c(1, NA)))), 0L)
})

test("strings are escaped, and always valid UTF-8", {
    expect(write_json('a"b\\c\nd\001'), '"a\\"b\\\\c\\nd\\u0001"')
    expect(write_json(c("x", NA)), '["x",null]')
    latin <- "gr\xfc\xdf"
    Encoding(latin) <- "latin1"
    expect(write_json(latin), '"gr\u00fc\u00df"')
    expect(write_json("a\xffb"), '"a\ufffdb"')
})

test("empty things", {
    expect(write_json(NULL), "null")
    expect(write_json(list()), "[]")
    expect(write_json(structure(list(), names = character())), "{}")
    expect(write_json(character()), "[]")
    expect(write_json(numeric()), "[]")
    expect(write_json(list(a = NULL)), '{"a":null}')
    expect(write_json(data.frame()), "[]")
})

test("single values lose their brackets, unless I() keeps them", {
    expect(write_json(list(a = 1, b = I(1), c = jsonlite::unbox(2))), '{"a":1,"b":[1],"c":2}')
    expect(write_json(I("x")), '["x"]')
    expect(write_json(I(list(1))), "[1]")
})

test("names of objects are never empty, and never twice the same", {
    expect(write_json(list(a = 1, a = 2, 3)), '{"a":1,"a.1":2,"3":3}')
})

test("dates and times are ISO 8601", {
    expect(write_json(as.Date("2024-02-29")), '"2024-02-29"')
    expect(write_json(as.POSIXct("2024-02-29 12:00:00", tz = "UTC")), '"2024-02-29T12:00:00"')
    expect(write_json(c(as.Date("2024-02-29"), NA)), '["2024-02-29",null]')
})

test("data frames are arrays of rows, NA included", {
    frame <- data.frame(x = c(1, NA), y = c("a", NA), z = factor(c("u", "v")))
    expect(write_json(frame), '[{"x":1,"y":"a","z":"u"},{"x":null,"y":null,"z":"v"}]')
    expect(write_json(data.frame(n = 1, row.names = "r")), '[{"n":1,"_row":"r"}]')
})

test("matrices are written row by row", {
    expect(write_json(matrix(1:4, 2L)), "[[1,3],[2,4]]")
    expect(write_json(matrix(0, 2L, 0L)), "[[],[]]")
    expect(write_json(array(1:8, c(2, 2, 2))), "[[[1,5],[3,7]],[[2,6],[4,8]]]")
})

test("JSON of the handler's own is sent as it is, but is text inside a result", {
    json <- structure('{"a":1}', class = "json")
    expect(write_result(json), '{"a":1}')
    expect(write_result(list(body = json)), '{"body":"{\\"a\\":1}"}')
})

test("what has no JSON is an error that says so", {
    message <- error_of(write_result(list(a = globalenv())))
    stopifnot(grepl("can't be written as JSON (class list)", message, fixed = TRUE))
})

test("a million brackets do not end the process", {
    expect(error_of(read_json(strrep("[", 1e6))),
        "The event is not valid JSON: nested deeper than 500 levels")
    expect(read_json(paste0('"', strrep("[", 1000), '"')), strrep("[", 1000))
    expect(read_json("[[1],[2]]"), matrix(1:2, 2L))
})

test("JSON is never a file's name or an address", {
    file <- tempfile()
    writeLines('{"secret":1}', file)
    stopifnot(grepl("not valid JSON", error_of(read_json(file))))
})

test("bytes that are no text are no event", {
    stopifnot(grepl("zero byte", error_of(bytes_to_text(as.raw(c(0x7b, 0, 0x7d))))))
    stopifnot(grepl("UTF-8", error_of(bytes_to_text(as.raw(c(0x22, 0xff, 0x22))))))
})

test("a NUL escape is told in the log", {
    lines <- output_of(value <- read_json('{"a":"x\\u0000y"}'))
    expect(value, list(a = "x"))
    stopifnot(grepl("u0000", lines))
    expect(length(output_of(read_json('{"a":"\\\\u0000"}'))), 0L)
})
