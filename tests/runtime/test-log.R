# Runs code with a log of this format, and as in a fresh session.
with_log <- function(json, code, level = NULL, environment = character(), context = NULL) {
    names <- c("AWS_LAMBDA_LOG_LEVEL", "LOGLEVEL", "R_LAYER_LOG_LEVEL")
    Sys.unsetenv(names)
    if (length(environment) > 0L) do.call(Sys.setenv, as.list(environment))
    on.exit({
        Sys.unsetenv(names)
        log_state$threshold <- NULL
        log_state$json <- NULL
        settings$log_level <- NULL
        session$context <- NULL
    })
    log_state$threshold <- NULL
    log_state$json <- json
    settings$log_level <- level
    session$context <- context
    code
}

# Plays a handler of logs.R with the log as JSON. Returns its records, and apart from them the
# lines that are none.
logged <- function(handler, events = list("{}"), environment = character()) {
    played <- play(paste0("logs.", handler), "basics", events,
        c("AWS_LAMBDA_LOG_FORMAT=JSON", environment))
    lines <- strsplit(played$log, "\n")[[1]]
    json <- startsWith(lines, "{")
    list(records = lapply(lines[json], jsonlite::parse_json), rest = lines[!json],
        answers = played$answers, lines = lines[json])
}

# One field of each record; "" where it is not there.
field <- function(log, name) {
    vapply(log$records, function(record) paste0(record[[name]], ""), "")
}

test("the threshold: Lambda's setting, then the predecessor's, then ours", {
    wanted <- function(level, ...) with_log(FALSE, log_wanted(level), environment = c(...))
    expect(c(wanted("DEBUG"), wanted("INFO")), c(FALSE, TRUE))
    expect(wanted("DEBUG", LOGLEVEL = "debug"), TRUE)
    expect(wanted("INFO", R_LAYER_LOG_LEVEL = "WARN"), FALSE)
    expect(wanted("WARN", R_LAYER_LOG_LEVEL = "WARNING"), TRUE)
    expect(wanted("INFO", LOGLEVEL = "INFO", R_LAYER_LOG_LEVEL = "ERROR"), TRUE)
    expect(wanted("INFO", AWS_LAMBDA_LOG_LEVEL = "FATAL", LOGLEVEL = "DEBUG"), FALSE)
    expect(wanted("DEBUG", AWS_LAMBDA_LOG_LEVEL = "nonsense", LOGLEVEL = "TRACE"), TRUE)
    expect(wanted("INFO", LOGLEVEL = "nonsense"), TRUE)
    expect(wanted("DEBUG", LOGLEVEL = "nonsense"), FALSE)
})

test("a threshold of the session's goes before the environment", {
    expect(with_log(FALSE, log_wanted("DEBUG"), "DEBUG", c(LOGLEVEL = "ERROR")), TRUE)
    expect(with_log(FALSE, log_wanted("DEBUG"), "nonsense", c(LOGLEVEL = "ERROR")), FALSE)
})

test("levels are in order", {
    levels <- c("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
    for (i in seq_along(levels)) {
        expect(with_log(FALSE, vapply(levels, log_wanted, NA), levels[i]),
            structure(seq_along(levels) >= i, names = levels))
    }
})

test("entries of text", {
    line <- with_log(FALSE, output_of(public_log_warn("a", 1, " ", "b")))
    stopifnot(grepl("^20[0-9-]+ [0-9:]+ WARNING:handler:a1 b$", line))
    line <- with_log(FALSE, output_of(public_log_info("text", a = 1.5, b = "x y", c = "z",
        d = c(1, 2), e = "", f = TRUE)))
    stopifnot(endsWith(line, 'INFO:handler:text a=1.5 b="x y" c=z d=[1,2] e="" f=true'))
    stopifnot(endsWith(with_log(FALSE, output_of(public_log_error(k = 1))), "ERROR:handler:k=1"))
    expect(with_log(FALSE, output_of(public_log_debug(stop("evaluated")))), character())
    expect(withVisible(with_log(FALSE, public_log_debug("x")))$visible, FALSE)
})

test("entries of JSON", {
    line <- with_log(TRUE, context = list(aws_request_id = "id", tenant_id = "t"),
        output_of(public_log_info("a\nb ", 1, key = "v", n = 0.1, level = 2)))
    record <- jsonlite::parse_json(line)
    stopifnot(grepl("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]{3}Z$", record$timestamp))
    expect(record[-1], list(level = "INFO", message = "a\nb 1", logger = "handler",
        requestId = "id", tenantId = "t", key = "v", n = 0.1, level.1 = 2L))
    record <- jsonlite::parse_json(with_log(TRUE, output_of(log_warning("w"))))
    expect(record[-1], list(level = "WARN", message = "w", logger = "runtime"))
})

test("errors of JSON have type, message and trace", {
    assign("tested_handler", function() stop("boom"), globalenv())
    failure <- guard(enter_handler("tested_handler", list()))$failure
    record <- jsonlite::parse_json(with_log(TRUE, output_of(log_failure(failure))))
    expect(record[c("level", "errorType", "errorMessage")], list(level = "ERROR",
        errorType = "simpleError", errorMessage = "boom (in tested_handler())"))
    stopifnot(startsWith(record$stackTrace[[1]], "tested_handler()"))
    expect(with_log(TRUE, output_of(log_failure(failure)), "FATAL"), character())
})

test("no text breaks a record, or makes it longer than CloudWatch takes", {
    for (text in c("\xff\xfe", "\u2028 \U1F600", strrep("\u2713", 1e5), strrep("\U1F600", 1e5),
        strrep("a\xff", 1e5), "", "\001\r\n\t\"\\")) {
        line <- with_log(TRUE, output_of(public_log_info(text)))
        expect(length(line), 1L)
        stopifnot(validUTF8(line), nchar(line, "bytes") < 256 * 1024)
        stopifnot(is.character(jsonlite::parse_json(line)$message))
    }
    stopifnot(grepl("more bytes)", line <- bounded_text(strrep("x", 2e5)), fixed = TRUE))
    expect(nchar(line), longest_message + nchar("... (50000 more bytes)"))
})

test("as text, handlers write for themselves", {
    log <- play("logs.all", "basics", list("{}"))$log
    wanted <- c("Warning: while loading", "loading", "loaded", '[1] "printed"',
        "no newline, gr\u00fc\u00df", "", "two", "lines",
        paste0("INFO:handler:informed 1 2 n=1 who=\"J\u00fcrgen K.\" ",
            'list={"a":null,"b":[1,2]}'),
        "WARNING:handler:warned", "ERROR:handler:failed level=mine l=1 text=2",
        "Warning in careless() : NAs introduced by coercion", "last")
    lines <- sub("^20[0-9]{2}-[0-9-]+ [0-9:]+ ", "", strsplit(log, "\n")[[1]])
    # The last line has no end of its own.
    lines <- sub("^last.*", "last", lines)
    expect(lines[seq_along(wanted)], wanted)
})

test("as JSON, all of it is records, in order", {
    log <- logged("all", list("{}", "{}"))
    expect(log$rest, "exit status 1")
    call <- c("[1] \"printed\"", "no newline, gr\u00fc\u00df", "two\nlines", "informed 1 2",
        "warned", "failed", "NAs introduced by coercion", "last")
    n <- length(call)
    expect(field(log, "message")[seq_len(3L + 2L * n)],
        c("while loading", "loading", "loaded", call, call))
    expect(field(log, "requestId")[seq_len(3L + 2L * n)],
        c("", "", "", rep(c("request-1", "request-2"), each = n)))
    expect(field(log, "level")[4:11],
        c("INFO", "INFO", "INFO", "INFO", "WARN", "ERROR", "WARN", "INFO"))
    expect(field(log, "logger")[c(1:5, 7, 10)],
        c("warning", "message", "output", "output", "output", "handler", "warning"))
    expect(log$records[[7]][c("n", "who", "list")],
        list(n = 1L, who = "J\u00fcrgen K.", list = list(a = NULL, b = list(1L, 2L))))
    expect(log$records[[9]][c("errorType", "level.1", "l", "text")],
        list(errorType = "simpleError", level.1 = "mine", l = 1L, text = 2L))
    expect(log$records[[10]]$call, "careless()")
})

test("as JSON, the threshold holds for all that handlers write", {
    log <- logged("all", environment = "AWS_LAMBDA_LOG_LEVEL=WARN")
    expect(unique(field(log, "level")), c("WARN", "ERROR"))
    expect(log$rest, "exit status 1")
    expect(length(logged("all", environment = "AWS_LAMBDA_LOG_LEVEL=FATAL")$lines), 0L)
    messages <- field(logged("debugs", environment = "AWS_LAMBDA_LOG_LEVEL=DEBUG"), "message")
    stopifnot("shown" %in% messages,
        "Invoking function 'debugs' with parameters:\nnamed list()" %in% messages)
})

test("as JSON, no option and no sink of a handler's breaks a record", {
    log <- logged("hostile", list("{}", "{}"))
    expect(log$rest, "exit status 1")
    records <- log$records[field(log, "requestId") == "request-1"]
    expect(records[[1]][c("x", "big", "nan", "env", "f")], list(x = 0.123456789, big = 100000L,
        nan = NULL, env = "<environment>", f = ".Primitive(\"sum\")"))
    # Older versions of R show a wrong byte as <ff> when they paste it.
    expect(sub("<ff>", "\ufffd", records[[2]]$message), "bad \ufffd bytes\\ \" \u0001\u2028")
    expect(records[[3]]$message, "")
    expect(vapply(log$answers, `[[`, "", "body"), c("null", "null"))
})

test("as JSON, what is muffled or captured is not logged", {
    log <- logged("quiet")
    expect(field(log, "message")[4:5][1], "not captured")
    stopifnot(!any(grepl("suppressed|^captured", log$lines)))
})

test("as JSON, closed connections end the collecting for that invocation only", {
    log <- logged("closes", list("{}", "{}"))
    expect(log$rest, c("raw", "raw", "exit status 1"))
    expect(sum(field(log, "message") == "after"), 2L)
})

test("as JSON, records stay below what CloudWatch takes", {
    log <- logged("long")
    expect(log$rest, "exit status 1")
    stopifnot(max(nchar(log$lines, "bytes")) < 256 * 1024)
    expect(sum(grepl("more bytes\\)$", field(log, "message"))), 2L)
})

test("as JSON, an error is one record, after what was printed before it", {
    log <- logged("fails")
    at <- which(field(log, "errorType") == "simpleError")
    expect(log$records[[at - 1L]]$message, "about to fail")
    error <- log$records[[at]]
    expect(error$errorMessage, "two\nlines \u2713\n(in fails())")
    expect(error$level, "ERROR")
    expect(unlist(error$stackTrace)[1], "fails()")
    stopifnot(grepl(" at logs.R:[0-9]+$", error$stackTrace[[2]]))
})

test("as JSON, a forked process does not repeat what its parent printed", {
    log <- logged("forks")
    expect(sum(field(log, "message") == "parent"), 1L)
    expect(sum(field(log, "message") == "from the child"), 1L)
})

test("finalizers' warnings and errors are told, and end nothing", {
    for (format in c("Text", "JSON")) {
        for (event in c("{}", '{"fails":true}')) {
            played <- play("logs.finalizes", "basics", list(event, event),
                paste0("AWS_LAMBDA_LOG_FORMAT=", format))
            expect(vapply(played$answers, `[[`, "", "body"), rep('"collected"', 2L))
            stopifnot(length(gregexpr("from a finalizer", played$log)[[1]]) == 2L)
        }
    }
})

test("a condition alone has no fields in text, and wrong bytes do no harm", {
    lines <- output_of(public_log_error(simpleError("gone")))
    stopifnot(endsWith(lines, "ERROR:handler:gone"))
    lines <- output_of(public_log_info("bytes", u = "\xff"))
    expect(length(lines), 1L)
})
