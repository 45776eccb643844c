# The time limit. The stand-in gives each invocation three seconds.

kind_of <- function(answer) header(answer$headers, "lambda-runtime-function-error-type")

test("a handler is stopped shortly before the deadline, and the session goes on", {
    for (way in c("sleeps", "loops", "computes", "retries")) {
        played <- play(paste0("slow.", way), "failing", list('{"n":1e9}', '{"n":0}'))
        expect(length(played$answers), 2L)
        first <- played$answers[[1]]
        expect(first$path, "/2018-06-01/runtime/invocation/request-1/error")
        expect(kind_of(first), "Function.Timeout")
        error <- jsonlite::parse_json(first$body)
        expect(error$errorType, "timeoutError")
        stopifnot(startsWith(error$errorMessage, "The function ran into its timeout: "))
        expect(error$stackTrace[[1]], paste0(way, "(n = 1e+09)"))
        stopifnot(!any(grepl("raise_time_limit|within_deadline", error$stackTrace)))
        expect(played$answers[[2]]$body, '"done"')
    }
})

test("a handler that recovers from the limit answers", {
    played <- play("slow.recovers", "failing", list('{"n":1e9}', '{"n":0}'))
    expect(vapply(played$answers, `[[`, "", "body"), c('"rescued"', '"done"'))
})

test("an error that the limit has caused is a timeout", {
    played <- play("slow.wraps", "failing", list('{"n":1e9}'))
    expect(kind_of(played$answers[[1]]), "Function.Timeout")
})

test("an error of the same words, at another time, is no timeout", {
    played <- play("slow.own_limit", "failing", list("{}", "{}"))
    expect(kind_of(played$answers[[1]]), "Function.SimpleError")
})

test("odd deadlines", {
    events <- lapply(c("1", "0", "", "soon", "1e300", "-5"), function(text) {
        list(body = '{"n":0}', headers = paste0("Lambda-Runtime-Deadline-Ms: ", text))
    })
    events <- c(events, list('{"n":0}'))
    played <- play("slow.sleeps", "failing", events)
    expect(unique(vapply(played$answers, `[[`, "", "body")), '"done"')
})

test("the margin leaves time for both", {
    for (remaining in c(0.001, 0.05, 0.2, 1, 3, 60, 900)) {
        margin <- deadline_margin(remaining)
        stopifnot(margin > 0, margin <= remaining / 2, margin <= 1)
    }
    expect(deadline_margin(3), 0.3)
    expect(deadline_margin(1), 0.25)
})

test("the limit ends with the expression", {
    soon <- 1000 * as.numeric(Sys.time()) + 200
    outcome <- guard(within_deadline(soon, repeat NULL))
    session$deadline_ms <- soon
    stopifnot(grepl("time limit", conditionMessage(outcome$failure$condition)) ||
        inherits(outcome$failure$condition, "timeoutError"))
    expect(guard(within_deadline(soon, "late is not limited")), list(value = "late is not limited"))
    soon <- 1000 * as.numeric(Sys.time()) + 100
    within_deadline(soon, NULL)
    expect(session$limited, FALSE)
    for (i in 1:30) handler_sleep(0.01)
    for (i in 1:1e6) NULL
})

test("sleeping without a limit is base's own", {
    session$limited <- FALSE
    expect(withVisible(handler_sleep(0)), list(value = NULL, visible = FALSE))
    expect(error_of(handler_sleep(-1)), error_of(Sys.sleep(-1)))
})
