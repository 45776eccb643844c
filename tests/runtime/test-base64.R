test("base64: to bytes and back", {
    for (size in 0:20) {
        bytes <- as.raw((seq_len(size) * 37L) %% 256L)
        text <- base64_text(bytes)
        expect(base64_bytes(text), bytes)
        # The alphabet for URLs, without padding; line breaks.
        expect(base64_bytes(sub("=+$", "", chartr("+/", "-_", text))), bytes)
        expect(base64_bytes(paste0(gsub("(..)", "\\1\r\n", text), "\n")), bytes)
    }
})

test("what is not base64 is an error", {
    for (text in c("a", "!!!!", "====", "aGk=aGk=", "\u00e9", "aaaaa")) {
        stopifnot(startsWith(error_of(base64_bytes(text)), "not valid base64"))
    }
})

test("from_base64(): text if it is text", {
    expect(from_base64("SGVsbG8="), "Hello")
    expect(from_base64("w6k="), "\u00e9")
    expect(from_base64("/wA="), as.raw(c(255, 0)))
    expect(from_base64(""), "")
    expect(from_base64(NULL), NULL)
})
