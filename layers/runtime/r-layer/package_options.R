# Options that default packages set when they are loaded, unless they are set already. Code may ask
# for one before its package is loaded.

set_package_options <- function() {
    of_packages <- c(utils_options(), grdevices_options(), stats_options)
    options(of_packages[!names(of_packages) %in% names(.Options)])
}

# Without `str`, whose value is a list that utils makes.
utils_options <- function() {
    r <- R.version
    agent <- paste(paste(r$major, r$minor, sep = "."), r$platform, r$arch, r$os)
    list(help.try.all.packages = FALSE, help.search.types = c("vignette", "demo", "help"),
        citation.bibtex.max = 1L, internet.info = 2L, pkgType = "source", demo.ask = "default",
        example.ask = "default", HTTPUserAgent = paste0("R (", agent, ")"), menu.graphics = TRUE,
        mailer = "mailto", repos = c(CRAN = "@CRAN@"), unzip = Sys.getenv("R_UNZIPCMD"),
        editor = Sys.getenv("EDITOR"))
}

# Without `device`, which depends on what R was compiled with. What bitmaps are drawn with is in a layer of its own.
grdevices_options <- function() {
    cairo <- file.exists(file.path(.Library, "grDevices", "libs", "cairo.so"))
    c(list(locatorBell = TRUE, device.ask.default = FALSE), if (cairo) list(bitmapType = "cairo"))
}

stats_options <- list(contrasts = c(unordered = "contr.treatment", ordered = "contr.poly"),
    na.action = "na.omit", show.coef.Pvalues = TRUE, show.signif.stars = TRUE,
    str.dendrogram.last = "`", ts.eps = 1e-5, ts.S.compat = FALSE)
