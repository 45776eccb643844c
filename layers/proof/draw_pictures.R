# The proof that pictures are drawn, with text in them: what a device writes with labels is not what it writes without.
draw_pictures <- function(event) {
    options(warn = 2)
    devices <- list(png = png, jpeg = jpeg, tiff = tiff, svg = svg, cairo_pdf = cairo_pdf)
    content <- function(device, label) {
        file <- tempfile()
        on.exit(unlink(file))
        device(file)
        plot(1:10, main = label, axes = FALSE, ann = nzchar(label))
        dev.off()
        readBin(file, "raw", file.size(file))
    }
    for (name in names(devices)) {
        if (identical(content(devices[[name]], "Text"), content(devices[[name]], ""))) {
            stop(name, "() writes no text: are there fonts?")
        }
    }
    names(devices)
}
