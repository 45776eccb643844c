# What the layer's folder `start` holds is made of the runtime's files, and means the same.

start <- file.path(runtime_folder, "start")
index <- strsplit(readLines(file.path(start, "index")), " ", fixed = TRUE)
late <- vapply(index, `[`, "", 1L)
early <- setdiff(list.files(runtime_folder, "[.]R$"), c(late, "main.R"))

code_of <- function(files) {
    unlist(lapply(file.path(runtime_folder, files), parse, keep.source = FALSE))
}

test("functions.R is the code of the files that are not in the index", {
    made <- as.list(parse(file.path(start, "functions.R"), keep.source = FALSE))
    text <- function(code) sort(vapply(code, function(x) paste(deparse(x), collapse = "\n"), ""))
    expect(text(made), text(as.list(code_of(early))))
})

test("the index names all that its files assign", {
    for (line in index) {
        targets <- lapply(code_of(line[1L]), `[[`, 2L)
        expect(line[-1L], vapply(Filter(is.symbol, targets), as.character, ""))
    }
})
