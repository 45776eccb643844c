# What other layers bring along for bootstrap to set, as where the data of their libraries are.

# What a session sees of variables, started by bootstrap with these files in environment.d.
seen <- function(files, variables, settings = "") {
    home <- tempfile()
    folder <- file.path(home, "r-layer", "environment.d")
    dir.create(folder, recursive = TRUE)
    file.copy(file.path(dirname(runtime_folder), "bootstrap"), home)
    for (name in names(files)) writeLines(files[[name]], file.path(folder, name))
    code <- sprintf("cat(Sys.getenv(%s, NA), sep = '\\n')", deparse1(variables))
    writeLines(code, file.path(home, "r-layer", "main.R"))
    command <- paste("cd", home, "&& env -u R_DEFAULT_PACKAGES", settings, "./bootstrap")
    system(command, intern = TRUE)
}

lines <- function(name, value) c(sprintf(': "${%s:=%s}"', name, value), paste("export", name))

test("bootstrap sets what layers bring, each in its own file", {
    files <- list(
        "spatial.sh" = lines("PROJ_DATA", "/opt/share/proj"),
        "graphics.sh" = lines("FONTCONFIG_PATH", "/opt/etc/fonts")
    )
    expect(seen(files, c("PROJ_DATA", "FONTCONFIG_PATH")), c("/opt/share/proj", "/opt/etc/fonts"))
})

test("what the function has set stays", {
    files <- list("spatial.sh" = lines("PROJ_DATA", "/opt/share/proj"))
    expect(seen(files, "PROJ_DATA", "PROJ_DATA=/var/task/proj"), "/var/task/proj")
})

test("without such files, and with others beside, nothing is set", {
    expect(seen(list(), "PROJ_DATA"), "NA")
    expect(seen(list("README" = lines("PROJ_DATA", "/opt/share/proj")), "PROJ_DATA"), "NA")
})
